"""Many texts through a model in batches by length: it says how far it is, can be stopped, and goes on where it was."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from torch import Tensor

from attention_core.errors import AtlasError
from attention_core.experiments.evaluate.keeping import KeptRows
from attention_core.experiments.evaluate.passes import Asked, Passes, batches
from attention_core.models.loading import LoadedModel
from attention_core.threads import one_thread

Array = NDArray[Any]


class EvaluationCancelled(AtlasError):  # noqa: N818
    """Someone stopped the evaluation; the rows that it finished are kept."""

    code = "evaluation-cancelled"


def _silent(step: str, done: int, total: int) -> None:
    """Tells nobody."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Options:
    """How an evaluation runs: `limit` takes the first rows of the file alone, `cache` is where finished rows are kept.

    `workers` passes run side by side, each on one core; 1 leaves torch's threads as they are. `report` is told the
    step ("read", "rows", "resample") and how far it is of how much; `cancelled` may stop it. `again` begins anew where
    finished rows are kept.
    """

    limit: int | None = None
    cache: Path | None = None
    workers: int = 1
    seed: int = 0
    report: Callable[[str, int, int], None] = _silent
    cancelled: Callable[[], bool] = _never
    again: bool = False

    def step(self, name: str, done: int, total: int) -> None:
        """Reports how far the step is, unless someone wants it stopped: then EvaluationCancelled."""
        if self.cancelled():
            raise EvaluationCancelled("the evaluation was cancelled; the rows that it finished are kept")
        self.report(name, done, total)


@dataclass(frozen=True, eq=False)
class Item:
    """One row: its line, what is asked of the model, what is made of the weights, and the shape that this has."""

    line: int
    asked: Asked
    make: Callable[[Tensor], Array]
    shape: tuple[int, ...]


def measure(model: LoadedModel, items: Sequence[Item], kept: KeptRows, options: Options) -> list[Array]:
    """What is made of each item, in their order; those that are kept already are not computed again."""
    if options.again:
        kept.forget()
    missing = [one for one in items if _shape(kept, one) != one.shape]
    done = len(items) - len(missing)
    options.step("rows", done, len(items))
    for finished in _finished(model, missing, options):
        kept.put(finished)
        done += len(finished)
        options.step("rows", done, len(items))
    return [kept.arrays[one.line] for one in items]


def _shape(kept: KeptRows, item: Item) -> tuple[int, ...] | None:
    array = kept.arrays.get(item.line)
    return None if array is None else array.shape


def _finished(model: LoadedModel, items: Sequence[Item], options: Options) -> Iterator[list[tuple[int, Array]]]:
    """The items of each batch with what is made of them, as soon as the batch is done."""
    if not items:
        return
    passes = Passes(model)
    asked = [one.asked for one in items]
    work = [[items[number] for number in batch] for batch in batches(asked, together=passes.together)]

    def run(batch: list[Item]) -> list[tuple[int, Array]]:
        weights = passes.weights([one.asked for one in batch])
        return [(one.line, one.make(own)) for one, own in zip(batch, weights, strict=True)]

    if options.workers <= 1 or len(work) <= 1:
        yield from map(run, work)
        return
    with one_thread(), ThreadPoolExecutor(options.workers) as pool:
        waiting = [pool.submit(run, batch) for batch in work]
        try:
            for future in as_completed(waiting):
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
