"""The embed and the offline file by HTTP and by command: what they show, their headers, what they refuse."""

import json
import re
import threading
from urllib.parse import urlencode

import pytest
from conftest import CAT

import app.viewing
from app import cli
from app.address import create_starts, load_examples, read_address
from app.packing import packed
from app.viewing import SHOW, show_of
from attention_core.figures import page as making

STARTS = create_starts(load_examples(), "minilm")
POLICY = "content-security-policy"


def get(client, path, headers=None, **parameters):
    return client.get(f"{path}?{urlencode(parameters)}", headers=headers)


def places(html):
    """The views that a page has a place for."""
    return [name.removeprefix("panel-") for name in re.findall(r'id="(strip|grid|panel-[a-z]+)"', html)]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("text=x", ["heatmap"]),
        ("text=x&view=lines", ["lines"]),
        ("text=x&view=table", ["table"]),
        ("text=x&view=compute&step=mask", ["compute"]),
        ("text=x&view=lines&show=compute,strip", ["strip", "compute"]),
        ("text=x&view=picture", ["heatmap"]),  # a text has none
        ("text=x&view=difference", ["heatmap"]),  # from nothing
        ("text=x&view=difference&versus=x", ["heatmap"]),
        ("text=x&view=difference&versus=y", ["difference"]),
        ("text=x&off=encoder-self.0.1&show=grid,difference,table", ["grid", "table", "difference"]),
        (f"trace=file-{'0' * 40}&versus=y&show=difference", ["heatmap"]),
        ("text=x&view=<script>", ["heatmap"]),
        ("model=shapes", ["picture"]),
        ("model=shapes&show=strip,heatmap", ["strip", "heatmap"]),
        ("text=x&show=table,grid,strip", ["strip", "grid", "table"]),
        ("text=x&show=picture,nothing,<b>", ["heatmap"]),
        ("text=x&show=", ["heatmap"]),
    ],
)
def test_an_embed_shows_what_is_asked_for_and_else_what_the_address_means(empty, query, shown):
    reply = empty.get(f"/embed?{query}")
    assert reply.status_code == 200
    assert places(reply.text) == shown


def test_an_embed_has_no_controls_but_those_asked_for(empty):
    bare = get(empty, "/embed", text=CAT).text
    assert not re.findall(r'id="(kinds|heads|controls|looking|colour)"', bare)
    every = get(empty, "/embed", text=CAT, controls="colour,heads,looking,more").text
    assert re.findall(r'id="(kinds|heads|looking|colour)"', every) == ["kinds", "heads", "looking", "colour"]
    # Where there is a grid, the heads are chosen from it.
    assert 'id="heads"' not in get(empty, "/embed", text=CAT, controls="heads", show="grid").text


def test_a_packed_address_means_the_same(empty, client):
    inside = packed(urlencode({"text": CAT, "view": "lines", "layer": 2, "theme": "dark"}), plain=0)
    assert inside.startswith("z=")
    assert places(empty.get(f"/embed?{inside}").text) == ["lines"]
    assert places(empty.get(f"/embed?{inside}&show=strip,table&controls=heads").text) == ["strip", "table"]
    assert places(empty.get(f"/embed?{packed('text=x&show=grid', plain=0)}").text) == ["grid"]
    assert empty.get("/embed?z=broken&show=grid").status_code == 200  # the page says that it cannot be read
    opened = boot_of(client.get(f"/offline.html?{inside}").text)
    assert read_address(opened["search"], STARTS).layer == 2
    assert client.get("/offline.html?z=broken").status_code == 422


@pytest.mark.parametrize("query", ["text=%ff%fe", "show=%00&controls=%ed%a0%80", "&&==&show", "show=" + "strip," * 999])
def test_bytes_that_are_no_text_do_no_harm(empty, query):
    assert empty.get(f"/embed?{query}").status_code == 200


def test_an_embed_speaks_and_looks_as_its_address_says(empty):
    page = get(empty, "/embed", text=CAT, lang="ko", theme="dark", headers={"accept-language": "en"})
    assert '<html lang="ko" data-theme="dark">' in page.text
    assert "theme.js" not in page.text
    own = get(empty, "/embed", text=CAT, theme="pink").text
    assert '<html lang="en">' in own
    assert "theme.js" in own


def test_only_the_embed_may_be_framed_and_nothing_else_of_it_is_looser(empty):
    framed, usual = (empty.get(path).headers for path in ("/embed", "/"))
    assert framed[POLICY] == usual[POLICY].replace("frame-ancestors 'none'", "frame-ancestors * file:")
    assert "'none'" not in framed[POLICY].split("frame-ancestors")[1]
    assert "x-frame-options" not in framed
    assert framed["cross-origin-resource-policy"] == "cross-origin"
    assert usual["cross-origin-resource-policy"] == "same-origin"
    assert "set-cookie" not in framed


def test_what_stands_in_an_address_is_never_markup(empty):
    text = "</script><script>alert(1)</script>"
    page = empty.get(f"/embed?{urlencode({'text': text, 'show': text, 'theme': text, 'lang': text})}")
    assert "alert(1)" not in page.text


