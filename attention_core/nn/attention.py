"""Attention, written to be read: the formula first, then torch's kernel beside it, then the modules.

Every reshaping line ends with its shape in the words of the design's axis dictionary. `...` stands for any
leading axes, (batch, head) in the modules. In a mask 1 or True means "may attend"; a query with nothing
allowed gets zero weights and a zero output.

Vaswani et al. 2017, "Attention Is All You Need":

    Attention(Q, K, V) = softmax(Q Kᵀ / √dₖ) V                                                       (eq. 1)
    MultiHead(Q, K, V) = Concat(head₁, …, headₕ) Wᴼ,  headᵢ = Attention(Q Wᵢ^Q, K Wᵢ^K, V Wᵢ^V) (sect. 3.2.2)
"""

from dataclasses import dataclass
from math import sqrt
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attention_core.errors import NotAvailableError, ShapeError
from attention_core.masks import causal_mask
from attention_core.nn.exchange import projections_of, torch_module
from attention_core.nn.shapes import (
    allowed_by_head,
    allowed_keys,
    check_vectors,
    fit,
    misfit,
    zero_empty_rows,
)

# ----------------------------------------------------------------------------------------------- the formula


def attention_scores(
    query: Tensor,
    key: Tensor,
    *,
    scale: float | None = None,
    bias: Tensor | None = None,
    soft_cap: float | None = None,
) -> Tensor:
    """The scores (..., query, key) of query (..., query, dim) and key (..., key, dim), before any mask.

    What the softmax of Vaswani et al. 2017, eq. 1 is taken of. `scale` is 1/√dim unless given (1.0 leaves the
    dot products as they are). A soft cap c squeezes the scores into (-c, c) by c·tanh(scores/c) (Gemma 2,
    2024, section 2); `bias` broadcasts to the scores and is added last.
    """
    if query.shape[-1] != key.shape[-1]:
        raise misfit("query and key have different dim", query, key)
    scale = 1 / sqrt(query.shape[-1]) if scale is None else scale
    # In place: at 512 tokens, fresh memory for the product would take longer than the product itself.
    scores = (query @ key.transpose(-2, -1)).mul_(scale)  # (..., query, key)
    if soft_cap is not None:
        scores = soft_cap * torch.tanh(scores / soft_cap)
    return scores if bias is None else scores + fit("bias", bias, scores.shape)


def masked_softmax(scores: Tensor, mask: Tensor | None = None, sink: Tensor | None = None) -> Tensor:
    """The weights (..., query, key): softmax of the scores over the allowed keys, exactly 0 on all others.

    A row sums to 1, or to 0 when nothing is allowed. A score of -inf counts as not allowed. A learned `sink`
    (head,) takes part in every row of its head as one more key and is then dropped, so that the row sums to 1
    minus the sink's share (gpt-oss, 2025; after Xiao et al. 2023, "Efficient Streaming Language Models with
    Attention Sinks", section 3.3).
    """
    if mask is not None:
        scores = scores.masked_fill(~allowed_keys(mask, scores.shape), -torch.inf)
    if sink is not None:
        if scores.ndim < 3 or sink.shape != scores.shape[-3:-2]:
            raise misfit("a sink (head,) needs scores (..., head, query, key)", sink, scores)
        column = sink[:, None, None].expand(*scores.shape[:-1], 1)  # (..., head, query, 1)
        return torch.softmax(torch.cat([scores, column], dim=-1), dim=-1)[..., :-1]  # (..., head, query, key)
    if scores.numel() == 0:
        return scores
    empty = scores.detach().amax(dim=-1, keepdim=True).isneginf()  # (..., query, 1)
    if not empty.any():
        return torch.softmax(scores, dim=-1)
    # Softmax of nothing is 0/0. Filled before and after, so that neither the weights nor a gradient are NaN.
    return torch.softmax(scores.masked_fill(empty, 0.0), dim=-1).masked_fill(empty, 0.0)


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    scale: float | None = None,
    bias: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """The output (..., query, value_dim) and the weights (..., query, key): the formula as it is written.

    query (..., query, dim), key (..., key, dim), value (..., key, value_dim); mask and bias broadcast to
    (..., query, key). `scale` is 1/√dim unless given; 1.0 switches it off. A ShapeError names shapes that do
    not fit. Vaswani et al. 2017, eq. 1.
    """
    check_vectors(query, key, value)
    scores = attention_scores(query, key, scale=scale, bias=bias)  # (..., query, key)
    weights = masked_softmax(scores, mask)  # (..., query, key)
    return weights @ value, weights


