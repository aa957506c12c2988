"""The two ends of one attention, which a trace does not hold: what its projections get, and what each head adds.

    found = finish(sublayer(open_model("minilm"), Example("The cat sat"), ("encoder-self", 3, 1), query=2, key=1))
    found.part, found.joined, found.error

The heads' outputs stand side by side and go through the output projection (Vaswani et al. 2017, section 3.2.2). That is
a sum over heads: each one's output times its slice of the projection, and the projection's bias once.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from attention_core.capture import Example, LoadedModel, ready
from attention_core.capture.passing import passage, projection_of
from attention_core.capture.rewiring import rewired
from attention_core.capture.selfcheck import tolerance
from attention_core.capture.switching import heads_off, with_own_target
from attention_core.errors import InputError, SelfCheckError, UnknownNameError
from attention_core.experiments.running import Progress
from attention_core.maps import Kind
from attention_core.models.examples import Encoded
from attention_core.nn.changing import Head
from attention_core.nn.norms import OutputProjection


@dataclass(frozen=True, eq=False)
class Sublayer:
    """What goes into one attention at two places and comes out of it at the query's; float32 on the processor.

    query_input, key_input: what the projections get there (embed_dim), after a norm where the model has it before the
    attention; in cross-attention the key's is what the encoder made. heads: what every head hands on at the query
    (head, value_dim), zeros or its mean where it is switched off. part: what this head adds (embed_dim), its output
    times its slice of the output projection; bias: what the projection adds once, None without one; joined: the sum of
    all parts and the bias. given: what the model's own projection put out; error: the largest |joined - given|.
    """

    kind: Kind
    layer: int
    head: int
    query: int
    key: int
    query_input: Tensor
    key_input: Tensor
    heads: Tensor
    part: Tensor
    bias: Tensor | None
    joined: Tensor
    given: Tensor
    error: float


def sublayer(
    model: LoadedModel, example: Example, place: Head, query: int, key: int
) -> Generator[Progress, None, Sublayer]:
    """What goes into the attention of `place` (kind, layer, head) at a query and a key, and comes out at the query.

    One pass; the target of an encoder-decoder is the example's, or what the model writes. Raises before the first
    piece what `capture` raises, an UnknownNameError for a place and an InputError for a query or key that is not there,
    and a NotAvailableError with the reason "no-sublayer" where the two ends cannot be told from outside. A
    SelfCheckError rather than parts that do not add up to what the model put out.
    """
    model = ready(model)
    kind, layer, head = place
    _demand_place(model, place)
    projection = projection_of(model, kind, layer)
    off = heads_off(model, example)
    encoded = model.encode(example)
    if model.encoder_decoder and encoded.target is None:
        with torch.inference_mode():
            encoded, _ = with_own_target(model, encoded, off)
    _demand_positions(encoded, Kind(kind), query, key)
    changes = rewired(model, example, encoded, off)
    yield Progress(0, 1)
    passed = passage(model, encoded, kind, layer, changes)
    heads, given = passed.heads[0, :, query].float(), passed.output[0, query].float()
    parts, bias = _parts(projection, heads)
    joined = parts.sum(0) if bias is None else parts.sum(0) + bias  # (embed_dim)
    error = float((joined - given).abs().max())
    # What is summed up may be much larger than the sum: its rounding is measured by what goes in.
    largest = float((parts.abs().sum(0) + (0 if bias is None else bias.abs())).max())
    if not error <= tolerance(model.dtype, 0.0) * max(largest, 1e-30):
        raise SelfCheckError(
            f"what the heads of L{layer} ({kind}) add differs from what the model put out by {error:.1e}"
        )
    yield Progress(1, 1)
    return Sublayer(
        kind=Kind(kind),
        layer=layer,
        head=head,
        query=query,
        key=key,
        query_input=passed.query_input[0, query].float().cpu(),
        key_input=passed.key_input[0, key].float().cpu(),
        heads=heads.cpu(),
        part=parts[head].cpu(),
        bias=None if bias is None else bias.cpu(),
        joined=joined.cpu(),
        given=given.cpu(),
        error=error,
    )


def _parts(projection: OutputProjection, heads: Tensor) -> tuple[Tensor, Tensor | None]:
    """What each head adds (head, embed_dim), and the projection's bias (embed_dim) where it has one."""
    module: Any = projection.module
    weight = module.weight.detach().float()
    matrix = weight.T if projection.transposed else weight  # (embed_dim, head * value_dim)
    slices = matrix.unflatten(1, heads.shape)  # (embed_dim, head, value_dim)
    bias: Tensor | None = getattr(module, "bias", None)
    return torch.einsum("hv,ehv->he", heads, slices), None if bias is None else bias.detach().float()


def _demand_place(model: LoadedModel, place: Head) -> None:
    kind, layer, head = place
    if kind not in model.there:
        raise UnknownNameError("kind", kind, list(model.there))
    layers, heads = model.there[kind]
    for what, given, count in (("layer", layer, layers), ("head", head, heads)):
        if not 0 <= given < count:
            raise UnknownNameError(what, given, range(count))


def _demand_positions(encoded: Encoded, kind: Kind, query: int, key: int) -> None:
    read = encoded.source if kind == Kind.ENCODER_SELF or encoded.decoder_input is None else encoded.decoder_input
    seen = encoded.source if kind == Kind.CROSS else read
    for what, given, tokens in (("query", query, read), ("key", key, seen)):
        if not 0 <= given < len(tokens):
            raise InputError(f"{what} {given} is not there; accepted: 0 to {len(tokens) - 1}")
