"""Steps: how one row of one head came about, from the dot products to the sum of the values.

softmax(mask(cap(q Kᵀ · scale) + bias)) V for one query (Vaswani et al. 2017, eq. 1; soft cap: Gemma 2, 2024, section 2;
learned sink: gpt-oss, 2025), each step with its own numbers, in the order in which `maps.FactoredMap` computes them.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from attention_core.errors import NotAvailableError, UnknownNameError
from attention_core.maps import AttentionMap, DenseMap, FactoredMap, Kind
from attention_core.trace import AttentionTrace

STEPS = ("input", "project", "dot", "scale", "cap", "bias", "mask", "softmax", "weigh", "sum", "join")
Of = Literal["query", "key", "value"]


@dataclass(frozen=True, eq=False)
class Steps:
    """One row of one head, step by step; tensors are float32 on the processor.

    `group` is the head of the keys and values, `sharing` the heads that use it, this one among them (Ainslie et al.
    2023). dots: q·k (key); scaled: times `scale`; capped: cap·tanh(scaled / cap), None without a soft cap `cap`; bias:
    what is added then, None without one; scores: the sum, before the mask. allowed: booleans (key). peak: the largest
    allowed score, the sink's included, None where nothing is allowed. exponentials: exp(score - peak), 0 where not
    allowed; sink: that of the learned sink, None without one; total: the sum of them all. weights: the map's own row,
    exponentials / total. output: the sum of the values, each times its weight (value_dim).
    """

    kind: Kind
    layer: int
    head: int
    query: int
    group: int
    sharing: tuple[int, ...]
    scale: float
    query_vector: Tensor
    dots: Tensor
    scaled: Tensor
    cap: float | None
    capped: Tensor | None
    bias: Tensor | None
    scores: Tensor
    allowed: Tensor
    peak: float | None
    exponentials: Tensor
    sink: float | None
    total: float
    weights: Tensor
    output: Tensor

    @property
    def names(self) -> tuple[str, ...]:
        """The steps that this head has, in order: a soft cap and a bias are not everywhere."""
        missing = {name for name, there in (("cap", self.capped), ("bias", self.bias)) if there is None}
        return tuple(name for name in STEPS if name not in missing)


def steps(trace: AttentionTrace, kind: str, layer: int, head: int, query: int) -> Steps:
    """Every step of one query's row of one head.

    A NotAvailableError with the reason "no-steps" for weights that a model gave without what makes them, and for a
    trace that is seen through words, hidden tokens or lengths; an UnknownNameError for a kind, layer or head, a
    WindowError for a query that is not there.
    """
    one = factored(trace, kind, layer)
    weights, group = one.weights(head, query)[0, 0], group_of(one, head)  # (key)
    vector = one.query_vectors[head, query].float()  # (dim)
    dots = (vector[None] @ one.key_vectors[group].float().T)[0]  # (key)
    scaled = dots * one.scale
    capped = None if one.soft_cap is None else one.soft_cap * torch.tanh(scaled / one.soft_cap)
    added = one.biases(head, query)
    bias = None if added is None else added[0, 0]  # (key)
    scores = scaled if capped is None else capped
    scores = scores if bias is None else scores + bias
    allowed = one.allowed(query)[0] & ~scores.isneginf()
    peak, exponentials, sink = _exponentials(one, head, scores, allowed)
    return Steps(
        kind=one.kind,
        layer=layer,
        head=head,
        query=query,
        group=group,
        sharing=tuple(at for at in range(one.head_count) if group_of(one, at) == group),
        scale=one.scale,
        query_vector=vector.cpu(),
        dots=dots.cpu(),
        scaled=scaled.cpu(),
        cap=one.soft_cap,
        capped=None if capped is None else capped.cpu(),
        bias=None if bias is None else bias.cpu(),
        scores=scores.cpu(),
        allowed=allowed.cpu(),
        peak=peak,
        exponentials=exponentials.cpu(),
        sink=sink,
        total=float(exponentials.sum()) + (sink or 0.0),
        weights=weights.cpu(),
        output=(weights @ one.value_vectors[group].float()).cpu(),
    )


def vectors(trace: AttentionTrace, kind: str, layer: int, head: int, of: Of, positions: slice | None = None) -> Tensor:
    """The queries, keys or values of one head at a range of positions (position, dim), float32 on the processor.

    Heads that share keys and values have the same ones. Raises as `steps` does; an UnknownNameError for another `of`.
    """
    one = factored(trace, kind, layer)
    if of not in get_args(Of):
        raise UnknownNameError("of", of, get_args(Of))
    one.scores(head, 0, 0)  # raises for a head that is not there
    one.allowed(*((positions, 0) if of == "query" else (0, positions)))  # and for positions
    held = {"query": one.query_vectors, "key": one.key_vectors, "value": one.value_vectors}[of]
    at = head if of == "query" else group_of(one, head)
    return held[at, slice(None) if positions is None else positions].float().cpu()


def factored(trace: AttentionTrace, kind: str, layer: int) -> FactoredMap:
    """The map of a layer that holds queries, keys and values; errors as in `steps`."""
    one = trace.map(kind, layer)
    if not isinstance(one, FactoredMap):
        raise _no_steps(one)
    return one


def group_of(one: FactoredMap, head: int) -> int:
    """The head of the keys and values that a head of queries looks at."""
    return head // (one.head_count // one.key_vectors.shape[0])


def _exponentials(
    one: FactoredMap, head: int, scores: Tensor, allowed: Tensor
) -> tuple[float | None, Tensor, float | None]:
    """The largest score, exp(score - largest) of each key, 0 where it is not allowed, and of the learned sink."""
    column = None if one.sink is None else one.sink[head : head + 1].float()
    taking = scores[allowed] if column is None else torch.cat([scores[allowed], column])
    if not len(taking) or bool(taking.isneginf().all()):  # a sink of -inf takes nothing either
        return None, torch.zeros_like(scores), None
    peak = taking.max()
    exponentials = (scores - peak).exp().masked_fill(~allowed, 0.0)
    return float(peak), exponentials, None if column is None else float((column - peak).exp())


def _no_steps(one: AttentionMap) -> NotAvailableError:
    why = (
        "this model family gives its weights only, without the queries, keys and values behind them"
        if isinstance(one, DenseMap)
        else "they belong to single tokens and their weights; look at all tokens as the model read them, by weight"
    )
    return NotAvailableError(f"there are no steps to show: {why}", reason="no-steps")
