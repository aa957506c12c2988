"""Why scores are divided by √dim: without it, their spread grows with dim, the softmax turns into a choice of one key,
and hardly any gradient comes back through it (Vaswani et al. 2017, section 3.2.1 and footnote 4)."""

from dataclasses import dataclass
from math import log, log2, sqrt

import torch
from torch import Tensor

from attention_core.errors import InputError
from attention_core.nn.attention import attention_scores, masked_softmax
from attention_core.threads import this_thread_on_one_core

DIMS = (4, 8, 16, 32, 64, 128, 256, 512, 1024)
BINS = 41  # an odd number: one of them lies around 0
MOST = 256  # keys or queries


@dataclass(frozen=True)
class Spread:
    """What becomes of random queries and keys: their scores (counts[i] lie from edges[i] to edges[i + 1]), and the
    means over all queries of the largest weight, of the entropy in bits, and of the norm of the softmax's gradient. Its
    median beside the mean: a few queries that waver between two keys have a large one, and hold the mean up."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    mean: float
    variance: float
    largest: float
    entropy: float
    gradient: float
    median_gradient: float


@dataclass(frozen=True)
class Scaling:
    """The same queries and keys with and without the division by √dim; `most_entropy` is that of uniform weights, and
    `uniform_gradient` the gradient's norm there."""

    dim: int
    seed: int
    queries: int
    keys: int
    most_entropy: float
    uniform_gradient: float
    scaled: Spread
    unscaled: Spread


@this_thread_on_one_core()
def scaling(dim: int, seed: int = 0, *, keys: int = 64, queries: int = 128) -> Scaling:
    """What the division by √dim does to `queries` and `keys` whose numbers have mean 0 and variance 1.

    dim is 4 to 1024. An InputError for what is out of bounds.
    """
    _demand("dim", dim, DIMS[0], DIMS[-1])
    _demand("keys", keys, 2, MOST)
    _demand("queries", queries, 1, MOST)
    random = torch.Generator().manual_seed(seed)
    query = torch.randn(queries, dim, generator=random)
    key = torch.randn(keys, dim, generator=random)
    spreads = [_spread(attention_scores(query, key, scale=scale)) for scale in (None, 1.0)]
    # Of diag(w) - w wᵀ with w = 1/n everywhere: 1/n - 2/n² + 1/n².
    uniform = sqrt(1 / keys - 1 / keys**2)
    return Scaling(dim, seed, queries, keys, log2(keys), uniform, *spreads)


def scaling_curve(seed: int = 0, *, keys: int = 64, queries: int = 128) -> tuple[Scaling, ...]:
    """`scaling` for dims from 4 to 1024, each twice the one before."""
    return tuple(scaling(dim, seed, keys=keys, queries=queries) for dim in DIMS)


def _demand(name: str, given: int, least: int, most: int) -> None:
    if not least <= given <= most:
        raise InputError(f"{name} is {given}; accepted: {least} to {most}")


def _spread(scores: Tensor) -> Spread:
    weights = masked_softmax(scores)  # (query, key)
    gradients = gradient_norms(scores)  # (query)
    end = float(scores.abs().max())
    counts, edges = torch.histogram(scores, BINS, range=(-end, end))
    return Spread(
        edges=tuple(edges.tolist()),
        counts=tuple(int(count) for count in counts.tolist()),
        mean=float(scores.mean()),
        variance=float(scores.var()),
        largest=float(weights.amax(dim=-1).mean()),
        entropy=float(torch.special.entr(weights).sum(dim=-1).mean() / log(2)),
        gradient=float(gradients.mean()),
        median_gradient=float(gradients.median()),
    )


def gradient_norms(scores: Tensor) -> Tensor:
    """For each row of scores (query, key) the Frobenius norm of the weights' derivatives by its scores (query).

    By autograd through `masked_softmax`: of as many copies of the scores as there are keys, each gives the derivatives
    of one key's weights, all in one backward pass. 0 means that nothing is learned through the softmax.
    """
    keys = scores.shape[-1]
    with torch.enable_grad():
        copies = scores.detach().expand(keys, *scores.shape).clone().requires_grad_()  # (key, query, key)
        weights = masked_softmax(copies).diagonal(dim1=0, dim2=2)  # (query, key): of copy i the weight of key i
        (derivatives,) = torch.autograd.grad(weights.sum(), copies)  # (key, query, key)
    norms: Tensor = derivatives.square().sum(dim=(0, 2)).sqrt()  # (query)
    return norms
