"""What goes along with a pass: a watch, which takes records and brings changes, and a cache of keys and values."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from attention_core.nn.attention import AttentionRecord
from attention_core.nn.changing import Changes
from attention_core.nn.config import TransformerConfig


@dataclass(frozen=True, eq=False)
class Passage:
    """What went into the projections of one attention, what its heads handed on, and what came out of it.

    query_input: what the queries are made of (batch, query, embed_dim); key_input: the keys and values, of the source
    in cross-attention (batch, key, embed_dim). heads: (batch, head, query, value_dim), as they go into the output
    projection; output: as it comes out of it (batch, query, embed_dim).
    """

    query_input: Tensor
    key_input: Tensor
    heads: Tensor
    output: Tensor


class Watch:
    """Handed to one pass: `records` then holds what every attention computed, by kind and layer.

    changes: what is done to the model meanwhile; a record's output is the kernel's own, before it is changed.
    readable: every attention by the readable formula, its weights kept in `record.given`. Without `keeps` no record is
    taken. With `layers` the hidden states (batch, position, embed_dim) after each layer of a stack are kept too, in
    `hidden` under its name, "encoder" or "decoder"; the last of them went through the final norm. `passage` is what
    went through the attention of `through`, a kind and a layer; None without one.
    """

    def __init__(
        self,
        changes: Changes | None = None,
        *,
        readable: bool = False,
        keeps: bool = True,
        layers: bool = False,
        through: tuple[str, int] | None = None,
    ) -> None:
        self.changes = Changes() if changes is None else changes
        self.readable = readable
        self.keeps = keeps
        self.layers = layers
        self.records: dict[str, list[AttentionRecord]] = {}
        self.hidden: dict[str, list[Tensor]] = {}
        self.through = through
        self.passage: Passage | None = None

    def begin(self, config: TransformerConfig, kinds: Iterable[str]) -> None:
        """Empties the records of these kinds; an UnknownNameError for a change of what is not there."""
        self.changes.check({kind: (config.layers(kind), config.heads) for kind in config.kinds})
        self.records = {kind: self.records.get(kind, []) for kind in config.kinds} | {kind: [] for kind in kinds}

    def take(self, kind: str, record: AttentionRecord) -> None:
        """Keeps what the next layer of a kind computed."""
        if self.keeps:
            self.records[kind].append(record)

    def passed(self, kind: str, layer: int, passage: Passage) -> None:
        """Keeps what went through the attention that is asked for."""
        if self.through == (kind, layer):
            self.passage = passage


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
