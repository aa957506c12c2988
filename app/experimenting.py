"""An experiment as a job: it tells how far it is, and ends in what it found.

The work runs in the model's lane, each piece in a turn of its own, so that others who look at the model are served
between pieces. Nobody is waited for: a job without a reader is closed after a few seconds. Whoever asks for the same
thing meanwhile, or soon after, gets the same job.
"""

import asyncio
import hashlib
import json
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.attended import AttendedJob
from app.documents import Document, experiment_document, result_end_document
from app.experiments import OFFERED, example_for, memory_needs
from app.images import HeldImage
from app.job_schemas import ExperimentRequest
from app.jobs import Job, Jobs, Report, SharedJob, problem_of
from app.lanes import Lane
from app.making import demand_fit
from app.problems import BusyError
from app.schemas import TraceRequest
from app.service import TraceService
from attention_core.errors import TooManyTokensError
from attention_core.models.catalogue import CatalogueEntry
from attention_core.models.sources import FetchProgress

if TYPE_CHECKING:
    from attention_core.models.examples import Example
    from attention_core.models.loading import LoadedModel

MOST_AT_ONCE = 3  # experiments that run or wait in one lane


@dataclass(frozen=True)
class Subject:
    """What is experimented on: the model, what is wanted of it, the picture, and a hash of all that."""

    entry: CatalogueEntry
    wanted: ExperimentRequest
    image: HeldImage | None
    key: str

    @classmethod
    async def of(cls, service: TraceService, wanted: ExperimentRequest) -> "Subject":
        """The subject of a request; a problem for what the model does not take, or one that is not here."""
        entry = service.catalogue.default if wanted.model is None else service.catalogue.entry(wanted.model)
        demand_fit(entry, wanted, service.abilities(entry))
        service.demand_fetched(service.lane(entry))
        image, missing = await service.picture(wanted.image, entry)
        if missing is not None:
            raise missing
        return cls(entry, wanted, image, _key(service, await service.revised(entry), wanted, image))


def _key(service: TraceService, entry: CatalogueEntry, wanted: ExperimentRequest, image: HeldImage | None) -> str:
    own = wanted.model_dump(exclude=set(TraceRequest.model_fields))
    what = [service.trace_id(wanted, entry, image.id if image else None), own]
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


class Experimenting:
    """The work itself, in the lane's thread."""

    def __init__(self, service: TraceService, lane: Lane, wanted: ExperimentRequest, image: HeldImage | None) -> None:
        self._service = service
        self._lane = lane
        self._wanted = wanted
        self._image = image

    def run(self, report: Report) -> Document:
        """What `turns` returns, without a rest in between."""
        turns = self.turns(report)
        while True:
            try:
                next(turns)
            except StopIteration as end:
                made: Document = end.value
                return made

    def turns(self, report: Report) -> Generator[None, None, Document]:
        """The document of what the experiment finds.

        Yields after each piece, and closing it ends the experiment; the memory is kept meanwhile. A MemoryLimitError,
        a TooManyTokensError, and whatever the experiment refuses.
        """
        model, offered = self._lane.ready(), OFFERED[self._wanted.name]
        example = example_for(model, self._wanted, self._image)
        self._demand_short(model, example, offered.most_tokens)
        what, needed = memory_needs(model, example, offered)
        with self._service.budget.room(what, needed, self._lane):
            pieces = offered.run(model, example, self._wanted)
            with closing(pieces):
                while True:
                    try:
                        progress = next(pieces)
                    except StopIteration as end:
                        found: Document = end.value
                        break
                    report(FetchProgress(self._wanted.name, progress.done, progress.total))
                    yield
        json.dumps(found, allow_nan=False)  # raises for a number that is none
        return found

    def _demand_short(self, model: "LoadedModel", example: "Example", most: int) -> None:
        encoded = model.encode(example)
        count = len(encoded.source) + len(encoded.target or ())
        if count > most:
            raise TooManyTokensError(count, most, what="experiment")


class ExperimentJob(AttendedJob, SharedJob):
    """An experiment as a job; a BusyError when too many wait for this model."""

    def __init__(self, service: TraceService, subject: Subject) -> None:
        super().__init__("experiment", subject.entry.card.name)
        self.key = subject.key
        self.name = subject.wanted.name
        self.result: Document | None = None
        lane = service.lane(subject.entry)
        # What is before it is another one's; a model that is only being loaded is no queue.
        self.waits = not lane.idle and not lane.loading
        work = Experimenting(service, lane, subject.wanted, subject.image)
        self._work = lane.pool.in_turns(self._until_stopped(work.turns(self.reporter())))
        self.await_reader()

    def _until_stopped(self, turns: Generator[None, None, Document]) -> Generator[None, None, Document | None]:
        """The document; None when the job was stopped before."""
        with closing(turns):
            while not self.stop.is_set():
                try:
                    next(turns)
                except StopIteration as end:
                    found: Document = end.value
                    return found
                yield
        return None

    async def run(self) -> None:
        """Waits for what is found."""
        try:
            found = await asyncio.wrap_future(self._work)
        except asyncio.CancelledError:
            self.tell(state="cancelled")
        except Exception as error:
            self.tell(state="failed", problem=problem_of(error))
        else:
            self.tell(result=found, state="cancelled" if found is None else "done")

    def close(self) -> None:
        """Stops the work after the piece that it is at."""
        self.stop.set()
        self._work.cancel()  # when it has not begun

    def document(self) -> Document:
        """The job as POST /jobs replies it."""
        return {**super().document(), "name": self.name}

    def news(self) -> Document:
        """How many parts of how many are done; `waiting` while it has not begun."""
        waiting = self.waits and self.total is None
        return experiment_document(self.document(), self.done, self.total, waiting=waiting)

    def end(self) -> Document:
        """The data of the last event."""
        return result_end_document(super().end(), self.result)


async def begin_experiment(service: TraceService, jobs: Jobs, wanted: ExperimentRequest) -> Job:
    """The job that does what is wanted: one that does it already or has done it, or a new one."""
    subject = await Subject.of(service, wanted)
    same = jobs.join(subject.key)
    if same is not None:
        return same
    _demand_place(jobs, subject.entry.card.name)
    job = ExperimentJob(service, subject)
    jobs.start(job)
    return job


def _demand_place(jobs: Jobs, model: str) -> None:
    """A BusyError when too many experiments run or wait for a model; one that everybody has left makes room at once,
    so that whoever asks one question after another is not in their own way."""
    there = [job for job in jobs.running if isinstance(job, ExperimentJob) and job.model == model]
    going = [job for job in there if not job.stop.is_set()]
    if len(going) < MOST_AT_ONCE:
        return
    left = [job for job in going if job.left]
    if not left:
        raise BusyError()
    for job in left:
        job.close()
