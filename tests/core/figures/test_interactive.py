"""A trace in a notebook: what is refused, how the page opens, and that nothing of a text becomes markup."""

import json
import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import parse_qs

import pytest

from attention_core.capture import capture
from attention_core.errors import InputError, NotAvailableError, PageTooLongError, UnknownNameError
from attention_core.figures import interactive
from attention_core.looking import look

pytestmark = pytest.mark.model
HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)> &lt; '"


@pytest.fixture(scope="module")
def translation():
    return capture("ko-en", "나는 학교에 갔다")


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def opens_with(page: str):
    boot = json.loads(re.search(r'id="boot">([^<]*)<', page)[1])
    return boot["lang"], boot["theme"], {name: value for name, [value] in parse_qs(boot["search"][1:]).items()}


def test_the_page_opens_as_it_was_asked_to(translation, tmp_path):
    asked = {"kind": "cross", "layer": 1, "head": 2, "query": 1, "keys": (0, 3), "words": True, "curve": "sqrt"}
    made = interactive(translation, view="lines", language="ko", theme="dark", height=500, **asked)
    made.save(tmp_path / "it.html")
    saved = (tmp_path / "it.html").read_text(encoding="utf-8")
    search = {"kind": "cross", "layer": "1", "head": "2", "query": "1", "keys": "0:3", "words": "1", "scale": "sqrt"}
    assert opens_with(saved) == ("ko", "dark", search | {"view": "lines"})
    [frame] = [one for tag, one in Elements(made._repr_html_()).found if tag == "iframe"]
    assert (frame["sandbox"], frame["srcdoc"]) == ("allow-scripts", saved)
    assert "height: 500px" in frame["style"]
    assert made.still.title in unescape(frame["title"])
    assert repr(made).startswith("Interactive(")


def test_without_a_head_all_heads_stand_for_it(translation):
    made = interactive(translation, kind="cross")
    assert made._repr_mimebundle_(include=None, exclude=None)["text/plain"].splitlines()[1] == made.still.alt_text
    assert "all heads" in made.still.title
    assert opens_with(made.page.decode()) == ("en", None, {"kind": "cross", "view": "heatmap"})


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"view": "pie"}, UnknownNameError, "heatmap, lines, table"),
        ({"height": 0}, InputError, "200 to 4000"),
        ({"theme": "print"}, UnknownNameError, "light, dark"),
        ({"palette": "greys"}, InputError, "unknown option 'palette'; accepted: .*layer"),
        ({"kind": "cross", "layer": 9, "head": 0}, InputError, "layer"),
        ({"kind": "cross", "layer": 0, "head": 0, "query": 99}, InputError, "99"),
        ({"kind": "none"}, UnknownNameError, "cross"),
    ],
)
def test_what_is_not_there_is_refused(translation, asked, error, said):
    with pytest.raises(error, match=said):
        interactive(translation, **asked)


def test_too_long_and_looked_at_already_are_refused(translation, minilm_folder):
    with pytest.raises(NotAvailableError, match="the original"):
        interactive(look(translation, words=True))
    with pytest.raises(PageTooLongError, match="128"):
        interactive(capture("minilm", "so " * 200))


def test_a_hostile_text_is_text(minilm_folder):
    trace = capture("minilm", HOSTILE)
    bundle = trace._repr_mimebundle_(include=None, exclude=None)
    assert [tag for tag, _ in Elements(bundle["text/html"]).found] == ["div", "img"]
    assert repr(trace) in bundle["text/plain"]
    found = Elements(interactive(trace, layer=0, head=0, query=1)._repr_html_()).found
    assert [tag for tag, _ in found] == ["div", "style", "iframe", "img"]
    assert set(found[2][1]) == {"class", "srcdoc", "sandbox", "title", "style"}
    assert set(found[3][1]) == {"src", "alt", "width", "style"}


def test_a_trace_of_several_kinds_shows_each(translation):
    html = translation._repr_mimebundle_()["text/html"]
    alts = [attributes["alt"] for tag, attributes in Elements(html).found if tag == "img"]
    assert len(alts) == len(set(alts)) == 3
    assert repr(translation) == (
        "AttentionTrace(ko-en, 7 and 5 tokens, layers x heads: encoder-self 2 x 4, decoder-self 2 x 4, cross 2 x 4)"
    )
