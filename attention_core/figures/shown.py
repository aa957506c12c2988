"""What a figure of a trace shows: which head, which window, which cell is chosen, as the page means it.

Here are the rules of static/js/lib/reader.js, want.js and choices.js, so that a figure has the numbers that were seen.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from attention_core.analysis.columns import chosen_kind
from attention_core.cells import Cells
from attention_core.errors import InputError, UnknownNameError, WindowError
from attention_core.figures.figure import Curve, Scale, Values
from attention_core.looking import LookedMap
from attention_core.maps import AttentionMap, Kind
from attention_core.tokens import Tokens
from attention_core.trace import AttentionTrace

WHOLE = 512  # tokens a side that are shown one by one
COARSE = 256  # cells a side of what is longer, as on the page
CLASS_TOKEN = 0
Span = tuple[int, int]


@dataclass(frozen=True)
class Choice:
    """What of a trace is shown; the words of the page's address.

    `query` and `key` are positions of the tokens that the model read, `queries` and `keys` windows a up to b of what is
    shown. `curve` and `range` are the page's scale and range: "unit" for 0 to 1, "head" to the head's largest weight,
    None for what suits the trace. `other_layer` and `other_head` are of the second trace of a difference. With
    `mark` the strongest cell wears one where nobody chose a cell, as on the page.
    """

    kind: str | None = None
    layer: int = 0
    head: int = 0
    query: int | None = None
    key: int | None = None
    queries: Span | None = None
    keys: Span | None = None
    curve: Curve = "linear"
    range: Literal["unit", "head"] | None = None
    other_layer: int | None = None
    other_head: int | None = None
    mark: bool = True

    def __post_init__(self) -> None:
        if self.range not in (None, "unit", "head"):
            raise UnknownNameError("range", self.range, ("unit", "head"))


@dataclass(frozen=True, eq=False)
class Shown:
    """One head of a trace that is looked at already, and what of it is on show."""

    trace: AttentionTrace
    choice: Choice
    kind: Kind
    map: AttentionMap
    queries: Tokens
    keys: Tokens

    @cached_property
    def windows(self) -> tuple[Span, Span]:
        """The windows on show, of queries and of keys; a WindowError for one that does not begin within its axis."""
        return (
            window("queries", self.choice.queries, len(self.queries)),
            window("keys", self.choice.keys, len(self.keys)),
        )

    @cached_property
    def exact(self) -> bool:
        """Whether a cell is one token by one token."""
        return all(stop - start <= WHOLE for start, stop in self.windows)

    @cached_property
    def edges(self) -> tuple[list[int], list[int]]:
        """Where the cells of each axis begin and end, counted in the axis."""
        size = WHOLE if self.exact else COARSE
        rows, columns = (
            [start + edge for edge in Cells(stop - start, size, self.map.device).edges] for start, stop in self.windows
        )
        return rows, columns

    @cached_property
    def values(self) -> Values:
        """The weights of the window (query, key), NaN where a mask blocks; of a long one the largest of each cell."""
        spans = tuple(slice(*span) for span in self.windows)
        head = self.choice.head
        if not self.exact:
            found = self.map.overview(head, COARSE, "max", *spans)[0].double().cpu().numpy()
            return np.where((found == 0) & ~allowed_cells(self.map, *self.edges), np.nan, found)
        found = self.map.weights(head, *spans)[0].double().cpu().numpy()
        return np.where((found == 0) & ~self.map.allowed(*spans).cpu().numpy(), np.nan, found)

    @cached_property
    def largest(self) -> float:
        """The head's largest weight, wherever it stands."""
        return float(self.map.overview(self.choice.head, COARSE).max())

    @cached_property
    def cell(self) -> tuple[int, int]:
        """The chosen cell (query, key) as shown: what was chosen, completed by the strongest weight that is not a
        special token's."""
        query, key = self._chosen
        if query is not None and key is not None:
            return query, key
        if query is not None:
            return query, self._strongest(slice(query, query + 1), slice(None), one_sided=True)[1]
        if key is not None:
            return self._strongest(slice(None), slice(key, key + 1), one_sided=True)[0], key
        return self._strongest(slice(None), slice(None))

    @property
    def marked(self) -> tuple[int | None, int | None]:
        """The cell (query, key) that wears a mark, as shown; None where there is none to mark."""
        asked = self.choice.query is not None or self.choice.key is not None
        return self.cell if asked or self.choice.mark else (None, None)

    @cached_property
    def row(self) -> Values:
        """The chosen query's weights over all keys, NaN where a mask blocks."""
        query = self.cell[0]
        found = self.map.weights(self.choice.head, query)[0, 0].double().cpu().numpy()
        return np.where((found == 0) & ~self.map.allowed(query)[0].cpu().numpy(), np.nan, found)

    @cached_property
    def removed(self) -> NDArray[np.float64] | None:
        """How much of each row went to special tokens that are hidden (query); None where none are."""
        if self.trace.looking.special == "show" or not isinstance(self.map, LookedMap):
            return None
        return np.asarray(self.map.removed(self.choice.head)[0].double().cpu().numpy())

    @property
    def named(self) -> str:
        """ "L3 H1"."""
        return f"L{self.choice.layer} H{self.choice.head}"

    @property
    def range(self) -> Literal["unit", "head"]:
        """Where colours end. Patches share the weight thinly, and of a pair's row most may lie in the other text."""
        cut = self.trace.looking.segments != "all"
        return self.choice.range or ("head" if self.trace.picture is not None or cut else "unit")

    def scale(self, title: str) -> Scale:
        """The scale of this head's weights."""
        high = self.largest if self.range == "head" and self.largest > 0 else 1.0
        return Scale(title, high, self.choice.curve)

    @property
    def _chosen(self) -> tuple[int | None, int | None]:
        query = self.choice.query
        if query is None and self.trace.picture is not None:
            query = CLASS_TOKEN
        return place_of(self.queries, query, "query"), place_of(self.keys, self.choice.key, "key")

    def _strongest(self, rows: slice, columns: slice, one_sided: bool = False) -> tuple[int, int]:
        best: list[tuple[float, int, int] | None] = [None, None]  # of ordinary tokens; where a special one takes part
        starts = (rows.start or 0, columns.start or 0)
        special = [np.array(tokens.special)[part] for tokens, part in ((self.queries, rows), (self.keys, columns))]
        if one_sided and special[0].size == 1:
            special[0] = np.zeros(1, dtype=bool)
        elif one_sided:
            special[1] = np.zeros(1, dtype=bool)
        for block, weights in self.map.stream(self.choice.head):
            inside = range(*rows.indices(len(self.queries)))
            first, last = max(block.start, inside.start), min(block.stop, inside.stop)
            if first >= last:
                continue
            found = weights[0, first - block.start : last - block.start, columns].double().cpu().numpy()
            mixed = special[0][first - inside.start : last - inside.start, None] | special[1][None, :]
            for kind in (0, 1):
                part = np.where(mixed == bool(kind), found, -1.0)
                at, key = divmod(int(part.argmax()), part.shape[1])
                known = best[kind]
                if part[at, key] >= 0 and (known is None or part[at, key] > known[0]):
                    best[kind] = (float(part[at, key]), first + at, starts[1] + key)
        # What has no weight at all is blocked, or as good as: then a special token is what is looked at.
        ordinary, other = best
        chosen = other if ordinary is None or (ordinary[0] == 0 and other is not None) else ordinary
        assert chosen is not None
        return chosen[1], chosen[2]


