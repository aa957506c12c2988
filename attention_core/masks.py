"""Masks as small objects: each says, for any window of queries and keys, who may attend to whom.

A mask never holds an N x N matrix unless it was given one (`ExplicitMask`), so a trace of a long text stays small.
Masks combine with `&`: a key is allowed when every part allows it. `causal_mask` is the plain matrix for lessons.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from attention_core.errors import ShapeError, TraceError

MOST_PARTS = 8
LARGEST = 2**31  # positions that a mask counts


class Mask:
    """Who may attend to whom; the base mask allows everything."""

    def window(self, queries: Tensor, keys: Tensor) -> Tensor:
        """The boolean window (query, key) for two vectors of positions; True may attend."""
        return torch.ones(len(queries), len(keys), dtype=torch.bool, device=queries.device)

    def __and__(self, other: "Mask") -> "Mask":
        parts = tuple(part for mask in (self, other) for part in _parts(mask))
        return parts[0] if len(parts) == 1 else CombinedMask(parts) if parts else Mask()

    def fits(self, query_count: int, key_count: int) -> bool:
        """Whether windows of so many queries and keys can be cut from what the mask holds."""
        del query_count, key_count
        return True

    def to(self, device: torch.device) -> "Mask":
        """The same mask, ready for windows on `device`."""
        del device
        return self

    def describe(self) -> dict[str, Any]:
        """The mask as plain data, without the tensors it may hold."""
        return {"mask": "full"}

    def tensors(self) -> dict[str, Tensor]:
        """The tensors that `describe` leaves out."""
        return {}

    @property
    def nbytes(self) -> int:
        """Memory that the mask's own tensors take, in bytes."""
        return sum(tensor.nbytes for tensor in self.tensors().values())


@dataclass(frozen=True)
class CausalMask(Mask):
    """A query attends to itself and to what came before it; `offset` is the position of the first query."""

    offset: int = 0

    def window(self, queries: Tensor, keys: Tensor) -> Tensor:
        """True where the key is not after the query."""
        return keys[None, :] <= queries[:, None] + self.offset

    def describe(self) -> dict[str, Any]:
        """Plain data: the kind and the offset."""
        return {"mask": "causal", "offset": self.offset}


@dataclass(frozen=True)
class SlidingWindowMask(Mask):
    """A query attends to keys fewer than `size` positions away; what lies ahead is the causal mask's business."""

    size: int
    offset: int = 0

    def window(self, queries: Tensor, keys: Tensor) -> Tensor:
        """True where query and key are fewer than `size` positions apart."""
        return (queries[:, None] + self.offset - keys[None, :]).abs() < self.size

    def describe(self) -> dict[str, Any]:
        """Plain data: the kind, the size and the offset."""
        return {"mask": "sliding-window", "size": self.size, "offset": self.offset}


@dataclass(frozen=True, eq=False)
class PaddingMask(Mask):
    """Keys that are padding may not be attended to: a boolean vector (key), True is a real token."""

    real: Tensor

    def __post_init__(self) -> None:
        if self.real.ndim != 1 or self.real.dtype != torch.bool:
            raise ShapeError(
                f"a padding mask is a boolean vector (key), not {self.real.dtype} of shape {tuple(self.real.shape)}"
            )

    def fits(self, query_count: int, key_count: int) -> bool:
        """Whether it says of each key whether it is real."""
        del query_count
        return len(self.real) == key_count

    def window(self, queries: Tensor, keys: Tensor) -> Tensor:
        """True in the columns of real tokens."""
        return self.real[keys][None, :].expand(len(queries), -1)

    def to(self, device: torch.device) -> Mask:
        """The same mask with its vector on `device`."""
        return PaddingMask(self.real.to(device))

    def describe(self) -> dict[str, Any]:
        """Plain data: the kind."""
        return {"mask": "padding"}

    def tensors(self) -> dict[str, Tensor]:
        """The vector of real tokens."""
        return {"real": self.real}


