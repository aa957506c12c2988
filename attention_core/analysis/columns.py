"""What each query gives to groups of keys, streamed: no matrix of a long text is ever whole in memory."""

from collections.abc import Sequence

import torch
from torch import Tensor

from attention_core.errors import InputError
from attention_core.maps import AttentionMap, Kind
from attention_core.trace import AttentionTrace


def column_sums(one: AttentionMap, groups: Sequence[Sequence[int]]) -> Tensor:
    """The sum of each row's weights over each group of keys (head, query, group), float32."""
    picks = torch.zeros(one.key_count, len(groups), device=one.device)  # (key, group)
    for number, group in enumerate(groups):
        picks[list(group), number] = 1.0
    return torch.cat([weights @ picks for _, weights in one.stream()], dim=1)


def chosen_kind(trace: AttentionTrace, kind: str | None) -> Kind:
    """The kind that is meant: the given one, or the trace's only one; an InputError where it has several."""
    if kind is not None:
        trace.maps_of(kind)
        return Kind(kind)
    if len(trace.kinds) > 1:
        raise InputError(f"this trace has several kinds of attention; choose one: {', '.join(trace.kinds)}")
    return trace.kinds[0]
