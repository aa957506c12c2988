"""Work that is done once for everybody who waits for it, and not at all when nobody does any more; and turns at it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from app.problems import BusyError, ClientGoneError

T = TypeVar("T")
Gone = Callable[[], Awaitable[bool]]

LOOK_AGAIN = 0.25  # seconds between two looks whether the client is still there


class Pending(Generic[T]):
    """Something that is being made, and how many wait for it."""

    def __init__(self, work: "Future[T]", stop: Callable[[], object] | None = None) -> None:
        """`stop` asks work that runs to end, where that is possible."""
        self.work = work
        self.stop = stop
        self.result = asyncio.wrap_future(work)
        self.waiters = 0
        self.dropped = False  # nothing comes of it: nobody waited any more, and it was not begun or was stopped

    async def wait(self, gone: Gone, seconds: float) -> T:
        """What comes of the work; a ClientGoneError when the client has left, a BusyError after so many seconds.

        Work still in the queue that nobody waits for is not begun. What runs is asked to stop where it can be, unless
        its last client was only told to come back: then it goes on, and is there.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        self.waiters += 1
        left = False
        try:
            while True:
                await asyncio.wait([self.result], timeout=LOOK_AGAIN)
                if self.result.cancelled():
                    raise BusyError()
                if self.result.done():
                    return self.result.result()
                if left := await gone():
                    raise ClientGoneError
                if asyncio.get_running_loop().time() > deadline:
                    raise BusyError(retry_after=10)
        finally:
            self.waiters -= 1
            if self.waiters == 0 and not self.work.done():
                self.dropped = self.work.cancel()
                if left and not self.dropped and self.stop is not None:
                    self.stop()
                    self.dropped = True


class Turns:
    """Work on the event loop of which only some goes on at the same time; the next ones wait in order."""

    def __init__(self, most: int, waiting: int) -> None:
        self._free = asyncio.Semaphore(most)
        self._places = most + waiting

    @asynccontextmanager
    async def turn(self, gone: Gone, seconds: float) -> AsyncIterator[None]:
        """A turn for the block; a ClientGoneError when the client has left before it, a BusyError when too many wait
        or it did not come within so many seconds."""
        if self._places == 0:
            raise BusyError(retry_after=5)
        self._places -= 1
        try:
            await self._come(gone, seconds)
            try:
                yield
            finally:
                self._free.release()
        finally:
            self._places += 1

    async def _come(self, gone: Gone, seconds: float) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        coming = asyncio.ensure_future(self._free.acquire())
        try:
            while not (await asyncio.wait([coming], timeout=LOOK_AGAIN))[0]:
                if await gone():
                    raise ClientGoneError
                if asyncio.get_running_loop().time() > deadline:
                    raise BusyError(retry_after=10)
        except BaseException:
            if not coming.cancel():  # it came at the last moment
                self._free.release()
            raise
