"""Files that are made of traces, figures and offline pages: made once for all who ask at the same time, and kept.

They cannot exhaust the server: threads that do nothing else make them, from a bounded queue, and what is kept has a
bound in bytes. For who has left nothing is begun, and what can be stopped stops.
"""

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from app import reading
from app.pending import Gone, Pending
from app.problems import BusyError, ClientGoneError
from app.service import TraceService

if TYPE_CHECKING:
    import asyncio


@dataclass(frozen=True)
class File:
    """A file as it is sent: with its tag, and compressed where that helps."""

    data: bytes
    tag: str
    packed: bool


@dataclass(frozen=True)
class Work:
    """How a file is made: by `make`, which is handed a function to call now and then, as it raises where nobody waits
    any more; in so many `nbytes` of memory for `what`; compressed at a `level` of gzip, 0 for not."""

    make: Callable[[Callable[[], None]], bytes]
    what: str
    nbytes: Callable[[], int]
    level: int = 0


class Files:
    """The files made last, and those that are being made, by the hash of all that they depend on."""

    def __init__(self, service: TraceService) -> None:
        self._service = service
        self._bound = service.settings.figure_cache_bytes
        self._held: OrderedDict[str, File] = OrderedDict()
        self._pending: dict[str, Pending[File]] = {}
        self.nbytes = 0

    def used(self, key: str) -> File | None:
        """The file that is held, which now counts as just used."""
        if key in self._held:
            self._held.move_to_end(key)
        return self._held.get(key)

    async def made(self, key: str, work: Work, gone: Gone) -> File:
        """The file, made unless it is held or somebody waits for it already; a BusyError when too many are made."""
        if (held := self.used(key)) is not None:
            return held
        if key not in self._pending:
            self._begin(key, work)
        pending = self._pending[key]
        try:
            return await pending.wait(gone, self._service.settings.trace_timeout)
        finally:
            if pending.dropped and self._pending.get(key) is pending:
                del self._pending[key]

    async def reply(self, request: Request, file: File, media_type: str, cache: str) -> Response:
        """The file with its tag, compressed for who takes that."""
        data = file.data
        takes = "gzip" in request.headers.get("accept-encoding", "")
        if file.packed and not takes:
            data = await self._service.read(lambda: gzip.decompress(file.data))
        reply = reading.with_tag(request, file.tag, data, media_type, cache)
        if file.packed:
            reply.headers["Vary"] = "Accept-Encoding"
            if takes:
                reply.headers["Content-Encoding"] = "gzip"
        return reply

    def _begin(self, key: str, work: Work) -> None:
        service, left = self._service, Event()
        if len(self._pending) >= service.settings.queue_limit:
            raise BusyError()

        def demand_waiters() -> None:
            if left.is_set():
                raise ClientGoneError

        def make() -> File:
            with service.budget.room(work.what, work.nbytes()):
                return _file(work.make(demand_waiters), work.level)

        pending = self._pending[key] = Pending(service.drawers.submit(make), left.set)
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


def _file(data: bytes, level: int) -> File:
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    return File(gzip.compress(data, level, mtime=0) if level else data, tag, bool(level))
