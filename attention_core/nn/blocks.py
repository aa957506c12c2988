"""The parts of a transformer: embeddings of tokens and of pictures, the MLP, the block, the head on top."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attention_core.nn.attention import Mixing, MultiHeadAttention
from attention_core.nn.config import ACTIVATIONS, CROSS, ENCODER_SELF, TransformerConfig
from attention_core.nn.positions import rotate, sinusoidal
from attention_core.nn.watching import Cache, Passage, Watch


def _norm(config: TransformerConfig) -> nn.LayerNorm:
    return nn.LayerNorm(config.embed_dim, eps=config.norm_eps)


class Embedding(nn.Module):
    """What a token is, where it stands and which sentence it belongs to, added."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.vocabulary, config.embed_dim)
        if config.positions == "learned":
            self.positions = nn.Embedding(config.max_tokens, config.embed_dim)
        if config.segments:
            self.segments = nn.Embedding(config.segments, config.embed_dim)
        if config.embedding_norm:
            self.norm = _norm(config)

    def forward(self, ids: Tensor, segments: Tensor | None, places: Tensor | None) -> Tensor:
        """The first hidden state (batch, position, embed_dim) of ids (batch, position) at these places (position).

        segments (batch, position): 0 for the first sentence, 1 for the second; all 0 when left out. Without places
        nothing says where a token stands.
        """
        x: Tensor = self.tokens(ids) * self.config.embedding_scale  # (batch, position, embed_dim)
        if self.config.segments:
            x = x + self.segments(torch.zeros_like(ids) if segments is None else segments)
        if places is not None and self.config.positions == "learned":
            x = x + self.positions(places)
        elif places is not None and self.config.positions == "sinusoidal":
            x = x + sinusoidal(places, self.config.embed_dim).to(x)
        return self.norm(x) if self.config.embedding_norm else x


