"""Weights as a model's own readable attention gives them, for families outside the attention interface.

Also the reference of the self-check: whatever a faster back end computes must equal this.
"""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from attention_core.capture.run import Run, Seen, logits_of
from attention_core.errors import TraceError
from attention_core.maps import DenseMap, Kind
from attention_core.masks import CausalMask, Mask


def run(network: Any, inputs: Mapping[str, Tensor]) -> Run:
    """One forward pass with `output_attentions`, as dense maps; the model must be on its eager attention."""
    options = {"use_cache": False} if hasattr(network.config, "use_cache") else {}
    output = network(**inputs, **options, output_attentions=True, return_dict=True)
    sinks = any(name.endswith("sinks") for name, _ in network.named_parameters())
    seen = tuple(
        Seen(_dense(kind, layer, weights, sinks=sinks), (), None)
        for kind, layers in _given(network, output)
        for layer, weights in enumerate(layers)
    )
    if not seen:
        raise TraceError(f"{type(network).__name__} returns no attention weights")
    return Run(seen, output[0][0], logits_of(network, output))


def is_causal(network: nn.Module) -> bool:
    """Whether a model with one stack is a decoder, which never looks ahead."""
    config: Any = getattr(network, "config", None)
    if getattr(config, "is_decoder", False):
        return True
    flags = [bool(module.is_causal) for module in network.modules() if hasattr(module, "is_causal")]
    if flags:
        return any(flags)
    # Families without the flag on their modules keep their kind in the model class: a decoder takes no segments
    # and offers a cache.
    parameters = inspect.signature(network.forward).parameters
    return "past_key_values" in parameters and "encoder_hidden_states" not in parameters


def _given(network: nn.Module, output: Any) -> Iterator[tuple[Kind, tuple[Tensor, ...]]]:
    fields = (
        (Kind.ENCODER_SELF, "encoder_attentions"),
        (Kind.DECODER_SELF, "decoder_attentions"),
        (Kind.CROSS, "cross_attentions"),
    )
    for kind, name in fields:
        layers = getattr(output, name, None)
        if layers:
            yield kind, layers
    layers = getattr(output, "attentions", None)
    if layers:
        yield (Kind.DECODER_SELF if is_causal(network) else Kind.ENCODER_SELF), layers


def _dense(kind: Kind, layer: int, weights: Tensor | None, *, sinks: bool) -> DenseMap:
    if weights is None:
        raise TraceError(f"L{layer} ({kind}) returned no weights")
    given = weights[0].detach()  # (head, query, key)
    mask: Mask = CausalMask() if kind == Kind.DECODER_SELF else Mask()
    return DenseMap(kind=kind, layer=layer, mask=mask, given=given, sinks=sinks)
