"""From a lesson's Markdown to HTML that can stand on our page: the one place that does it.

Three walls, each enough by itself: the parser takes no HTML, formulas are written anew by formulas.py, and all of it
passes a sanitiser with a short list of what may stay. The page's own policy would run no script in any case.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

from app.lessons.formulas import ATTRIBUTES, ELEMENTS, WORDS, formula
from app.lessons.tables import bounded

TAGS = frozenset(
    WORDS.findall("p h2 h3 h4 ul ol li blockquote pre code em strong a br hr img span div table thead tbody tr th td")
)
KEPT: dict[str, set[str]] = {
    "a": {"href", "title"},
    "img": {"src", "alt", "loading"},
    "ol": {"start"},
    "h2": {"id"},
    "th": {"style"},
    "td": {"style"},
    **{name: set(ATTRIBUTES) for name in ELEMENTS},
}
# A picture of our own by its address; all others would tell a stranger who reads the lesson.
OWN_PICTURE = re.compile(r"/figure\.(?:png|svg)\?[^\s\"<>]*")
ID = re.compile(r"part-\d{1,6}")


@dataclass(frozen=True)
class Heading:
    """A heading of the table of contents: where a link leads, and its text."""

    id: str
    text: str


@dataclass(frozen=True)
class Text:
    """Markdown as HTML, and its headings of the first level."""

    html: str
    headings: tuple[Heading, ...]


def render(markdown: str, first: int = 1) -> Text:
    """Markdown as safe HTML; the ids of its headings count on from `first`. Never an error: what it does not
    understand stands as typed."""
    parser = _parser()
    tokens = parser.parse(markdown)
    headings = _number(tokens, first)
    _unname(tokens)
    return Text(_clean(parser.renderer.render(tokens, parser.options, {})), headings)


def render_line(markdown: str) -> str:
    """One line of Markdown, without a paragraph around it."""
    return _clean(_parser().renderInline(markdown))


@cache
def _parser() -> MarkdownIt:
    """Markdown as CommonMark has it, with tables and formulas, without HTML."""
    parser = bounded(MarkdownIt("commonmark", {"html": False, "maxNesting": 20}))
    dollarmath_plugin(
        parser,
        allow_labels=False,
        allow_space=False,
        allow_digits=False,
        allow_blank_lines=False,
        renderer=lambda latex, given: formula(latex, block=bool(given["display_mode"])),
    )
    parser.add_render_rule("image", _picture)
    return parser


def _picture(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    """A picture of ours; of any other its description, as text."""
    token = tokens[at]
    source, words = str(token.attrGet("src") or ""), token.content
    if OWN_PICTURE.fullmatch(source):
        return f'<img src="{escape(source)}" alt="{escape(words)}" loading="lazy">'
    return escape(words)


def _number(tokens: Sequence[Token], first: int) -> tuple[Heading, ...]:
    """Gives headings the levels that stand under the page's title, none skipped, and those of the first an id."""
    headings: list[Heading] = []
    level = 1
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            level = min(max(int(token.tag[1]), 2), level + 1, 4)
            token.tag = tokens[at + 2].tag = f"h{level}"
            if level == 2:
                heading = Heading(f"part-{first + len(headings)}", _plain(tokens[at + 1]))
                token.attrSet("id", heading.id)
                headings.append(heading)
    return tuple(headings)


def _unname(tokens: Sequence[Token]) -> None:
    """Makes a cell that is empty at the head of a column a plain one: read out, a name without words is none."""
    for at, token in enumerate(tokens):
        if token.type == "th_open" and not tokens[at + 1].content:
            token.tag = tokens[at + 2].tag = "td"


def _plain(inline: Token) -> str:
    """The words of a heading without its marks."""
    return "".join(" " if one.type == "softbreak" else one.content for one in inline.children or [])


def _clean(html: str) -> str:
    return nh3.clean(
        html,
        tags=set(TAGS | ELEMENTS),
        clean_content_tags={"script", "style"},
        attributes=KEPT,
        attribute_filter=_attribute,
        allowed_classes={"span": {"math"}, "div": {"math"}},
        filter_style_properties={"text-align"},
        url_schemes={"http", "https"},
        link_rel="noopener",
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    if tag == "img" and name == "src":
        return value if OWN_PICTURE.fullmatch(value) else None
    if name == "id":
        return value if ID.fullmatch(value) else None
    return value