@dataclass(frozen=True, eq=False)
class ExplicitMask(Mask):
    """Any boolean matrix (query, key); for patterns that no rule above describes."""

    matrix: Tensor

    def __post_init__(self) -> None:
        if self.matrix.ndim != 2 or self.matrix.dtype != torch.bool:
            raise ShapeError(
                f"an explicit mask is a boolean matrix (query, key), not {self.matrix.dtype} of shape "
                f"{tuple(self.matrix.shape)}"
            )

    def fits(self, query_count: int, key_count: int) -> bool:
        """Whether the matrix is as large as the map."""
        return tuple(self.matrix.shape) == (query_count, key_count)

    def window(self, queries: Tensor, keys: Tensor) -> Tensor:
        """The window, cut from the matrix."""
        return self.matrix[queries][:, keys]

    def to(self, device: torch.device) -> Mask:
        """The same mask with its matrix on `device`."""
        return ExplicitMask(self.matrix.to(device))

    def describe(self) -> dict[str, Any]:
        """Plain data: the kind."""
        return {"mask": "explicit"}

    def tensors(self) -> dict[str, Tensor]:
        """The matrix."""
        return {"matrix": self.matrix}


@dataclass(frozen=True, eq=False)
class CombinedMask(Mask):
    """Several masks at once: a key is allowed when every part allows it."""

    parts: tuple[Mask, ...]

    def fits(self, query_count: int, key_count: int) -> bool:
        """Whether every part fits."""
        return all(part.fits(query_count, key_count) for part in self.parts)

    def window(self, queries: Tensor, keys: Tensor) -> Tensor:
        """True where every part is True."""
        return reduce(torch.logical_and, (part.window(queries, keys) for part in self.parts))

    def to(self, device: torch.device) -> Mask:
        """The same parts, each on `device`."""
        return CombinedMask(tuple(part.to(device) for part in self.parts))

    def describe(self) -> dict[str, Any]:
        """Plain data: the parts, each as its own description."""
        return {"mask": "all-of", "parts": [part.describe() for part in self.parts]}

    def tensors(self) -> dict[str, Tensor]:
        """The tensors of all parts, prefixed with the part's number."""
        return {
            f"{index}.{name}": tensor
            for index, part in enumerate(self.parts)
            for name, tensor in part.tensors().items()
        }


def _parts(mask: Mask) -> tuple[Mask, ...]:
    """The parts a mask is made of: none for a mask that allows everything."""
    if isinstance(mask, CombinedMask):
        return mask.parts
    return () if type(mask) is Mask else (mask,)


def restore(described: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Mask:
    """The mask that `describe` and `tensors` were taken from; anything else is a TraceError."""
    try:
        match described["mask"]:
            case "full":
                return Mask()
            case "causal":
                return CausalMask(_count(described["offset"]))
            case "sliding-window":
                return SlidingWindowMask(_count(described["size"]), _count(described["offset"]))
            case "padding":
                return PaddingMask(tensors["real"])
            case "explicit":
                return ExplicitMask(tensors["matrix"])
            case "all-of":
                parts = described["parts"]
                # Combining flattens: no part is itself made of parts, and no model has many.
                if not 2 <= len(parts) <= MOST_PARTS or any(part["mask"] == "all-of" for part in parts):
                    raise TraceError(f"a combined mask has 2 to {MOST_PARTS} plain parts")
                return CombinedMask(
                    tuple(restore(part, _with_prefix(tensors, f"{index}.")) for index, part in enumerate(parts))
                )
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise TraceError(f"a mask of this trace cannot be read: {error}") from error
    raise TraceError(f"unknown mask {str(described['mask'])[:100]!r} in this trace")


def _count(given: Any) -> int:
    if type(given) is not int or abs(given) > LARGEST:
        raise ValueError(f"a mask counts up to {LARGEST}")
    return given


def _with_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def recognise(matrix: Tensor) -> Mask:
    """The mask object of a boolean matrix (query, key): full, causal and sliding windows by rule, others as given."""
    if bool(matrix.all()):
        return Mask()
    queries, keys = (torch.arange(size, device=matrix.device) for size in matrix.shape)
    last, first = int(matrix[-1].sum()), int(matrix[0].sum())
    causal = CausalMask(matrix.shape[1] - matrix.shape[0])
    candidates = (
        causal,
        causal & SlidingWindowMask(last, causal.offset),
        SlidingWindowMask(first, causal.offset),
    )
    for candidate in candidates:
        if torch.equal(candidate.window(queries, keys), matrix):
            return candidate
    return ExplicitMask(matrix)


def causal_mask(size: int, *, device: torch.device | str | None = None) -> Tensor:
    """The causal matrix (query, key) of a sequence of `size` tokens: the lower triangle of ones, as booleans."""
    positions = torch.arange(size, device=device)
    return CausalMask().window(positions, positions)
