"""oEmbed against its specification (oembed.com, 1.0), Open Graph, and the frame that a picture is put into."""

import io
import random
from hashlib import sha256
from html.parser import HTMLParser
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from PIL import Image

from app.address import Address
from app.cards import excerpt, travelling
from app.fitting import fitted
from app.oembed import own_address
from app.packing import unpacked

BASE = "https://atlas.example"
TEXT = "The cat & the <b>mat</b>"
PAGE = f"{BASE}/?{'&'.join(['text=' + quote(TEXT), 'model=minilm', 'layer=3', 'head=1', 'view=lines'])}"


@pytest.fixture(scope="module")
def ours(serve, tmp_path_factory):
    """A server that people see at BASE; no model is needed, because nothing is looked at."""
    cache = tmp_path_factory.mktemp("cache")
    with serve(cache=cache, fetch_on_start=False, public_url=BASE, allowed_hosts="*") as client:
        yield client


def ask(client, url: str = PAGE, **more):
    return client.get("/oembed", params={"url": url, **more})


class Tags(HTMLParser):
    """Every tag of a document with its attributes, as a reader other than ours sees them."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(document)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


# ---- oEmbed


def test_the_answer_has_what_the_specification_demands_of_a_rich_one(ours):
    reply = ask(ours, format="json")
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("application/json")
    answer = reply.json()
    demanded = {"version": str, "type": str, "html": str, "width": int, "height": int}
    optional = {
        **{"title": str, "provider_name": str, "provider_url": str, "cache_age": int},
        **{"thumbnail_url": str, "thumbnail_width": int, "thumbnail_height": int},
    }
    assert {name: type(value) for name, value in answer.items()} == demanded | optional
    assert (answer["version"], answer["type"]) == ("1.0", "rich")
    assert answer["title"] == f"L3 H1 · {TEXT}"
    assert answer["provider_url"] == f"{BASE}/"


def test_the_code_is_one_frame_of_the_same_view(ours):
    answer = ask(ours).json()
    [(tag, frame)] = Tags(answer["html"]).found
    assert tag == "iframe"
    assert frame["title"] == f"L3 H1 · {TEXT}"
    assert (frame["width"], frame["height"]) == (str(answer["width"]), str(answer["height"]))
    embed = urlsplit(frame["src"])
    assert (embed.scheme, embed.netloc, embed.path) == ("https", "atlas.example", "/embed")
    meant = {"text": [TEXT], "model": ["minilm"], "layer": ["3"], "head": ["1"], "view": ["lines"]}
    assert parse_qs(embed.query) == meant
    picture = urlsplit(answer["thumbnail_url"])
    assert picture.path == "/figure.png"
    size = f"{answer['thumbnail_width']}x{answer['thumbnail_height']}"
    assert parse_qs(picture.query) == meant | {"fit": [size]}


def test_what_an_embed_shows_around_the_view_stays(ours):
    url = f"{BASE}/embed?text=a&show=strip,grid&controls=heads&tool=switch&unknown=1"
    [(_, frame)] = Tags(ask(ours, url).json()["html"]).found
    asked = {"text": ["a"], "model": ["minilm"], "show": ["strip,grid"], "controls": ["heads"]}
    assert parse_qs(urlsplit(frame["src"]).query) == asked
    [(_, frame)] = Tags(ask(ours, f'{BASE}/embed?text=a&show="><script>').json()["html"]).found
    assert parse_qs(urlsplit(frame["src"]).query) == {"text": ["a"], "model": ["minilm"]}


@pytest.mark.parametrize("path", ["/ideas/order", "/embed/ideas/order"])
def test_an_ideas_page_is_embedded_as_its_figure(ours, path):
    answer = ask(ours, f"{BASE}{path}?text={quote(TEXT)}&positions=rotary&positions=none&lang=ko&<b>=1").json()
    [(tag, frame)] = Tags(answer["html"]).found
    assert (tag, frame["title"]) == ("iframe", answer["title"])
    embed = urlsplit(frame["src"])
    assert (embed.scheme, embed.netloc, embed.path) == ("https", "atlas.example", "/embed/ideas/order")
    assert parse_qs(embed.query) == {"text": [TEXT], "positions": ["rotary"], "lang": ["ko"]}
    assert f"<title>{answer['title']}</title>" in ours.get(f"{path}?lang=ko").text
    assert ours.get(frame["src"].removeprefix(BASE)).status_code == 200
    assert "thumbnail_url" not in answer
    assert ask(ours, f"{BASE}/ideas/nobody").status_code == 404
    assert ask(ours, f"{BASE}/ideas").status_code == 404


def test_the_limits_of_the_asker_are_kept(ours):
    answer = ask(ours, maxwidth=300, maxheight=200).json()
    sizes = [(answer[f"{of}width"], answer[f"{of}height"]) for of in ("", "thumbnail_")]
    assert all(width <= 300 and height <= 200 for width, height in sizes)
    assert answer["thumbnail_url"].endswith("&fit=300x200")
    assert not [name for name in ask(ours, maxwidth=40).json() if name.startswith("thumbnail")]
    assert ask(ours, maxwidth=5000).json()["width"] == 640
    for wrong in ("0", "-1", "many", "1e3", ""):
        reply = ask(ours, maxwidth=wrong)
        assert reply.status_code == 422
        assert "maxwidth" in reply.json()["detail"]


def test_what_is_asked_twice_is_refused(ours):
    """Of two on the way, one would read the first and one the last."""
    for name in ("url", "format", "maxwidth", "maxheight"):
        given = {"url": PAGE, "format": "json", "maxwidth": "300", "maxheight": "300"}
        reply = ours.get("/oembed", params=[*given.items(), (name, given[name])])
        assert reply.status_code == 422, name
        assert reply.json()["errors"] == [f"{name}: is given twice"]


def test_a_trace_from_a_file_is_gone_too_soon_to_be_embedded(ours):
    url = f"{BASE}/?trace=file-{'0' * 40}"
    assert ask(ours, url).status_code == 404
    tags = Tags(ours.get(url.removeprefix(BASE)).text).found
    assert not [at for tag, at in tags if tag == "link" and "oembed" in (at.get("type") or "")]


def test_formats_that_are_not_written_are_501(ours):
    for unknown in ("xml", "yaml", ""):
        reply = ask(ours, format=unknown)
        assert reply.status_code == 501
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.json()["accepted"] == ["json"]
    assert ask(ours, dnt="true").status_code == 200  # what WordPress adds


def test_without_an_address_there_is_nothing_to_answer(ours):
    assert ours.get("/oembed").status_code == 422


@pytest.mark.parametrize(
    "url",
    [
        *("https://evil.example/?text=a", "https://atlas.example.evil.example/", "https://evil.example/https://atlas.example/"),
        *("http://atlas.example/", "https://atlas.example:8443/", "//atlas.example/", "/?text=a", "text"),
        *("https://user@atlas.example/", "https://atlas.example@evil.example/", "https://atlas.example\\@evil.example/"),
        *("https://atlas.example/healthz", "https://atlas.example/static/../", "https://atlas.example/models/minilm"),
        *("https://atlas.example/ ", "https://atlas.example/\n", "https://atlas.example/\x00", "https://[::1/"),
        *("javascript:alert(1)//https://atlas.example/", "file:///etc/passwd", "https://ATLAS\u2024example/"),
        *("https://atlas.example:port/", "https://atlas.example:0443x/"),
    ],
)  # fmt: skip
def test_foreign_addresses_and_unknown_paths_are_404(ours, url):
    reply = ask(ours, url)
    assert reply.status_code == 404
    assert "evil" not in reply.text


def test_the_same_origin_written_differently_is_ours():
    for url in ("https://atlas.example", "https://ATLAS.example/", "https://atlas.example:443/?text=a#part"):
        assert own_address(url, BASE) is not None, url
    assert own_address("http://127.0.0.1:8000/embed", "http://127.0.0.1:8000") is not None
    assert own_address("http://127.0.0.1:8001/embed", "http://127.0.0.1:8000") is None
    assert own_address("http://localhost:8000/", "http://127.0.0.1:8000") is None


def test_a_long_text_travels_packed_and_a_longer_one_is_refused(ours):
    long = "a long story " * 300
    answer = ask(ours, f"{BASE}/?lang=ko&text={quote(long)}").json()
    assert answer["title"].endswith("…")
    [(_, frame)] = Tags(answer["html"]).found
    query = urlsplit(frame["src"]).query
    assert query.startswith("z=")
    assert parse_qs(unpacked(query)) == {"text": [long], "model": ["minilm"], "lang": ["ko"]}
    noise = "".join(sha256(str(i).encode()).hexdigest() for i in range(320))
    assert ask(ours, f"{BASE}/?text={noise}").status_code == 404
    assert "og:image" not in meta(ours.get(f"/?text={noise}").text)
    assert ask(ours, f"{BASE}/?z=not-packed!").status_code == 422


# ---- Open Graph


def meta(page: str) -> dict[str, str]:
    tags = [of for tag, of in Tags(page).found if tag == "meta"]
    return {str(of.get("property") or of.get("name")): str(of.get("content")) for of in tags}


def test_the_page_tells_others_what_a_link_to_it_shows(ours):
    page = ours.get(PAGE.removeprefix(BASE)).text
    told = meta(page)
    assert told["og:title"] == told["twitter:title"] == f"L3 H1 · {TEXT}"
    assert TEXT in told["og:description"]
    picture = urlsplit(told["og:image"])
    assert (picture.scheme, picture.netloc, picture.path) == ("https", "atlas.example", "/figure.png")
    size = f"{told['og:image:width']}x{told['og:image:height']}"
    assert parse_qs(picture.query)["fit"] == [size]
    [link] = [of for tag, of in Tags(page).found if of.get("type") == "application/json+oembed"]
    assert link["href"].startswith(f"{BASE}/oembed?")
    answer = ours.get(link["href"].removeprefix(BASE))
    assert answer.json()["title"] == told["og:title"]


def test_a_hostile_address_says_no_more_than_it_means(ours):
    text = '"><script>alert(1)</script>'
    page = ours.get("/", params={"text": text, "layer": '"><img src=x>', "view": "<b>", "evil": text}).text
    assert meta(page)["og:title"] == f"L0 H0 · {text}"
    tags, usual = ([tag for tag, _ in Tags(one).found] for one in (page, ours.get("/?text=a").text))
    assert tags == usual
    assert "evil" not in meta(page)["og:url"]


def test_the_bare_page_is_named_after_the_site(ours):
    told = meta(ours.get("/").text)
    assert (told["og:title"], told["og:url"]) == ("Attention Atlas", f"{BASE}/")
    korean = meta(ours.get("/?lang=ko&model=ko-en").text)
    assert korean["og:locale"] == "ko_KR"
    assert "나는 학교에 갔다" in korean["og:description"]
    assert ours.get("/?z=broken!").status_code == 200


def test_a_packed_address_of_ours_is_one_that_we_read():
    """With its language and theme behind it, too: packed, it may be just as long as is read, and they are longer."""
    letters = random.Random(5)
    noise = "".join(letters.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=12_000))
    lengths = []
    for length in range(8_900, 9_700, 16):
        address = Address(text=noise[:length], model="minilm", theme="dark", lang="ko")
        if (query := travelling(address)) is not None:
            lengths.append(len(unpacked(query)))
    assert 0 < len(lengths) < 50


def test_an_excerpt_is_one_line():
    assert excerpt("  a\n\tb\x00c  d ") == "a b c d"
    assert excerpt("x" * 60) == "x" * 60
    assert excerpt("a \u202ecod.exe\u202c \u2067b 👩\u200d👧") == "a cod.exe b 👩\u200d👧"  # nothing turns what follows
    assert excerpt(f"a{' ' * 5000}b") == "a…"
    assert excerpt("word " * 30) == ("word " * 12).strip()[:59].rstrip() + "…"


# ---- a picture in a frame of a size that was told before


def png(width: int, height: int, colour: tuple[int, int, int, int]) -> bytes:
    made = io.BytesIO()
    Image.new("RGBA", (width, height), colour).save(made, "PNG")
    return made.getvalue()


@pytest.mark.parametrize(
    ("size", "inside"), [((400, 100), (400, 100)), ((2400, 600), (600, 150)), ((300, 1260), (75, 315))]
)
def test_a_picture_is_fitted_into_its_frame(size, inside):
    framed = fitted(png(*size, (255, 0, 0, 255)), 600, 315, (10, 20, 30))
    with Image.open(io.BytesIO(framed)) as picture:
        assert (picture.size, picture.mode) == ((600, 315), "RGB")
        red = [x for x in range(600) if picture.getpixel((x, 157)) == (255, 0, 0)]
        down = [y for y in range(315) if picture.getpixel((300, y)) == (255, 0, 0)]
        assert (len(red), len(down)) == inside
        assert abs((red[0] + red[-1]) / 2 - 299.5) <= 0.5
        if inside != (600, 315):
            corner = picture.getpixel((0, 0)) if inside[1] < 315 else picture.getpixel((0, 157))
            assert corner == (10, 20, 30)


def test_what_is_transparent_takes_the_colour_of_the_frame():
    framed = fitted(png(50, 50, (255, 0, 0, 0)), 100, 100, (10, 20, 30))
    with Image.open(io.BytesIO(framed)) as picture:
        assert picture.getcolors() == [(100 * 100, (10, 20, 30))]