def fused_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    scale: float | None = None,
    bias: Tensor | None = None,
) -> Tensor:
    """The output (..., query, value_dim) of `attention`, by torch's kernel, which never forms the weights."""
    check_vectors(query, key, value)
    shape = (*query.shape[:-1], key.shape[-2])  # (..., query, key)
    attn_mask = None if mask is None else allowed_keys(mask, shape)
    if bias is not None:
        bias = fit("bias", bias, shape).to(query.dtype)
        attn_mask = bias if attn_mask is None else bias.masked_fill(~attn_mask, -torch.inf)
    output = F.scaled_dot_product_attention(query, key, value, attn_mask=attn_mask, scale=scale)
    # On a CPU torch's kernel itself gives zeros where nothing is allowed, and our tests hold it to that.
    return output if attn_mask is None or output.device.type == "cpu" else zero_empty_rows(output, attn_mask)


def fused_causal_attention(query: Tensor, key: Tensor, value: Tensor, *, scale: float | None = None) -> Tensor:
    """`fused_attention` with `causal_mask`, which is never made: query and key have the same positions."""
    check_vectors(query, key, value)
    if query.shape[-2] != key.shape[-2]:
        raise misfit("causal attention without a mask needs as many queries as keys", query, key)
    return F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scale)


# ----------------------------------------------------------------------------------------------- the modules


@dataclass(frozen=True, eq=False)
class AttentionRecord:
    """What one attention computed, as its kernel saw it: references, no copies.

    query, key, value: (batch, head, position, dim), as they meet in the score; output: (batch, head, query,
    dim), before the output projection; mask: booleans that broadcast to (batch, head, query, key), True may
    attend, or None: all may, or with `causal` all up to the query's own position. `given`: the weights, where
    the output was computed by the readable formula, which makes them anyway.
    """

    query: Tensor
    key: Tensor
    value: Tensor
    scale: float
    mask: Tensor | None
    output: Tensor
    causal: bool = False
    given: Tensor | None = None

    def weights(self) -> Tensor:
        """The weights (batch, head, query, key): those given, or computed now, by the formula."""
        if self.given is not None:
            return self.given
        mask = causal_mask(self.key.shape[2], device=self.key.device) if self.causal else self.mask
        return masked_softmax(attention_scores(self.query, self.key, scale=self.scale), mask)


@dataclass(frozen=True, eq=False)
class Mixing:
    """How the heads of one attention look: by torch's kernel, or by the `readable` formula.

    mask: booleans that broadcast to (batch, head, query, key). `causal` stands in place of a mask: no query attends to
    a later key. scale: what scores are multiplied by, None: what the module does.
    """

    mask: Tensor | None = None
    causal: bool = False
    scale: float | None = None
    readable: bool = False


