"""What a figure shows, as plain data: axes, a scale, and the panels that hold numbers.

The constructors refuse what would make a wrong picture, so writers hold no checks.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from attention_core.errors import InputError, ShapeError, UnknownNameError

Values = NDArray[np.float64]
Curve = Literal["linear", "sqrt", "log"]
CURVES = ("linear", "sqrt", "log")
MOST_CELLS = 512  # a side: more would be thinner than a pixel of most screens


@dataclass(frozen=True)
class Axis:
    """Tokens along one side: labels as they are drawn (see labels.py), which of them are special, and the chosen one.

    `segments` are the letters "A" and "B" of the two texts of a pair, empty where there is one text.
    """

    labels: tuple[str, ...]
    title: str = ""
    special: tuple[bool, ...] = ()
    chosen: int | None = None
    segments: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for what, marks in (("special tokens", self.special), ("segments", self.segments)):
            if marks and len(marks) != len(self.labels):
                raise ShapeError(f"{len(self.labels)} labels do not fit {len(marks)} marks of {what}")
        if self.chosen is not None and not 0 <= self.chosen < len(self.labels):
            raise InputError(f"of {len(self.labels)} tokens none stands at {self.chosen}")

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Scale:
    """From values to colours, and its bar: `low` to `high`; diverging scales run from -high to high around 0."""

    title: str
    high: float = 1.0
    curve: Curve = "linear"
    diverging: bool = False

    def __post_init__(self) -> None:
        if self.curve not in CURVES:
            raise UnknownNameError("curve", self.curve, CURVES)
        if self.diverging and self.curve != "linear":
            raise InputError(f"changes have a linear scale, not {self.curve}")
        if not 0 < self.high < np.inf:
            raise InputError(f"the colour scale ends at {self.high}; accepted: a number above 0")

    @property
    def low(self) -> float:
        """Where the bar begins."""
        return -self.high if self.diverging else 0.0


@dataclass(frozen=True, eq=False)
class Cells:
    """A matrix (row, column) of weights or, on a diverging scale, of changes; NaN where a mask blocks: left blank.

    `numbers` are the texts in the cells, None where there are none; `rest` is the text beside each row, such as how
    much of it went to hidden tokens.
    """

    values: Values
    rows: Axis
    columns: Axis
    numbers: tuple[tuple[str, ...], ...] | None = None
    rest: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        _demand_fit(self.values, self.rows, self.columns)
        if max(self.values.shape) > MOST_CELLS:
            raise InputError(
                f"{len(self.rows)} x {len(self.columns)} cells; a figure shows at most {MOST_CELLS} x {MOST_CELLS}: "
                "choose a window of queries and keys",
                limit=MOST_CELLS,
            )
        if self.numbers is not None and tuple({len(row) for row in self.numbers}) != (len(self.columns),):
            raise ShapeError(f"the rows of numbers do not have {len(self.columns)} cells each")
        for what, rows in (("numbers", self.numbers), ("rest", self.rest)):
            if rows is not None and len(rows) != len(self.rows):
                raise ShapeError(f"{len(rows)} rows of {what} do not fit {len(self.rows)} rows of cells")


@dataclass(frozen=True, eq=False)
class Heads:
    """All heads of a kind: (layer, head, row, column), small; `chosen` (layer, head) wears a frame.

    `highs` (layer, head) is where the colours of each head end, None where the scale's own end holds for all; then
    the bar is of shares of it. Heads that are `off` are struck through.
    """

    values: Values
    chosen: tuple[int, int] | None = None
    highs: Values | None = None
    off: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if self.values.ndim != 4 or not self.values.size:
            raise ShapeError(f"all heads are (layer, head, query, key), not {self.values.shape}")
        _demand_numbers(self.values)
        if self.highs is not None:
            if self.highs.shape != self.values.shape[:2]:
                raise ShapeError(f"{self.values.shape[:2]} heads do not fit {self.highs.shape} ends of colours")
            if not ((self.highs > 0) & np.isfinite(self.highs)).all():
                raise InputError("the colours of every head end at a number above 0")
        layers, heads = self.values.shape[:2]
        for layer, head in (*self.off, *(() if self.chosen is None else (self.chosen,))):
            if not (0 <= layer < layers and 0 <= head < heads):
                raise InputError(f"there is no L{layer} H{head} in {layers} layers of {heads} heads")


@dataclass(frozen=True, eq=False)
class Links:
    """Tokens that look at the left, tokens looked at on the right, lines (query, key) whose opacity is the weight.

    NaN has no line. The lines of the chosen token on the left stand out; `numbers` are theirs, beside the tokens on
    the right, empty where nothing is chosen.
    """

    values: Values
    left: Axis
    right: Axis
    numbers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _demand_fit(self.values, self.left, self.right)
        if self.numbers and len(self.numbers) != len(self.right):
            raise ShapeError(f"{len(self.numbers)} numbers do not fit {len(self.right)} tokens")


@dataclass(frozen=True, eq=False)
class Strip:
    """The text as tokens in a flow of lines, coloured by the chosen token's row; values (token,), NaN for none.

    `starts` says which tokens begin a word: the others follow closely.
    """

    values: Values
    tokens: Axis
    numbers: tuple[str, ...]
    starts: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.tokens)
        if not count or self.values.shape != (count,) or len(self.numbers) != count:
            sizes = f"{self.values.shape} weights and {len(self.numbers)} numbers"
            raise ShapeError(f"{count} tokens in a flow do not fit {sizes}")
        if self.starts and len(self.starts) != count:
            raise ShapeError(f"{count} tokens do not fit {len(self.starts)} marks of words")
        _demand_numbers(self.values)


@dataclass(frozen=True, eq=False)
class Measure:
    """One number of every head, (head,) in any order, and the one in focus, NaN where it has none; from 0 to high."""

    name: str
    values: Values
    chosen: float
    text: str
    high: float

    def __post_init__(self) -> None:
        if self.values.ndim != 1 or not np.isfinite(self.values).all():
            raise ShapeError(f"{self.name}: a measure is one finite number of every head")
        if not 0 < self.high < np.inf:
            raise InputError(f"{self.name} ends at {self.high}; accepted: a number above 0")


@dataclass(frozen=True, eq=False)
class Measures:
    """A head among all of its kind: a row of dots for each measure, the head in focus filled and written out."""

    rows: tuple[Measure, ...]
    name: str

    def __post_init__(self) -> None:
        if not self.rows:
            raise ShapeError("a profile of no measures has nothing to show")


@dataclass(frozen=True, eq=False)
class Overlay:
    """A picture (row, column, red green blue) uint8 under the weights of its patches (row, column); the chosen patch
    (row, column), None for the class token. Where a patch is hidden its weight is NaN."""

    pixels: NDArray[np.uint8]
    values: Values
    chosen: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or self.pixels.dtype != np.uint8 or not self.pixels.size:
            raise ShapeError(f"a picture is uint8 (row, column, 3), not {self.pixels.dtype} {self.pixels.shape}")
        if self.values.ndim != 2 or not self.values.size:
            raise ShapeError(f"patches of shape {self.values.shape} are not (row, column)")
        if any(side % count for side, count in zip(self.pixels.shape, self.values.shape, strict=False)):
            raise ShapeError(f"{self.pixels.shape} pixels are not {self.values.shape} equal patches")
        _demand_numbers(self.values)
        rows, columns = self.values.shape
        if self.chosen is not None and not (0 <= self.chosen[0] < rows and 0 <= self.chosen[1] < columns):
            raise InputError(f"of {rows} x {columns} patches none stands at {self.chosen}")


Panel = Cells | Heads | Links | Strip | Measures | Overlay


def _demand_fit(values: Values, rows: Axis, columns: Axis) -> None:
    """A ShapeError for a matrix that is not of these tokens, an InputError for what is no number."""
    if values.shape != (len(rows), len(columns)):
        raise ShapeError(
            f"weights of shape {values.shape} (query, key) do not fit {len(rows)} query tokens "
            f"and {len(columns)} key tokens"
        )
    if not values.size:
        raise ShapeError(f"weights of shape {values.shape} (query, key) have nothing to show")
    _demand_numbers(values)


def _demand_numbers(values: Values) -> None:
    if np.isinf(values).any():
        raise InputError("weights are finite numbers, NaN where a mask blocks; some of these are infinite")
