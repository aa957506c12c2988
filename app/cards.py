"""What an address is about, told without looking at it: for link previews (Open Graph) and for oEmbed.

Everything is built from the parsed address, never from what was typed, and nothing is drawn or fetched for it.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from app.address import FALLBACKS, Address, Starts, encoded, format_in_full, pairs_of, read_address
from app.packing import MOST_PACKED, PLAIN, packed, unpacked

EXCERPT = 60  # characters of the text
BEGIN = 2000  # characters among which they are looked for
# An address without any of these is that of the page itself.
SUBJECTS = {"text", "pair", "target", "image", "trace", "model", "kind", "layer", "head", "view"}
# What a picture or an embed does not show.
ASIDE = ("tool", "rivals", "sort", "mark", "aim", "onto", "scan", "tokens", "method", "temperature", "topk", "seed")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Card:
    """What is told about an address. The four addresses are absolute, and None where the text is too long for one; the
    picture takes a size (see `sized`). What is fleeting is not there for long."""

    title: str
    description: str
    page: str | None
    embed: str | None
    picture: str | None
    oembed: str | None
    fleeting: bool = False


class Cards:
    """Makes the card of an address."""

    def __init__(self, base: str, starts: Starts, titles: Mapping[str, str]) -> None:
        """`base` is what absolute links begin with, `titles` are the models' names as people read them."""
        self._base = base
        self._starts = starts
        self._titles = titles

    def card(self, query: str, messages: Mapping[str, str]) -> Card:
        """The card of a query string of the page, in the words of one language. As on the page, a bad value falls
        back; an invalid-request problem for a packed one that cannot be unpacked."""
        query = unpacked(query)
        address = read_address(query, self._starts)
        seen = replace(address, **{name: getattr(FALLBACKS, name) for name in ASIDE})
        drawn = replace(seen, theme=None)
        # Mostly they are one: a long text is written and packed once, not three times.
        queries = {one: travelling(one) for one in {address, seen, drawn}}
        page = self._link("/", queries[address])
        title, description = self._words(address, messages)
        if not {name for name, _ in pairs_of(query)} & SUBJECTS:
            title, description, page = "Attention Atlas", messages["page.description"], f"{self._base}/"
        return Card(
            title=title,
            description=description,
            page=page,
            embed=self._link("/embed", queries[seen]),
            picture=self._link("/figure.png", queries[drawn]),
            oembed=None if address.trace or page is None else self._oembed(page),
            fleeting=address.trace is not None,
        )

    def _oembed(self, page: str) -> str:
        return f"{self._base}/oembed?format=json&url={quote(page, safe='')}"

    def _link(self, path: str, query: str | None) -> str | None:
        return None if query is None else f"{self._base}{path}{query}"

    def _words(self, address: Address, messages: Mapping[str, str]) -> tuple[str, str]:
        """Title and description of an address."""
        text = excerpt(address.text or address.target or "")
        model = messages.get(f"model.name.{address.model}", self._titles.get(address.model, address.model))
        facts = {"head": f"L{address.layer} H{address.head}", "model": model}
        described = messages["card.description" if text else "card.description.picture"]
        return messages["card.title"].format(text=text or model, **facts), described.format(text=text, **facts)


def travelling(address: Address) -> str | None:
    """The query string that means this address wherever it is read, packed where it is long; None where it is too long
    for that."""
    # What a page must know before anything can be unpacked comes last, and is not packed.
    beside = encoded((name, value) for name, value in (("theme", address.theme), ("lang", address.lang)) if value)
    inside = format_in_full(replace(address, theme=None, lang=None)).removeprefix("?")
    small = packed(inside, PLAIN - len(beside) - 1)
    query = small and "&".join(filter(None, (small, beside)))
    return f"?{query}" if query and len(query) <= MOST_PACKED else None


def sized(picture: str, width: int, height: int) -> str:
    """The address of a picture that is drawn in exactly this size, in pixels."""
    return f"{picture}&fit={width}x{height}"


def excerpt(text: str) -> str:
    """A text as one short line: white space as single blanks, without control characters and without those that turn
    the direction of what follows (Unicode, UAX 9), an ellipsis where it goes on."""
    begin = text.lstrip()[:BEGIN]
    line = " ".join("".join(" " if unicodedata.category(c) == "Cc" else c for c in _TURNING.sub("", begin)).split())
    whole = len(line) <= EXCERPT and len(text.strip()) <= BEGIN
    return line if whole else line[: EXCERPT - 1].rstrip() + "…"
