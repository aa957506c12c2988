"""An evaluation as a job: a model's heads on sentences of ours and on random tokens, for its atlas.

It runs for minutes in a thread of its own, beside what others look at, and goes on without a reader, since its results
are kept. There is one at a time.
"""

import asyncio
from typing import TYPE_CHECKING

from app.documents import Document, progress_document, result_end_document
from app.job_schemas import EvaluateRequest
from app.jobs import Jobs, SharedJob, problem_of
from app.problems import BusyError, ProblemError
from app.service import TraceService
from attention_core.models import memory
from attention_core.models.catalogue import CatalogueEntry
from attention_core.models.sources import FetchProgress

if TYPE_CHECKING:
    from attention_core.experiments.atlas import Task
    from attention_core.models.loading import LoadedModel


class EvaluateJob(SharedJob):
    """The tasks of one model, one after the other."""

    def __init__(self, service: TraceService, entry: CatalogueEntry, tasks: "tuple[Task, ...]", key: str) -> None:
        super().__init__("evaluate", entry.card.name)
        self.key = key
        self.step = "load"
        self.result: Document | None = None
        self._service = service
        self._lane = service.lane(entry)
        self._tasks = tasks
        self._tell = self.reporter()

    async def run(self) -> None:
        """Loads the model in its lane, and evaluates it beside that."""
        from attention_core.experiments.evaluate import EvaluationCancelled

        try:
            with self._lane.pool.place():  # it is in use, and is not to leave
                model = await asyncio.wrap_future(self._lane.warm())
                self.tell(result=await asyncio.to_thread(self._evaluate, model), state="done")
        except (EvaluationCancelled, asyncio.CancelledError):
            self.tell(state="cancelled")
        except Exception as error:
            self.tell(state="failed", problem=problem_of(error))

    def _evaluate(self, model: "LoadedModel") -> Document:
        """The atlas after it, and what could not be measured."""
        from attention_core.experiments.atlas import compute_atlas
        from attention_core.experiments.evaluate import Options

        def report(task: "Task", step: str, done: int, total: int) -> None:
            self._tell(FetchProgress(f"{task.task} {step}", done, total))

        with self._service.budget.room(f"an evaluation of {model.card.title}", _needs(model), self._lane):
            found, failed = compute_atlas(
                model,
                self._service.cache,
                tasks=self._tasks,
                options=Options(cancelled=self.stop.is_set),
                report=report,
            )
        refused = [{"task": task.task, "file": task.file, "why": why} for task, why in failed]
        return {**found.to_document(), "failed": refused}

    def news(self) -> Document:
        """The task and its step, and how many rows of how many are done."""
        return progress_document(self.document(), self.step, self.done, self.total)

    def end(self) -> Document:
        """The data of the last event."""
        return result_end_document(super().end(), self.result)


def _needs(model: "LoadedModel") -> int:
    """Bytes that passes over our sentences take at most."""
    from attention_core.experiments.evaluate.passes import BATCH_TOKENS

    shape, dense = memory.shape_of(model.network.config), model.back_end == "eager"
    tokens = min(BATCH_TOKENS, model.card.max_tokens or BATCH_TOKENS) if dense else BATCH_TOKENS
    target = tokens if model.encoder_decoder else 0
    return memory.pass_bytes(shape, tokens, target, item=model.dtype.itemsize, dense=dense)


async def begin_evaluation(service: TraceService, jobs: Jobs, wanted: EvaluateRequest) -> SharedJob:
    """The job that evaluates what is wanted: the one that does already, or a new one.

    A BusyError while another one runs, an UnknownNameError for what there is not.
    """
    from attention_core.experiments.atlas import task_of

    entry = service.catalogue.entry(wanted.model)
    service.demand_fetched(service.lane(entry))
    # Results are kept by the model's name, which nobody is told of one that was trained in the lab.
    tasks = () if entry.origin == "lab" else await asyncio.to_thread(task_of, entry.card, wanted.task, wanted.file)
    if not tasks:
        title = entry.card.title
        sentence = f"there is nothing of ours that {title} could be measured on"
        raise ProblemError("not-available", sentence, reason="no-task", model=title)
    key = f"evaluate {entry.card.name} {[(task.task, task.file) for task in tasks]}"
    running = next((job for job in jobs.running if isinstance(job, EvaluateJob)), None)
    if running is not None:
        if running.key != key or running.stop.is_set():
            raise BusyError(retry_after=60)
        running.asked += 1
        return running
    job = EvaluateJob(service, entry, tasks, key)
    jobs.start(job)
    return job