class _Heads(nn.Module):
    """Projections in, one attention a head, one projection out (Vaswani et al. 2017, section 3.2.2)."""

    def __init__(self, embed_dim: int, num_heads: int, *, scaled: bool = True, bias: bool = True) -> None:
        super().__init__()
        if num_heads < 1 or embed_dim < 1 or embed_dim % num_heads:
            raise ShapeError(
                f"embed_dim {embed_dim} cannot be split into num_heads {num_heads} heads of equal size; "
                "embed_dim must be a multiple of num_heads"
            )
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.scaled = scaled
        self.scale = 1 / sqrt(embed_dim // num_heads) if scaled else 1.0
        self.query = nn.Linear(embed_dim, embed_dim, bias=bias)
        self.key = nn.Linear(embed_dim, embed_dim, bias=bias)
        self.value = nn.Linear(embed_dim, embed_dim, bias=bias)
        self.output = nn.Linear(embed_dim, embed_dim, bias=bias)

    def attend(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, AttentionRecord]:
        """The output (batch, query, embed_dim) and the record of how it came about, by torch's kernel."""
        q, k, v = self._split(query, key, value)
        allowed = allowed_by_head(mask, (*q.shape[:-1], k.shape[-2]))  # (batch, head, query, key)
        record = self.mix(q, k, v, Mixing(allowed))
        return self.merge(record.output), record

    def attend_with_weights(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The output (batch, query, embed_dim) and the weights (batch, head, query, key), by the formula."""
        q, k, v = self._split(query, key, value)
        allowed = allowed_by_head(mask, (*q.shape[:-1], k.shape[-2]))  # (batch, head, query, key)
        output, weights = attention(q, k, v, allowed, scale=self.scale)  # (batch, head, query, dim)
        return self.merge(output), weights

    # `attend` in three steps, for a transformer, which turns queries and keys, keeps keys and values, or
    # changes something in between.

    def split(self, x: Tensor, projection: nn.Linear) -> Tensor:
        """The vectors of every head (batch, head, position, dim) of x (batch, position, embed_dim)."""
        heads = (self.num_heads, self.embed_dim // self.num_heads)
        vectors: Tensor = projection(x).view(*x.shape[:2], *heads).transpose(1, 2)  # (batch, head, position, dim)
        return vectors

    def mix(self, query: Tensor, key: Tensor, value: Tensor, how: Mixing) -> AttentionRecord:
        """The attention of every head, all (batch, head, position, dim)."""
        mask, scale = how.mask, self.scale if how.scale is None else how.scale
        if how.readable:
            allowed = causal_mask(key.shape[2], device=key.device) if how.causal else mask
            output, given = attention(query, key, value, allowed, scale=scale)
            return AttentionRecord(query, key, value, scale, mask, output, how.causal, given)
        if how.causal:
            output = fused_causal_attention(query, key, value, scale=scale)  # (batch, head, query, dim)
        else:
            output = fused_attention(query, key, value, mask, scale=scale)  # (batch, head, query, dim)
        return AttentionRecord(query, key, value, scale, mask, output, how.causal)

    def merge(self, output: Tensor) -> Tensor:
        """The heads' outputs (batch, head, query, dim) side by side, projected: (batch, query, embed_dim)."""
        merged: Tensor = self.output(output.transpose(1, 2).flatten(2))  # (batch, query, embed_dim)
        return merged

    def _split(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        self._check_inputs(query, key, value)
        return self.split(query, self.query), self.split(key, self.key), self.split(value, self.value)

    def _check_inputs(self, query: Tensor, key: Tensor, value: Tensor) -> None:
        for name, given, layer in (
            ("query", query, self.query),
            ("key", key, self.key),
            ("value", value, self.value),
        ):
            if given.ndim != 3 or given.shape[-1] != layer.in_features:
                raise ShapeError(
                    f"the {name} input has shape {tuple(given.shape)}; "
                    f"this module takes (batch, position, {layer.in_features})"
                )
        if query.shape[0] != key.shape[0] or key.shape[:2] != value.shape[:2]:
            sentence = "query, key and value inputs share the batch, key and value inputs also the positions"
            raise misfit(sentence, query, key, value)

    @classmethod
    def from_torch(cls, source: nn.MultiheadAttention) -> Self:
        """A module of ours with copies of a torch.nn.MultiheadAttention's weights, batch first from now on.

        Dropout is not carried over. NotAvailableError for add_bias_kv and add_zero_attn.
        """
        made = cls(source.embed_dim, source.num_heads, bias=source.in_proj_bias is not None)
        made.query, made.key, made.value, made.output = projections_of(source)
        return made.train(source.training)

    def to_torch(self) -> nn.MultiheadAttention:
        """A torch.nn.MultiheadAttention (batch_first) with copies of this module's weights.

        NotAvailableError when scaling is off, since torch always divides by √dim.
        """
        if not self.scaled:
            raise NotAvailableError("torch.nn.MultiheadAttention always divides by √dim; this module does not")
        made = torch_module(self.num_heads, (self.query, self.key, self.value, self.output))
        return made.train(self.training)


class MultiHeadAttention(_Heads):
    """Attention with queries, keys and values from up to three inputs (Vaswani et al. 2017, section 3.2.2).

    `module(query, key, value, mask)` gives the output (batch, query, embed_dim) and the weights, always
    (batch, head, query, key). Without `value` it is the key input, without both the query input. A mask is
    (query, key), (batch, query, key) or anything that broadcasts to (batch, head, query, key).
    `need_weights=False` takes torch's kernel and gives None for the weights; `scaled=False` leaves out √dim.
    """

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        need_weights: bool = True,
    ) -> tuple[Tensor, Tensor | None]:
        """The output (batch, query, embed_dim), and the weights (batch, head, query, key) or None."""
        key = query if key is None else key
        value = key if value is None else value
        if need_weights:
            return self.attend_with_weights(query, key, value, mask)
        return self.attend(query, key, value, mask)[0], None


class _OneOrMoreHeads(_Heads):
    """Attention whose weights are plain (batch, query, key) with one head: the matrix of a lesson."""

    def __init__(self, embed_dim: int, num_heads: int = 1, *, scaled: bool = True, bias: bool = True) -> None:
        super().__init__(embed_dim, num_heads, scaled=scaled, bias=bias)

    def _forward(
        self, query: Tensor, key_value: Tensor, mask: Tensor | None, need_weights: bool
    ) -> tuple[Tensor, Tensor | None]:
        if not need_weights:
            return self.attend(query, key_value, key_value, mask)[0], None
        output, weights = self.attend_with_weights(query, key_value, key_value, mask)
        return output, weights.squeeze(1) if self.num_heads == 1 else weights  # (batch, [head,] query, key)


class SelfAttention(_OneOrMoreHeads):
    """Attention of a sequence to itself: `output, weights = SelfAttention(512)(x)`.

    Weights are (batch, query, key) with one head, (batch, head, query, key) with more. Masks, `scaled` and
    `need_weights` as in MultiHeadAttention.
    """

    def forward(
        self, x: Tensor, mask: Tensor | None = None, *, need_weights: bool = True
    ) -> tuple[Tensor, Tensor | None]:
        """The output (batch, position, embed_dim) for x of the same shape, and the weights or None."""
        return self._forward(x, x, mask, need_weights)

    @classmethod
    def from_torch(cls, source: nn.MultiheadAttention) -> Self:
        """As MultiHeadAttention.from_torch; a ShapeError when the source takes keys of another width."""
        if not source.kdim == source.vdim == source.embed_dim:
            raise ShapeError(
                f"self-attention has one input, but kdim {source.kdim} and vdim {source.vdim} are not both "
                f"embed_dim {source.embed_dim}; MultiHeadAttention.from_torch takes such a module"
            )
        return super().from_torch(source)


class CrossAttention(_OneOrMoreHeads):
    """Attention of one sequence to another: `output, weights = CrossAttention(512)(target, source)`.

    Queries come from the first input, keys and values from the second. Weights are (batch, query, key) with
    one head, (batch, head, query, key) with more. Masks, `scaled`, `need_weights` as in MultiHeadAttention.
    """

    def forward(
        self,
        query_input: Tensor,
        key_value_input: Tensor,
        mask: Tensor | None = None,
        *,
        need_weights: bool = True,
    ) -> tuple[Tensor, Tensor | None]:
        """The output (batch, query, embed_dim), and the weights or None."""
        return self._forward(query_input, key_value_input, mask, need_weights)

    @classmethod
    def from_torch(cls, source: nn.MultiheadAttention) -> Self:
        """As MultiHeadAttention.from_torch; a ShapeError when keys and values cannot come from one input."""
        if source.kdim != source.vdim:
            raise ShapeError(
                f"cross-attention takes keys and values from one input, but kdim {source.kdim} is not "
                f"vdim {source.vdim}; MultiHeadAttention.from_torch takes such a module"
            )
        return super().from_torch(source)
