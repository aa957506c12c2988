"""Markdown that is as harmless in somebody else's reader as on our own page.

Ours takes no HTML, leads only to http and to itself, and shows no stranger's pictures; notebooks and Markdown readers
do otherwise. So what ours would show as typed is marked as text here. Where it stands in code it needs no mark, and
what code is, the parser that renders our page is asked afterwards: where it finds that something slipped through,
code is marked, too.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.lessons.tables import bounded

# What may be code: fences, and spans of backticks. Only a guess, which is looked at afterwards.
_CODE = re.compile(
    r"(^ {0,3}(`{3,}|~{3,})[^\n]*\n.*?^ {0,3}\2[`~]*[ \t]*$|(?<!`)(`+)(?!`).+?(?<!`)\3(?!`))", re.S | re.M
)
_TAG = re.compile(r"<(?=[A-Za-z/!?])(?!https?://[^\s<>]*>)")
_OWN = r"(?:https?://|/(?!/)|#)"
_LINK = re.compile(rf"\]\((?!\s*<?{_OWN})")
_NAMED = re.compile(
    rf"^( {{0,3}}(?:>[ \t]*|[-*+][ \t]+|\d+[.)][ \t]+)*\[(?:[^\[\]\\]|\\.)*\]):(?!\s*<?{_OWN})", re.M | re.S
)
_PICTURE = re.compile(r"!(?=\[)(?!\[[^\]]*\]\(/figure\.(?:png|svg)\?)")
_RELATIVE = re.compile(r"(\]\(\s*<?|\]:\s*<?)(?=/(?!/))")
_FIGURE = re.compile(r"/figure\.(?:png|svg)\?.*", re.S)
_SAFE = re.compile(rf"{_OWN}.*", re.S)


def neutral(markdown: str, base: str) -> str:
    """Markdown for any reader: links of our pages begin with `base`, the rest as the module says."""
    parts, end = [], 0
    for code in _CODE.finditer(markdown):
        parts += [_marked(markdown[end : code.start()], base), code[0]]
        end = code.end()
    made = "".join([*parts, _marked(markdown[end:], base)])
    return made if _harmless(made, base) else _marked(markdown, base)


def _marked(text: str, base: str) -> str:
    text = _PICTURE.sub("", text)
    text = _TAG.sub("&lt;", text)
    text = _LINK.sub(r"]\\(", text)
    text = _NAMED.sub(r"\1\\:", text)
    return _RELATIVE.sub(lambda found: found[1] + base, text)


def _harmless(markdown: str, base: str) -> bool:
    """Whether a reader that takes HTML, any link and any picture finds only ours."""
    parser = bounded(MarkdownIt("commonmark", {"html": True}))
    setattr(parser, "validateLink", lambda url: True)  # noqa: ARG005, B010 - as careless a reader as there may be
    return all(_is_harmless(token, base) for token in parser.parse(markdown))


def _is_harmless(token: Token, base: str) -> bool:
    if token.type in ("html_block", "html_inline"):
        return False
    if token.type == "image":
        source = str(token.attrGet("src"))
        return source.startswith(base) and _FIGURE.fullmatch(source.removeprefix(base)) is not None
    target = token.attrGet("href") if token.type == "link_open" else None
    own = target is None or _SAFE.fullmatch(str(target)) is not None
    return own and all(_is_harmless(child, base) for child in token.children or [])


def plain(text: str) -> str:
    """A text as Markdown that says it as it is, in one line."""
    return re.sub(r"([\\`*_\[\]<>!$~|&#{}])", r"\\\1", " ".join(text.split()))
