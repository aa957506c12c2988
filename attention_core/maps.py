"""One attention sub-layer, as any exact window of its weights.

Axis dictionary (Python, JSON, JavaScript and labels use these words in this order):
layer, head: counted from 0. query: the position that looks (row). key: the position looked at (column).
dim: feature axis of a query or key; value_dim of a value. scores: scaled and biased q·k, before the mask.
weights: softmax of the masked scores over keys; a row sums to 1, or with a learned sink to 1 minus its share.

Memory stays linear in the length: a `FactoredMap` keeps queries, keys and values and computes what is looked at,
in blocks that fit the processor's cache. A `DenseMap` holds weights that a model gave and cannot explain.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import torch
from torch import Tensor

from attention_core.cells import Cells, Reduce
from attention_core.errors import (
    InputError,
    NotAvailableError,
    ShapeError,
    TraceError,
    UnknownNameError,
    WindowError,
)
from attention_core.masks import Mask
from attention_core.nn.attention import attention_scores, masked_softmax

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
class RelativeBias:
    """A bias that depends on key - query only, as in T5 (Raffel et al. 2020, section 2.1): linear memory.

    `by_distance` is (head, distance), where distance 0 stands for key 0 seen from the last query.
    """

    by_distance: Tensor
    query_count: int

    def window(self, heads: slice, queries: Tensor, key_count: int) -> Tensor:
        """The bias (head, query, key) of some positions of queries and all keys."""
        key = torch.arange(key_count, device=self.by_distance.device)
        return self.by_distance[heads][:, key[None, :] - queries[:, None] + self.query_count - 1]


Bias = Tensor | RelativeBias


@dataclass(frozen=True, eq=False, kw_only=True)
class FactoredMap(AttentionMap):
    """A map kept as what it is made of; weights = softmax over keys of mask(cap(scale · q·k) + bias).

    query_vectors (head, query, dim), key_vectors (key head, key, dim), value_vectors (key head, key, value_dim):
    grouped heads stay grouped (Ainslie et al. 2023). bias broadcasts to (head, query, key). sink is (head,).
    """

    query_vectors: Tensor
    key_vectors: Tensor
    value_vectors: Tensor
    scale: float
    bias: Bias | None = None
    soft_cap: float | None = None
    sink: Tensor | None = None

    def __post_init__(self) -> None:
        query, key, value = self.query_vectors, self.key_vectors, self.value_vectors
        shapes = f"queries {tuple(query.shape)}, keys {tuple(key.shape)}, values {tuple(value.shape)}"
        if (
            query.ndim != 3
            or key.ndim != 3
            or value.ndim != 3
            or 0 in (*query.shape, *key.shape, *value.shape)
        ):
            raise ShapeError(f"a map needs (head, position, dim) vectors, not {shapes}")
        if (
            key.shape[:2] != value.shape[:2]
            or query.shape[2] != key.shape[2]
            or query.shape[0] % key.shape[0]
        ):
            raise ShapeError(f"the vectors of L{self.layer} do not fit one another: {shapes}")
        if self.sink is not None and self.sink.shape != query.shape[:1]:
            raise ShapeError(f"a sink has one score a head, not {tuple(self.sink.shape)}; {shapes}")
        if isinstance(self.bias, Tensor) and self.bias.shape[-2:] != (query.shape[1], key.shape[1]):
            raise ShapeError(f"the bias {tuple(self.bias.shape)} does not fit {shapes}")
        for name, vectors in (("queries", query), ("keys", key), ("values", value)):
            # One sum finds any NaN or infinity without a boolean copy of the vectors.
            if not torch.isfinite(vectors.sum(dtype=torch.float32)):
                raise TraceError(f"the {name} of L{self.layer} ({self.kind}) hold values that are not finite")

    @property
    def head_count(self) -> int:
        """How many heads there are."""
        return self.query_vectors.shape[0]

    @property
    def query_count(self) -> int:
        """How many positions look."""
        return self.query_vectors.shape[1]

    @property
    def key_count(self) -> int:
        """How many positions can be looked at."""
        return self.key_vectors.shape[1]

    @property
    def device(self) -> torch.device:
        """Where the vectors lie and windows are computed."""
        return self.query_vectors.device

    @property
    def has_scores(self) -> bool:
        """True: the scores are what the weights are made of."""
        return True

    @property
    def has_sink(self) -> bool:
        """Whether a learned sink takes a share of every row."""
        return self.sink is not None

    @property
    def nbytes(self) -> int:
        """Memory of queries, keys, values, mask, bias and sink, in bytes."""
        bias = self.bias.by_distance if isinstance(self.bias, RelativeBias) else self.bias
        held = (self.query_vectors, self.key_vectors, self.value_vectors, bias, self.sink)
        return self.mask.nbytes + sum(tensor.nbytes for tensor in held if tensor is not None)

    def scores(self, heads: Range = None, queries: Range = None, keys: Range = None) -> Tensor:
        """The exact scores (head, query, key) before the mask, scaled, capped and biased, float32."""
        head, query, key = self._window(heads, queries, keys)
        return self._scores(head, query)[..., key]

    def sink_share(self, heads: Range = None, queries: Range = None) -> Tensor | None:
        """What the learned sink takes of each row (head, query), None without a sink."""
        return None if self.sink is None else 1 - self.weights(heads, queries).sum(-1)

    def recompute(self, queries: Sequence[int]) -> tuple[Tensor, Tensor]:
        """What each head hands on at some queries (head, query, value_dim), and the scores (head, query, key)."""
        every, positions = slice(0, self.head_count), torch.tensor(queries, device=self.device)
        scores = self._scores(every, positions)
        weights = self._softmax(scores, every, positions)
        values = self.value_vectors.float()  # (key head, key, value_dim)
        grouped = weights.reshape(values.shape[0], -1, *weights.shape[1:])  # (key head, head of the group, query, key)
        return (grouped @ values[:, None]).flatten(0, 1), scores

    def _scores(self, heads: slice, queries: slice | Tensor) -> Tensor:
        group = self.head_count // self.key_vectors.shape[0]
        query = self.query_vectors[heads, queries].float()  # (head, query, dim)
        if group == 1:
            key = self.key_vectors[heads]
        else:
            owners = torch.arange(heads.start, heads.stop, device=self.device) // group
            key = self.key_vectors[owners]
        bias = self._bias(heads, queries)
        return attention_scores(query, key.float(), scale=self.scale, bias=bias, soft_cap=self.soft_cap)

    def _bias(self, heads: slice, queries: slice | Tensor) -> Tensor | None:
        if self.bias is None:
            return None
        if isinstance(self.bias, RelativeBias):
            positions = self._positions(queries) if isinstance(queries, slice) else queries
            return self.bias.window(heads, positions, self.key_count).float()
        own = self.bias if self.bias.shape[0] == 1 else self.bias[heads]
        return own[:, queries].float()

    def _softmax(self, scores: Tensor, heads: slice, positions: Tensor) -> Tensor:
        sink = None if self.sink is None else self.sink[heads].float()
        allowed = None
        if type(self.mask) is not Mask:
            allowed = self.mask.window(positions, torch.arange(self.key_count, device=self.device))
        return masked_softmax(scores, allowed, sink)

    def _rows(self, heads: slice, queries: slice) -> Tensor:
        return self._softmax(self._scores(heads, queries), heads, self._positions(queries))


@dataclass(frozen=True, eq=False, kw_only=True)
class DenseMap(AttentionMap):
    """A map whose weights (head, query, key) the model gave; for families that offer nothing to explain them.

    With `sinks` a row may sum to less than 1: what is missing went to a learned sink.
    """

    given: Tensor
    sinks: bool = False

    def __post_init__(self) -> None:
        if self.given.ndim != 3 or 0 in self.given.shape:
            raise ShapeError(f"dense weights are (head, query, key), not {tuple(self.given.shape)}")
        where = f"L{self.layer} ({self.kind})"
        if not torch.isfinite(self.given).all():
            raise TraceError(f"the weights of {where} hold values that are not finite")
        allowed = self.allowed()
        if type(self.mask) is not Mask and float((self.given * ~allowed).abs().max()) > 0:
            raise TraceError(f"the weights of {where} give something to masked keys")
        rows = self.given.float().sum(-1)
        slack = 1e-5 if self.given.dtype == torch.float32 else 2e-2
        off = rows - allowed.any(-1).float()  # (head, query)
        off = (off.clamp_min(0) if self.sinks else off.abs()).max()
        if float(off) > slack or float(self.given.min()) < 0:
            raise TraceError(f"a row of the weights of {where} does not sum to 1 (off by {float(off):.1e})")

    @property
    def head_count(self) -> int:
        """How many heads there are."""
        return self.given.shape[0]

    @property
    def query_count(self) -> int:
        """How many positions look."""
        return self.given.shape[1]

    @property
    def key_count(self) -> int:
        """How many positions can be looked at."""
        return self.given.shape[2]

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self.given.device

    @property
    def has_sink(self) -> bool:
        """Whether a learned sink takes a share of every row."""
        return self.sinks

    @property
    def nbytes(self) -> int:
        """Memory of the weights and the mask, in bytes."""
        return self.given.nbytes + self.mask.nbytes

    def scores(self, heads: Range = None, queries: Range = None, keys: Range = None) -> Tensor:
        """A NotAvailableError: this model family gives its weights without the scores that explain them."""
        del heads, queries, keys
        raise NotAvailableError("this model family gives its weights only, without the scores behind them")

    def _rows(self, heads: slice, queries: slice) -> Tensor:
        return self.given[heads, queries].float()