def show(trace: AttentionTrace, choice: Choice) -> Shown:
    """What a choice means for a trace; an UnknownNameError for a kind, layer or head that it does not have."""
    kind = chosen_kind(trace, choice.kind) if choice.kind is not None else trace.kinds[0]
    one = trace.map(kind, choice.layer)
    if not 0 <= choice.head < one.head_count:
        raise UnknownNameError("head", choice.head, range(one.head_count))
    return Shown(trace, choice, kind, one, trace.queries(kind), trace.keys(kind))


def window(name: str, span: Span | None, count: int) -> Span:
    """A window within an axis: one that reaches beyond its end is cut there, as on the page."""
    if span is None:
        return 0, count
    start, stop = span
    if not 0 <= start < min(stop, count):
        sentence = f"{name} {start}:{stop} is not a range within 0:{count}"
        raise WindowError(sentence, what=name, value=f"{start}:{stop}", limit=count)
    return start, min(stop, count)


def place_of(tokens: Tokens, position: int | None, what: str) -> int | None:
    """Where a position of the model's tokens is shown, None where it is hidden or nothing was asked.

    An InputError for a position that no text of this length has.
    """
    if position is None:
        return None
    if position < 0 or (tokens.positions is None and position >= len(tokens)):
        raise InputError(f"{what} {position} is not one of the {len(tokens)} tokens, 0 to {len(tokens) - 1}")
    if tokens.positions is None:
        return position
    return next((at for at, group in enumerate(tokens.positions) if position in group), None)


def allowed_cells(one: AttentionMap, rows: list[int], columns: list[int]) -> NDArray[np.bool_]:
    """Whether anything in a cell (row, column) may be looked at; rows and columns are the cells' edges."""
    keys = slice(columns[0], columns[-1])
    starts = np.array(columns[:-1]) - columns[0]
    lines = []
    for first, last in pairwise(rows):
        some = one.allowed(slice(first, last), keys).any(0).cpu().numpy()  # (key)
        lines.append(np.logical_or.reduceat(some, starts))
    return np.array(lines)
