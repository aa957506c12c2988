"""Work that is done for somebody: a job without a reader is closed after a few seconds."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from app.jobs import Job, News

ALONE = 4.0  # seconds that a job goes on without a reader; with what its lane is just at, about five
TICKS = 10  # they are counted in parts: a loop that was held up for seconds hears its readers before the next one


class AttendedJob(Job):
    """A job that nobody is waited for: it closes unless a reader comes, and soon after the last one has left."""

    def __init__(self, do: str, model: str) -> None:
        super().__init__(do, model)
        self.loop = asyncio.get_running_loop()
        self._watched = False
        self._alone: asyncio.TimerHandle | None = None

    @property
    def left(self) -> bool:
        """Whether it had readers, and all have gone."""
        return self._watched and self.readers == 0

    def await_reader(self, ticks: int = TICKS) -> None:
        """Closes the job unless a reader comes in time."""
        work = self.close if ticks == 0 else lambda: self.await_reader(ticks - 1)
        self._alone = self.loop.call_later(ALONE / TICKS if ticks else 0, work)

    def tell(self, **changes: Any) -> None:
        """Changes the job and wakes its readers; of one that has ended no reader is awaited."""
        super().tell(**changes)
        if self.state != "running":
            self._heard()

    async def follow(self, news: News) -> AsyncGenerator[bytes]:
        """Server-sent events for one reader, as every job's; when the last one leaves, another one is awaited."""
        self._heard()
        self._watched = True
        try:
            async with aclosing(super().follow(news)) as events:
                async for event in events:
                    yield event
        finally:
            if self.readers == 0 and self.state == "running":
                self.await_reader()

    def _heard(self) -> None:
        if self._alone is not None:
            self._alone.cancel()
