"""GET /oembed: how an address of this server is embedded, by oEmbed 1.0 (oembed.com), so that pasting a link suffices.

It parses the address it is given and never fetches anything. What is not ours is a 404.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import SplitResult, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.address import encoded, pairs_of
from app.cards import Cards, sized
from app.idea_pages import PAGES
from app.packing import unpacked
from app.problems import ProblemError

WIDTH, HEIGHT = 640, 760  # CSS pixels of an embed where the asker sets no limit
THUMBNAIL = (600, 315)
SMALLEST = 64  # pixels: a thumbnail below that shows nothing
DAY = 86_400  # seconds
PATHS = ("", "/", "/embed")
IDEAS = {f"{begin}/ideas/{page.name}": page.name for begin in ("", "/embed") for page in PAGES}
OURS = ("url", "format", "maxwidth", "maxheight")
MOST_PIXELS = 999_999
_PORTS = {"http": 80, "https": 443}
_PART = re.compile(r"[a-z]+(?:,[a-z]+){0,7}")
_NAME = re.compile(r"[a-z]{1,12}")
MOST_VALUE = 400  # characters of a parameter of an idea's page: no text there is longer


@dataclass(frozen=True)
class _Shown:
    """What an address shows: its title, the address of its embed, and that of a picture where one can be drawn."""

    title: str
    embed: str
    picture: str | None


class OEmbed:
    """Answers questions about this server's addresses."""

    def __init__(self, base: str, cards: Cards, messages: Callable[[str], Mapping[str, str]]) -> None:
        """`base` is what the addresses begin with that are ours, `messages` gives the words of a language."""
        self._base = base
        self._cards = cards
        self._messages = messages

    async def reply(self, request: Request) -> Response:
        """The answer to `url`, `format`, `maxwidth` and `maxheight`; askers add parameters of their own, which the
        specification lets pass. Problems: unknown-format (501), invalid-request (422), not-found (404)."""
        asked = request.query_params
        twice = [f"{name}: is given twice" for name in OURS if len(asked.getlist(name)) > 1]
        if twice:  # of two askers on the way one would read the first and one the last
            raise ProblemError("invalid-request", "; ".join(twice), errors=twice)
        kind = asked.get("format", "json")
        if kind != "json":
            raise ProblemError("unknown-format", "oEmbed is answered as json", accepted=["json"])
        limits = (_limit(asked.get("maxwidth"), "maxwidth"), _limit(asked.get("maxheight"), "maxheight"))
        address = asked.get("url")
        if not address:
            fault = "url: is missing; accepted: an address of this server"
            raise ProblemError("invalid-request", fault, errors=[fault])
        headers = {
            "Cache-Control": f"public, max-age={DAY}",
            # Nothing in it is anybody's own: scripts of other pages may ask, too.
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        return JSONResponse(self.answer(address, limits), headers=headers)

    def answer(self, address: str, limits: tuple[int | None, int | None] = (None, None)) -> dict[str, Any]:
        """The document about an address of ours, within the widest and highest that the asker has room for; a
        not-found problem for any other address."""
        parts = own_address(address, self._base)
        if parts is None:
            raise ProblemError("not-found", "this is no address of a view on this server")
        shown = self._idea(IDEAS[parts.path], parts.query) if parts.path in IDEAS else self._view(parts)
        width, height = _least(WIDTH, limits[0]), _least(HEIGHT, limits[1])
        return {
            "version": "1.0",
            "type": "rich",
            "title": shown.title,
            "provider_name": "Attention Atlas",
            "provider_url": f"{self._base}/",
            "cache_age": DAY,
            "html": _frame(shown.embed, shown.title, width, height),
            "width": width,
            "height": height,
            **_thumbnail(shown.picture, limits),
        }

    def _view(self, parts: SplitResult) -> _Shown:
        query = unpacked(parts.query)
        card = self._cards.card(query, self._messages(_language(query)))
        if card.fleeting:
            raise ProblemError("not-found", "a trace from a file is held for a while only: it cannot be embedded")
        if card.embed is None:
            raise ProblemError("not-found", "the text of this address is too long to be embedded")
        return _Shown(card.title, card.embed + _around(parts, query), card.picture)

    def _idea(self, name: str, query: str) -> _Shown:
        """The figure of an idea. Its parameters are the page's to read; here they are only written anew."""
        given: dict[str, str] = {}
        for key, value in pairs_of(query):
            if _NAME.fullmatch(key) and len(value) <= MOST_VALUE:
                given.setdefault(key, value)
        messages = self._messages(_language(query))
        title = messages["idea.page-title"].format(title=messages[f"idea.{name}.title"])
        return _Shown(title, f"{self._base}/embed/ideas/{name}?{encoded(given.items())}".rstrip("?"), None)


def _thumbnail(picture: str | None, limits: tuple[int | None, int | None]) -> dict[str, Any]:
    """The three fields of the thumbnail, which stand together or not at all."""
    width, height = _least(THUMBNAIL[0], limits[0]), _least(THUMBNAIL[1], limits[1])
    if picture is None or min(width, height) < SMALLEST:
        return {}
    return {
        "thumbnail_url": sized(picture, width, height),
        "thumbnail_width": width,
        "thumbnail_height": height,
    }


def own_address(address: str, base: str) -> SplitResult | None:
    """The parts of an address of ours that shows a view: the same scheme, host and port as `base`, a known path, no
    user's name; None for any other."""
    # urlsplit passes over some of these, browsers over others; none belongs into an address.
    if re.search(r"[\x00-\x20\x7f\\]", address):
        return None
    try:
        parts, own = urlsplit(address), urlsplit(base)
        same = _origin(parts) == _origin(own)
    except ValueError:
        return None
    return parts if same and "@" not in parts.netloc and (parts.path in PATHS or parts.path in IDEAS) else None


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _language(query: str) -> str:
    return "ko" if re.search(r"(?:^|&)lang=ko(?:&|$)", query) else "en"


def _around(parts: SplitResult, query: str) -> str:
    """What an embed's address says about what stands around the view."""
    if parts.path != "/embed":
        return ""
    found: dict[str, str] = {}
    for name, value in re.findall(r"(?:^|&)(show|controls)=([^&]*)", query.replace("%2C", ",")):
        if _PART.fullmatch(value):
            found.setdefault(name, value)
    return "".join(f"&{name}={value}" for name, value in found.items())


def _frame(embed: str, title: str, width: int, height: int) -> str:
    return (
        f'<iframe src="{escape(embed)}" title="{escape(title)}" width="{width}" height="{height}"'
        ' style="border: 0; max-width: 100%" loading="lazy" allowfullscreen></iframe>'
    )


def _limit(raw: str | None, name: str) -> int | None:
    if raw is None:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,5}", raw):
        fault = f"{name}: {raw[:40]!r} is none; accepted: a whole number of pixels from 1 to {MOST_PIXELS}"
        raise ProblemError("invalid-request", fault, errors=[fault])
    return int(raw)


def _least(usual: int, limit: int | None) -> int:
    return usual if limit is None else min(usual, limit)
