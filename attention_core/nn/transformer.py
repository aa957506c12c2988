"""A transformer made of our own attention: embedding, block, model, in the order a sentence meets them.

It is an encoder whose blocks normalise after each residual sum: BERT (Devlin et al. 2019, section 3, with the
blocks of Vaswani et al. 2017, section 3.1). It returns the records of its own attentions: nothing is hooked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attention_core.errors import InputError, ShapeError, TooManyTokensError, UnknownNameError
from attention_core.nn.attention import AttentionRecord, MultiHeadAttention
from attention_core.nn.shapes import misfit

__all__ = ["ACTIVATIONS", "AttentionRecord", "Transformer", "TransformerConfig", "TransformerOutput"]


def _quick_gelu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(1.702 * x)


_gelu_tanh = partial(F.gelu, approximate="tanh")

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_fast": _gelu_tanh,
    "gelu_new": _gelu_tanh,
    "gelu_pytorch_tanh": _gelu_tanh,
    "quick_gelu": _quick_gelu,
    "relu": F.relu,
    "silu": F.silu,
    "swish": F.silu,
    "tanh": torch.tanh,
}
"""The activations by the names that checkpoints use (Hendrycks & Gimpel 2016 for the GELUs)."""


@dataclass(frozen=True)
class TransformerConfig:
    """The sizes of a transformer; `inner_dim` is the width between the two layers of an MLP."""

    vocabulary: int
    max_tokens: int
    segments: int
    layers: int
    heads: int
    embed_dim: int
    inner_dim: int
    activation: str
    norm_eps: float

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise UnknownNameError("activation", self.activation, list(ACTIVATIONS))


@dataclass(frozen=True, eq=False)
class TransformerOutput:
    """The last hidden state (batch, position, embed_dim), and one record a layer when they were asked for."""

    hidden: Tensor
    records: tuple[AttentionRecord, ...]


class Embedding(nn.Module):
    """What a token is, where it stands and which sentence it belongs to, added and normalised."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.tokens = nn.Embedding(config.vocabulary, config.embed_dim)
        self.positions = nn.Embedding(config.max_tokens, config.embed_dim)
        self.segments = nn.Embedding(config.segments, config.embed_dim)
        self.norm = nn.LayerNorm(config.embed_dim, eps=config.norm_eps)

    def forward(self, ids: Tensor, segments: Tensor) -> Tensor:
        """The first hidden state (batch, position, embed_dim) of ids and segments (batch, position)."""
        positions = torch.arange(ids.shape[1], device=ids.device)
        summed = self.tokens(ids) + self.segments(segments) + self.positions(positions)
        normed: Tensor = self.norm(summed)  # (batch, position, embed_dim)
        return normed


class MLP(nn.Module):
    """Two layers on each position by itself (Vaswani et al. 2017, eq. 2, with the model's own activation)."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[config.activation]
        self.widen = nn.Linear(config.embed_dim, config.inner_dim)
        self.narrow = nn.Linear(config.inner_dim, config.embed_dim)

    def forward(self, x: Tensor) -> Tensor:
        """The new vectors (batch, position, embed_dim) of x (batch, position, embed_dim)."""
        narrowed: Tensor = self.narrow(self.activation(self.widen(x)))
        return narrowed


class Block(nn.Module):
    """Attention, then the MLP, each added to what came in and then normalised."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(config.embed_dim, config.heads)
        self.attention_norm = nn.LayerNorm(config.embed_dim, eps=config.norm_eps)
        self.mlp = MLP(config)
        self.mlp_norm = nn.LayerNorm(config.embed_dim, eps=config.norm_eps)

    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, AttentionRecord]:
        """The next hidden state (batch, position, embed_dim) and the record of this block's attention."""
        mixed, record = self.attention.attend(x, x, x, mask)
        x = self.attention_norm(x + mixed)
        return self.mlp_norm(x + self.mlp(x)), record


class Transformer(nn.Module):
    """An embedding and a stack of blocks."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = Embedding(config)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))

    def forward(
        self, ids: Tensor, segments: Tensor | None = None, mask: Tensor | None = None, *, record: bool = False
    ) -> TransformerOutput:
        """The last hidden state of ids (batch, position), and with `record` what every attention computed.

        segments (batch, position): 0 for the first sentence, 1 for the second; all 0 when left out.
        mask (batch, position): 1 for a real token, 0 for padding, which no token may then attend to.
        """
        self._check(ids, segments, mask)
        segments = torch.zeros_like(ids) if segments is None else segments
        keys = None if mask is None else mask[:, None, None, :]  # (batch, head, query, key)
        hidden = self.embedding(ids, segments)
        records = []
        for block in self.blocks:
            hidden, seen = block(hidden, keys)
            if record:
                records.append(seen)
        return TransformerOutput(hidden, tuple(records))

    def _check(self, ids: Tensor, segments: Tensor | None, mask: Tensor | None) -> None:
        if ids.ndim != 2 or ids.numel() == 0:
            raise ShapeError(f"ids are (batch, position) with at least one token, not {tuple(ids.shape)}")
        for name, given in (("segments", segments), ("mask", mask)):
            if given is not None and given.shape != ids.shape:
                raise misfit(f"ids and {name} have different shapes", ids, given)
        if ids.shape[1] > self.config.max_tokens:
            raise TooManyTokensError(ids.shape[1], self.config.max_tokens)
        _check_range("ids", ids, self.config.vocabulary)
        if segments is not None:
            _check_range("segments", segments, self.config.segments)


def _check_range(name: str, numbers: Tensor, count: int) -> None:
    """An InputError when a number is not one of 0 to count - 1: looked up on a GPU it ends the process."""
    lowest, highest = (int(number) for number in torch.aminmax(numbers))
    if lowest < 0 or highest >= count:
        raise InputError(f"{name} go from {lowest} to {highest}; this model has 0 to {count - 1}")
