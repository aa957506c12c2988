"""GET /figure.<format>: the picture of an address, from anywhere, and what it refuses."""

import io
import logging

import numpy as np
import pytest

from app.address import FORMS, create_starts, load_examples, read_address
from app.figuring import FIGURE, FONT_SIZES, FORMATS, PALETTES, VIEWS, WIDTHS, link_of, request_of
from app.packing import packed
from attention_core.figures import figure as library
from attention_core.figures.make import VIEWS as DRAWN

pytestmark = pytest.mark.model
CAT = "The cat sat on the mat because it was tired"
HEAD = "text=The+cat+sat&layer=3&head=1"
BEGINS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "html": b"<!doctype html>", "npy": b"\x93NUMPY"}
BEGINS |= {"json": b"{", "plotly.json": b"{", "csv": b"\xef\xbb\xbf"}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_travels_with_its_headers(client, name):
    reply = client.get(f"/figure.{name}?{HEAD}")
    assert reply.status_code == 200
    assert reply.content.startswith(BEGINS[name])
    headers = reply.headers
    assert headers["cache-control"] == "public, max-age=86400"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["content-disposition"] == f'inline; filename="attention-atlas-L3-H1.{name}"'
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert ("sandbox" in policy) == (name in ("html", "svg"))
    assert ("allow-scripts" in policy) == (name == "html")
    assert "connect-src" not in policy or name not in ("html", "svg")
    again = client.get(f"/figure.{name}?{HEAD}", headers={"If-None-Match": headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert not headers["etag"].startswith("W/")
    varied = [client.get(f"/figure.{name}?{HEAD}", headers={"Accept-Encoding": how}) for how in ("gzip", "identity")]
    expected = None if name in ("png", "npy") else "Accept-Encoding"  # the same for all, or too small
    assert {reply.headers.get("vary") for reply in varied} == {expected}
    head = client.head(f"/figure.{name}?{HEAD}&download=1")
    assert head.headers["etag"] == headers["etag"]
    assert head.headers["content-disposition"].startswith("attachment; ")
    bare = client.get(f"/figure.{name}?{HEAD}", headers={"Accept-Encoding": "identity"})
    assert bare.content == reply.content


def test_its_numbers_are_those_of_the_trace_that_the_page_makes(client):
    array = np.load(io.BytesIO(client.get("/figure.npy?text=A+brand+new+text&layer=2&head=5").content))
    made = client.post("/api/v1/traces", json={"model": "minilm", "text": "A brand new text"})
    assert made.status_code == 200  # it was there: the page and its picture share one trace
    url = f"/api/v1/traces/{made.json()['id']}/weights?layer=2&head=5"
    np.testing.assert_array_equal(array, np.load(io.BytesIO(client.get(url).content)).astype(np.float64))


def facts(client, query):
    reply = client.get(f"/figure.json?{query}")
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_without_a_figure_it_draws_what_the_page_would_show(client):
    usual = facts(client, "")
    assert usual["facts"]["tokens"]["queries"][1:3] == ["the", "cat"]
    assert (usual["facts"]["layer"], usual["facts"]["head"]) == (3, 1)
    assert usual == facts(client, "view=table&figure=heatmap") | {"caption": usual["caption"], "facts": usual["facts"]}
    assert facts(client, "view=lines")["alt_text"] == facts(client, "figure=lines")["alt_text"] != usual["alt_text"]
    assert len(np.shape(facts(client, "figure=grid")["values"])) == 4
    assert facts(client, "view=picture")["alt_text"] == usual["alt_text"]  # a text has no picture
    assert facts(client, "view=difference")["alt_text"] == usual["alt_text"]  # and nothing is compared
    assert np.shape(facts(client, "model=shapes")["values"]) == (8, 8)


def test_a_difference_is_of_two_traces(client):
    other = CAT.replace("tired", "soft").replace(" ", "+")
    text = CAT.replace(" ", "+")
    change = np.array(facts(client, f"text={text}&layer=3&head=1&versus={other}&view=difference")["values"])
    first, second = (np.array(facts(client, f"text={one}&layer=3&head=1")["values"]) for one in (text, other))
    np.testing.assert_allclose(change, second - first, atol=1e-6)
    off = facts(client, f"text={text}&layer=3&head=1&off=encoder-self.0.0,encoder-self.1.2&figure=difference")
    switched = facts(client, f"text={text}&layer=3&head=1&off=encoder-self.0.0,encoder-self.1.2")
    np.testing.assert_allclose(np.array(off["values"]), np.array(switched["values"]) - first, atol=1e-6)


def test_the_link_restores_what_is_seen_and_never_trusts_the_host_header(client):
    link = facts(client, "text=The+cat&layer=2&head=7&words=1&theme=dark")["facts"]["link"]
    assert link.startswith("http://127.0.0.1:8000/?text=The+cat&model=minilm&rev=")
    starts = create_starts(load_examples(), "smollm2")  # where another model comes first it means the same
    address = read_address(link.partition("?")[2], starts)
    assert (address.model, address.layer, address.head, address.words, address.theme) == ("minilm", 2, 7, True, None)
    tab = facts(client, "text=The+cat&figure=lines")["facts"]["link"]
    assert read_address(tab.partition("?")[2], starts).view == "lines"  # of what the page has a tab for, that tab opens
    foreign = {"Host": "localhost:666", "X-Forwarded-Host": "evil.example"}
    spoofed = client.get("/figure.json?text=The+cat", headers=foreign)
    assert spoofed.json()["facts"]["link"].startswith("http://127.0.0.1:8000/")


def test_a_long_address_is_unpacked_and_a_long_link_packed(client):
    query = "text=" + "+".join(["cat"] * 90) + "&layer=1&head=1"
    small = packed(query, 0)
    assert small.startswith("z=")
    assert client.get(f"/figure.csv?{small}").content == client.get(f"/figure.csv?{query}").content
    link = facts(client, query)["facts"]["link"]
    assert "/?z=" in link
    assert len(link) < 200
    assert read_address(link.partition("?")[2], create_starts(load_examples(), "minilm")).text == " ".join(["cat"] * 90)


BAD = {
    "gif?": ("unknown-name", "accepted: png, svg"),
    "png?layr=1": ("unknown-parameter", "'layr'"),
    "png?layer=x": ("invalid-request", "layer: 'x'"),
    "png?layer=99": ("unknown-name", "accepted: 0, 1, 2"),
    "png?layer=3&layer=3": ("invalid-request", "given twice"),
    "png?text=": ("invalid-request", "not empty"),
    "png?figure=pie": ("invalid-request", "heatmap, grid"),
    "png?theme=neon": ("invalid-request", "light, dark, print"),
    "png?width=99999999": ("invalid-request", "160 to 4000"),
    "png?font=400": ("invalid-request", "8 to 40"),
    "png?x=9": ("invalid-request", "1 to 3"),
    "png?fit=99999x99999": ("invalid-request", "1200x630"),
    "svg?fit=600x300": ("invalid-request", "only of png"),
    "csv?values=0": ("invalid-request", "only of json"),
    "png?model=none": ("unknown-name", "minilm"),
    "png?model=shapes&text=a": ("not-available", "needs one instead of a text"),
    "png?figure=difference": ("invalid-request", "versus"),
    "png?figure=generation": ("not-available", "wrote nothing"),
    "png?figure=picture": ("not-available", ""),
    "png?queries=500:600": ("window", "0:12"),
    "png?query=700": ("invalid-input", "700"),
    "png?z=AAAA": ("invalid-request", "z"),
    "png?layer=1&z=AAAA": ("invalid-request", "comes first"),
    "png?image=nowhere&model=shapes": ("image-not-held", ""),
    "png?trace=file-" + "0" * 40: ("trace-not-held", ""),
    "png?%00=1": ("unknown-parameter", ""),
}


@pytest.mark.parametrize("url", BAD)
def test_what_cannot_be_drawn_is_a_problem_that_says_why(client, url):
    code, sentence = BAD[url]
    reply = client.get(f"/figure.{url}")
    body = reply.json()
    assert reply.headers["content-type"] == "application/problem+json"
    assert body["type"] == f"/problems/{code}"
    assert reply.status_code == body["status"] == (404 if code.endswith("not-held") else 422)
    assert sentence in body["detail"]


def test_a_trace_from_a_file_says_so_and_is_not_compared(client):
    made = client.post("/api/v1/traces", json={"model": "minilm", "text": "The cat sat"}).json()["id"]
    file = client.get(f"/api/v1/traces/{made}/file").content
    opened = client.post("/api/v1/trace-files", content=file).json()["id"]
    drawn = facts(client, f"trace={opened}&layer=3&head=1")
    assert drawn["values"] == facts(client, HEAD)["values"]
    assert any("not checked" in line for line in drawn["caption"])
    assert f"trace={opened}" in drawn["facts"]["link"]
    refused = client.get(f"/figure.svg?trace={opened}&figure=difference&off=encoder-self.0.0").json()
    assert refused["type"] == "/problems/not-available"
    assert "needs its model" in refused["detail"]
    for beside in ("off=encoder-self.0.0", "text=Other", "written=7", "versus=Other&view=difference"):
        for path in ("figure.png", "offline.html"):
            ignored = client.get(f"/{path}?trace={opened}&{beside}")
            assert (ignored.status_code, ignored.json()["type"]) == (422, "/problems/invalid-request")
            assert f"leave out {beside.partition('=')[0]}" in ignored.json()["detail"]
    cut = client.get(f"/figure.png?trace={opened}&segments=AB").json()
    assert (cut["type"], cut["reason"]) == ("/problems/not-available", "one-text")


def test_absurd_pictures_name_their_limit(client):
    text = "text=" + "elephant+" * 400
    reply = client.get(f"/figure.png?{text}&width=480&font=40&x=3&figure=strip")
    assert reply.status_code == 422
    assert "megapixels" in reply.json()["detail"]


def test_no_text_of_an_address_is_logged(client, caplog):
    caplog.set_level(logging.DEBUG)
    client.get("/figure.svg?text=zanzibarmarker")
    client.get("/figure.svg?text=zanzibarmarker&zanzibarmarker=1")
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert any("GET /figure.{ending} 200" in line for line in ours)
    assert not any("zanzibarmarker" in line for line in ours)
    assert "zanzibarmarker" not in client.get("/metrics").text


def test_a_hostile_text_stays_text_in_every_document(client):
    hostile = "</script><script>alert(1)</script> <svg onload=alert(1)> ]]> &amp;"
    for name in ("html", "svg"):
        page = client.get(f"/figure.{name}", params={"text": hostile, "figure": "strip"}).text
        assert "alert(1)</script>" not in page
        assert "<svg onload" not in page
    table = client.get("/figure.csv", params={"text": "=1+1 @x", "layer": "0", "head": "0"}).text
    assert not [cell for line in table.splitlines() for cell in line.split(",") if cell[:1] in "=+@" and cell]


def test_the_schema_lists_everything_it_takes(client):
    listed = client.get("/api/v1/openapi.json").json()["paths"]["/figure.{ending}"]["get"]
    named = {one["name"]: one for one in listed["parameters"]}
    assert set(named) == {"ending", *FORMS, *FIGURE}
    assert all(one["description"] for one in named.values())
    assert named["theme"]["schema"]["enum"] == ["light", "dark", "print"]
    assert set(listed["responses"]["200"]["content"]) >= {"image/png", "application/pdf"}


def test_what_the_app_says_of_figures_is_what_the_library_draws():
    assert DRAWN == VIEWS
    assert library.FORMATS == FORMATS
    assert library.PALETTES == PALETTES
    assert (library.WIDTHS, library.FONT_SIZES) == (WIDTHS, FONT_SIZES)
    assert ", ".join(library.THEMES) == FIGURE["theme"][0].accepted


def test_an_address_asks_for_the_very_trace_that_the_page_posts():
    starts = create_starts(load_examples(), "minilm")
    search = "?text=a&off=encoder-self.1.2,encoder-self.0.0&how=mean&what_if=unscaled&truncate=1&written=5.6"
    address = read_address(search, starts)
    request = request_of(address)
    assert request.model_dump() == {
        "model": "minilm", "text": "a", "pair": None, "target": None, "image": None, "written": [5, 6],
        "options": {
            "truncate": True, "off": ["encoder-self.0.0", "encoder-self.1.2"], "off_with": "mean", "chat": False,
            "what_if": ["unscaled"],
        },
    }  # fmt: skip
    assert request_of(read_address("?text=a&how=mean", starts)).options.off_with == "zero"  # no head is off
    link = link_of(address, "no hash", "https://a.example")
    assert link.startswith("https://a.example/?text=a&model=minilm&off=")
    assert read_address(link.partition("?")[2], starts) == address
