"""The pages of ideas and the glossary."""

import json
import re

import pytest

from app.idea_pages import PAGES, WORDS
from attention_core.ideas import IDEAS

NAMES = [page.name for page in PAGES]


@pytest.fixture(scope="module")
def site(tmp_path_factory, serve):
    """A server without models."""
    with serve(cache=tmp_path_factory.mktemp("cache"), fetch_on_start=False) as client:
        yield client


def boot_of(page: str) -> dict:
    return json.loads(re.search(r'id="boot">(.*?)</script>', page).group(1))


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_list_leads_to_every_page_in_the_readers_language(site, lang):
    page = site.get(f"/ideas?lang={lang}").text
    spoken = "" if lang == "en" else f"?lang={lang}"
    assert re.findall(r'<h2><a href="([^"]+)">', page) == [f"/ideas/{name}{spoken}" for name in NAMES]
    assert f'href="/glossary{spoken}"' in page
    assert f'<a href="/ideas{spoken}" aria-current="page">' in page


def test_everything_that_is_computed_has_a_page():
    assert {idea.name for idea in IDEAS} - {"sparing"} <= set(NAMES)  # sparing is a figure of the page on cost


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_its_formula_its_words_and_its_neighbours(site, name):
    for lang in ("en", "ko"):
        reply = site.get(f"/ideas/{name}?lang={lang}")
        assert reply.status_code == 200
        assert reply.headers["content-language"] == lang
        assert "<math" in reply.text
        assert "\\" not in re.search(r'<div class="math">(.*?)</div>', reply.text).group(1)
        assert boot_of(reply.text)["idea"] == name
    at = NAMES.index(name)
    around = [*NAMES[max(0, at - 1) : at], *NAMES[at + 1 : at + 2]]
    assert re.findall(r'class="card (?:previous|next)" href="/ideas/(\w+)\?lang=ko"', reply.text) == around
    assert site.head(f"/ideas/{name}").status_code == 200


def test_another_name_is_a_404_with_the_list(site):
    page = site.get("/ideas/nobody")
    assert page.status_code == 404
    assert page.text.count("<h2><a href=") == len(NAMES)


def test_the_three_kinds_are_frames_of_our_own(site):
    reply = site.get("/ideas/kinds?lang=ko")
    frames = re.findall(r'<iframe class="heatmap" src="([^"]+)"', reply.text)
    assert [re.search("kind=([a-z-]+)", frame).group(1) for frame in frames] == [
        "encoder-self",
        "decoder-self",
        "cross",
    ]
    assert all(frame.startswith("/embed?") and "lang=ko" in frame for frame in frames)
    assert reply.headers["content-security-policy"].endswith("frame-src 'self'")


@pytest.mark.parametrize("name", NAMES)
def test_the_figure_alone_may_be_framed_and_the_page_may_not(site, name):
    path = f"/embed/ideas/{name}?lang=ko&theme=dark"
    alone, whole, view = (site.get(one) for one in (path, f"/ideas/{name}", "/embed"))
    policies = [reply.headers["content-security-policy"] for reply in (alone, whole, view)]
    assert alone.status_code == 200
    assert policies[0] == f"{policies[2]}; frame-src 'self'"
    assert "frame-ancestors * file:" in policies[0]
    assert "frame-ancestors 'none'" in policies[1]
    assert alone.headers["cross-origin-resource-policy"] == "cross-origin"
    assert (alone.headers["content-language"], "set-cookie" in alone.headers) == ("ko", False)
    assert '<html lang="ko" data-theme="dark">' in alone.text
    boot = boot_of(alone.text)
    assert (boot["idea"], boot["alone"], boot["theme"]) == (name, True, "dark")
    assert 'id="live"' in alone.text
    assert f'<a href="/ideas/{name}?lang=ko" id="whole">' in alone.text
    assert not re.findall('<header|class="words-of"|class="around"', alone.text)
    frames = re.findall(r'<iframe[^>]* src="([^"]+)"', alone.text)
    assert len(frames) == (3 if name == "kinds" else 0)
    assert all("theme=dark" in frame for frame in frames)
    assert site.head(path).status_code == 200


def test_no_figure_of_another_name_and_none_of_what_an_address_says(site):
    reply = site.get("/embed/ideas/nobody?theme=<script>&lang=<b>")
    assert reply.status_code == 404
    assert 'href="/ideas" id="whole"' in reply.text
    assert 'id="boot"' not in reply.text
    assert "<b>" not in reply.text
    assert boot_of(site.get("/embed/ideas/order?theme=pink&text=<script>").text)["theme"] is None


def test_what_visitors_may_not_start_has_no_button_that_does(tmp_path, serve):
    with serve(cache=tmp_path, fetch_on_start=False, measure=False) as client:
        assert boot_of(client.get("/ideas/cost").text)["allowed"] is False


@pytest.mark.parametrize(
    ("lang", "sentences"),
    [
        ("en", ["a column is a position, no longer the word", "A large weight does not mean a large effect."]),
        ("ko", ["열은 낱말이 아니라 위치예요", "가중치가 크다고 영향이 큰 것은 아니에요."]),
    ],
)
def test_the_glossary_has_every_word_and_the_two_sentences(site, lang, sentences):
    page = site.get(f"/glossary?lang={lang}").text
    assert re.findall(r'<dt><a href="#(\w+)">', page) == list(WORDS)
    assert {"layer", "head", "query", "key", "value", "scores", "weights", "mask", "softmax", "kind"} <= set(WORDS)
    for sentence in sentences:
        assert sentence in page
    led_to = set(re.findall(r'class="more" href="/ideas/(\w+)', page))
    assert led_to == {name for name in WORDS.values() if name} <= set(NAMES)
