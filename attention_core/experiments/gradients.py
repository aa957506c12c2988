"""Gradient × attention: which tokens a prediction came from, by the attention that pushed it up.

Chefer et al. 2021, "Generic Attention-model Explainability for Interpreting Bi-Modal and Encoder-Decoder Transformers",
section 3. Of every layer the weights times the gradient of the prediction with respect to them, what is below zero left
out, the mean of the heads (eq. 5); the layers are then followed from the bottom (eq. 6), and with an encoder beside
the decoder through both (eqs. 7 to 10; eq. 11 adds nothing, as an encoder never looks at its decoder).

No weight has to be in memory for that: a head's output is o_q = Σ_k α_qk v_k, so that ∂y/∂α_qk = ∂y/∂o_q · v_k. The
model runs by its own fast kernel, gradients are taken of what its heads hand on, and the weights are the trace's.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from attention_core.capture.selfcheck import compare_hidden
from attention_core.capture.variants import Said, Variants
from attention_core.errors import MemoryLimitError, NotAvailableError, SelfCheckError
from attention_core.maps import AttentionMap, Kind
from attention_core.models.loading import LoadedModel
from attention_core.models.memory import available_bytes, graph_bytes, shape_of
from attention_core.nn.changing import Changes, Several
from attention_core.trace import AttentionTrace

Wanted = Callable[[Said], Tensor]


class Handed(Changes):
    """Keeps the values that each attention got and the outputs that its heads handed on, as parts of the graph."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, int], Tensor] = {}
        self.outputs: dict[tuple[str, int], Tensor] = {}

    def value(self, kind: str, layer: int, value: Tensor) -> Tensor:
        """The same values (batch, key head, key, value_dim)."""
        self.values[str(kind), layer] = value
        return value

    def output(self, kind: str, layer: int, output: Tensor) -> Tensor:
        """The same outputs (batch, head, query, value_dim), of which gradients can be taken."""
        if not output.requires_grad:  # nothing before it has parameters that learn
            output = output.detach().requires_grad_()
        self.outputs[str(kind), layer] = output
        return output


def pushed(one: AttentionMap, gradient: Tensor, value: Tensor) -> Tensor:
    """The mean of the heads' positive weight × gradient (query, key), float32: Chefer et al. 2021, eq. 5.

    gradient: of the prediction, with respect to what the heads hand on (head, query, value_dim); value (key head, key,
    value_dim), grouped heads grouped.
    """
    owners = torch.arange(one.head_count, device=value.device) // (one.head_count // value.shape[0])
    values = value.float()[owners].transpose(1, 2)  # (head, value_dim, key)
    blocks = [
        (weights * (gradient[:, rows].float() @ values)).clamp_min(0).mean(0)  # (query, key)
        for rows, weights in one.stream()
    ]
    return torch.cat(blocks)


def within(layers: Sequence[Tensor]) -> Tensor:
    """The relevance (query, key) of tokens to one another in one stack, whose layers are (query, key), bottom first.

    R = I, then R + Ā R for each layer: Chefer et al. 2021, eq. 6.
    """
    relevance = torch.eye(len(layers[0]), device=layers[0].device)
    for layer in layers:
        relevance = relevance + layer @ relevance
    return relevance


def across(encoder: Sequence[Tensor], decoder: Sequence[Tensor], cross: Sequence[Tensor]) -> Tensor:
    """The relevance (target, source) of source tokens to what stands in the target; layers are (query, key) each.

    Chefer et al. 2021, eqs. 6 to 10, layer by layer of the decoder: attention within the target carries on what was
    read before (eq. 7), then attention to the source reads, both sides as they are by then (eq. 10).
    """
    source = _normalised(within(encoder))
    own = torch.eye(len(decoder[0]), device=source.device)  # (target, target)
    relevance = torch.zeros(len(own), len(source), device=source.device)  # (target, source)
    for looked_within, looked_across in zip(decoder, cross, strict=True):
        relevance = relevance + looked_within @ relevance
        own = own + looked_within @ own
        relevance = relevance + _normalised(own).T @ looked_across @ source
    return relevance


def _normalised(relevance: Tensor) -> Tensor:
    """What attention added to a token's own relevance, scaled to the size of that: eqs. 8 and 9."""
    own = torch.eye(len(relevance), device=relevance.device)
    added = relevance - own
    # A row to which nothing was added, as that of a decoder's first token often is, stays the token's own.
    return added / added.sum(-1, keepdim=True).clamp_min(torch.finfo(added.dtype).tiny) + own


def relevance(variants: Variants, trace: AttentionTrace, wanted: Wanted, changes: Changes | None = None) -> Tensor:
    """The relevance (query, key) of tokens behind one number that is `wanted` of what the model says, float32.

    Of the one stack, with the 1 that every token's own relevance starts at (eq. 6); or of source tokens to the target.
    `trace` is of the same example, `changes` go on meanwhile. NotAvailableError with the reason "no-gradient" where the
    model computes something else, or nothing, while gradients are taken; a MemoryLimitError where they do not fit; and
    what `Variants` raises.
    """
    _demand_room(variants)
    handed = Handed()
    with torch.inference_mode():
        usual = variants.say(1, changes=changes).hidden
    with torch.inference_mode(False), torch.enable_grad(), _differentiable(variants.model):
        said = _with_graph(variants, handed if changes is None else Several(handed, changes))
        _demand_same(variants.model, said.hidden.detach(), usual)
        outputs = list(handed.outputs.values())
        gradients = torch.autograd.grad(wanted(said), outputs, materialize_grads=True)
    layers: dict[str, list[Tensor]] = {}
    for (kind, layer), gradient in zip(handed.outputs, gradients, strict=True):
        value = handed.values[kind, layer][0].detach()
        layers.setdefault(kind, []).append(pushed(trace.map(kind, layer), gradient[0], value))
    if Kind.CROSS in layers:
        return across(layers[Kind.ENCODER_SELF], layers[Kind.DECODER_SELF], layers[Kind.CROSS])
    return within(next(iter(layers.values())))


def _with_graph(variants: Variants, changes: Changes) -> Said:
    # Ids that were made in inference mode cannot be part of a graph; copies can.
    inputs = {name: one.clone() for name, one in variants.encoded.inputs.items()}
    return Variants(variants.model, replace(variants.encoded, inputs=inputs), variants.rows).say(1, changes=changes)


@contextmanager
def _differentiable(model: LoadedModel) -> Iterator[None]:
    """A NotAvailableError in place of what torch raises where something in a model cannot be differentiated."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise _no_gradient(model, f"cannot be taken: {error}") from error


def _no_gradient(model: LoadedModel, why: str) -> NotAvailableError:
    title = model.card.title
    return NotAvailableError(f"gradients of {title} {why}", reason="no-gradient", model=title)


def _demand_room(variants: Variants) -> None:
    """A MemoryLimitError where the pass would not fit with all that its gradients need."""
    model, encoded = variants.model, variants.encoded
    source, target = len(encoded.source), len(encoded.decoder_input or ())
    needed = graph_bytes(shape_of(model.network.config), source, target, item=model.dtype.itemsize)
    there = available_bytes(str(model.device))
    if needed > there:
        raise MemoryLimitError(f"a pass through {model.card.title} with gradients", needed, there)


def _demand_same(model: LoadedModel, hidden: Tensor, usual: Tensor) -> None:
    """A kernel that can be differentiated may be another one: what it says must be the same."""
    try:
        compare_hidden(hidden, usual, model.dtype)
    except SelfCheckError as error:
        raise _no_gradient(model, f"would not be its own: {error}") from error
