"""The two makers of a map: from queries, keys and values, or from weights that a model gave.

Memory stays linear in the length: a `FactoredMap` keeps queries, keys and values and computes what is looked at,
in blocks that fit the processor's cache. A `DenseMap` holds weights that a model gave and cannot explain.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attention_core.attention_map import BLOCK_WEIGHTS, AttentionMap, Kind, Range
from attention_core.bias import Bias, RelativeBias
from attention_core.errors import NotAvailableError, ShapeError, TraceError
from attention_core.masks import Mask
from attention_core.nn.attention import attention_scores, masked_softmax

__all__ = ["BLOCK_WEIGHTS", "AttentionMap", "Bias", "DenseMap", "FactoredMap", "Kind", "Range", "RelativeBias"]


@dataclass(frozen=True, eq=False, kw_only=True)
class FactoredMap(AttentionMap):
    """A map kept as what it is made of; weights = softmax over keys of mask(cap(scale · q·k) + bias).

    query_vectors (head, query, dim), key_vectors (key head, key, dim), value_vectors (key head, key, value_dim):
    grouped heads stay grouped (Ainslie et al. 2023). bias broadcasts to (head, query, key). sink is (head,).
    value_norms is (head, key), from `nn.norms`.
    """

    query_vectors: Tensor
    key_vectors: Tensor
    value_vectors: Tensor
    scale: float
    bias: Bias | None = None
    soft_cap: float | None = None
    sink: Tensor | None = None
    value_norms: Tensor | None = None

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
        if not self.mask.fits(query.shape[1], key.shape[1]):
            raise ShapeError(f"the mask of L{self.layer} ({self.kind}) does not fit {shapes}")
        for name, vectors in (("queries", query), ("keys", key), ("values", value)):
            # One sum finds any NaN or infinity without a boolean copy of the vectors.
            if not torch.isfinite(vectors.sum(dtype=torch.float32)):
                raise TraceError(f"the {name} of L{self.layer} ({self.kind}) hold values that are not finite")
        self._check_bias(shapes)
        self._check_norms()

    def _check_bias(self, shapes: str) -> None:
        shape = (self.head_count, self.query_count, self.key_count)
        if isinstance(self.bias, RelativeBias):
            table = self.bias.by_distance
            expected = (shape[0], shape[1] + shape[2] - 1)
            if self.bias.query_count != shape[1] or table.shape != expected:
                raise ShapeError(f"the bias by distance {tuple(table.shape)} is not {expected}; {shapes}")
        elif self.bias is not None:
            table = self.bias
            if table.ndim != 3 or table.shape[0] not in (1, shape[0]) or table.shape[1:] != shape[1:]:
                raise ShapeError(f"the bias {tuple(table.shape)} does not fit {shapes}")

    def _check_norms(self) -> None:
        norms = self.value_norms
        if norms is None:
            return
        if norms.shape != (self.head_count, self.key_count) or norms.dtype != torch.float32:
            raise ShapeError(
                f"value norms are float32 {(self.head_count, self.key_count)} (head, key), not "
                f"{str(norms.dtype).removeprefix('torch.')} {tuple(norms.shape)}"
            )
        if not torch.isfinite(norms.sum()) or float(norms.min()) < 0:
            raise TraceError(f"a value norm of L{self.layer} ({self.kind}) is negative or not finite")

    @property
    def norms_note(self) -> str | None:
        """Why there are no `value_norms`: their heads' output projection was not found; None where there are."""
        return "no-projection" if self.value_norms is None else None

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
        """Memory of queries, keys, values, their norms, mask, bias and sink, in bytes."""
        bias = self.bias.by_distance if isinstance(self.bias, RelativeBias) else self.bias
        held = (self.query_vectors, self.key_vectors, self.value_vectors, self.value_norms, bias, self.sink)
        return self.mask.nbytes + sum(tensor.nbytes for tensor in held if tensor is not None)

    def scores(self, heads: Range = None, queries: Range = None, keys: Range = None) -> Tensor:
        """The exact scores (head, query, key) before the mask, scaled, capped and biased, float32."""
        head, query, key = self._window(heads, queries, keys)
        return self._scores(head, query)[..., key]

    def biases(self, heads: Range = None, queries: Range = None, keys: Range = None) -> Tensor | None:
        """What a window's scores get added before the mask (head or 1, query, key), float32; None without a bias."""
        head, query, key = self._window(heads, queries, keys)
        bias = self._bias(head, query)
        return None if bias is None else bias[..., key]

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
        if not self.mask.fits(*self.given.shape[1:]):
            raise ShapeError(f"the mask of {where} does not fit weights {tuple(self.given.shape)}")
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
