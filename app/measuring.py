"""A long idea as a job: something is measured or trained here, without a model of the catalogue.

One runs at a time on a server, so that none disturbs the times of another; a few may wait. Each has a thread of its
own, and nobody is waited for: without a reader it is closed after a few seconds. Whoever asks for the same thing, or
has asked for it lately, gets the same job; another seed is another wish.
"""

import asyncio
import json
import time
from contextlib import closing

from app.attended import AttendedJob
from app.documents import Document, result_end_document
from app.idea_schemas import IdeaRequest
from app.ideas import LONG, News
from app.jobs import LEAST_PAUSE, Job, Jobs, SharedJob, problem_of
from app.learning import in_own_thread
from app.problems import BusyError
from app.service import TraceService

MOST_AT_ONCE = 3  # that run or wait


class IdeaJob(AttendedJob, SharedJob):
    """An idea that is measured or trained."""

    def __init__(self, service: TraceService, wanted: IdeaRequest, key: str, turn: asyncio.Lock) -> None:
        super().__init__("idea", "")
        self.key = key
        self.name = wanted.name
        self.begun = False
        self.so_far: Document | None = None
        self.result: Document | None = None
        self._service = service
        self._wanted = wanted
        self._turn = turn
        self.await_reader()

    async def run(self) -> None:
        """Waits for its turn, and for what is found."""
        try:
            async with self._turn:
                if not self.stop.is_set():
                    self.tell(begun=True)
                    self.result = await asyncio.wrap_future(in_own_thread("idea", self._compute))
        except asyncio.CancelledError:
            self.tell(state="cancelled")
        except Exception as error:
            self.tell(state="failed", problem=problem_of(error))
        else:
            self.tell(state="cancelled" if self.result is None else "done")

    def _compute(self) -> Document | None:
        """What is found; None when the job was stopped before."""
        offered = LONG[self.name]
        room = offered.room(self._service.budget.available())
        told = 0.0
        with self._service.budget.room(offered.what, room), closing(offered.run(self._wanted, room)) as pieces:
            while not self.stop.is_set():
                try:
                    news = next(pieces)
                except StopIteration as end:
                    found: Document = end.value
                    json.dumps(found, allow_nan=False)  # raises for a number that is none
                    return found
                if time.monotonic() - told >= LEAST_PAUSE:
                    told = time.monotonic()
                    self.loop.call_soon_threadsafe(self._hear, news)
        return None

    def _hear(self, news: News) -> None:
        self.tell(done=news.done, total=news.total, so_far=news.so_far)

    def close(self) -> None:
        """Stops the work after the piece that it is at, and its waiting at once."""
        self.stop.set()
        if not self.begun and self.task is not None:
            self.task.cancel()

    def document(self) -> Document:
        """The job as POST /jobs replies it."""
        return {"id": self.id, "do": self.do, "name": self.name, "state": self.state}

    def news(self) -> Document:
        """How much of how much is done, what is known so far, and whether it still waits for others."""
        return {
            **self.document(),
            "done": self.done,
            "total": self.total,
            "waiting": not self.begun,
            "so_far": self.so_far,
        }

    def end(self) -> Document:
        """The data of the last event."""
        return result_end_document(super().end(), self.result)


def begin_idea(service: TraceService, jobs: Jobs, wanted: IdeaRequest) -> Job:
    """The job that does what is wanted: one that does it already or has done it, or a new one.

    A BusyError when too many wait; those that everybody has left make room.
    """
    key = f"idea {json.dumps(wanted.model_dump(), sort_keys=True)}"
    same = jobs.join(key)
    if same is not None:
        return same
    there = [job for job in jobs.running if isinstance(job, IdeaJob) and not job.stop.is_set()]
    if len(there) >= MOST_AT_ONCE:
        left = [job for job in there if job.left]
        if not left:
            raise BusyError(retry_after=10)
        for job in left:
            job.close()
    job = IdeaJob(service, wanted, key, jobs.measuring)
    jobs.start(job)
    return job
