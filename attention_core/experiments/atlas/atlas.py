"""The atlas of one model: what was measured of it, what can be, and its heads' roles."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from attention_core.errors import InputError
from attention_core.experiments.atlas.reading import Document, read_results
from attention_core.experiments.atlas.roles import DataRole, roles_of
from attention_core.experiments.atlas.tasks import Task, tasks_of
from attention_core.experiments.evaluate import Options, evaluate, load_results
from attention_core.experiments.evaluate.induction import inductions
from attention_core.experiments.evaluate.keeping import save_result
from attention_core.models.card import ModelCard
from attention_core.models.loading import LoadedModel

Report = Callable[[Task, str, int, int], None]


@dataclass(frozen=True)
class Atlas:
    """The results of one revision of a model as plain data, the roles that they give, and the tasks still missing.

    `tasks` is all that can be measured without a file of one's own; results of other files stand beside theirs.
    """

    model: str
    revision: str
    results: tuple[Document, ...]
    roles: tuple[DataRole, ...]
    tasks: tuple[Task, ...]
    missing: tuple[Task, ...]

    def to_document(self) -> dict[str, Any]:
        """Plain data, as the API and the command line give it."""
        return {
            "model": self.model,
            "revision": self.revision,
            "results": list(self.results),
            "roles": [one.to_document() for one in self.roles],
            "tasks": [{"task": one.task, "file": one.file, "done": one not in self.missing} for one in self.tasks],
        }


def load_atlas(card: ModelCard, cache: Path) -> Atlas:
    """What is kept of this revision of a model; damaged files are passed over."""
    results = read_results(load_results(card, cache), card)
    have = {(one["task"], one["file"]): one["sha256"] for one in results}
    offered = tasks_of(card)
    missing = tuple(one for one in offered if not _is_done(one, have.get((one.task, one.file))))
    return Atlas(card.name, card.revision, results, roles_of(results), offered, missing)


def _is_done(task: Task, digest: str | None) -> bool:
    return digest is not None and task.digest in (None, digest)


def compute_atlas(
    model: LoadedModel,
    cache: Path,
    *,
    tasks: Sequence[Task] | None = None,
    again: bool = False,
    options: Options | None = None,
    report: Report | None = None,
) -> tuple[Atlas, tuple[tuple[Task, str], ...]]:
    """The atlas after measuring what is missing of the tasks, or all of them `again`; by default all that there are.

    With it the tasks that this model could not do, each with the reason. `report` is told the task, the step and how
    far it is of how much. Raises EvaluationCancelled; what was finished until then is kept.
    """
    options = replace(options or Options(), cache=cache, limit=None, again=again)
    kept = load_atlas(model.card, cache)
    asked = kept.tasks if tasks is None else tasks
    failed: list[tuple[Task, str]] = []
    for task in asked:
        if not again and task not in kept.missing:
            continue
        own = options if report is None else replace(options, report=_about(task, report))
        try:
            _measure(model, task, own, cache)
        except InputError as error:  # too few rows that it can read: the other tasks go on
            failed.append((task, str(error)))
    return load_atlas(model.card, cache), tuple(failed)


def _about(task: Task, report: Report) -> Callable[[str, int, int], None]:
    return lambda step, done, total: report(task, step, done, total)


def _measure(model: LoadedModel, task: Task, options: Options, cache: Path) -> None:
    if task.path is None:
        save_result(inductions(model, options), model.card, cache)
    else:
        evaluate(model, task.path, task.task, options)
