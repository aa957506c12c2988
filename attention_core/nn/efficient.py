"""Attention that costs less than N × N: only near keys, or only an estimate.

Both take query and key (..., position, dim) and value (..., position, value_dim) of the same positions, as `attention`
does for self-attention. Neither ever holds a matrix (query, key); the functions that end in `_weights` make one from
the very same code, for texts that are short enough to be drawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

import torch
import torch.nn.functional as F
from torch import Tensor

from attention_core.errors import InputError
from attention_core.masks import CausalMask, SlidingWindowMask
from attention_core.nn.attention import attention_scores, masked_softmax
from attention_core.nn.shapes import check_vectors, misfit

CAUSAL_BLOCK = 64  # positions that random features look back over at once


# ------------------------------------------------------------------------------------------ the sliding window


@dataclass(frozen=True)
class Window:
    """Who may attend to whom: keys fewer than `size` positions away, beside the global tokens.

    Longformer, Beltagy et al. 2020, section 3.1: a global token attends to every position, and every position to it;
    theirs has projections of its own, ours the same as the others. The paper's w is half on each side: w = 2 size - 2.
    With `causal` nobody attends to a later position, global or not.
    """

    size: int
    global_tokens: tuple[int, ...] = ()
    causal: bool = False

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InputError(f"a window of {self.size} positions holds nothing; accepted: 1 or more")

    def mask(self, count: int) -> Tensor:
        """The booleans (query, key) of a text of `count` positions, True may attend: for texts short enough."""
        positions = torch.arange(count)
        special = torch.zeros(count, dtype=torch.bool)
        special[list(self.global_tokens)] = True
        near = SlidingWindowMask(self.size).window(positions, positions)  # (query, key)
        allowed = near | special[:, None] | special[None, :]  # (query, key)
        return allowed & CausalMask().window(positions, positions) if self.causal else allowed


def sliding_window_attention(
    query: Tensor, key: Tensor, value: Tensor, window: Window, *, scale: float | None = None
) -> Tensor:
    """The output (..., query, value_dim) where each query attends to the window alone; exact.

    The text is cut into blocks as long as the window, and a block's queries meet the keys of their own block and of
    its neighbours: 3 N size scores instead of N². A window as wide as the text is the formula itself. `scale` is
    1/√dim unless given. A ShapeError for shapes that do not fit, an InputError for a global token outside the text.
    """
    count = _same_positions(query, key, value)
    outside = [token for token in window.global_tokens if not 0 <= token < count]
    if outside:
        raise InputError(f"global token {outside[0]} is not in the text; accepted: 0 to {count - 1}")
    tokens = torch.tensor(sorted(set(window.global_tokens)), dtype=torch.long, device=query.device)
    output = _near(query, key, value, window, tokens, scale)  # (..., query, value_dim)
    if len(tokens) == 0:
        return output
    positions = torch.arange(count, device=query.device)
    allowed = CausalMask().window(tokens, positions) if window.causal else None  # (global query, key)
    scores = attention_scores(query[..., tokens, :], key, scale=scale)  # (..., global query, key)
    return output.index_copy(-2, tokens, masked_softmax(scores, allowed) @ value)


def _near(query: Tensor, key: Tensor, value: Tensor, window: Window, tokens: Tensor, scale: float | None) -> Tensor:
    """What each query gets of the keys near it and of the global ones (..., query, value_dim)."""
    count = query.shape[-2]
    size = min(window.size, count)
    before = size if size < count else 0
    beside = before, 0 if window.causal else before
    # Made before the scores: while it is made, it takes as much memory as they do.
    allowed = _allowed(count, size, beside, window.causal, tokens)  # (block, query, near and global key)
    near = attention_scores(_blocks(query, size), _beside(key, size, beside), scale=scale)
    at_tokens = attention_scores(query, key[..., tokens, :], scale=scale)  # (..., query, global key)
    scores = torch.cat([near, _blocks(at_tokens, size)], dim=-1)  # (..., block, query, near and global key)
    weights = masked_softmax(scores, allowed)
    at_near, at_tokens = weights[..., : near.shape[-1]], weights[..., near.shape[-1] :]
    output = at_near @ _beside(value, size, beside) + at_tokens @ value[..., None, tokens, :]
    return output.flatten(-3, -2)[..., :count, :]  # (..., query, value_dim)


def _blocks(x: Tensor, size: int) -> Tensor:
    """x (..., position, dim) cut into blocks (..., block, position, dim), the last one filled up with zeros."""
    filled = F.pad(x, (0, 0, 0, -x.shape[-2] % size))  # (..., position, dim)
    return filled.reshape(*x.shape[:-2], filled.shape[-2] // size, size, x.shape[-1])  # (..., block, position, dim)


def _beside(x: Tensor, size: int, beside: tuple[int, int]) -> Tensor:
    """For each block the positions in it, and so many before and after it: (..., block, near position, dim)."""
    before, after = beside
    filled = F.pad(x, (0, 0, before, after + -x.shape[-2] % size))  # (..., position, dim)
    # Overlapping views of one tensor: a position is stored once, whatever the number of blocks that it is near to.
    return filled.unfold(-2, before + size + after, size).transpose(-2, -1)  # (..., block, near position, dim)


def _allowed(count: int, size: int, beside: tuple[int, int], causal: bool, tokens: Tensor) -> Tensor:
    """Who attends to whom, (block, query, near and global key); of the near ones a global key does not count again."""
    before, after = beside
    starts = torch.arange(0, count, size, device=tokens.device)[:, None]  # (block, 1)
    queries = starts + torch.arange(size, device=tokens.device)  # (block, query)
    near = starts + torch.arange(-before, size + after, device=tokens.device)  # (block, near key)
    there = (near >= 0) & (near < count) & ~torch.isin(near, tokens)  # (block, near key)
    keys = torch.cat([near, tokens.expand(len(starts), -1)], dim=-1)  # (block, near and global key)
    apart = queries[:, :, None] - keys[:, None, :]  # (block, query, near and global key)
    close = (apart[..., : near.shape[-1]].abs() < size) & there[:, None]  # (block, query, near key)
    allowed = F.pad(close, (0, len(tokens)), value=True)
    return allowed & (apart >= 0) if causal else allowed


def sliding_window_weights(query: Tensor, key: Tensor, window: Window, *, scale: float | None = None) -> Tensor:
    """The weights (..., query, key) of `sliding_window_attention`, by its own code; N × N, to be drawn."""
    return sliding_window_attention(query, key, _unit_values(key), window, scale=scale)


# --------------------------------------------------------------------------------------------- random features


def random_features(dim: int, count: int, seed: int = 0, *, orthogonal: bool = True) -> Tensor:
    """`count` random directions (feature, dim), float64: what estimates of attention are made with.

    Gaussian vectors, or orthogonal ones within each `dim` of them with the lengths of Gaussian ones: as unbiased, and
    with a smaller error (Choromanski et al. 2021, "Rethinking Attention with Performers", section 2).
    """
    if min(dim, count) < 1:
        raise InputError(f"{count} features of {dim} numbers are none; accepted: at least 1 of each")
    random = torch.Generator().manual_seed(seed)
    drawn = torch.randn(count, dim, generator=random, dtype=torch.float64)  # (feature, dim)
    if not orthogonal:
        return drawn
    squares = torch.randn(-(-count // dim), dim, dim, generator=random, dtype=torch.float64)
    turned, upper = torch.linalg.qr(squares)
    # Without its signs the factor would not be equally often in every direction (Mezzadri 2007, section 5).
    signs = upper.diagonal(dim1=-2, dim2=-1).sign()[:, None, :]
    directions: Tensor = (turned * signs).flatten(0, 1)[:count]  # (feature, dim)
    lengths: Tensor = drawn.norm(dim=-1, keepdim=True)  # (feature, 1)
    return directions * lengths


def random_feature_attention(
    query: Tensor, key: Tensor, value: Tensor, features: Tensor, *, scale: float | None = None, causal: bool = False
) -> Tensor:
    """An estimate of the formula's output (..., query, value_dim), in time and memory that grow with N alone.

    Choromanski et al. 2021, section 2: exp(q·k) is the mean of φ(q) φ(k) over random directions ω (feature, dim), with
    the positive φ(x) = exp(ω·x - |x|²/2) (lemma 1, FAVOR+), so that the sums over the keys are made once.
    The error falls like 1/√features from about exp(|q + k|² scale) features on, so that long vectors need very many.
    `features` are from `random_features`; `scale` is 1/√dim unless given. Half precision is computed in float32. An
    InputError for vectors too long to be estimated in this precision.
    """
    _same_positions(query, key, value)
    if features.ndim != 2 or features.shape[-1] != query.shape[-1]:
        raise misfit("features (feature, dim) need vectors of the same dim", features, query)
    exact = torch.promote_types(query.dtype, torch.float32)
    scale = 1 / sqrt(query.shape[-1]) if scale is None else scale
    if scale <= 0:
        raise InputError(f"random features estimate scores with a positive scale; this one is {scale}")
    directions = features.to(query.device, exact)
    asks, offers = (_exponents(x.to(exact) * sqrt(scale), directions) for x in (query, key))  # (..., position, feature)
    # A column of ones: what is summed up with it is what the weights of a row add up to.
    wide = F.pad(value.to(exact), (0, 1), value=1.0)  # (..., key, value_dim + 1)
    sums = _sums_so_far(asks, offers, wide) if causal else _sums(asks, offers, wide)  # (..., query, value_dim + 1)
    total = sums[..., -1:]
    if not bool((total > 0).all()):
        raise InputError("query and key are too long to be estimated by random features in this precision")
    return (sums[..., :-1] / total).to(value.dtype)


def _exponents(x: Tensor, directions: Tensor) -> Tensor:
    """log φ(x) (..., position, feature) of x (..., position, dim)."""
    half_squares: Tensor = x.square().sum(dim=-1, keepdim=True) / 2  # (..., position, 1)
    return x @ directions.transpose(0, 1) - half_squares


def _sums(asks: Tensor, offers: Tensor, wide: Tensor) -> Tensor:
    """Σₖ φ(q)·φ(k) value (..., query, value_dim + 1), up to a factor for each query.

    Each feature is measured from its largest key, each query from its largest feature: whatever the vectors' lengths,
    the largest term is 1, and nothing overflows or vanishes altogether. The factors cancel in a row.
    """
    peak = offers.detach().amax(dim=-2, keepdim=True)  # (..., 1, feature)
    held = (offers - peak).exp().transpose(-2, -1) @ wide  # (..., feature, value_dim + 1)
    return _measured(asks + peak) @ held


def _measured(asks: Tensor) -> Tensor:
    """The terms (..., query, feature) of queries, each measured from its largest feature."""
    return (asks - asks.detach().amax(dim=-1, keepdim=True)).exp()


def _sums_so_far(asks: Tensor, offers: Tensor, wide: Tensor) -> Tensor:
    """The same over the keys up to each query's own, block by block: what lies behind is one sum for all."""
    return torch.cat(list(_blocks_so_far(asks, offers, wide)), dim=-2)  # (..., query, value_dim + 1)


