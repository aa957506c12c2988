"""A training of the lab as a job: it tells its curve, what the heads do on the way, and ends in a model.

It runs in a thread of its own that ends with it, beside what others look at, and takes its memory from the common
budget. Nobody is waited for: without a reader it stops after a few seconds, and keeps nothing.
"""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from app.attended import AttendedJob
from app.documents import Document, result_end_document
from app.jobs import Jobs, ProgressJob, problem_of
from app.lab import checkpoint_document, point_document, probe_document, result_document
from app.lab_schemas import TrainRequest
from app.problems import BusyError, ProblemError
from app.service import TraceService
from attention_core.errors import UnknownNameError

if TYPE_CHECKING:
    from torch import Tensor

    from attention_core.lab import LabChoices, Point, Trained

T = TypeVar("T")

PATIENCE = 10.0  # seconds that a visitor's new training waits for the end of the one before


class TrainJob(AttendedJob, ProgressJob):
    """One training; `visitor` is whose it is."""

    def __init__(self, service: TraceService, choices: "LabChoices", visitor: str) -> None:
        super().__init__("train", "")
        self.choices = choices
        self.visitor = visitor
        self.total = choices.steps
        self.result: Document | None = None
        self._service = service
        self._points: list[Document] = []
        self._checkpoints: list[Document] = []
        self._maps: list[Tensor] = []
        self._end = float("inf")  # when its time is up
        self.await_reader()

    async def run(self) -> None:
        """Trains, and holds the model."""
        try:
            found = await asyncio.wrap_future(in_own_thread("lab", self._train))
        except asyncio.CancelledError:
            self._over(state="cancelled")
        except Exception as error:
            self._over(state="failed", problem=problem_of(error))
        else:
            self._over(result=found, state="cancelled" if found is None else "done")

    def document(self) -> Document:
        """The job as POST /jobs replies it: with what is trained, and the sequence whose maps are shown."""
        from attention_core.lab import checkpoint_count

        return {
            **super().document(),
            "choices": self.choices.to_document(),
            "steps": self.choices.steps,
            "checkpoints": checkpoint_count(self.choices),
            "probe": probe_document(self.choices),
        }

    def news(self) -> Document:
        """All that there is to tell."""
        return self._since(0, 0)

    def events(self) -> AsyncGenerator[bytes]:
        """Server-sent events for one reader: all points and checkpoints so far, then those that are new."""
        told = (-1, 0)

        def news() -> Document | None:
            nonlocal told
            points, checkpoints = told
            there = (len(self._points), len(self._checkpoints))
            if there == told or self.state != "running":
                return None
            told = there
            return self._since(max(0, points), checkpoints)

        return self.follow(news)

    def end(self) -> Document:
        """The data of the last event."""
        return result_end_document(super().end(), self.result)

    def maps(self, number: int) -> "Tensor":
        """Every head's map of the probe at a checkpoint (layer, head, query, key).

        An UnknownNameError for one that there is not yet, or never will be; a lab-model-not-held problem for those of a
        model that was forgotten.
        """
        maps = self._maps if self.result is None else self._service.trained.held(self.result["model"]).maps
        if not 0 <= number < len(maps):
            accepted = [f"0 to {len(maps) - 1}"] if maps else []
            raise UnknownNameError("checkpoint", number, accepted)
        return maps[number]

    def _train(self) -> Document | None:
        """What comes of the training, in its thread; None when it was stopped."""
        from attention_core.lab import most_bytes, train

        with self._service.budget.room("a training in the lab", most_bytes(self.choices)):
            self._end = time.monotonic() + self._service.settings.training_seconds
            with closing(train(self.choices, self._enough)) as run:
                while not self.stop.is_set():
                    try:
                        point = next(run)
                    except StopIteration as end:
                        return self._keep(end.value)
                    self.loop.call_soon_threadsafe(self._add, point)
        return None

    def _enough(self) -> bool:
        return self.stop.is_set() or time.monotonic() > self._end

    def _keep(self, trained: "Trained") -> Document:
        return result_document(trained, self._service.trained.hold(trained))

    def _add(self, point: "Point") -> None:
        from attention_core.lab import Checkpoint

        if self.state != "running":
            return
        self._points.append(point_document(point))
        if isinstance(point, Checkpoint):
            self._checkpoints.append(checkpoint_document(point))
            self._maps.append(point.maps)
        self.tell(done=point.step)

    def _over(self, **changes: object) -> None:
        """Ends the job; what it holds on the way is its model's from now on, or nobody's."""
        self._points, self._checkpoints, self._maps = [], [], []
        self.tell(**changes)

    def _since(self, points: int, checkpoints: int) -> Document:
        """The data of a progress event: from the so-many-th point and checkpoint on."""
        return {
            **super().document(),
            "done": self.done,
            "total": self.total,
            "from": {"points": points, "checkpoints": checkpoints},
            "points": self._points[points:],
            "checkpoints": self._checkpoints[checkpoints:],
        }


def in_own_thread(name: str, work: Callable[[], T]) -> "Future[T]":
    """The future of some work in a thread that begins and ends with it."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            found = work()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(found)

    future.set_running_or_notify_cancel()
    threading.Thread(target=run, name=name, daemon=True).start()
    return future


async def begin_training(service: TraceService, jobs: Jobs, wanted: TrainRequest) -> TrainJob:
    """The job that trains. A visitor's training before it is stopped first; a BusyError when others take all places, an
    InputError for what cannot be chosen."""
    from attention_core.lab import LabChoices

    given = {name: value for name, value in wanted.choices.model_dump().items() if value is not None}
    choices = LabChoices.of(given.pop("task"), **given)
    until = time.monotonic() + PATIENCE
    # Asked again after each wait: another wish of theirs may have waited for the same end.
    while (own := [job for job in _trainings(jobs) if job.visitor == wanted.visitor]) and time.monotonic() < until:
        for job in own:
            job.close()
        await asyncio.wait([job.task for job in own if job.task is not None], timeout=PATIENCE)
    if len(_trainings(jobs)) >= service.settings.trainings:
        raise BusyError(retry_after=20)
    job = TrainJob(service, choices, wanted.visitor)
    jobs.start(job)
    return job


def _trainings(jobs: Jobs) -> list[TrainJob]:
    return [job for job in jobs.running if isinstance(job, TrainJob)]


def training_of(jobs: Jobs, job_id: str) -> TrainJob:
    """The training of that id; a job-not-held problem for none, and for any other job."""
    job = jobs.get(job_id)
    if not isinstance(job, TrainJob):
        raise ProblemError("job-not-held", "there is no such training, or it ended long ago")
    return job
