"""GET /figure.<format>: a picture straight from an address.

It cannot exhaust the server: a figure waits in the queue of its model as any trace does, is drawn by threads
that do nothing else, once for all who ask at the same time, and kept within a bound in bytes. Who has left is not
drawn for.
"""

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Path
from starlette.requests import Request
from starlette.responses import Response

from app import reading
from app.address import HELP, Starts
from app.figuring import FIGURE, FORMATS, TAKEN, Wanted, draw, link_of, read_wanted, traces_of
from app.pending import Gone, Pending
from app.problems import BusyError
from app.service import TraceService

if TYPE_CHECKING:
    import asyncio

    from attention_core.trace import AttentionTrace

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


@dataclass(frozen=True)
class File:
    """A figure as it is sent: with its tag, and compressed where that helps."""

    data: bytes
    tag: str
    packed: bool


class Figures:
    """The figures drawn last, and those that are being drawn."""

    def __init__(self, service: TraceService, starts: Starts) -> None:
        self._service = service
        self._starts = starts
        self._bound = service.settings.figure_cache_bytes
        self._held: OrderedDict[str, File] = OrderedDict()
        self._pending: dict[str, Pending[File]] = {}
        self.nbytes = 0

    async def reply(self, request: Request, ending: Ending) -> Response:
        """A figure of what the page's parameters mean, as a file; alone or in somebody's page.

        Where a parameter or its value is not known it says so: unlike a page, a picture cannot show what it fell back
        on. 422 for those, 404 for a picture or trace that is not held, 503 when too much is being drawn.
        """
        query = request.scope["query_string"].decode("utf-8", "replace")
        wanted = read_wanted(query, ending, self._starts)
        file = await self.file(wanted, request.is_disconnected)
        how = "attachment" if wanted.download else "inline"
        headers = {
            "Content-Disposition": f'{how}; filename="{wanted.filename}"',
            "Cross-Origin-Resource-Policy": "cross-origin",  # so that a picture shows in other sites' pages
            "Vary": "Accept-Encoding",
        }
        if ending in POLICIES:
            headers["Content-Security-Policy"] = POLICIES[ending]
        data = file.data
        if file.packed and "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
        elif file.packed:
            data = await self._service.read(lambda: gzip.decompress(file.data))
        reply = reading.with_tag(request, file.tag, data, TYPES[ending], A_DAY)
        reply.headers.update(headers)
        return reply

    async def file(self, wanted: Wanted, gone: Gone) -> File:
        """The file of a figure, drawn unless it is held; a BusyError when too many are being drawn."""
        key = wanted.key([await self._service.identify(request) for request in wanted.requests])
        if (held := self._used(key)) is not None:
            return held
        traces = [trace for _, trace in await traces_of(self._service, wanted, gone)]
        if (held := self._used(key)) is not None:  # drawn meanwhile for somebody else
            return held
        if key not in self._pending:
            self._begin(key, wanted, traces)
        pending = self._pending[key]
        try:
            return await pending.wait(gone, self._service.settings.trace_timeout)
        finally:
            if pending.dropped and self._pending.get(key) is pending:
                del self._pending[key]

    def _used(self, key: str) -> File | None:
        """The file that is held, which now counts as just used."""
        if key in self._held:
            self._held.move_to_end(key)
        return self._held.get(key)

    def _begin(self, key: str, wanted: Wanted, traces: "Sequence[AttentionTrace]") -> None:
        service = self._service
        if len(self._pending) >= service.settings.queue_limit:
            raise BusyError()
        link = link_of(wanted.page, traces[0].model.revision, service.settings.base_url)

        def work() -> File:
            with service.budget.room("drawing a figure", bytes_of(wanted)):
                return _file(draw(wanted, traces, link), packed=wanted.format in PACKED)

        pending = self._pending[key] = Pending(service.drawers.submit(work))
        pending.result.add_done_callback(lambda result: self._finish(key, pending, result))

    def _finish(self, key: str, pending: Pending[File], result: "asyncio.Future[File]") -> None:
        if self._pending.get(key) is pending:
            del self._pending[key]
        # Asking for the exception marks it as seen, also when nobody waits any more.
        if not result.cancelled() and result.exception() is None:
            self._keep(key, result.result())

    def _keep(self, key: str, file: File) -> None:
        if len(file.data) > self._bound or key in self._held:
            return
        self._held[key] = file
        self.nbytes += len(file.data)
        while self.nbytes > self._bound:
            _, oldest = self._held.popitem(last=False)
            self.nbytes -= len(oldest.data)


def _file(data: bytes, *, packed: bool) -> File:
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    return File(gzip.compress(data, 6, mtime=0) if packed else data, tag, packed)


def bytes_of(wanted: Wanted) -> int:
    """Bytes that drawing a figure takes at most, but for its numbers."""
    width = (wanted.width or USUAL_WIDTH) * wanted.x
    return min(MOST_PIXELS, width * width) * PIXEL_BYTES


def add_figures(app: FastAPI, service: TraceService, starts: Starts) -> Figures:
    """The route of figures; and what draws them."""
    figures, path = Figures(service, starts), "/figure.{ending}"
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