def _blocks_so_far(asks: Tensor, offers: Tensor, wide: Tensor) -> Iterator[Tensor]:
    features = asks.shape[-1]
    peak = offers.new_full((*offers.shape[:-2], 1, features), -torch.inf)  # (..., 1, feature)
    held = wide.new_zeros((*wide.shape[:-2], features, wide.shape[-1]))  # (..., feature, value_dim + 1)
    for ask, offer, values in zip(*(torch.split(x, CAUSAL_BLOCK, dim=-2) for x in (asks, offers, wide)), strict=True):
        higher = torch.maximum(peak, offer.detach().amax(dim=-2, keepdim=True))  # (..., 1, feature)
        held = held * (peak - higher).exp().transpose(-2, -1)
        peak = higher
        there = (offer - peak).exp()  # (..., key, feature)
        here = _measured(ask + peak)  # (..., query, feature)
        within = (here @ there.transpose(-2, -1)).tril()  # (..., query, key)
        yield here @ held + within @ values  # (..., query, value_dim + 1)
        held = held + there.transpose(-2, -1) @ values


def random_feature_weights(
    query: Tensor, key: Tensor, features: Tensor, *, scale: float | None = None, causal: bool = False
) -> Tensor:
    """The weights (..., query, key) that `random_feature_attention` amounts to, by its own code; N × N, to be drawn."""
    return random_feature_attention(query, key, _unit_values(key), features, scale=scale, causal=causal)


# ---------------------------------------------------------------------------------------------------- for both


def _same_positions(query: Tensor, key: Tensor, value: Tensor) -> int:
    check_vectors(query, key, value)
    if query.shape[-2] != key.shape[-2] or key.shape[-2] == 0:
        raise misfit("a text looks at itself here: as many queries as keys, and at least one", query, key)
    return query.shape[-2]


def _unit_values(key: Tensor) -> Tensor:
    """Values (..., key, key) of which the output is the weights: each key's is 1 at its own place."""
    count = key.shape[-2]
    return torch.eye(count, dtype=key.dtype, device=key.device).expand(*key.shape[:-2], count, count)
