"""Do these tensors fit one another? Checked before any arithmetic, so that a message can name both shapes."""

from collections.abc import Sequence

import torch
from torch import Tensor

from attention_core.errors import InputError, ShapeError


def misfit(sentence: str, *tensors: Tensor) -> ShapeError:
    """A ShapeError that ends with the shapes of the tensors it speaks of."""
    return ShapeError(f"{sentence}: " + ", ".join(str(tuple(tensor.shape)) for tensor in tensors))


def check_vectors(query: Tensor, key: Tensor, value: Tensor) -> None:
    """A ShapeError unless query (..., query, dim), key (..., key, dim), value (..., key, value_dim) fit."""
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise misfit("query, key and value need at least the axes (position, dim)", query, key, value)
    if query.shape[-1] != key.shape[-1]:
        raise misfit("query and key have different dim", query, key)
    if key.shape[-2] != value.shape[-2]:
        raise misfit("key and value have different numbers of positions", key, value)
    if not query.shape[:-2] == key.shape[:-2] == value.shape[:-2]:
        raise misfit("query, key and value have different leading axes", query, key, value)


def fit(name: str, given: Tensor, shape: Sequence[int]) -> Tensor:
    """`given` with two axes or more; a ShapeError when it does not broadcast to `shape` (..., query, key)."""
    if given.ndim < 2:
        given = given.reshape(1, -1)  # (1, key)
    own = given.shape
    pairs = zip(reversed(own), reversed(shape), strict=False)
    if len(own) > len(shape) or any(mine not in (1, full) for mine, full in pairs):
        raise ShapeError(f"a {name} of shape {tuple(own)} does not broadcast to scores of shape {tuple(shape)}")
    return given


def allowed_keys(mask: Tensor, shape: Sequence[int]) -> Tensor:
    """The mask as booleans that broadcast to `shape` (..., query, key); it may hold 0 and 1 in any dtype."""
    mask = fit("mask", mask, shape)
    if mask.dtype == torch.bool:
        return mask
    # Looked at, because the masks of another convention (0 and -inf, to be added) would be read backwards.
    if not bool(((mask == 0) | (mask == 1)).all()):
        raise InputError(
            "a mask holds 0 and 1, and 1 may attend; this one holds other numbers. "
            "Numbers to be added to the scores are a bias"
        )
    return mask == 1


def allowed_by_head(mask: Tensor | None, shape: Sequence[int]) -> Tensor | None:
    """A module's mask as booleans that broadcast to `shape` (batch, head, query, key)."""
    if mask is None:
        return None
    # Three axes are (batch, query, key): a mask that differs from head to head has all four.
    return allowed_keys(mask.unsqueeze(1) if mask.ndim == 3 else mask, shape)  # (batch, 1, query, key)


def zero_empty_rows(output: Tensor, allowed: Tensor) -> Tensor:
    """The output (..., query, value_dim) with zeros for queries that may attend to nothing.

    `allowed`: booleans, or a bias in which -inf closes a key; either broadcasts to (..., query, key).
    """
    closed = ~allowed if allowed.dtype == torch.bool else allowed.isneginf()
    return output.masked_fill(closed.all(dim=-1, keepdim=True), 0.0)
