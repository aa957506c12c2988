"""Weights as a model's own readable attention gives them, for families outside the attention interface.

Also the reference of the self-check: whatever a faster back end computes must equal this.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from attention_core.capture.run import Run, Seen, call_options, logits_of, step_options, with_dropped
from attention_core.capture.sites import text_config
from attention_core.errors import NotAvailableError, TraceError
from attention_core.maps import DenseMap, Kind
from attention_core.masks import CausalMask, Mask, SlidingWindowMask
from attention_core.models.decoders import is_causal


def run(network: Any, inputs: Mapping[str, Tensor]) -> Run:
    """One forward pass with `output_attentions`, as dense maps; the model must be on its eager attention.

    A NotAvailableError for a family whose weights are not one for each query and key.
    """
    output = network(**inputs, **call_options(network), output_attentions=True, return_dict=True)
    sinks = any(name.endswith("sinks") for name, _ in network.named_parameters())
    seen = []
    for kind, layers in _given(network, output):
        for layer, weights in enumerate(layers):
            if weights is None:
                raise TraceError(f"L{layer} ({kind}) returned no weights")
            own, mask = _own(network, kind, weights, inputs), _mask(text_config(network), kind, layer)
            seen.append(Seen(DenseMap(kind=kind, layer=layer, mask=mask, given=own, sinks=sinks), (), None))
    if not seen:
        raise TraceError(f"{type(network).__name__} returns no attention weights")
    return Run(tuple(seen), output[0][0], logits_of(network, output, seen[-1].map.query_count))


class Continuation:
    """A decoder that gives its own weights, in the middle of a text; it must be on its eager attention."""

    def __init__(self, network: Any) -> None:
        self._network = network
        self._options = step_options(network)
        self._past: Any = None
        self._read = 0

    def read(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """The scores of the next token (token), and the rows of the newest position (layer, head, key), float32."""
        self._read += ids.shape[1]
        output = self._network(input_ids=ids, past_key_values=self._past, output_attentions=True, **self._options)
        self._past = output.past_key_values
        rows = [with_dropped(one[0, :, -1].float(), self._read) for one in output.attentions]
        return output.logits[0, -1], torch.stack(rows)


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


def _own(network: nn.Module, kind: Kind, given: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
    """The weights (head, query, key) of the one example. Longformer's are bands, Swin's one picture in many windows."""
    source = inputs.get("input_ids")
    target = inputs.get("decoder_input_ids", source)
    size = list(given.shape[-2:])
    if source is not None and target is not None:
        query = source if kind == Kind.ENCODER_SELF else target
        key = target if kind == Kind.DECODER_SELF else source
        size = [query.shape[1], key.shape[1]]
    if given.ndim != 4 or given.shape[0] != 1 or list(given.shape[2:]) != size:
        raise NotAvailableError(
            f"the attention of {type(network).__name__} cannot be shown exactly: what it returns is not one weight for "
            f"each query and key, but numbers of shape {tuple(given.shape)} for {size[0]} queries and {size[1]} keys",
            reason="not-exact",
            model=type(network).__name__,
        )
    return given[0].detach()


def _mask(config: Any, kind: Kind, layer: int) -> Mask:
    """The mask by the configuration's word; a `DenseMap` refuses one that its weights contradict."""
    if kind != Kind.DECODER_SELF:
        return Mask()
    # GPT-Neo's names, and those of most others.
    types = getattr(config, "attention_layers", None) or getattr(config, "layer_types", None) or ()
    size = getattr(config, "window_size", None) or getattr(config, "sliding_window", None)
    local = layer < len(types) and types[layer] in ("local", "sliding_attention")
    return CausalMask() & SlidingWindowMask(size) if local and isinstance(size, int) else CausalMask()
