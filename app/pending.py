"""Work that is done once for everybody who waits for it, and not at all when nobody does any more."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from app.problems import BusyError, ClientGoneError

T = TypeVar("T")
Gone = Callable[[], Awaitable[bool]]

LOOK_AGAIN = 0.25  # seconds between two looks whether the client is still there


class Pending(Generic[T]):
    """Something that is being made, and how many wait for it."""

    def __init__(self, work: "Future[T]") -> None:
        self.work = work
        self.result = asyncio.wrap_future(work)
        self.waiters = 0
        self.dropped = False  # it waited in a queue, and then nobody waited for it

    async def wait(self, gone: Gone, seconds: float) -> T:
        """What comes of the work; a ClientGoneError when the client has left, a BusyError after so many seconds.

        Work still in the queue that nobody waits for is not begun; what runs goes on to its end.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        self.waiters += 1
        try:
            while True:
                await asyncio.wait([self.result], timeout=LOOK_AGAIN)
                if self.result.cancelled():
                    raise BusyError()
                if self.result.done():
                    return self.result.result()
                if await gone():
                    raise ClientGoneError
                if asyncio.get_running_loop().time() > deadline:
                    raise BusyError(retry_after=10)
        finally:
            self.waiters -= 1
            if self.waiters == 0 and self.work.cancel():
                self.dropped = True
