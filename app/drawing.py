"""GET /figure.<format>: a picture straight from an address.

It cannot exhaust the server: a figure's traces wait in the queue of their model as any trace does, and it is drawn and
kept as all such files are (drawn.py).
"""

from typing import Annotated, Any

from fastapi import FastAPI, Path
from starlette.requests import Request
from starlette.responses import Response

from app.address import HELP, Starts
from app.drawn import File, Files, Work
from app.figuring import FIGURE, FORMATS, TAKEN, Wanted, draw, link_of, read_wanted, traces_of
from app.pending import Gone
from app.service import TraceService

Ending = Annotated[str, Path(description=f"the format: {', '.join(FORMATS)}")]
A_DAY = "public, max-age=86400"
TYPES = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "npy": "application/octet-stream",
    "plotly.json": "application/json",
}
PACKED = ("svg", "html", "json", "csv", "plotly.json")
# Documents that we generate from a stranger's text have a sandbox of their own: no origin, no network.
POLICIES = {
    "html": "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "svg": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "pdf": "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}
USUAL_WIDTH = 1200  # CSS pixels: more than a figure of its own width has
MOST_PIXELS = 40_000_000  # of a PNG; more is refused
PIXEL_BYTES = 8  # a pixel while it is drawn, and once more while it is written


class Figures:
    """The figures of addresses."""

    def __init__(self, service: TraceService, starts: Starts, files: Files) -> None:
        self._service = service
        self._starts = starts
        self._files = files

    async def reply(self, request: Request, ending: Ending) -> Response:
        """A figure of what the page's parameters mean, as a file; alone or in somebody's page.

        Where a parameter or its value is not known it says so: unlike a page, a picture cannot show what it fell back
        on. 422 for those, 404 for a picture or trace that is not held, 503 when too much is being drawn.
        """
        query = request.scope["query_string"].decode("utf-8", "replace")
        wanted = read_wanted(query, ending, self._starts)
        file = await self.file(wanted, request.is_disconnected)
        reply = await self._files.reply(request, file, TYPES[ending], A_DAY)
        how = "attachment" if wanted.download else "inline"
        reply.headers["Content-Disposition"] = f'{how}; filename="{wanted.filename}"'
        reply.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # so that it shows in other sites' pages
        if ending in POLICIES:
            reply.headers["Content-Security-Policy"] = POLICIES[ending]
        return reply

    async def file(self, wanted: Wanted, gone: Gone) -> File:
        """The file of a figure, drawn unless it is held; a BusyError when too many are being drawn."""
        key = wanted.key([await self._service.identify(request) for request in wanted.requests])
        if (held := self._files.used(key)) is not None:
            return held
        traces = [trace for _, trace in await traces_of(self._service, wanted, gone)]
        link = link_of(wanted.page, traces[0].model.revision, self._service.settings.base_url)
        work = Work(
            make=lambda pause: draw(wanted, traces, link, pause),
            what="drawing a figure",
            nbytes=lambda: bytes_of(wanted),
            level=6 if wanted.format in PACKED else 0,
        )
        return await self._files.made(key, work, gone)


def bytes_of(wanted: Wanted) -> int:
    """Bytes that drawing a figure takes at most, but for its numbers."""
    width = (wanted.width or USUAL_WIDTH) * wanted.x
    return min(MOST_PIXELS, width * width) * PIXEL_BYTES


def add_figures(app: FastAPI, service: TraceService, starts: Starts, files: Files) -> Figures:
    """The route of figures; and what draws them."""
    figures, path = Figures(service, starts, files), "/figure.{ending}"
    app.add_api_route(path, figures.reply, methods=["GET"], response_model=None, openapi_extra=described())
    app.add_api_route(path, figures.reply, methods=["HEAD"], response_model=None, include_in_schema=False)
    return figures


def described() -> dict[str, Any]:
    """The OpenAPI text of what /figure takes: the page's parameters, and how the figure is to look."""
    helped = {**HELP, **{name: line for name, (_, line) in FIGURE.items()}}
    listed = [
        {"name": name, "in": "query", "required": False, "schema": dict(form.schema),
         "description": f"{helped[name]} (accepted: {form.accepted})"}
        for name, form in TAKEN.items()
    ]  # fmt: skip
    content: dict[str, Any] = {kind.partition(";")[0]: {} for kind in TYPES.values()}
    replies = {"200": {"description": f"The file, in one of the formats {', '.join(FORMATS)}.", "content": content}}
    return {"parameters": listed, "responses": replies}
