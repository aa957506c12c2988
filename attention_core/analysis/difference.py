"""Difference: what changes in the heads from one trace to another, of another text, or of the model with heads off.

The change of a head is how much of its attention moves: the mean over the rows that both traces have of half the sum
of |after - before| over the keys, the total variation distance between two rows: 0 is the same, 1 nothing in common.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from attention_core.analysis.alignment import Pair
from attention_core.analysis.comparing import Comparison, compare, one_head
from attention_core.errors import InputError, UnknownNameError
from attention_core.maps import AttentionMap, Kind
from attention_core.trace import AttentionTrace


@dataclass(frozen=True)
class Cell:
    """A cell of the shared axes, by its places among the queries and the keys, with its two weights."""

    query: int
    key: int
    before: float
    after: float


@dataclass(frozen=True)
class HeadChange:
    """How far a head's rows lie from those that it is compared with, 0 to 1, and the cell in which they differ most."""

    layer: int
    head: int
    change: float
    largest: Cell


@dataclass(frozen=True)
class Difference:
    """All heads of a kind: by change, the largest first; or by likeness to one head, the nearest first.

    `queries` are the pairs of rows that were compared, `keys` those of all columns: see `Comparison`.
    """

    kind: Kind
    queries: tuple[Pair, ...]
    keys: tuple[Pair, ...]
    heads: tuple[HeadChange, ...]

    def of(self, layer: int, head: int) -> HeadChange:
        """One head's numbers; an UnknownNameError for a head that is not there."""
        for one in self.heads:
            if (one.layer, one.head) == (layer, head):
                return one
        raise UnknownNameError("head", f"L{layer} H{head}", [f"L{one.layer} H{one.head}" for one in self.heads[:12]])


def difference(first: AttentionTrace, second: AttentionTrace, *, kind: str | None = None) -> Difference:
    """What changes in each head from the first trace to the second, the largest change first.

    An InputError for models of other shapes, whose heads do not stand for one another: ask for their `likeness`.
    """
    both = compare(first, second, kind)
    maps, others = first.maps_of(both.kind), second.maps_of(both.kind)
    shapes = [(len(some), some[0].head_count) for some in (maps, others)]
    if shapes[0] != shapes[1]:
        sizes = " and ".join(f"{layers} layers of {heads} heads" for layers, heads in shapes)
        sentence = f"the models have {sizes}: no head of one stands for a head of the other; choose a head to compare"
        raise InputError(sentence, reason="shapes")
    heads = [
        change
        for layer, (one, other) in enumerate(zip(maps, others, strict=True))
        for change in _changes(both, layer, one, other)
    ]
    heads.sort(key=lambda one: (-one.change, one.layer, one.head))
    return Difference(both.kind, both.queries, both.keys, tuple(heads))


def likeness(
    first: AttentionTrace, layer: int, head: int, second: AttentionTrace, *, kind: str | None = None
) -> Difference:
    """How near each head of the second trace comes to one head of the first, the nearest first.

    Look at both as words (`looking.look`) where the models cut words into other pieces. An UnknownNameError for a
    head that is not there.
    """
    both = compare(first, second, kind)
    one = first.map(both.kind, layer)
    own = one_head(one, head)
    heads = [
        change
        for number, other in enumerate(second.maps_of(both.kind))
        for change in _changes(both, number, one, other, own)
    ]
    heads.sort(key=lambda one: (one.change, one.layer, one.head))
    return Difference(both.kind, both.queries, both.keys, tuple(heads))


def _changes(
    both: Comparison, layer: int, one: AttentionMap, other: AttentionMap, own: slice | None = None
) -> Iterator[HeadChange]:
    """The heads of a layer of the second trace, each against the first's head of its number, or against its own one."""
    total = torch.zeros(other.head_count, device=one.device)
    farthest = torch.full_like(total, -1.0)
    cells = torch.zeros(other.head_count, 4, device=one.device)  # query, key, before, after
    for block, before, after in both.rows(one, other, (own, None)):
        moved = (after - before).abs()  # (head, query, key)
        total += moved.sum((1, 2)) / 2
        most, at = moved.flatten(1).max(1)  # (head)
        values = [rows.expand_as(moved).flatten(1).gather(1, at[:, None])[:, 0] for rows in (before, after)]
        places = [(at // moved.shape[2] + block.start).float(), (at % moved.shape[2]).float()]
        cells = torch.where((most > farthest)[:, None], torch.stack([*places, *values], dim=1), cells)
        farthest = torch.maximum(most, farthest)
    for head, (change, (query, key, was, now)) in enumerate(
        zip((total / len(both.queries)).tolist(), cells.tolist(), strict=True)
    ):
        yield HeadChange(layer, head, change, Cell(int(query), int(key), was, now))
