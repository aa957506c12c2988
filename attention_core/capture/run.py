"""What every back end returns, and the rows it keeps of the kernel's own output for the self-check."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from attention_core.capture.sites import text_config
from attention_core.maps import AttentionMap
from attention_core.nn.changing import There

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

    @property
    def there(self) -> There:
        """How many layers and heads each kind of attention has."""
        return {str(one.kind): (one.layer + 1, one.head_count) for one in self.maps}


def sample_rows(count: int) -> tuple[int, ...]:
    """A few queries that stand for all: the first, one in the middle and the last."""
    return tuple(sorted({0, count // 2, count - 1}))


def rows_of(output: Tensor, rows: Sequence[int]) -> Tensor:
    """A copy of some queries of a kernel's output (head, query, value_dim), so that the rest can be freed."""
    return output[:, list(rows)].to(torch.float32, copy=True)


def newest_row(
    query: Tensor,
    key: Tensor,
    *,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    soft_cap: float | None = None,
    sink: Tensor | None = None,
) -> Tensor:
    """What the last query looks at (head, key), float32: the formula of `nn.attention` for this one row.

    query (head, dim), scaled already, of the last position; key (key head, key, dim); mask (1 or head, query, key),
    True may attend; bias (head, query, key); sink (head,).
    """
    heads, groups = query.shape[0], key.shape[0]
    grouped = query.view(groups, heads // groups, -1)  # (key head, head of it, dim)
    scores = (grouped @ key.float().transpose(-2, -1)).view(heads, -1)  # (head, key)
    if soft_cap is not None:
        scores = soft_cap * torch.tanh(scores / soft_cap)
    if bias is not None:
        scores = scores + bias[:, -1].float()
    if mask is not None:
        scores = scores.masked_fill(~mask[:, -1], -torch.inf)
    if sink is not None:
        scores = torch.cat([scores, sink.float()[:, None]], dim=-1)  # (head, key and sink)
    return torch.softmax(scores, dim=-1)[:, : key.shape[1]]


def with_dropped(rows: Tensor, read: int) -> Tensor:
    """The row (head, key) over all tokens read: a sliding cache drops the oldest keys, which get nothing."""
    return torch.nn.functional.pad(rows, (read - rows.shape[-1], 0))


def call_options(network: Any) -> dict[str, Any]:
    """Keyword arguments for one pass: no cache, whose references to keys and values would outlive it, and of a
    decoder's scores over its whole vocabulary only the rows whose predictions are kept."""
    options: dict[str, Any] = {"use_cache": False} if hasattr(text_config(network), "use_cache") else {}
    if "logits_to_keep" in inspect.signature(network.forward).parameters:
        options["logits_to_keep"] = LAST_ROWS
    return options


def step_options(network: Any) -> dict[str, Any]:
    """Keyword arguments for one step of writing: a cache, and the scores of the newest position alone."""
    options: dict[str, Any] = {"use_cache": True, "return_dict": True}
    if "logits_to_keep" in inspect.signature(network.forward).parameters:
        options["logits_to_keep"] = 1
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
