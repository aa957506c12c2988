"""What goes along with a pass: a watch, which takes records and switches heads off, and a cache of keys and values."""

from collections.abc import Iterable

import torch
from torch import Tensor

from attention_core.errors import UnknownNameError
from attention_core.nn.attention import AttentionRecord
from attention_core.nn.config import TransformerConfig

Head = tuple[str, int, int]  # kind, layer, head


class Watch:
    """Handed to one pass: `records` then holds what every attention computed, by kind and layer.

    off: heads (kind, layer, head) of which zeros go on in place of their output; their weights stay what they
    are. readable: every attention by the readable formula, its weights kept in `record.given`.
    """

    def __init__(self, off: Iterable[Head] = (), *, readable: bool = False) -> None:
        self.off = tuple(off)
        self.readable = readable
        self.records: dict[str, list[AttentionRecord]] = {}

    def begin(self, config: TransformerConfig, kinds: Iterable[str]) -> None:
        """Empties the records of these kinds; an UnknownNameError for a head to switch off that is not there."""
        for kind, layer, head in self.off:
            there = kind in config.kinds and 0 <= layer < config.layers(kind) and 0 <= head < config.heads
            if not there:
                ranges = [f"{one}.0.0 to {one}.{config.layers(one) - 1}.{config.heads - 1}" for one in config.kinds]
                raise UnknownNameError("head", f"{kind}.{layer}.{head}", ranges)
        self.records = {kind: self.records.get(kind, []) for kind in config.kinds} | {kind: [] for kind in kinds}

    def heads_off(self, kind: str, layer: int) -> tuple[int, ...]:
        """The heads of one attention that are switched off."""
        return tuple(head for a_kind, a_layer, head in self.off if (a_kind, a_layer) == (kind, layer))


class Cache:
    """The keys and values that a decoder has made so far (batch, head, position, dim), by kind and layer.

    Empty at first. With it, each pass reads only the tokens that no earlier pass has read; `read` counts those.
    """

    def __init__(self) -> None:
        self.read = 0
        self._held: dict[tuple[str, int], tuple[Tensor, Tensor]] = {}

    def get(self, kind: str, layer: int) -> tuple[Tensor, Tensor] | None:
        """The keys and values held for one attention, or None."""
        return self._held.get((kind, layer))

    def put(self, kind: str, layer: int, key: Tensor, value: Tensor) -> None:
        """Holds these keys and values in place of any others."""
        self._held[kind, layer] = key, value

    def extend(self, kind: str, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """The keys and values held so far with these appended, which are then held."""
        held = self.get(kind, layer)
        if held is not None:
            key = torch.cat([held[0], key], dim=2)  # (batch, head, key, dim)
            value = torch.cat([held[1], value], dim=2)  # (batch, head, key, dim)
        self.put(kind, layer, key, value)
        return key, value
