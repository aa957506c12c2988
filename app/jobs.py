"""Long work: started once, watched by any number of readers, cancelled by whoever may start it."""

import asyncio
import json
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from typing import Any

from fastapi.sse import format_sse_event

from app.documents import Document, end_document, job_document, progress_document
from app.problems import ProblemError, document, log_unforeseen
from app.service import TraceService
from attention_core.errors import AtlasError
from attention_core.models.catalogue import CatalogueEntry
from attention_core.models.sources import FetchCancelled, FetchProgress, fetch

KEPT = 32  # jobs that have ended and can still be asked for
HEARTBEAT = 15.0
LEAST_PAUSE = 0.1  # seconds between two reports of one step

News = Callable[[], Document | None]
Watch = Callable[["FetchJob"], None]
Report = Callable[[FetchProgress], None]


class Job(ABC):
    """One piece of long work and where it stands; changed on the event loop only."""

    event = "progress"  # what its news are called

    def __init__(self, do: str, model: str) -> None:
        self.id = secrets.token_hex(8)
        self.do = do
        self.model = model
        self.state = "running"
        self.problem: Document | None = None
        self.stop = threading.Event()
        self.task: asyncio.Task[None] | None = None
        self.readers = 0
        self._changed = asyncio.Event()

    @abstractmethod
    async def run(self) -> None:
        """Does the work; when it returns, `state` is no longer "running"."""

    def cancel(self) -> None:
        """Asks the work to stop; its readers see when it has."""
        self.stop.set()

    def close(self) -> None:
        """Asks the work to stop because the server does."""
        self.cancel()

    def tell(self, **changes: Any) -> None:
        """Changes the job and wakes its readers."""
        for name, value in changes.items():
            setattr(self, name, value)
        # Each waiting reader holds the event it waits for; the next ones wait for a new one.
        self._changed.set()
        self._changed = asyncio.Event()

    def document(self) -> Document:
        """The job as POST /jobs replies it."""
        return job_document(self.id, self.do, self.model, self.state)

    def end(self) -> Document:
        """The data of the last event."""
        return end_document(self.document(), self.problem)

    async def follow(self, news: News) -> AsyncGenerator[bytes]:
        """Server-sent events for one reader: its news at once and at each change, and the job's end; a comment while
        nothing happens. `news` gives what this reader has not seen, or None."""
        self.readers += 1
        try:
            while True:
                changed, ended, latest = self._changed, self.state != "running", news()
                if latest is not None:
                    yield _event(self.event, latest)
                if ended:
                    yield _event("end", self.end())
                    return
                while not await _is_set(changed):
                    yield format_sse_event(comment="still here")
        finally:
            self.readers -= 1


async def _is_set(changed: asyncio.Event) -> bool:
    """Whether the event was set before it was time for a sign of life."""
    try:
        await asyncio.wait_for(changed.wait(), HEARTBEAT)
    except TimeoutError:
        return False
    return True


def _event(name: str, data: Document) -> bytes:
    return format_sse_event(event=name, data_str=json.dumps(data, ensure_ascii=False, allow_nan=False))


class ProgressJob(Job):
    """Work of which every reader hears the same: its step, and how much of how much is done."""

    def __init__(self, do: str, model: str) -> None:
        super().__init__(do, model)
        self.step = ""
        self.done = 0
        self.total: int | None = None

    def events(self) -> AsyncGenerator[bytes]:
        """Server-sent events: where the job stands now, each change, and its end."""
        return self.follow(lambda: self.news() if self.state == "running" else None)

    @abstractmethod
    def news(self) -> Document:
        """Where the job stands, as the data of its progress event."""

    def reporter(self) -> Report:
        """What the working thread calls; of one step it passes on a few reports a second."""
        loop = asyncio.get_running_loop()
        told = [("", 0.0)]

        def report(progress: FetchProgress) -> None:
            now = time.monotonic()
            ends = progress.total is not None and progress.done >= progress.total
            if told[0][0] == progress.step and now - told[0][1] < LEAST_PAUSE and not ends:
                return
            told[0] = (progress.step, now)
            change = {"step": progress.step, "done": progress.done, "total": progress.total}
            loop.call_soon_threadsafe(lambda: self.tell(**change))

        return report


class SharedJob(ProgressJob):
    """A job that everybody gets who asks for the same thing, by its `key`; `asked` is how many wishes there are."""

    key = ""
    asked = 1

    def cancel(self) -> None:
        """Takes one wish back: what others have asked for as well goes on for them, and what has ended stays."""
        self.asked -= 1
        if self.asked <= 0 and self.state == "running":
            self.close()

    def close(self) -> None:
        """Asks the work to stop, whoever wishes for it."""
        self.stop.set()


