"""Rollout: what each position of the last layer is made of, followed down to the tokens through all layers.

Abnar & Zuidema 2020, "Quantifying Attention Flow in Transformers", section 3: half of what leaves a layer came straight
through the residual, half by attention, whose heads count alike: Ã = 0.5 A + 0.5 I, rows normalised (a learned sink
takes a share that comes from no token). The layers' matrices are multiplied from the bottom.

The paper has one stack. A decoder beside an encoder is followed by the same rule here, its attention to the source
being one more step: half of what leaves it was read from the encoder's last layer, which is then followed down through
the encoder. So what a row gets from the source and what it gets from the target sum to 1.

A head that is switched off counts as what it hands on: nothing, or the mean of its rows.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from attention_core.analysis.columns import chosen_kind
from attention_core.errors import InputError, NotAvailableError, ShapeError
from attention_core.maps import AttentionMap, Kind
from attention_core.trace import AttentionTrace

MOST_TOKENS = 1024  # of a whole matrix; a row has no limit


def rollout(trace: AttentionTrace, kind: str | None = None, query: int | None = None) -> Tensor:
    """What one position is made of (key), or every one (query, key), float32: shares of the tokens in the last layer.

    Rows sum to 1, beside an encoder those of "decoder-self" and "cross" together. Several kinds: choose one. One row
    needs memory that grows with the text alone. An InputError for a whole matrix of more than 1024 tokens a side, and
    for a query that is not there; a NotAvailableError for a trace in which tokens are merged, hidden or cut away.
    """
    chosen = chosen_kind(trace, kind)
    count = len(trace.queries(chosen))
    if query is not None:
        if not 0 <= query < count:
            raise InputError(f"query {query} is none of this text's; accepted: 0 to {count - 1}")
        start = torch.zeros(count, device=trace.maps[0].device)
        start[query] = 1.0
        return mixture(trace, chosen, start)
    longest = max(count, len(trace.keys(chosen)))
    if longest > MOST_TOKENS:
        raise InputError(
            f"a whole rollout takes at most {MOST_TOKENS} tokens, and this text has {longest}; ask for the row of one"
        )
    return _followed(trace, chosen, torch.eye(count, device=trace.maps[0].device))


def mixture(trace: AttentionTrace, kind: Kind, shares: Tensor) -> Tensor:
    """What a mixture of positions, `shares` (query), is made of (key), float32: one row of `rollout` a position, mixed.

    Equal shares give the mean row of a text of any length, in memory that grows with the text alone.
    """
    count = len(trace.queries(kind))
    if shares.shape != (count,):
        raise ShapeError(f"{count} positions have as many shares, not {tuple(shares.shape)}")
    return _followed(trace, kind, shares[None])[0]


def _followed(trace: AttentionTrace, kind: Kind, start: Tensor) -> Tensor:
    """Mixtures of last-layer positions (mixture, query) as mixtures of tokens (mixture, key), from the top down."""
    looking = trace.looking
    if looking.words or looking.special != "show" or looking.segments != "all":
        raise NotAvailableError("rollout follows every token through every layer; look at single tokens, all of them")
    if trace.decoder_input is None or kind == Kind.ENCODER_SELF:
        return _down(trace, trace.maps_of(kind), start)
    within, across = trace.maps_of(Kind.DECODER_SELF), trace.maps_of(Kind.CROSS)
    read = torch.zeros(len(start), len(trace.source), device=start.device)  # (mixture, source)
    for own, cross in zip(reversed(within), reversed(across), strict=True):
        kept, looked = _step(trace, cross, start)
        read += looked
        start = _down(trace, (own,), kept)
    return start if kind == Kind.DECODER_SELF else _down(trace, trace.maps_of(Kind.ENCODER_SELF), read)


def _down(trace: AttentionTrace, maps: Sequence[AttentionMap], rows: Tensor) -> Tensor:
    """Mixtures of what leaves the last of these layers as mixtures of what enters the first."""
    for one in reversed(maps):
        kept, looked = _step(trace, one, rows)
        rows = kept + looked
    return rows


def _step(trace: AttentionTrace, one: AttentionMap, rows: Tensor) -> tuple[Tensor, Tensor]:
    """What mixtures of a layer's outputs (mixture, query) keep of each query, and get from each key, streamed."""
    kept = torch.empty_like(rows)
    looked = torch.zeros(len(rows), one.key_count, device=rows.device)
    for block, mean in _means(trace, one):
        whole = 1 + mean.sum(-1)  # 2, but for a sink's share, a head that is off, a query that may attend to nothing
        kept[:, block] = rows[:, block] / whole
        looked += kept[:, block] @ mean
    return kept, looked


def _means(trace: AttentionTrace, one: AttentionMap) -> Iterator[tuple[slice, Tensor]]:
    """The mean of what the heads of a layer hand on (query, key), a block of queries at a time."""
    off = [head for head in range(one.head_count) if f"{one.kind}.{one.layer}.{head}" in trace.off]
    instead = torch.zeros(len(off), one.key_count, device=one.device)  # (head, key)
    if off and trace.off_with == "mean":
        for _, weights in one.stream():
            instead += weights[off].sum(1) / one.query_count
    on = [head for head in range(one.head_count) if head not in off]
    for block, weights in one.stream():
        heads = weights[on] if off else weights
        yield block, (heads.sum(0) + instead.sum(0)) / one.head_count
