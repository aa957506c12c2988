"""Long work: started once, watched by any number of readers, cancelled by whoever may start it."""

import asyncio
import json
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable
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

Watch = Callable[["Job"], None]


class Job:
    """One piece of long work and where it stands; changed on the event loop only."""

    def __init__(self, do: str, model: str) -> None:
        self.id = secrets.token_hex(8)
        self.do = do
        self.model = model
        self.state = "running"
        self.step = "download"
        self.done = 0
        self.total: int | None = None
        self.problem: Document | None = None
        self.stop = threading.Event()
        self.task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

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

    async def events(self) -> AsyncIterator[bytes]:
        """Server-sent events: where the job stands now, each change, and its end; a comment while nothing happens."""
        while True:
            changed = self._changed
            if self.state != "running":
                yield _event("end", end_document(self.document(), self.problem))
                return
            yield _event("progress", progress_document(self.document(), self.step, self.done, self.total))
            while True:
                try:
                    await asyncio.wait_for(changed.wait(), HEARTBEAT)
                    break
                except TimeoutError:
                    yield format_sse_event(comment="still here")


def _event(name: str, data: Document) -> bytes:
    return format_sse_event(event=name, data_str=json.dumps(data, ensure_ascii=False, allow_nan=False))


class Jobs:
    """All jobs of this server; `watch` is told of every change, for a bar in the terminal."""

    def __init__(self, service: TraceService, watch: Watch | None = None) -> None:
        self._service = service
        self._watch = watch
        self._jobs: dict[str, Job] = {}
        self._failed: dict[str, Document] = {}

    def get(self, job_id: str) -> Job:
        """The job of that id; a job-not-held problem when there is none."""
        if job_id not in self._jobs:
            raise ProblemError("job-not-held", "there is no such job, or it ended long ago")
        return self._jobs[job_id]

    def running(self, model: str) -> Job | None:
        """The job that fetches this model now."""
        return next((job for job in self._jobs.values() if job.model == model and job.state == "running"), None)

    def standing(self, entry: CatalogueEntry) -> tuple[str, str | None, Document | None]:
        """A model's state with the job that brings it, and the problem when the last try failed."""
        name = entry.card.name
        job, state = self.running(name), self._service.state(entry)
        if job is not None:
            return "loading" if job.step == "load" else "fetching", job.id, None
        if state == "absent" and name in self._failed:
            return "failed", None, self._failed[name]
        problem = self._service.lane(entry).problem
        return state, None, document(problem) if state == "failed" and problem else None

    def fetch(self, model: str) -> Job:
        """The job that fetches and loads a model: the one that runs already, or a new one."""
        entry = self._service.catalogue.entry(model)
        job = self.running(entry.card.name)
        if job is None:
            job = Job("fetch", entry.card.name)
            self._failed.pop(job.model, None)
            self._keep(job)
            job.task = asyncio.get_running_loop().create_task(self._run(job, entry))
        return job

    def _keep(self, job: Job) -> None:
        self._jobs[job.id] = job
        ended = [one.id for one in self._jobs.values() if one.state != "running"]
        for job_id in ended[: max(0, len(self._jobs) - KEPT)]:
            del self._jobs[job_id]

    async def _run(self, job: Job, entry: CatalogueEntry) -> None:
        loop = asyncio.get_running_loop()
        told = [("", 0.0)]

        def report(progress: FetchProgress) -> None:  # in the fetching thread
            now = time.monotonic()
            ends = progress.total is not None and progress.done >= progress.total
            if told[0][0] == progress.step and now - told[0][1] < LEAST_PAUSE and not ends:
                return
            told[0] = (progress.step, now)
            change = {"step": progress.step, "done": progress.done, "total": progress.total}
            loop.call_soon_threadsafe(lambda: self._tell(job, **change))

        try:
            await asyncio.to_thread(fetch, entry, self._service.cache, progress=report, cancelled=job.stop.is_set)
            self._tell(job, step="load", done=0, total=None)
            await asyncio.wrap_future(self._service.lane(entry).warm())
            self._tell(job, state="done")
        except (FetchCancelled, asyncio.CancelledError):
            self._tell(job, state="cancelled")
        except Exception as error:
            if not isinstance(error, AtlasError | ProblemError):
                log_unforeseen(error)
            self._failed[job.model] = document(error)
            self._tell(job, state="failed", problem=self._failed[job.model])

    def _tell(self, job: Job, **changes: Any) -> None:
        if job.state == "running":
            job.tell(**changes)
            if self._watch is not None:
                self._watch(job)

    async def close(self) -> None:
        """Cancels what runs and waits until it has ended."""
        running = [job for job in self._jobs.values() if job.state == "running"]
        for job in running:
            job.stop.set()
        tasks = [job.task for job in running if job.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=10)