class PatchEmbedding(nn.Module):
    """A picture as a sequence: the class token, then every patch, row by row (Dosovitskiy et al. 2021, eq. 1)."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        assert config.patches is not None
        self.config = config
        size = config.patches.patch_size
        self.patches = nn.Conv2d(config.patches.channels, config.embed_dim, kernel_size=size, stride=size)
        self.class_token = nn.Parameter(torch.zeros(config.embed_dim))
        if config.positions == "learned":
            self.positions = nn.Embedding(config.max_tokens, config.embed_dim)
        if config.embedding_norm:
            self.norm = _norm(config)

    def forward(self, pixels: Tensor, places: Tensor | None) -> Tensor:
        """The first hidden state (batch, position, embed_dim) of pixels (batch, channel, height, width); without places
        (position) nothing says where a patch lies."""
        patches = self.patches(pixels).flatten(2).transpose(1, 2)  # (batch, patch, embed_dim)
        first = self.class_token.expand(len(pixels), 1, -1)  # (batch, 1, embed_dim)
        x = torch.cat([first, patches], dim=1) * self.config.embedding_scale  # (batch, position, embed_dim)
        if places is not None and self.config.positions == "learned":
            x = x + self.positions(places)
        elif places is not None and self.config.positions == "sinusoidal":
            x = x + sinusoidal(places, self.config.embed_dim).to(x)
        return self.norm(x) if self.config.embedding_norm else x


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


@dataclass(frozen=True, eq=False)
class Pass:
    """What every block of one pass needs beside the hidden state.

    mask, memory_mask: booleans that broadcast to (batch, head, query, key), for attention within the stack and
    to the source. causal: no mask is needed but that no token sees a later one. places: where the tokens of this
    pass stand (position), None where nothing says it. memory: what the encoder made (batch, key, embed_dim).
    """

    mask: Tensor | None = None
    causal: bool = False
    places: Tensor | None = None
    memory: Tensor | None = None
    memory_mask: Tensor | None = None
    cache: Cache | None = None
    watch: Watch | None = None


class Block(nn.Module):
    """Attention within the sequence, attention to the source where there is one, then the MLP.

    Each is added to what came in. The sum is normalised after ("post", Vaswani et al. 2017, section 3.1), or what
    goes into each is normalised before ("pre", Xiong et al. 2020, section 3).
    """

    def __init__(self, config: TransformerConfig, kind: str, layer: int) -> None:
        super().__init__()
        self.kind, self.layer = kind, layer
        self.pre = config.norm == "pre"
        self.rotary = config.positions == "rotary"
        self.attention = _heads(config)
        self.attention_norm = _norm(config)
        self.has_cross = kind != ENCODER_SELF and CROSS in config.kinds
        if self.has_cross:
            self.cross = _heads(config)
            self.cross_norm = _norm(config)
        self.has_mlp = config.inner_dim > 0
        if self.has_mlp:
            self.mlp = MLP(config)
            self.mlp_norm = _norm(config)

    def forward(self, x: Tensor, given: Pass) -> Tensor:
        """The next hidden state (batch, position, embed_dim)."""
        if given.watch is not None:
            x = given.watch.changes.entering(self.kind, self.layer, x)
        x = self._add(x, self.attention_norm, lambda y: self._look_within(y, given))
        if self.has_cross:
            x = self._add(x, self.cross_norm, lambda y: self._look_at_source(y, given))
        return self._add(x, self.mlp_norm, self.mlp) if self.has_mlp else x

    def _add(self, x: Tensor, norm: nn.Module, layer: Callable[[Tensor], Tensor]) -> Tensor:
        added: Tensor = x + layer(norm(x)) if self.pre else norm(x + layer(x))
        return added

    def _look_within(self, x: Tensor, given: Pass) -> Tensor:
        heads = self.attention
        q, k, v = (heads.split(x, projection) for projection in (heads.query, heads.key, heads.value))
        if self.rotary and given.places is not None:
            q, k = rotate(q, given.places), rotate(k, given.places)
        if given.cache is not None:
            k, v = given.cache.extend(self.kind, self.layer, k, v)
        return self._mix(heads, self.kind, (x, x), (q, k, v), given)

    def _look_at_source(self, x: Tensor, given: Pass) -> Tensor:
        heads = self.cross
        held = given.cache.get(CROSS, self.layer) if given.cache is not None else None
        if held is None:
            assert given.memory is not None
            held = heads.split(given.memory, heads.key), heads.split(given.memory, heads.value)
            if given.cache is not None:
                given.cache.put(CROSS, self.layer, *held)
        return self._mix(heads, CROSS, (x, given.memory), (heads.split(x, heads.query), *held), given)

    def _mix(
        self,
        heads: MultiHeadAttention,
        kind: str,
        inputs: tuple[Tensor, Tensor | None],
        vectors: tuple[Tensor, Tensor, Tensor],
        given: Pass,
    ) -> Tensor:
        query, key, value = vectors
        mask, causal = (given.memory_mask, False) if kind == CROSS else (given.mask, given.causal)
        watch = given.watch
        if watch is None:
            return heads.merge(heads.mix(query, key, value, Mixing(mask, causal)).output)
        value = watch.changes.value(kind, self.layer, value)
        scale = watch.changes.scale(kind, self.layer, heads.scale)
        record = heads.mix(query, key, value, Mixing(mask, causal, scale, watch.readable))
        watch.take(kind, record)
        output = watch.changes.output(kind, self.layer, record.output)
        joined = heads.merge(output)
        if inputs[1] is not None:
            watch.passed(kind, self.layer, Passage(inputs[0], inputs[1], output, joined))
        return joined


def _heads(config: TransformerConfig) -> MultiHeadAttention:
    heads = MultiHeadAttention(config.embed_dim, config.heads, scaled=config.scaled)
    if not config.input_bias:
        for projection in (heads.query, heads.key, heads.value):
            projection.register_parameter("bias", None)
    return heads


class Prediction(nn.Module):
    """The head on top of the last hidden state; scores of tokens are products with the tokens' own vectors.

    Press & Wolf 2017, "Using the Output Embedding to Improve Language Models"; for masked tokens behind one more
    layer (Devlin et al. 2019, as released).
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.output = config.output
        if config.output == "classes":
            self.classes = nn.Linear(config.embed_dim, config.classes)
        if config.output == "masked":
            self.activation = ACTIVATIONS[config.activation]
            self.dense = nn.Linear(config.embed_dim, config.embed_dim)
            self.norm = _norm(config)
        biased = config.output in ("tokens", "masked") and config.output_bias
        self.bias = nn.Parameter(torch.zeros(config.vocabulary)) if biased else None

    def forward(self, hidden: Tensor, vectors: Tensor | None) -> Tensor:
        """The scores (batch, class), or (batch, position, token) with the tokens' vectors (token, embed_dim)."""
        if self.output == "classes":
            scores: Tensor = self.classes(hidden[:, 0])  # (batch, class)
            return scores
        assert vectors is not None
        if self.output == "masked":
            hidden = self.norm(self.activation(self.dense(hidden)))  # (batch, position, embed_dim)
        return nn.functional.linear(hidden, vectors, self.bias)  # (batch, position, token)