def test_a_picture_stands_only_beside_a_picture():
    assert show_of(read_address("text=x", STARTS), ["picture", "grid"]) == ["grid"]
    assert show_of(read_address("model=shapes", STARTS), ["picture", "grid"]) == ["grid", "picture"]


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_dialog_that_shares_names_everything_that_an_embed_shows(empty, lang):
    """The words are looked up by the tab on show: one that is missing would end the dialog."""
    messages = boot_of(empty.get(f"/?lang={lang}").text)["messages"]
    assert [name for name in SHOW if f"share.show.{name}" not in messages] == []


def boot_of(page):
    return json.loads(re.search(r'id="boot">(.*?)</script>', page, re.S)[1])


def test_a_file_to_be_saved(client):
    reply = get(client, "/offline.html", text=CAT, layer=3, head=1, words=1, lang="ko", theme="dark")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["content-disposition"] == 'attachment; filename="attention-atlas-L3-H1-offline.html"'
    assert reply.headers[POLICY] == "sandbox"
    assert reply.headers["content-encoding"] == "gzip"
    boot = boot_of(reply.text)
    assert (boot["lang"], boot["theme"], boot["whole"]) == ("ko", "dark", None)
    opened = read_address(boot["search"], STARTS)
    assert (opened.text, opened.layer, opened.head, opened.words) == (CAT, 3, 1, True)
    assert reply.headers["vary"] == "Accept-Encoding, Accept-Language"
    same = {"text": CAT, "layer": 3, "head": 1, "words": 1, "lang": "ko", "theme": "dark"}
    again = get(client, "/offline.html", headers={"If-None-Match": reply.headers["etag"]}, **same)
    assert (again.status_code, again.content) == (304, b"")
    plain = get(client, "/offline.html", text=CAT, headers={"accept-encoding": "identity"})
    assert plain.headers["vary"] == "Accept-Encoding, Accept-Language"
    assert "content-encoding" not in plain.headers
    assert 2_000_000 < len(plain.content) < 6_000_000
    assert "/static/" not in plain.text.split('id="packed-')[0]


def test_a_public_server_leads_from_the_file_to_the_whole_view(serve, cache):
    with serve(cache=cache, public_url="https://atlas.example", fetch_on_start=False) as public:
        page = public.get(f"/offline.html?text={CAT}")
    assert boot_of(page.text)["whole"] == "https://atlas.example/"


def test_a_file_is_made_once_for_all_who_ask(client, monkeypatch):
    """And by those who draw figures: who only looks does not wait for it."""
    made = []
    real = app.viewing.page_of
    monkeypatch.setattr(
        app.viewing, "page_of", lambda *some: made.append(threading.current_thread().name) or real(*some)
    )
    first, again = (get(client, "/offline.html", text="Made once", lang="en") for _ in range(2))
    assert first.headers["etag"] == again.headers["etag"]
    assert first.content == again.content
    reader = get(client, "/offline.html", text="Made once", headers={"accept-language": "ko"})
    assert reader.headers["etag"] != first.headers["etag"]  # it is in the reader's language
    assert [name.partition("_")[0] for name in made] == ["drawer", "drawer"]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"text": CAT, "layer": "x"}, "invalid-request"),
        ({"text": CAT, "unheard-of": 1}, "unknown-parameter"),
        ({"text": CAT, "model": "unheard-of"}, "unknown-name"),
        ({"text": "one word " * 100}, "page-too-long"),
        ({"trace": f"file-{'0' * 40}"}, "trace-not-held"),
    ],
)
def test_no_file_but_a_problem(client, parameters, code):
    reply = get(client, "/offline.html", **parameters)
    assert 400 <= reply.status_code < 500
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["type"] == f"/problems/{code}"
    if code == "page-too-long":
        facts = reply.json()
        assert (facts["count"], facts["limit"]) == (202, 128)
        assert f"{facts['megabytes']} MB" in facts["detail"]


def test_memory_for_a_file_is_asked_for_before_it_is_made(serve, cache, monkeypatch):
    """A trace file of many heads with few numbers would be a page of gigabytes."""
    asked = []
    monkeypatch.setattr(making, "estimated_bytes", lambda trace: asked.append(len(trace.source)) or 1 << 60)
    with serve(cache=cache, fetch_on_start=False) as narrow:
        reply = get(narrow, "/offline.html", text=CAT)
        assert (reply.status_code, reply.json()["type"]) == (507, "/problems/out-of-memory")
        assert get(narrow, "/offline.html", text="one word " * 100).json()["type"] == "/problems/page-too-long"
    assert asked == [12, 202]  # of the long one for its sentence alone


def test_the_command_writes_the_file_and_refuses_clearly(cache, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("ATLAS_CACHE", str(cache))
    path = tmp_path / "cat.html"
    common = [CAT, "-o", str(path), "--layer", "3", "--view", "lines", "--special", "hide", "--lang", "ko"]
    assert cli.main(["page", *common, "--head", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"output": str(path), "bytes": path.stat().st_size, "tokens": 12}
    boot = boot_of(path.read_text(encoding="utf-8"))
    opened = read_address(boot["search"], STARTS)
    assert (opened.layer, opened.head, opened.view, opened.special) == (3, 1, "lines", "hide")
    assert boot["lang"] == "ko"
    path.unlink()
    assert cli.main(["page", *common, "--head", "12"]) == 2
    assert "unknown head '12'; accepted: 0, 1," in capsys.readouterr().err
    assert cli.main(["page", "word " * 150, "-o", str(path)]) == 2
    assert "152 tokens" in capsys.readouterr().err
    assert not path.exists()
