"""GET /embed: a view alone, for a frame in somebody's page. GET /offline.html: every view as one file."""

import gzip
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, cast

from starlette.requests import Request
from starlette.responses import Response

from app.address import Address, Starts, format_address, pairs_of, read_address
from app.assets import PLOTLY, Assets
from app.figuring import trace_of
from app.guard import SECURITY_HEADERS
from app.packing import unpacked
from app.pages import Pages, language_of
from app.problems import ProblemError
from app.service import TraceService

if TYPE_CHECKING:
    from attention_core.trace import AttentionTrace

FOCUS = ("picture", "heatmap", "lines", "table")
SHOW = ("strip", "grid", *FOCUS)
CONTROLS = ("heads", "looking", "colour")
_POLICY = SECURITY_HEADERS["Content-Security-Policy"]
# As every page, but that any page may frame it: a star means those of the web, file: a course page on a disk.
FRAMED = {
    "Content-Security-Policy": _POLICY.replace("frame-ancestors 'none'", "frame-ancestors * file:"),
    "Cross-Origin-Resource-Policy": "cross-origin",
}
COPIES = 5  # of all weights, while a page is made of them
NOWHERE = Address(model="", layer=-1)  # no address means this: beside it, format_address says everything
Language = Literal["en", "ko"]


class Viewer:
    """The pages that show what an address means and nothing else."""

    def __init__(self, pages: Pages, assets: Assets, starts: Starts, service: TraceService) -> None:
        self._pages = pages
        self._assets = assets
        self._starts = starts
        self._service = service

    async def embed(self, request: Request) -> Response:
        """The view of the page's parameters. `show` names what is seen and `controls` what may be changed, of SHOW and
        CONTROLS with commas between. As on the page nothing fails here: what is none of these is passed over."""
        query = _query(request)
        address = read_address(query, self._starts)
        show, controls = (_named(query, name, of) for name, of in (("show", SHOW), ("controls", CONTROLS)))
        boot = {"plotly": self._assets.url(PLOTLY), "theme": address.theme, "whole": "/"}
        values = {
            "show": show_of(address, show), "controls": controls, "theme": address.theme, "inside": None,
            "title": "Attention Atlas",
        }  # fmt: skip
        return self._pages.page(request, "embed.html", boot, values, headers=FRAMED)

    async def offline(self, request: Request) -> Response:
        """The page's parameters as one HTML file to be saved, every view of the example with its numbers inside.

        Problems: those of the strict address and of making a trace, page-too-long for more tokens than it takes.
        """
        address = read_address(_query(request), self._starts, strict=True)
        _, trace = await trace_of(self._service, address, request.is_disconnected)
        language = cast(Language, address.lang or language_of(request))
        public = self._service.settings.public_url
        packs = "gzip" in request.headers.get("accept-encoding", "")

        def write() -> bytes:
            with self._service.budget.room("an offline page", _bytes_for(trace)):
                page = page_of(trace, address, language, None if public is None else f"{public}/")
                return gzip.compress(page, 1, mtime=0) if packs else page

        name = f"attention-atlas-L{address.layer}-H{address.head}-offline.html"  # /figure.html has the shorter one
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "sandbox",  # a file to be saved: it has no place in this origin
            "Cache-Control": "no-cache",
            "Vary": "Accept-Encoding, Accept-Language",
            **({"Content-Encoding": "gzip"} if packs else {}),
        }
        return Response(await self._service.read(write), media_type="text/html; charset=utf-8", headers=headers)


def page_of(trace: "AttentionTrace", address: Address, language: Language, whole: str | None) -> bytes:
    """The file of a trace that opens as an address says; `whole` is what links to the whole view begin with."""
    from attention_core.figures.page import Opening, offline_page  # brings torch in, which takes seconds

    theme = cast('Literal["light", "dark"] | None', address.theme)
    search = format_address(address, lambda _: NOWHERE)
    return offline_page(trace, Opening(search, language, theme, whole))


def show_of(address: Address, wanted: Sequence[str]) -> list[str]:
    """What an embed shows, in the order of SHOW: what is wanted of it, or else the view that the address means. A
    picture stands only beside a picture."""
    some = [name for name in SHOW if name in wanted and (name != "picture" or address.image)]
    usual = "picture" if address.image else "heatmap"
    return some or [address.view if address.view in FOCUS and (address.view != "picture" or address.image) else usual]


def _bytes_for(trace: "AttentionTrace") -> int:
    """Bytes that the page of a trace takes while it is made; none for one that is refused at once."""
    from attention_core.figures.page import MOST_TOKENS, estimated_bytes  # brings torch in, which takes seconds

    return COPIES * estimated_bytes(trace) if max(map(len, trace.sequences)) <= MOST_TOKENS else 0


def _query(request: Request) -> str:
    query: bytes = request.scope["query_string"]
    return query.decode("utf-8", "replace")


def _named(query: str, name: str, of: Sequence[str]) -> list[str]:
    """What a parameter names of a list, in its order; the parameter may stand in a packed address or after it."""
    with suppress(ProblemError):  # the page says so
        query = unpacked(query)
    given = [one for key, value in pairs_of(query) if key == name for one in value.split(",")]
    return [one for one in of if one in given]