class FetchJob(ProgressJob):
    """Brings a model here and loads it; `told` hears of every change."""

    def __init__(self, service: TraceService, entry: CatalogueEntry, told: Watch | None = None) -> None:
        super().__init__("fetch", entry.card.name)
        self.step = "download"
        self._service = service
        self._entry = entry
        self._told = told

    def tell(self, **changes: Any) -> None:
        """Changes the job and wakes its readers; one that has ended stays as it is."""
        if self.state == "running":
            super().tell(**changes)
            if self._told is not None:
                self._told(self)

    def news(self) -> Document:
        """The step, and how many bytes of how many it has done."""
        return progress_document(self.document(), self.step, self.done, self.total)

    async def run(self) -> None:
        """Fetches and loads the model."""
        service, entry = self._service, self._entry
        try:
            await asyncio.to_thread(fetch, entry, service.cache, progress=self.reporter(), cancelled=self.stop.is_set)
            self.tell(step="load", done=0, total=None)
            await asyncio.wrap_future(service.lane(entry).warm())
            self.tell(state="done")
        except (FetchCancelled, asyncio.CancelledError):
            self.tell(state="cancelled")
        except Exception as error:
            self.tell(state="failed", problem=problem_of(error))


def problem_of(error: Exception) -> Document:
    """The problem that a job failed with; what nobody foresaw is logged."""
    if not isinstance(error, AtlasError | ProblemError):
        log_unforeseen(error)
    return document(error)


class Jobs:
    """All jobs of this server; `watch` is told of every change of a fetch, for a bar in the terminal."""

    def __init__(self, service: TraceService, watch: Watch | None = None) -> None:
        self._service = service
        self._watch = watch
        self._jobs: dict[str, Job] = {}
        self._failed: dict[str, Document] = {}
        self.measuring = asyncio.Lock()  # held by what would disturb the times of another that is measured

    def get(self, job_id: str) -> Job:
        """The job of that id; a job-not-held problem when there is none."""
        if job_id not in self._jobs:
            raise ProblemError("job-not-held", "there is no such job, or it ended long ago")
        return self._jobs[job_id]

    @property
    def running(self) -> list[Job]:
        """The jobs that have not ended."""
        return [job for job in self._jobs.values() if job.state == "running"]

    def join(self, key: str) -> SharedJob | None:
        """The job of that key which runs or has come to its end, with one wish more; one that stops is none."""
        for job in self._jobs.values():
            lives = job.state in ("running", "done") and not job.stop.is_set()
            if isinstance(job, SharedJob) and job.key == key and lives:
                job.asked += 1
                return job
        return None

    def fetching(self, model: str) -> FetchJob | None:
        """The job that fetches this model now."""
        fetches = (job for job in self._jobs.values() if isinstance(job, FetchJob))
        return next((job for job in fetches if job.model == model and job.state == "running"), None)

    def standing(self, entry: CatalogueEntry) -> tuple[str, str | None, Document | None]:
        """A model's state with the job that brings it, and the problem when the last try failed."""
        job, state = self.fetching(entry.card.name), self._service.state(entry)
        if job is not None:
            return "loading" if job.step == "load" else "fetching", job.id, None
        if state == "absent" and entry.card.name in self._failed:
            return "failed", None, self._failed[entry.card.name]
        problem = self._service.lane(entry).problem
        return state, None, document(problem) if state == "failed" and problem else None

    def fetch(self, model: str) -> FetchJob:
        """The job that fetches and loads a model: the one that runs already, or a new one."""
        entry = self._service.catalogue.entry(model)
        job = self.fetching(entry.card.name)
        if job is None:
            job = FetchJob(self._service, entry, self._hear)
            self._failed.pop(job.model, None)
            self.start(job)
        return job

    def start(self, job: Job) -> None:
        """Lets a job run; it can be asked for until it has ended long ago."""
        self._jobs[job.id] = job
        ended = [one.id for one in self._jobs.values() if one.state != "running"]
        for job_id in ended[: max(0, len(self._jobs) - KEPT)]:
            del self._jobs[job_id]
        job.task = asyncio.get_running_loop().create_task(job.run())

    def _hear(self, job: FetchJob) -> None:
        if job.problem is not None:
            self._failed[job.model] = job.problem
        if self._watch is not None:
            self._watch(job)

    async def close(self) -> None:
        """Cancels what runs and waits until it has ended."""
        running = self.running
        for job in running:
            job.close()
        tasks = [job.task for job in running if job.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=10)
