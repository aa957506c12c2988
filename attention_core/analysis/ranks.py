"""How far two measures agree on an order: the correlation of their ranks."""

from collections.abc import Sequence

import torch
from torch import Tensor

from attention_core.errors import InputError, ShapeError

FEWEST = 3  # pairs; any two differing numbers correlate perfectly


def spearman(first: Sequence[float] | Tensor, second: Sequence[float] | Tensor) -> float | None:
    """The correlation of two rankings, -1 to 1; None for fewer than 3 pairs and where one of them is constant.

    Spearman 1904, "The Proof and Measurement of Association between Two Things": Pearson's correlation of the ranks,
    equal numbers sharing the mean of theirs. A ShapeError for lists of different lengths, an InputError for NaN.
    """
    pair = [torch.as_tensor(one, dtype=torch.float64).flatten().cpu() for one in (first, second)]
    if len(pair[0]) != len(pair[1]):
        raise ShapeError(f"two rankings are of the same things, but these have {len(pair[0])} and {len(pair[1])}")
    if any(bool(one.isnan().any()) for one in pair):
        raise InputError("numbers that are NaN have no rank")
    if len(pair[0]) < FEWEST:
        return None
    ranked = [ranks(one) for one in pair]
    centred = [one - one.mean() for one in ranked]
    lengths = [float(one.norm()) for one in centred]
    if 0.0 in lengths:
        return None
    return max(-1.0, min(1.0, float(centred[0] @ centred[1]) / (lengths[0] * lengths[1])))


def ranks(numbers: Tensor) -> Tensor:
    """The ranks (number) from 1, smallest first, float64; equal numbers get the mean of theirs."""
    _, group, count = torch.unique(numbers, return_inverse=True, return_counts=True)
    last = count.cumsum(0).double()  # the rank of the last of each group
    own: Tensor = (last - (count - 1) / 2)[group]
    return own
