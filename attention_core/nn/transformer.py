"""A transformer made of our own attention: one set of blocks that is an encoder, a decoder, both, or sees pictures.

Encoders look both ways (BERT, Devlin et al. 2019; ViT, Dosovitskiy et al. 2021), decoders only back (GPT-2, Radford et
al. 2019), and a decoder with an encoder beside it also looks at the source (Vaswani et al. 2017). A `Watch` brings
back the records of its attentions: nothing is hooked.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attention_core.errors import InputError, NotAvailableError, ShapeError, TooManyTokensError
from attention_core.nn.blocks import Block, Embedding, Pass, PatchEmbedding, Prediction
from attention_core.nn.changing import Changes
from attention_core.nn.config import CROSS, DECODER_SELF, ENCODER_SELF, TransformerConfig
from attention_core.nn.shapes import allowed_keys, misfit
from attention_core.nn.watching import Cache, Watch

_NOTHING = Changes()


@dataclass(frozen=True, eq=False)
class TransformerOutput:
    """The last hidden state (batch, position, embed_dim): the decoder's, or the encoder's where it is alone."""

    hidden: Tensor


class Transformer(nn.Module):
    """An embedding, one or two stacks of blocks, and the head that the configuration asks for."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding: Embedding | PatchEmbedding = (
            Embedding(config) if config.patches is None else PatchEmbedding(config)
        )
        self.encoder = nn.ModuleList(Block(config, ENCODER_SELF, n) for n in range(config.encoder_layers))
        self.decoder = nn.ModuleList(Block(config, DECODER_SELF, n) for n in range(config.decoder_layers))
        if config.final_norm:
            norms = {"encoder": config.encoder_layers, "decoder": config.decoder_layers}
            self.final_norms = nn.ModuleDict(
                {stack: nn.LayerNorm(config.embed_dim, eps=config.norm_eps) for stack, count in norms.items() if count}
            )
        if config.output != "none":
            self.prediction = Prediction(config)
        start_weights(self)

    def forward(
        self,
        source: Tensor,
        target: Tensor | None = None,
        *,
        segments: Tensor | None = None,
        mask: Tensor | None = None,
        cache: Cache | None = None,
        watch: Watch | None = None,
    ) -> TransformerOutput:
        """The last hidden state of the source, or of the target for a model that has an encoder and a decoder.

        source: ids (batch, position), or normalised pixels (batch, channel, height, width); target: the ids that
        the decoder reads. segments and mask (batch, position) belong to the source; in the mask 1 is a real
        token and 0 padding, which no token may then attend to; of a picture they are its class token and patches. An
        encoder is passed over when the cache already holds what the decoder needs of it.
        """
        if CROSS not in self.config.kinds:
            if target is not None:
                raise NotAvailableError("this model has one stack, so that it takes no target")
            if self.config.encoder_layers:
                return self.encode(source, segments=segments, mask=mask, watch=watch)
            return self.decode(source, segments=segments, mask=mask, cache=cache, watch=watch)
        if target is None:
            raise InputError("an encoder-decoder needs a target beside its source")
        memory = None
        if cache is None or cache.read == 0:
            memory = self.encode(source, segments=segments, mask=mask, watch=watch).hidden
        return self.decode(target, memory, mask=mask, cache=cache, watch=watch)

    def encode(
        self,
        source: Tensor,
        *,
        segments: Tensor | None = None,
        mask: Tensor | None = None,
        watch: Watch | None = None,
    ) -> TransformerOutput:
        """What the encoder makes of the source (batch, position, embed_dim); arguments as in `forward`."""
        if not self.config.encoder_layers:
            raise NotAvailableError("this model has no encoder")
        if watch is not None:
            watch.begin(self.config, (ENCODER_SELF,))
        changes = _NOTHING if watch is None else watch.changes
        pictures = self.config.patches is not None
        if pictures:
            self._check_pixels(source, segments)
        else:
            self._check_ids("source", source, segments)
        count = self.config.max_tokens if pictures else source.shape[1]
        places = changes.places(ENCODER_SELF, torch.arange(count, device=source.device))
        told = places if changes.told(ENCODER_SELF) else None
        # (batch, position, embed_dim)
        x = self.embedding(source, told) if pictures else self.embedding(source, segments, told)
        allowed = _keys_allowed(mask, x.shape[:2])
        if changes.causal(ENCODER_SELF, False):
            allowed = _looking_back(places, places, allowed)
        return self._run("encoder", x, Pass(mask=allowed, places=told, watch=watch))

    def decode(
        self,
        ids: Tensor,
        memory: Tensor | None = None,
        *,
        segments: Tensor | None = None,
        mask: Tensor | None = None,
        cache: Cache | None = None,
        watch: Watch | None = None,
    ) -> TransformerOutput:
        """What the decoder makes of ids (batch, position), from position `cache.read` on.

        memory: what `encode` returned (batch, key, embed_dim), for a model with an encoder; needed until the cache
        holds it. mask: the source's with an encoder; else of all ids, those of the cache included.
        """
        cross = CROSS in self.config.kinds
        if not self.config.decoder_layers:
            raise NotAvailableError("this model has no decoder")
        start = 0 if cache is None else cache.read
        if cross and memory is None and not start:
            raise InputError("the decoder of an encoder-decoder needs what its encoder made")
        self._check_ids("target" if cross else "source", ids, segments, start)
        if watch is not None:
            watch.begin(self.config, (DECODER_SELF, CROSS) if cross else (DECODER_SELF,))
        changes = _NOTHING if watch is None else watch.changes
        keys = start + ids.shape[1]
        usual = torch.arange(keys, device=ids.device)
        places = changes.places(DECODER_SELF, usual)
        told = places[start:] if changes.told(DECODER_SELF) else None
        causal = changes.causal(DECODER_SELF, True)
        matrix = None if cross else _keys_allowed(mask, (len(ids), keys))
        # Else the causal kernel will do, or one query sees all keys.
        if causal and (matrix is not None or 1 < ids.shape[1] < keys or places is not usual):
            matrix = _looking_back(places[start:], places, matrix)
        given = Pass(
            mask=matrix,
            causal=causal and matrix is None and not start,
            places=told,
            memory=memory,
            memory_mask=_keys_allowed(mask, None if memory is None else memory.shape[:2]) if cross else None,
            cache=cache,
            watch=watch,
        )
        output = self._run("decoder", self.embedding(ids, segments, told), given)
        if cache is not None:
            cache.read = keys
        return output

    def logits(self, hidden: Tensor) -> Tensor:
        """The scores, before a softmax, that a last hidden state (batch, position, embed_dim) gives.

        (batch, position, token), or for a model of classes (batch, class), of the class token. NotAvailableError for a
        model that has no head.
        """
        if self.config.output == "none":
            raise NotAvailableError("this model has no head that predicts anything")
        vectors = self.embedding.tokens.weight if isinstance(self.embedding, Embedding) else None
        scores: Tensor = self.prediction(hidden, vectors)
        return scores

    def _run(self, stack: str, x: Tensor, given: Pass) -> TransformerOutput:
        watch = given.watch if given.watch is not None and given.watch.layers else None
        states = []
        for block in self.encoder if stack == "encoder" else self.decoder:
            x = block(x, given)
            if watch is not None:
                states.append(x)
        output = self.final_norms[stack](x) if self.config.final_norm else x
        if watch is not None:
            watch.hidden[stack] = [*states[:-1], output]
        return TransformerOutput(output)

    def _check_ids(self, name: str, ids: Tensor, segments: Tensor | None, start: int = 0) -> None:
        if ids.ndim != 2 or ids.numel() == 0:
            raise ShapeError(f"{name} ids are (batch, position) with at least one token, not {tuple(ids.shape)}")
        if start + ids.shape[1] > self.config.max_tokens:
            raise TooManyTokensError(start + ids.shape[1], self.config.max_tokens)
        _check_range(f"{name} ids", ids, self.config.vocabulary)
        if segments is not None:
            if segments.shape != ids.shape:
                raise misfit("ids and segments have different shapes", ids, segments)
            _check_range("segments", segments, max(1, self.config.segments))

    def _check_pixels(self, pixels: Tensor, segments: Tensor | None) -> None:
        patches = self.config.patches
        assert patches is not None
        shape = (patches.channels, patches.image_size, patches.image_size)
        if pixels.ndim != 4 or pixels.shape[1:] != shape or not pixels.is_floating_point():
            raise ShapeError(
                f"a picture is floating (batch, {', '.join(map(str, shape))}), "
                f"not {str(pixels.dtype).removeprefix('torch.')} {tuple(pixels.shape)}"
            )
        if segments is not None:
            raise NotAvailableError("pictures have no segments")


