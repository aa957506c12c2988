"""Comparing: two traces on axes that both have, so that one cell of each is about the same two words.

Memory stays linear in the length: windows are computed when they are looked at, the rest is streamed in blocks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attention_core.analysis.alignment import Pair, align
from attention_core.analysis.columns import chosen_kind
from attention_core.cells import Cells, Reduce
from attention_core.errors import InputError, UnknownNameError, WindowError
from attention_core.maps import BLOCK_WEIGHTS, AttentionMap, Kind
from attention_core.trace import AttentionTrace

Head = tuple[int, int]  # layer, head
Heads = tuple[slice | None, slice | None]  # of the first trace and of the second; None takes all
Window = tuple[slice | None, slice | None]  # of queries and keys; None takes all


@dataclass(frozen=True)
class Comparison:
    """Two traces on the axes that they share.

    `queries` are the rows that both have: a row without a counterpart is compared with nothing. `keys` are all keys of
    either: what only one of them has gets 0 from the other. A pair of several positions is read as Clark et al. 2019,
    section 4.1, read words: the sum over its keys, the mean over its queries.
    """

    kind: Kind
    first: AttentionTrace
    second: AttentionTrace
    queries: tuple[Pair, ...]
    keys: tuple[Pair, ...]

    def rows(
        self, one: AttentionMap, other: AttentionMap, heads: Heads = (None, None)
    ) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """The rows of two maps, a block at a time: its place among `queries`, and both float32 (head, query, key).

        `heads` picks some of each map.
        """
        return _streamed(self._sides(one, other, heads), slice(0, len(self.queries)))

    def matrices(self, head: Head, other: Head | None = None, window: Window = (None, None)) -> Tensor:
        """One head of each trace, before and after: float32 (2, query, key) of a window of the shared axes.

        `other` is the second trace's head, by default the same. An UnknownNameError for a head that is not there, a
        WindowError for a window outside the axes.
        """
        query, key = self._window(window)
        sides = self._of(head, other)
        return torch.cat([torch.cat(rows)[..., key] for _, *rows in _streamed(sides, query)], dim=1)

    def overview(
        self, head: Head, other: Head | None, size: int, reduce: Reduce = "max", window: Window = (None, None)
    ) -> Tensor:
        """The same in at most `size` cells a side, streamed: float32 (2, query cell, key cell).

        "max" shows of each cell the two weights that differ most in it, "mean" the means. An InputError for no cells.
        """
        if reduce not in ("max", "mean"):
            raise UnknownNameError("reduce", reduce, ("max", "mean"))
        if size < 1:
            raise InputError(f"an overview needs at least 1 cell a side, not {size}")
        query, key = self._window(window)
        key_cells = Cells(key.stop - key.start, size, torch.device("cpu"))
        query_cells = Cells(query.stop - query.start, size, torch.device("cpu"))
        shrink = _strongest if reduce == "max" else _mean
        sides, lines = self._of(head, other), []
        for first, last in zip(query_cells.edges, query_cells.edges[1:], strict=False):
            rows = slice(query.start + first, query.start + last)
            narrow = [shrink(torch.cat(part)[..., key].cpu(), key_cells) for _, *part in _streamed(sides, rows)]
            lines.append(shrink(torch.cat(narrow, dim=1).mT, Cells(last - first, 1, torch.device("cpu"))).mT)
        return torch.cat(lines, dim=1)

    def _of(self, head: Head, other: Head | None) -> "Sides":
        """One head of each trace."""
        to = head if other is None else other
        maps = self.first.map(self.kind, head[0]), self.second.map(self.kind, to[0])
        return self._sides(*maps, (one_head(maps[0], head[1]), one_head(maps[1], to[1])))

    def _sides(self, one: AttentionMap, other: AttentionMap, heads: Heads) -> "Sides":
        return (
            _Side([pair.first for pair in self.queries], [pair.first for pair in self.keys], one, heads[0]),
            _Side([pair.second for pair in self.queries], [pair.second for pair in self.keys], other, heads[1]),
        )

    def _window(self, window: Window) -> tuple[slice, slice]:
        return _range("queries", window[0], len(self.queries)), _range("keys", window[1], len(self.keys))


def compare(first: AttentionTrace, second: AttentionTrace, kind: str | None = None) -> Comparison:
    """Two traces on the axes that they share, for one kind of attention.

    An UnknownNameError where one of them has no such kind, an InputError where no row of one stands for one of the
    other.
    """
    chosen = chosen_kind(first, kind)
    second.maps_of(chosen)
    same = first.queries(chosen) is first.keys(chosen) and second.queries(chosen) is second.keys(chosen)
    keys = align(first.keys(chosen), second.keys(chosen))
    queries = keys if same else align(first.queries(chosen), second.queries(chosen))
    shared = tuple(pair for pair in queries if pair.both)
    if not shared:
        raise InputError("the two share no token, so there is nothing to compare", reason="apart")
    return Comparison(chosen, first, second, shared, keys)


def one_head(one: AttentionMap, head: int) -> slice:
    """The one head as a range; an UnknownNameError for a head that is not there."""
    if not 0 <= head < one.head_count:
        raise UnknownNameError("head", head, range(one.head_count))
    return slice(head, head + 1)


class _Side:
    """One map's part of a comparison: which of its own rows and columns each of the shared ones is made of."""

    def __init__(
        self, rows: Sequence[range | None], columns: Sequence[range | None], one: AttentionMap, heads: slice | None
    ) -> None:
        self._map = one
        self._heads = heads
        self._rows = [row for row in rows if row is not None]
        self._owner = torch.full((self._rows[-1].stop,), -1, device=one.device)  # position -> shared row
        for number, row in enumerate(self._rows):
            self._owner[row.start : row.stop] = number
        self._sizes = torch.tensor([len(row) for row in self._rows], device=one.device)
        self._first = torch.tensor([0 if keys is None else keys.start for keys in columns], device=one.device)
        missing = [at for at, keys in enumerate(columns) if keys is None]
        self._missing = torch.tensor(missing, dtype=torch.long, device=one.device)
        more = [(at, key) for at, keys in enumerate(columns) if keys is not None for key in keys[1:]]
        self._more = torch.tensor(more, dtype=torch.long, device=one.device).reshape(-1, 2)  # shared column, its own
        count: int = one.head_count if heads is None else heads.stop - heads.start
        self.step = max(1, BLOCK_WEIGHTS // (count * max(one.key_count, len(columns))))  # rows computed at once

    def span(self, rows: slice) -> int:
        """How many rows of its own lie between the first and the last of some shared ones."""
        count: int = self._rows[rows.stop - 1].stop - self._rows[rows.start].start
        return count

    def rows(self, rows: slice) -> Tensor:
        """Some shared rows on the shared columns: float32 (head, query, key)."""
        first, last = self._rows[rows.start].start, self._rows[rows.stop - 1].stop
        sums: Tensor | None = None
        for start in range(first, last, self.step):
            block = slice(start, min(start + self.step, last))
            owner = self._owner[block]
            inside = owner >= 0
            columns = self._columns(self._map.weights(self._heads, block))  # (head, query, shared key)
            if sums is None:
                sums = columns.new_zeros(len(columns), rows.stop - rows.start, columns.shape[-1])
            sums.index_add_(1, owner[inside] - rows.start, columns[:, inside])
        assert sums is not None
        return sums / self._sizes[rows, None]

    def _columns(self, weights: Tensor) -> Tensor:
        sums = weights.index_select(-1, self._first)
        sums[..., self._missing] = 0.0
        if len(self._more):
            sums.index_add_(-1, self._more[:, 0], weights.index_select(-1, self._more[:, 1]))
        return sums


Sides = tuple[_Side, _Side]


def _streamed(sides: Sides, query: slice) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Some shared rows, a block at a time, before and after (head, query, every key)."""
    for block in _blocks(sides, query):
        before = sides[0].rows(block)
        yield block, before, sides[1].rows(block).to(before.device)


def _blocks(sides: Sides, query: slice) -> Iterator[slice]:
    """Runs of rows such that no map computes more than a block of weights for one, rows between them included."""
    most = min(side.step for side in sides)
    start = query.start
    for at in range(query.start + 1, query.stop):
        if any(side.span(slice(start, at + 1)) > most for side in sides):
            yield slice(start, at)
            start = at
    yield slice(start, query.stop)


def _strongest(pairs: Tensor, cells: Cells) -> Tensor:
    """Of each cell the two weights that differ most: (2, row, position) to (2, row, cell)."""
    places = pairs[..., cells.index]  # (2, row, cell, place)
    best = (places[1] - places[0]).abs().argmax(-1, keepdim=True)
    return places.gather(-1, best.expand(2, *best.shape))[..., 0]


def _mean(pairs: Tensor, cells: Cells) -> Tensor:
    return cells.reduce(pairs, "mean")


def _range(name: str, given: slice | None, count: int) -> slice:
    if given is None:
        return slice(0, count)
    start, stop = given.start or 0, count if given.stop is None else given.stop
    if not 0 <= start < stop <= count:
        sentence = f"{name} {start}:{stop} is not a range within 0:{count}"
        raise WindowError(sentence, what=name, value=f"{start}:{stop}", limit=count)
    return slice(start, stop)
