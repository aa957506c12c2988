"""What any map of one attention sub-layer offers: exact windows of its weights, whatever they are made of.

Axis dictionary (Python, JSON, JavaScript and labels use these words in this order):
layer, head: counted from 0. query: the position that looks (row). key: the position looked at (column).
dim: feature axis of a query or key; value_dim of a value. scores: scaled and biased q·k, before the mask.
weights: softmax of the masked scores over keys; a row sums to 1, or with a learned sink to 1 minus its share.
lengths: α‖f(x)‖, how long the vector is that a key adds to a query's output.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import torch
from torch import Tensor

from attention_core.cells import Cells, Reduce
from attention_core.errors import InputError, NotAvailableError, UnknownNameError, WindowError
from attention_core.masks import Mask

Range = slice | int | None
# Weights computed at once. 2 MiB of float32 stay in a core's cache; larger blocks were no faster.
BLOCK_WEIGHTS = 1 << 19


class Kind(StrEnum):
    """Who looks at whom: within the encoder, within the decoder (masked), or from the target to the source."""

    ENCODER_SELF = "encoder-self"
    DECODER_SELF = "decoder-self"
    CROSS = "cross"


@dataclass(frozen=True, eq=False, kw_only=True)
class AttentionMap(ABC):
    """One attention sub-layer of one example; its makers are `FactoredMap` and `DenseMap`."""

    kind: Kind
    layer: int
    mask: Mask = field(default_factory=Mask)

    @property
    @abstractmethod
    def head_count(self) -> int:
        """How many heads there are."""

    @property
    @abstractmethod
    def query_count(self) -> int:
        """How many positions look."""

    @property
    @abstractmethod
    def key_count(self) -> int:
        """How many positions can be looked at."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where windows are computed."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Memory that the map holds, in bytes."""

    @abstractmethod
    def _rows(self, heads: slice, queries: slice) -> Tensor:
        """The weights float32 (head, query, every key) of checked ranges."""

    @abstractmethod
    def scores(self, heads: Range = None, queries: Range = None, keys: Range = None) -> Tensor:
        """The exact scores (head, query, key) before the mask, float32; a NotAvailableError where there are none."""

    @property
    def has_scores(self) -> bool:
        """Whether there are scores that explain the weights."""
        return False

    @property
    def has_sink(self) -> bool:
        """Whether a learned sink takes a share of every row."""
        return False

    @property
    def value_norms(self) -> Tensor | None:
        """‖f(x)‖ of what each key hands on (head, key), float32 (Kobayashi et al. 2020, eq. 5); None if not known."""
        return None

    @property
    def norms_note(self) -> str | None:
        """Why there are no `value_norms`, as a code: "no-values" of a family that gives its weights only,
        "no-projection" where the heads' output projection was not found; None where there are."""
        return "no-values"

    def lengths(self, heads: Range = None, queries: Range = None, keys: Range = None) -> Tensor:
        """α‖f(x)‖ (head, query, key) of a window, float32: how long the vector is that a key adds to a query's.

        Kobayashi et al. 2020, eq. 4. A NotAvailableError where there are no `value_norms`.
        """
        if self.value_norms is None:
            raise no_norms(self)
        head, _, key = self._window(heads, queries, keys)
        return self.weights(heads, queries, keys) * self.value_norms[head, None, key]

    def weights(self, heads: Range = None, queries: Range = None, keys: Range = None) -> Tensor:
        """The exact weights (head, query, key) of a window, float32. None takes all, a number takes one.

        An UnknownNameError for a head that is not there, a WindowError for positions outside the map.
        """
        head, query, key = self._window(heads, queries, keys)
        blocks = [self._rows(head, block)[..., key] for block in self._blocks(head, query)]
        return blocks[0] if len(blocks) == 1 else torch.cat(blocks, dim=1)

    def stream(self, heads: Range = None) -> Iterator[tuple[slice, Tensor]]:
        """All rows, a block at a time: the queries of the block and their weights (head, query, key), float32."""
        head, query, _ = self._window(heads, None, None)
        for block in self._blocks(head, query):
            yield block, self._rows(head, block)

    def allowed(self, queries: Range = None, keys: Range = None) -> Tensor:
        """Who may attend to whom: a boolean window (query, key)."""
        _, query, key = self._window(None, queries, keys)
        return self.mask.window(self._positions(query), self._positions(key))

    def overview(
        self,
        heads: Range = None,
        size: int = 256,
        reduce: Reduce = "max",
        queries: Range = None,
        keys: Range = None,
    ) -> Tensor:
        """The window in at most `size` cells a side (head, query cell, key cell), float32.

        Cell i of s covers positions ⌊i·n/s⌋ up to ⌊(i+1)·n/s⌋ and holds the largest weight or the mean of its
        positions. Streamed in blocks: the N×N matrix is never in memory.
        """
        if reduce not in ("max", "mean"):
            raise UnknownNameError("reduce", reduce, ("max", "mean"))
        if size < 1:
            raise InputError(f"an overview needs at least 1 cell a side, not {size}")
        head, query, key = self._window(heads, queries, keys)
        key_cells = Cells(key.stop - key.start, size, self.device)
        query_cells = Cells(query.stop - query.start, size, self.device)
        per_query = max(1, (head.stop - head.start) * self.key_count)
        reduced = []
        for first, last in query_cells.groups(max(1, BLOCK_WEIGHTS // per_query)):
            # A cell of many queries is itself reduced in blocks, so that memory stays bounded.
            start, stop = query.start + query_cells.edges[first], query.start + query_cells.edges[last]
            rows = [
                key_cells.reduce(self._rows(head, block)[..., key], reduce)
                for block in self._blocks(head, slice(start, stop))
            ]
            joined = torch.cat(rows, dim=1) if len(rows) > 1 else rows[0]
            reduced.append(query_cells.reduce_queries(joined, first, last, reduce))
        return torch.cat(reduced, dim=1)

    def _positions(self, taken: slice) -> Tensor:
        return torch.arange(taken.start, taken.stop, device=self.device)

    def _window(self, heads: Range, queries: Range, keys: Range) -> tuple[slice, slice, slice]:
        try:
            head = _range("heads", heads, self.head_count)
        except WindowError:
            wrong = heads if isinstance(heads, int) else f"{heads.start}:{heads.stop}" if heads else heads
            raise UnknownNameError("head", wrong, range(self.head_count)) from None
        return head, _range("queries", queries, self.query_count), _range("keys", keys, self.key_count)

    def _blocks(self, heads: slice, queries: slice) -> Iterator[slice]:
        step = max(1, BLOCK_WEIGHTS // max(1, (heads.stop - heads.start) * self.key_count))
        for start in range(queries.start, queries.stop, step):
            yield slice(start, min(start + step, queries.stop))


def no_norms(one: AttentionMap) -> NotAvailableError:
    """The error for a map without value norms; it says why."""
    why = {
        "no-projection": "the projection that mixes the heads' outputs was not found in this model",
        "no-values": "this model family gives its weights only, without the values that they mix",
    }[str(one.norms_note)]
    return NotAvailableError(f"there are no lengths ‖αf(x)‖: {why}", reason="no-norms")


def _range(name: str, given: Range, count: int) -> slice:
    """The checked half-open range; a WindowError names what would be accepted."""
    if given is None:
        return slice(0, count)
    if isinstance(given, int):
        given = slice(given, given + 1)
    start = 0 if given.start is None else given.start
    stop = count if given.stop is None else given.stop
    if given.step not in (None, 1) or not 0 <= start < stop <= count:
        raise WindowError(
            f"{name} {start}:{stop} is not a range within 0:{count}",
            what=name,
            value=f"{start}:{stop}",
            limit=count,
        )
    return slice(start, stop)


@dataclass(frozen=True, eq=False, kw_only=True)
class DerivedMap(AttentionMap):
    """A map whose windows are computed from another one's; nothing else is held."""

    base: AttentionMap

    @property
    def head_count(self) -> int:
        """How many heads there are."""
        return self.base.head_count

    @property
    def query_count(self) -> int:
        """How many positions look."""
        return self.base.query_count

    @property
    def key_count(self) -> int:
        """How many positions can be looked at."""
        return self.base.key_count

    @property
    def device(self) -> torch.device:
        """Where windows are computed."""
        return self.base.device

    @property
    def nbytes(self) -> int:
        """Memory of the original map, in bytes."""
        return self.base.nbytes
