"""What the lab's choices come to, measured: every task's default and choices that might hurt, over several seeds.

The numbers stand in measured.json, which `attention-atlas lab --measure` writes. Nothing in it is typed in.
"""

import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from attention_core.lab.choices import LabChoices
from attention_core.lab.jumps import jumps
from attention_core.lab.training import Trained, finish, train

FILE = Path(__file__).with_name("measured.json")
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Trial:
    """Choices that are measured: a task's default with some `changed`; `against` names the trial without the change."""

    name: str
    task: str
    changed: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    against: str | None = None

    def choices(self, seed: int) -> LabChoices:
        """What is trained."""
        return LabChoices.of(self.task, **{**self.changed, "seed": seed})


_WIDE = {"width": 64, "heads": 1}  # 64 numbers for each head instead of 16
TRIALS = (
    Trial("reverse", "reverse"),
    Trial("reverse-no-positions", "reverse", {"positions": "none"}, "reverse"),
    Trial("reverse-masked", "reverse", {"mask": True}, "reverse"),
    Trial("sort", "sort"),
    Trial("sort-no-positions", "sort", {"positions": "none"}, "sort"),
    Trial("sort-masked", "sort", {"mask": True}, "sort"),
    Trial("sort-one-layer", "sort", {"layers": 1}, "sort"),
    Trial("sort-wide", "sort", _WIDE, "sort"),
    Trial("sort-wide-unscaled", "sort", {**_WIDE, "scaled": False}, "sort-wide"),
    Trial("induction", "induction"),
    Trial("induction-unmasked", "induction", {"mask": False}, "induction"),
    Trial("induction-one-layer", "induction", {"layers": 1}, "induction"),
    Trial("induction-no-positions", "induction", {"positions": "none"}, "induction"),
)


Report = Callable[[str, int, int], None]


def measure(report: Report) -> dict[str, Any]:
    """The document of measured.json, trained here and now; `report` is told what is trained, and the steps done of how
    many."""
    return {
        "seeds": list(SEEDS),
        "made_with": {"torch": version("torch"), "python": platform.python_version(), "machine": platform.machine()},
        "trials": [trial_document(trial, [_run(trial, seed, report) for seed in SEEDS]) for trial in TRIALS],
    }


def _run(trial: Trial, seed: int, report: Report) -> Trained:
    choices = trial.choices(seed)
    return finish(train(choices), lambda point: report(f"{trial.name} {seed}", point.step, choices.steps))


def trial_document(trial: Trial, runs: list[Trained]) -> dict[str, Any]:
    """What is kept of a trial: of each seed, in order, the accuracy, the last loss of training, the largest score of
    any head in each role, and the step at which the head of the highest jump jumped, None where none did."""
    choices = runs[0].choices.to_document()
    del choices["seed"]
    roles = list(runs[0].checkpoints[-1].scores)
    firsts = [{role: _first_jump(run, role) for role in roles} for run in runs]
    return {
        "name": trial.name,
        "task": trial.task,
        "against": trial.against,
        "changed": dict(trial.changed),
        "choices": choices,
        "accuracy": [round(run.accuracy, 4) for run in runs],
        "loss": [round(run.curve[-1].loss, 4) for run in runs],
        "scores": {role: [round(float(run.checkpoints[-1].scores[role].max()), 4) for run in runs] for role in roles},
        "jumps": {role: [first[role] for first in firsts] for role in roles},
    }


def _first_jump(run: Trained, role: str) -> int | None:
    return next((one.step for one in jumps(run.checkpoints) if one.role == role), None)


def write(document: Mapping[str, Any], path: Path = FILE) -> None:
    """Writes measured.json."""
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n", encoding="utf-8")


@cache
def measured() -> Mapping[str, Any]:
    """What measured.json holds."""
    read: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return MappingProxyType(read)


def measured_like(choices: LabChoices) -> Mapping[str, Any] | None:
    """The trial of these choices whatever the seed, None where they were not measured."""
    wanted = choices.to_document()
    del wanted["seed"]
    trials: list[dict[str, Any]] = measured()["trials"]
    return next((trial for trial in trials if trial["choices"] == wanted), None)
