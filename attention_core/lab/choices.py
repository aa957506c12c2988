"""What a run of the lab is made of: the task, the sizes of the transformer, and how it is trained, within bounds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from math import isfinite
from types import MappingProxyType
from typing import Any, Self

from attention_core.errors import InputError, UnknownNameError
from attention_core.nn.config import POSITIONS

TASKS = ("reverse", "sort", "induction")

BOUNDS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "layers": (1, 4),
        "heads": (1, 8),
        "width": (8, 256),
        "seed": (0, 2**32 - 1),
        "steps": (1, 4000),
        "length": (6, 32),
        "vocabulary": (8, 64),
    }
)
"""The least and the most of each whole number."""

RATES = (1e-5, 0.1)
"""The least and the most of the learning rate."""


@dataclass(frozen=True, kw_only=True)
class LabChoices:
    """Everything that a run depends on: the same choices give the same weights, bit for bit, on one machine.

    `width` is the size of a token's vector, which the heads share; `length` and `vocabulary` are those of the task's
    sequences; with `mask` no token sees a later one. An InputError lists everything that cannot be chosen.
    """

    task: str
    layers: int
    heads: int
    width: int
    positions: str
    scaled: bool
    mask: bool
    learning_rate: float
    seed: int
    steps: int
    length: int
    vocabulary: int

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise UnknownNameError("task", self.task, TASKS)
        faults = list(self._faults())
        if faults:
            raise InputError("this cannot be trained: " + "; ".join(faults), errors=faults)

    @classmethod
    def of(cls, task: str, **changed: Any) -> Self:
        """A task's default choices with some of them changed; an UnknownNameError for a task or a choice that is
        none."""
        if task not in DEFAULTS:
            raise UnknownNameError("task", task, TASKS)
        for name in changed:
            if name not in DEFAULTS[task]:
                raise UnknownNameError("choice", name, list(DEFAULTS[task]))
        return cls(task=task, **{**DEFAULTS[task], **changed})

    def changed(self, **given: Any) -> Self:
        """These choices with some of them changed."""
        return replace(self, **given)

    def to_document(self) -> dict[str, Any]:
        """Every choice by its name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def _faults(self) -> Iterator[str]:
        """What cannot be chosen, one clause each."""
        whole = True
        for name, (least, most) in BOUNDS.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                whole = False
                yield f"{name} {_short(value)}; accepted: a whole number from {least} to {most}"
        for name in ("scaled", "mask"):
            if type(getattr(self, name)) is not bool:
                yield f"{name} {_short(getattr(self, name))}; accepted: true or false"
        if self.positions not in POSITIONS:
            yield f"positions {_short(self.positions)}; accepted: {', '.join(POSITIONS)}"
        rate = self.learning_rate
        if type(rate) not in (int, float) or not isfinite(rate) or not RATES[0] <= rate <= RATES[1]:
            yield f"learning_rate {_short(rate)}; accepted: a number from {RATES[0]} to {RATES[1]}"
        if whole:
            yield from self._misfits()

    def _misfits(self) -> Iterator[str]:
        """What is each by itself fine, and does not go together."""
        if self.width % self.heads:
            yield f"width {self.width} with heads {self.heads}; accepted: a width that is a multiple of heads"
        elif self.positions == "rotary" and self.width // self.heads % 2:
            yield (
                f"width {self.width} with heads {self.heads} and rotary positions, which turn pairs of numbers; "
                "accepted: an even width for each head"
            )
        if self.task in _NO_REPEATS and self.vocabulary < self.length:
            yield (
                f"vocabulary {self.vocabulary} with length {self.length}; accepted: at least as many tokens as places, "
                f"since in {self.task} no token comes twice by chance"
            )


_NO_REPEATS = ("sort", "induction")


def _short(value: object) -> str:
    return repr(value)[:60]


_ALL: dict[str, Any] = {"scaled": True, "seed": 0}
DEFAULTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "reverse": _ALL
        | {
            "layers": 1, "heads": 2, "width": 32, "positions": "sinusoidal", "mask": False, "learning_rate": 3e-3,
            "steps": 800, "length": 12, "vocabulary": 26,
        },
        "sort": _ALL
        | {
            "layers": 2, "heads": 2, "width": 32, "positions": "learned", "mask": False, "learning_rate": 3e-3,
            "steps": 2000, "length": 10, "vocabulary": 32,
        },
        "induction": _ALL
        | {
            "layers": 2, "heads": 2, "width": 64, "positions": "rotary", "mask": True, "learning_rate": 2e-3,
            "steps": 1000, "length": 24, "vocabulary": 64,
        },
    }
)  # fmt: skip
"""Each task's choices as it begins: what is measured of them stands in measured.json."""
