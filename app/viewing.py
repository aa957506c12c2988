"""GET /embed: a view alone, for a frame in somebody's page. GET /offline.html: every view as one file."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, cast

from starlette.requests import Request
from starlette.responses import Response

from app.address import Address, Starts, format_address, pairs_of, read_address
from app.assets import PLOTLY, Assets
from app.cards import travelling
from app.drawn import File, Files, Work
from app.figuring import Wanted, comparison_of, demand_alone, trace_of
from app.guard import SECURITY_HEADERS
from app.packing import unpacked
from app.pages import Pages, language_of
from app.pending import Gone
from app.problems import ProblemError
from app.service import TraceService

if TYPE_CHECKING:
    from attention_core.trace import AttentionTrace

FOCUS = ("picture", "heatmap", "lines", "table", "compute", "difference")
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

    def __init__(self, pages: Pages, assets: Assets, starts: Starts, service: TraceService, files: Files) -> None:
        self._pages = pages
        self._assets = assets
        self._starts = starts
        self._service = service
        self._files = files

    async def embed(self, request: Request) -> Response:
        """The view of the page's parameters. `show` names what is seen and `controls` what may be changed, of SHOW and
        CONTROLS with commas between. As on the page nothing fails here: what is none of these is passed over."""
        query = _query(request)
        with suppress(ProblemError):  # the page says so
            query = unpacked(query)
        address = read_address(query, self._starts)
        show, controls = (_named(query, name, of) for name, of in (("show", SHOW), ("controls", CONTROLS)))
        shown = show_of(address, show)
        still = replace(address, theme=None, view=next((name for name in shown if name in FOCUS), None))
        boot = {"plotly": self._assets.url(PLOTLY), "theme": address.theme, "whole": "/"}
        values = {
            "show": shown, "controls": controls, "theme": address.theme, "inside": None,
            "still": travelling(still),
            "title": "Attention Atlas",
        }  # fmt: skip
        return self._pages.page(request, "embed.html", boot, values, headers=FRAMED)

    async def offline(self, request: Request) -> Response:
        """The page's parameters as one HTML file to be saved, every view of the example with its numbers inside.

        Problems: those of the strict address and of making a trace, page-too-long for more tokens than it takes.
        """
        address = read_address(_query(request), self._starts, strict=True)
        demand_alone(address)
        language = cast(Language, address.lang or language_of(request))
        file = await self._file(address, language, request.is_disconnected)
        reply = await self._files.reply(request, file, "text/html; charset=utf-8", "no-cache")
        name = f"attention-atlas-L{address.layer}-H{address.head}-offline.html"  # /figure.html has the shorter one
        reply.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        reply.headers["Content-Security-Policy"] = "sandbox"  # a file to be saved: it has no place in this origin
        reply.headers.add_vary_header("Accept-Language")
        return reply

    async def _file(self, address: Address, language: Language, gone: Gone) -> File:
        """The page of an address, made unless it is held; the problems of `trace_of` and of making it."""
        service, wanted = self._service, Wanted(replace(address, lang=language), "offline", figure="heatmap")
        key = wanted.key([await service.identify(request) for request in wanted.requests])
        if (held := self._files.used(key)) is not None:
            return held
        _, trace = await trace_of(service, address, gone)
        whole = None if service.settings.public_url is None else f"{service.settings.public_url}/"
        work = Work(
            make=lambda _: page_of(trace, address, language, whole),
            what="an offline page",
            nbytes=lambda: _bytes_for(trace),
            level=1,  # most of it is compressed already
        )
        return await self._files.made(key, work, gone)


def page_of(trace: "AttentionTrace", address: Address, language: Language, whole: str | None) -> bytes:
    """The file of a trace that opens as an address says; `whole` is what links to the whole view begin with."""
    from attention_core.figures.page import Opening, offline_page  # brings torch in, which takes seconds

    theme = cast('Literal["light", "dark"] | None', address.theme)
    search = format_address(address, lambda _: NOWHERE)
    return offline_page(trace, Opening(search, language, theme, whole))


def show_of(address: Address, wanted: Sequence[str]) -> list[str]:
    """What an embed shows, in the order of SHOW: what is wanted of it, or else the view that the address means. A
    picture stands only where one is looked at, a difference only where something is compared."""
    there = {"picture": bool(address.image), "difference": comparison_of(address) is not None}
    some = [name for name in SHOW if name in wanted and there.get(name, True)]
    usual = "picture" if address.image else "heatmap"
    return some or [address.view if address.view in FOCUS and there.get(address.view, True) else usual]


def _bytes_for(trace: "AttentionTrace") -> int:
    """Bytes that the page of a trace takes while it is made; none for one that is refused at once."""
    from attention_core.figures.page import MOST_TOKENS, estimated_bytes  # brings torch in, which takes seconds

    return COPIES * estimated_bytes(trace) if max(map(len, trace.sequences)) <= MOST_TOKENS else 0


def _query(request: Request) -> str:
    query: bytes = request.scope["query_string"]
    return query.decode("utf-8", "replace")


def _named(query: str, name: str, of: Sequence[str]) -> list[str]:
    """What a parameter names of a list, in its order."""
    given = [one for key, value in pairs_of(query) if key == name for one in value.split(",")]
    return [one for one in of if one in given]
