"""What a recipe is: a seeded run that trains one bundled model and writes everything it takes to use it.

A recipe leaves four files in its run's folder: `config.json`, `tokenizer.json`, `model.safetensors` and
`results.json`, the last with what it was trained on, how long, and how well it did on what it never saw.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from attention_core.errors import AtlasError

RESULTS_FILE = "results.json"
_VERSIONS = ("torch", "tokenizers", "safetensors", "numpy")


class TrainingCancelled(AtlasError):  # noqa: N818
    """Someone stopped the training; its folder holds nothing that could be taken for a model."""

    code = "training-cancelled"


def _silent(step: str, done: int, total: int, note: str) -> None:
    """Tells nobody."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Run:
    """One run of a recipe: where it writes, from which seed, how much of the recipe, who is told.

    `scale` 1.0 is the whole recipe; tests run a small part of it. `report` is told the step ("data", "train",
    "measure"), how far it is of how much, and a note (the loss, a score); `cancelled` may stop the run.
    """

    folder: Path
    seed: int = 0
    scale: float = 1.0
    report: Callable[[str, int, int, str], None] = _silent
    cancelled: Callable[[], bool] = _never

    def step(self, step: str, done: int, total: int, note: str = "") -> None:
        """Reports how far the step is, unless someone wants it stopped: then TrainingCancelled."""
        if self.cancelled():
            raise TrainingCancelled("the training was cancelled")
        self.report(step, done, total, note)

    def part(self, count: int, *, at_least: int = 1) -> int:
        """`count` of the whole recipe (pairs, steps) at this run's scale, rounded, and never below `at_least`."""
        return max(at_least, round(count * self.scale))


@dataclass(frozen=True)
class Result:
    """What came of a run: its data in one sentence, optimiser steps, seconds, scores by name (0 to 1)."""

    data: str
    steps: int
    seconds: float
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Recipe:
    """A bundled model's name, how it is made, and the seed of the run that made the bundled file."""

    name: str
    make: Callable[[Run], Result]
    seed: int = 0


def write_results(run: Run, result: Result) -> None:
    """Writes `results.json` into the run's folder: the result, its seed and scale, and the libraries' versions."""
    document = {
        **asdict(result),
        "scores": dict(result.scores),
        "seed": run.seed,
        "scale": run.scale,
        "versions": {name: version(name) for name in _VERSIONS},
    }
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    (run.folder / RESULTS_FILE).write_text(text, encoding="utf-8")