def _keys_allowed(mask: Tensor | None, shape: tuple[int, ...] | None) -> Tensor | None:
    """The mask of keys (batch, key), 0 and 1 in any dtype, as booleans (batch, 1, 1, key) for all heads and queries."""
    if mask is None:
        return None
    if shape is not None and mask.shape != shape:
        raise ShapeError(f"ids and mask have different shapes: {tuple(shape)}, {tuple(mask.shape)}")
    return allowed_keys(mask[:, None, None, :], (len(mask), 1, 1, mask.shape[1]))  # (batch, 1, 1, key)


def _looking_back(queries: Tensor, keys: Tensor, padding: Tensor | None) -> Tensor:
    """Which keys stand no later than each query, by their places (position), and are no padding, as booleans."""
    earlier = (keys <= queries[:, None])[None, None]  # (1, 1, query, key)
    return earlier if padding is None else earlier & padding  # (batch or 1, 1, query, key)


def _check_range(name: str, numbers: Tensor, count: int) -> None:
    """An InputError when a number is not one of 0 to count - 1: looked up on a GPU it ends the process."""
    lowest, highest = (int(number) for number in torch.aminmax(numbers))
    if lowest < 0 or highest >= count:
        raise InputError(f"{name} go from {lowest} to {highest}; this model has 0 to {count - 1}")


def start_weights(model: Transformer, generator: torch.Generator | None = None) -> None:
    """Random weights to train from: Glorot & Bengio 2010 for matrices, 0.02 for vectors that are looked up.

    Tokens that are multiplied by √embed_dim start at its inverse, so that what the first block sees has size 1.
    """
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d) and not module.weight.is_meta:
            nn.init.xavier_uniform_(module.weight, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding) and not module.weight.is_meta:
            nn.init.normal_(module.weight, std=0.02, generator=generator)
    embedding, config = model.embedding, model.config
    if isinstance(embedding, PatchEmbedding) and not embedding.class_token.is_meta:
        nn.init.normal_(embedding.class_token, std=0.02, generator=generator)
    if isinstance(embedding, Embedding) and config.embedding_scale > 1 and not embedding.tokens.weight.is_meta:
        nn.init.normal_(embedding.tokens.weight, std=config.embed_dim**-0.5, generator=generator)
