"""Weights as quantised files hold them, blocks of 32 numbers that share a scale, and as float32."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from attention_core.errors import CheckpointError

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

QUANTISED = 32  # numbers a block


def _halves(blocks: Bytes, at: int) -> Floats:
    """A float16 of each block as float32 (block, 1)."""
    return np.ascontiguousarray(blocks[:, at : at + 2]).view("<f2").astype(np.float32)


def _nibbles(blocks: Bytes, at: int) -> Floats:
    """The 32 numbers 0 to 15 of each block (block, 32): the low halves of 16 bytes, then the high ones."""
    packed = blocks[:, at : at + 16]
    return np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32)


def _f32(blocks: Bytes) -> Floats:
    return np.ascontiguousarray(blocks).view("<f4").astype(np.float32, copy=False)


def _q4_0(blocks: Bytes) -> Floats:
    return (_nibbles(blocks, 2) - np.float32(8)) * _halves(blocks, 0)


def _q4_1(blocks: Bytes) -> Floats:
    # The product is exact in float32, so the sum is rounded once and the same on every machine.
    return _nibbles(blocks, 4) * _halves(blocks, 0) + _halves(blocks, 2)


def _q8_0(blocks: Bytes) -> Floats:
    return np.ascontiguousarray(blocks[:, 2:]).view(np.int8).astype(np.float32) * _halves(blocks, 0)


@dataclass(frozen=True)
class Format:
    """How numbers are stored: `numbers` of them in a block of `size` bytes, and what reads blocks (block, byte)."""

    numbers: int
    size: int
    read: Callable[[Bytes], Floats]


FORMATS = {
    "F32": Format(1, 4, _f32),
    "Q4_0": Format(QUANTISED, 18, _q4_0),
    "Q4_1": Format(QUANTISED, 20, _q4_1),
    "Q8_0": Format(QUANTISED, 34, _q8_0),
}


@dataclass(frozen=True, eq=False)
class Packed:
    """One weight, still packed: its float32 values come a few rows at a time, a vector as one row.

    `order` says which stored row each row is, where that is not the same.
    """

    format: Format
    shape: tuple[int, ...]
    data: bytes | memoryview
    order: NDArray[np.intp] | None = None

    def __post_init__(self) -> None:
        if self.columns % self.format.numbers or len(self.data) != packed_bytes(self.format, self.shape):
            raise CheckpointError(f"{len(self.data)} bytes do not hold a weight of shape {self.shape}")

    @property
    def columns(self) -> int:
        """Numbers a row."""
        return self.shape[-1]

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return prod(self.shape[:-1])

    def rows(self, start: int, stop: int) -> Floats:
        """Rows start to stop (row, column); a CheckpointError where one holds something that is no number."""
        stored = np.frombuffer(self.data, np.uint8).reshape(self.row_count, -1)  # (row, byte)
        chosen = stored[start:stop] if self.order is None else stored[self.order[start:stop]]
        with np.errstate(all="ignore"):  # what overflows is found below
            values = self.format.read(chosen.reshape(-1, self.format.size)).reshape(len(chosen), self.columns)
        if not np.isfinite(values).all():
            raise CheckpointError("a weight holds an infinity or something that is no number")
        return values


def packed_bytes(format_: Format, shape: tuple[int, ...]) -> int:
    """How many bytes a weight of that shape takes in the file."""
    return prod(shape) // format_.numbers * format_.size
