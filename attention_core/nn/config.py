"""What a transformer of ours is made of: every size and every choice between variants, as data."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from attention_core.errors import InputError, ShapeError, UnknownNameError

ENCODER_SELF = "encoder-self"
DECODER_SELF = "decoder-self"
CROSS = "cross"

POSITIONS = ("learned", "sinusoidal", "rotary", "none")
NORMS = ("post", "pre")
OUTPUTS = ("none", "tokens", "masked", "classes")


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


@dataclass(frozen=True, kw_only=True)
class Patches:
    """How a square picture is cut: into squares of `patch_size`, row by row (Dosovitskiy et al. 2021, section 3.1)."""

    image_size: int
    patch_size: int
    channels: int = 3

    def __post_init__(self) -> None:
        if min(self.image_size, self.patch_size, self.channels) < 1 or self.image_size % self.patch_size:
            raise ShapeError(
                f"a picture of {self.image_size} pixels cannot be cut into patches of {self.patch_size}; "
                "image_size must be a multiple of patch_size"
            )

    @property
    def per_side(self) -> int:
        """How many patches a row has, and a column."""
        return self.image_size // self.patch_size

    @property
    def count(self) -> int:
        """How many patches a picture has."""
        return self.per_side**2


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """The sizes and variants of a transformer: an encoder, a decoder, both, or an encoder of pictures.

    Both stacks have the same width and heads. With both, the decoder also attends to what the encoder made.
    """

    embed_dim: int
    heads: int
    inner_dim: int  # the width between the two layers of an MLP; 0: blocks have attention alone
    max_tokens: int  # with patches: the class token and every patch
    vocabulary: int = 0
    encoder_layers: int = 0
    decoder_layers: int = 0
    segments: int = 0  # kinds of sentences that BERT tells apart; 0: none
    patches: Patches | None = None  # the source is a picture
    classes: int = 0
    positions: str = "learned"
    norm: str = "post"  # after each residual sum, or before each sub-layer
    embedding_norm: bool = False
    final_norm: bool = False
    embedding_scale: float = (
        1.0  # what a token's vector is multiplied by (√embed_dim in Vaswani et al. 2017, section 3.4)
    )
    activation: str = "gelu"
    norm_eps: float = 1e-5
    scaled: bool = True  # whether scores are divided by √dim
    input_bias: bool = True  # whether the projections to queries, keys and values have a bias
    output: str = "none"  # what `logits` says of a hidden state
    output_bias: bool = False  # whether a bias is added to the scores of the vocabulary
    start: int | None = None  # the token that a decoder reads first
    end: int | None = None  # the token after which nothing is written
    pad: int | None = None

    def __post_init__(self) -> None:
        for what, value, accepted in (
            ("activation", self.activation, tuple(ACTIVATIONS)),
            ("positions", self.positions, POSITIONS),
            ("norm", self.norm, NORMS),
            ("output", self.output, OUTPUTS),
        ):
            if value not in accepted:
                raise UnknownNameError(what, value, accepted)
        faults = self._faults()
        if faults:
            raise InputError("this transformer cannot be built: " + "; ".join(faults))

    def _faults(self) -> list[str]:
        """What does not go together, one clause each."""
        text = self.patches is None
        heads = self.heads >= 1 and self.embed_dim >= 1 and self.embed_dim % self.heads == 0
        checks = (
            (heads, f"embed_dim {self.embed_dim} is not a multiple of heads {self.heads}"),
            (self.encoder_layers + self.decoder_layers >= 1, "it has neither encoder_layers nor decoder_layers"),
            (min(self.encoder_layers, self.decoder_layers, self.inner_dim) >= 0, "a size is negative"),
            (self.max_tokens >= 1, "max_tokens is less than 1"),
            (text or not self.decoder_layers, "patches need an encoder alone"),
            (text or self.max_tokens == self.patches.count + 1, "max_tokens is not the number of patches + 1"),  # type: ignore[union-attr]
            (self.vocabulary >= 1 if text else self.vocabulary == 0, "it takes either a vocabulary or patches"),
            (
                not heads or self.positions != "rotary" or self.embed_dim // self.heads % 2 == 0,
                "rotary positions turn pairs of numbers, so that the dim of a head is even",
            ),
            (text or self.output in ("none", "classes"), "pictures have no vocabulary to score"),
            ((self.classes >= 1) == (self.output == "classes"), "classes and output 'classes' need one another"),
        )
        return [clause for fine, clause in checks if not fine]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of attention there are, in the order in which a pass computes them."""
        encoder, decoder = self.encoder_layers > 0, self.decoder_layers > 0
        there = {ENCODER_SELF: encoder, DECODER_SELF: decoder, CROSS: encoder and decoder}
        return tuple(kind for kind, is_there in there.items() if is_there)

    def layers(self, kind: str) -> int:
        """How many layers have attention of this kind; an UnknownNameError for a kind that is not there."""
        if kind not in self.kinds:
            raise UnknownNameError("kind", kind, self.kinds)
        return self.encoder_layers if kind == ENCODER_SELF else self.decoder_layers
