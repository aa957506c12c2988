"""A figure as plain data: what is to be drawn, decided once; a writer for each library only draws it."""

import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_core.errors import InputError, ShapeError

LONGEST_LABEL = 24
MOST_NUMBERED = 24


@dataclass(frozen=True, eq=False)
class Figure:
    """One matrix (query, key) with its two lists of labels: rows look, columns are looked at.

    Colours run from 0 to `largest`. `caption` stands above the picture, `alt_text` is for who does not see
    it. Cells that are `blocked` by a mask are left blank: nothing was weighed there. The constructor refuses what
    would make a wrong picture, so writers hold no checks.
    """

    matrix: NDArray[np.float64]
    query_labels: tuple[str, ...]
    key_labels: tuple[str, ...]
    largest: float
    caption: str
    alt_text: str
    blocked: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        sizes = (len(self.query_labels), len(self.key_labels))
        if self.matrix.shape != sizes:
            raise ShapeError(
                f"weights of shape {self.matrix.shape} (query, key) do not fit {sizes[0]} query tokens "
                f"and {sizes[1]} key tokens"
            )
        if not self.matrix.size:
            raise ShapeError(f"weights of shape {self.matrix.shape} (query, key) have nothing to show")
        for what, wrong in (("not finite", ~np.isfinite(self.matrix)), ("negative", self.matrix < 0)):
            if wrong.any():
                query, key = (int(index) for index in np.argwhere(wrong)[0])
                raise InputError(
                    f"attention weights are numbers of 0 or more; {int(wrong.sum())} of these are {what}, "
                    f"the first at query {query}, key {key}: {self.matrix[query, key]}"
                )
        if self.blocked is not None and (self.blocked.shape != sizes or self.matrix[self.blocked].any()):
            raise ShapeError("blocked cells are a boolean matrix (query, key) and have no weight")
        if not 0 < self.largest < np.inf:
            raise InputError(f"the colour scale ends at {self.largest}; accepted: a number above 0")

    @property
    def numbers(self) -> list[list[str]] | None:
        """The weights as they stand in the cells, or None when there are too many to be read."""
        if max(self.matrix.shape) > MOST_NUMBERED:
            return None
        texts = [[number(weight) for weight in row] for row in self.matrix]
        if self.blocked is not None:
            for query, key in np.argwhere(self.blocked):
                texts[query][key] = ""
        return texts

    @property
    def shown(self) -> NDArray[np.float64]:
        """The weights, NaN in the cells that stay blank."""
        return self.matrix if self.blocked is None else np.where(self.blocked, np.nan, self.matrix)


def number(weight: float) -> str:
    """A weight as it stands in a cell: ".49", "1.00", and a plain "0" only where nothing at all is given."""
    return "0" if weight == 0 else f"{weight:.2f}".removeprefix("0")


def label(text: Any) -> str:
    """A token as a label: on one line, what cannot be seen spelled out, and cut when it is very long."""
    if not isinstance(text, str):
        raise InputError(f"tokens are texts; {text!r:.100} is not".replace("\n", " "))
    shown = "".join(map(_visible, text[: LONGEST_LABEL + 1]))
    return shown if len(shown) <= LONGEST_LABEL else shown[: LONGEST_LABEL - 1] + "…"


def _visible(character: str) -> str:
    if character == "\n":
        return "↵"
    if character == "\t":
        return "⇥"
    # Controls, lone surrogates and line separators have no glyph; as "\x00" they can be read.
    if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}:
        return ascii(character)[1:-1]
    return character
