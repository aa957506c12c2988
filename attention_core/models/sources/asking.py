"""One request to the hub: read in a thread of its own, so that whoever waits can stop within a moment.

Of an answer no more is read than it may have, and what a server sends beside an error or a redirect is never read.
The hub's client reads all of it, and looks at an answer only when it is whole.
"""

import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from attention_core.models.sources.common import LOOK, Watch

if TYPE_CHECKING:
    import httpx2

TIMEOUT = 10.0  # seconds without a byte
DEADLINE = 30.0  # seconds until an answer begins, and until one that is read at once has ended
WAITING = 16  # chunks that may wait to be written
HOPS = 5  # redirects
CODES = ("x-error-code", "x-error-message")  # where the hub says what is wrong


class OddAnswerError(ValueError):
    """An answer that no hub gives; its words say what is odd."""


@dataclass(frozen=True)
class Head:
    """How an answer begins: its status, below 400, and its headers."""

    status: int
    headers: Mapping[str, str]


class Answer:
    """The answer to a request, read in a thread that ends soon after the answer is closed.

    `away` says whether a redirect to another server is followed; the token stays with the first one. Both methods
    raise FetchCancelled, the errors of the hub's client for what it refuses, OddAnswerError, and httpx2's for the line.
    """

    def __init__(self, method: str, url: str, headers: Mapping[str, str], *, away: bool = True) -> None:
        self._method, self._url, self._headers, self._away = method, url, headers, away
        self._stop = threading.Event()
        self._sockets: list[socket.socket] = []
        self._queue: queue.Queue[Any] = queue.Queue(WAITING)
        self._end = time.monotonic() + DEADLINE
        threading.Thread(target=self._read, name="hub", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stop.set()
        for one in self._sockets:
            _wake(one)

    def head(self, watch: Watch) -> Head:
        """How the answer begins, within DEADLINE seconds."""
        head: Head = self._next(watch, self._end)
        return head

    def chunks(self, watch: Watch, *, at_once: bool = False) -> Iterator[bytes]:
        """What follows the head; `at_once` holds all of it to DEADLINE."""
        while (item := self._next(watch, self._end if at_once else None)) is not None:
            yield item

    def _next(self, watch: Watch, end: float | None) -> Any:
        import httpx2

        while True:
            watch.look()
            if end is not None and time.monotonic() > end:
                raise httpx2.ReadTimeout(f"no whole answer within {DEADLINE:.0f} seconds")
            try:
                item = self._queue.get(timeout=LOOK)
            except queue.Empty:
                continue
            if isinstance(item, BaseException):
                raise item
            return item

    def _read(self) -> None:
        import httpx2

        try:
            with httpx2.Client(timeout=TIMEOUT, verify=_trusted()) as client:
                request = client.build_request(
                    self._method, self._url, headers=self._headers, extensions={"trace": self._note}
                )
                for _ in range(HOPS + 1):
                    response = client.send(request, stream=True)
                    try:
                        following = self._following(response)
                        if following is None:
                            self._pour(response)
                            return
                        request = following
                    finally:
                        response.close()
            raise OddAnswerError(f"more than {HOPS} redirects")
        except BaseException as error:
            self._put(error)

    def _following(self, response: "httpx2.Response") -> "httpx2.Request | None":
        """The request that a redirect asks for, where it is to be followed."""
        following = response.next_request
        if following is None or not (self._away or following.url.host == response.request.url.host):
            return None
        if following.url.scheme not in ("http", "https"):
            raise OddAnswerError(f"a redirect to an address of {following.url.scheme[:20]!r}, which is not opened")
        following.extensions = {**following.extensions, "trace": self._note}
        return following

    def _pour(self, response: "httpx2.Response") -> None:
        if response.status_code >= 400:
            _refuse(response)
        self._put(Head(response.status_code, response.headers))
        if self._method != "HEAD":
            for chunk in response.iter_raw():
                if not self._put(chunk):
                    return
        self._put(None)

    def _note(self, event: str, info: Mapping[str, Any]) -> None:
        """Keeps what can wake the thread while it waits for a byte."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            found = info["return_value"].get_extra_info("socket")
            self._sockets.append(found)
            if self._stop.is_set():
                _wake(found)

    def _put(self, item: Any) -> bool:
        """Hands an item on; False when nobody wants it any more."""
        while not self._stop.is_set():
            with suppress(queue.Full):
                self._queue.put(item, timeout=LOOK)
                return True
        return False


def read(url: str, headers: Mapping[str, str], most: int, watch: Watch) -> bytes:
    """What the address answers, at most `most` bytes; the errors of Answer."""
    found = bytearray()
    with Answer("GET", url, headers) as answer:
        answer.head(watch)
        for chunk in answer.chunks(watch, at_once=True):
            found += chunk
            if len(found) > most:
                raise OddAnswerError(f"an answer of more than {most} bytes")
    return bytes(found)


def head_of(url: str, headers: Mapping[str, str], watch: Watch) -> Head:
    """How the address answers to HEAD; a redirect to another server is the answer. The errors of Answer."""
    with Answer("HEAD", url, headers, away=False) as answer:
        return answer.head(watch)


def begins_at(head: Head, asked: int) -> int:
    """The offset of an answer to a request from `asked` on; OddAnswerError when it is neither that nor 0."""
    if head.status != 206:
        return 0
    found = re.match(r"bytes (\d+)-", head.headers.get("content-range", ""))
    if found is None or int(found.group(1)) != asked:
        raise OddAnswerError("another part of the file than was asked for")
    return asked


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted: reading them takes longer than a small answer."""
    import httpx2

    return httpx2.create_ssl_context()


def _refuse(response: "httpx2.Response") -> None:
    """Raises what the hub's client makes of an error, by its status and its headers alone."""
    import httpx2
    from huggingface_hub.utils import hf_raise_for_status

    said = {name: value for name, value in response.headers.items() if name.lower() in CODES}
    hf_raise_for_status(httpx2.Response(response.status_code, headers=said, request=response.request))


def _wake(one: socket.socket) -> None:
    with suppress(OSError):  # closed already
        socket.socket.shutdown(one, socket.SHUT_RDWR)
