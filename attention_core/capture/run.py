"""What every back end returns, and the rows it keeps of the kernel's own output for the self-check."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from attention_core.capture.sites import text_config
from attention_core.maps import AttentionMap

LAST_ROWS = 512  # of a long text, the rows whose predictions are kept
Logits = Callable[[slice], Tensor]


@dataclass(frozen=True, eq=False)
class Seen:
    """One map, and what the kernel returned at a few queries: (head, row, value_dim), None for a dense map."""

    map: AttentionMap
    rows: tuple[int, ...]
    output: Tensor | None


@dataclass(frozen=True, eq=False)
class Run:
    """One forward pass: everything seen, each kind's layers in order, and the last hidden state (position, embed_dim).

    `logits` gives the scores of what the model says at some rows: (row, token), or (class) for a model of classes,
    whatever the rows; None for a model without a head.
    """

    seen: tuple[Seen, ...]
    hidden: Tensor
    logits: Logits | None = None

    @property
    def maps(self) -> tuple[AttentionMap, ...]:
        """The maps, each kind's layers in order."""
        return tuple(one.map for one in self.seen)


def sample_rows(count: int) -> tuple[int, ...]:
    """A few queries that stand for all: the first, one in the middle and the last."""
    return tuple(sorted({0, count // 2, count - 1}))


def rows_of(output: Tensor, rows: Sequence[int]) -> Tensor:
    """A copy of some queries of a kernel's output (head, query, value_dim), so that the rest can be freed."""
    return output[:, list(rows)].to(torch.float32, copy=True)


def call_options(network: Any) -> dict[str, Any]:
    """Keyword arguments for one pass: no cache, whose references to keys and values would outlive it, and of a
    decoder's scores over its whole vocabulary only the rows whose predictions are kept."""
    options: dict[str, Any] = {"use_cache": False} if hasattr(text_config(network), "use_cache") else {}
    if "logits_to_keep" in inspect.signature(network.forward).parameters:
        options["logits_to_keep"] = LAST_ROWS
    return options


def logits_of(network: Any, output: Any, positions: int) -> Logits | None:
    """What a model of transformers said of its one example: scores of every token of its vocabulary at each row, or
    of the classes of a picture; None for any other head, whose numbers mean something else.

    `positions` is how many tokens it read, of which the last ones may have scores alone.
    """
    given = getattr(output, "logits", None)
    if given is None:
        return None
    own: Tensor = given[0]
    if getattr(network, "main_input_name", "") == "pixel_values":
        return (lambda _: own) if own.ndim == 1 else None
    words = own.ndim == 2 and own.shape[-1] == getattr(network.config, "vocab_size", None)
    before = max(0, positions - len(own)) if "logits_to_keep" in call_options(network) else 0

    def scores(rows: slice) -> Tensor:
        assert rows.start >= before
        return own[rows.start - before : rows.stop - before]

    return scores if words else None
