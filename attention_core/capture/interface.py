"""Capture from transformers models through their attention interface.

One attention function is registered together with its mask function: without the second, GPT-2 gets no mask and
looks at the future. It is inactive unless a collector stands in the context variable, so two requests never mix.
The fast kernel computes; the collector keeps references to queries, keys and values.
"""

import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from attention_core.capture.run import (
    Run,
    Seen,
    call_options,
    logits_of,
    newest_row,
    rows_of,
    sample_rows,
    step_options,
    with_dropped,
)
from attention_core.capture.sites import Sites
from attention_core.errors import TraceError
from attention_core.maps import Bias, FactoredMap, RelativeBias
from attention_core.masks import CausalMask, Mask, recognise

NAME = "attention_atlas"
# What models hand over that changes no weight: dropout is off in eval mode, the window is in the mask already, and
# `deterministic` is for gradients of another kernel.
_HARMLESS = frozenset(
    {
        "dropout",
        "sliding_window",
        "deterministic",
        "output_attentions",
        "output_hidden_states",
        "output_router_logits",
        "use_cache",
        "cache_position",
        "position_ids",
        "return_dict",
        "num_items_in_batch",
    }
)


class Collector:
    """Gathers what the attention function sees during one forward pass."""

    def __init__(self, network: nn.Module) -> None:
        self.seen: list[Seen] = []
        self._sites = Sites(network)
        # Layers share masks and biases: each is read once. The tensor is kept, so that its id stays its own.
        self._masks: dict[int, tuple[Tensor, Mask]] = {}
        self._biases: dict[int, tuple[Tensor, Bias | None]] = {}

    def add(
        self, module: nn.Module, vectors: tuple[Tensor, Tensor, Tensor], output: Tensor, **how: Any
    ) -> None:
        """Keep one sub-layer: its vectors (batch, head, position, dim) and a few rows of its output."""
        query, key, value = (tensor[0].detach() for tensor in vectors)
        if vectors[0].shape[0] != 1:
            raise TraceError(f"a trace is of one example, not of a batch of {vectors[0].shape[0]}")
        kind, layer = self._sites.next(module)
        rows = sample_rows(query.shape[1])
        one = FactoredMap(
            kind=kind,
            layer=layer,
            mask=self._mask(how["mask"], causal=how["causal"]),
            query_vectors=query,
            key_vectors=key,
            value_vectors=value,
            scale=how["scale"],
            bias=self._bias(how["bias"]),
            soft_cap=how["soft_cap"],
            sink=how["sink"],
        )
        # The interface returns (batch, query, head, value_dim).
        self.seen.append(Seen(one, rows, rows_of(output[0].transpose(0, 1), rows)))

    def _mask(self, given: Tensor | None, *, causal: bool) -> Mask:
        if given is None:
            return CausalMask() if causal else Mask()
        if id(given) not in self._masks:
            self._masks[id(given)] = (given, _mask_of(given))
        return self._masks[id(given)][1]

    def _bias(self, given: Tensor | None) -> Bias | None:
        if given is None:
            return None
        if id(given) not in self._biases:
            self._biases[id(given)] = (given, _linear_bias(given[0].detach()))
        return self._biases[id(given)][1]


class NewestRows:
    """Computes what the newest position looks at, there and then: of a cached step no reference may outlive it.

    A growing cache would make kept references O(tokens²), and a sliding one drops columns.
    """

    def __init__(self, read: int) -> None:
        self.rows: list[Tensor] = []  # (head, key)
        self._read = read  # tokens, the newest included

    def add(
        self, module: nn.Module, vectors: tuple[Tensor, Tensor, Tensor], output: Tensor, **how: Any
    ) -> None:
        """Keep the newest query's row of one sub-layer, over all tokens read."""
        del module, output
        mask, bias = how["mask"], how["bias"]
        if mask is not None and (mask.dtype != torch.bool or mask.shape[:2] != (1, 1)):
            raise TraceError(f"a mask {mask.dtype} of shape {tuple(mask.shape)} cannot be read")
        row = newest_row(
            vectors[0][0, :, -1].float() * how["scale"],
            vectors[1][0],
            mask=None if mask is None else mask[0],
            bias=None if bias is None else bias[0],
            soft_cap=how["soft_cap"],
            sink=how["sink"],
        )
        self.rows.append(with_dropped(row, self._read))


_collector: ContextVar[Collector | NewestRows | None] = ContextVar("attention_atlas_collector", default=None)


class Continuation:
    """A decoder of transformers in the middle of a text, with the cache of its own library."""

    def __init__(self, network: Any) -> None:
        self._network = network
        self._options = step_options(network)
        self._past: Any = None
        self._read = 0

    def read(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """The scores of the next token (token), and the rows of the newest position (layer, head, key), float32."""
        self._read += ids.shape[1]
        rows = NewestRows(self._read)
        token = _collector.set(rows)
        try:
            output = self._network(input_ids=ids, past_key_values=self._past, **self._options)
        finally:
            _collector.reset(token)
        self._past = output.past_key_values
        return output.logits[0, -1], torch.stack(rows.rows)


def run(network: nn.Module, inputs: Mapping[str, Tensor]) -> Run:
    """One forward pass over one example, as factored maps. The network must be `installed`."""
    collector = Collector(network)
    token = _collector.set(collector)
    try:
        output = network(**inputs, **call_options(network), return_dict=True)
    finally:
        _collector.reset(token)
    if not collector.seen:
        raise TraceError(f"{type(network).__name__} does not use the attention interface")
    logits = logits_of(network, output, collector.seen[-1].map.query_count)
    return Run(tuple(collector.seen), output[0][0], logits)


def install(network: Any) -> None:
    """Make the model attend through our function, for good: it costs nothing while no collector listens."""
    network.set_attn_implementation(NAME)


def _mask_of(given: Tensor) -> Mask:
    """The mask object of what a model hands over: a boolean tensor (1, 1, query, key)."""
    if given.dtype != torch.bool or given.shape[:2] != (1, 1):
        raise TraceError(f"a mask {given.dtype} of shape {tuple(given.shape)} cannot be read")
    return recognise(given[0, 0])


def _linear_bias(bias: Tensor) -> Bias | None:
    """The bias (head, query, key) as one value a distance where it depends on nothing else, None where it is 0."""
    if not bias.any():
        return None
    if torch.equal(bias[:, 1:, 1:], bias[:, :-1, :-1]):
        # Distance d stands in the last row while the key is left of it, in the first row otherwise.
        by_distance = torch.cat([bias[:, :, 0].flip(1), bias[:, 0, 1:]], dim=1)
        return RelativeBias(by_distance=by_distance.contiguous(), query_count=bias.shape[1])
    return bias


def _attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **options: Any,
) -> tuple[Tensor, Tensor | None]:
    """transformers' attention function: the fast kernel where it can, the model's own formula where it cannot."""
    collector = _collector.get()
    used = {
        name: options.pop(name, None)
        for name in ("scaling", "is_causal", "softcap", "s_aux", "position_bias")
    }
    unknown = [name for name, given in options.items() if given is not None and name not in _HARMLESS]
    if unknown:
        raise TraceError(
            f"{type(module).__name__} hands over {', '.join(unknown)}, whose meaning is not known"
        )
    causal = used["is_causal"] if used["is_causal"] is not None else getattr(module, "is_causal", True)
    causal = bool(causal) and query.shape[2] > 1 and attention_mask is None
    if used["softcap"] is not None or used["s_aux"] is not None:
        output = _own_formula(
            module, (query, key, value), _additive(attention_mask, query, key, causal), used, options
        )
    else:
        output = sdpa_attention_forward(
            module,
            query,
            key,
            value,
            attention_mask,
            scaling=used["scaling"],
            is_causal=causal,
            position_bias=used["position_bias"],
        )[0]
    if collector is not None:
        collector.add(
            module,
            (query, key, value),
            output,
            mask=attention_mask,
            causal=causal,
            scale=used["scaling"] if used["scaling"] is not None else query.shape[-1] ** -0.5,
            bias=used["position_bias"],
            soft_cap=used["softcap"],
            sink=None if used["s_aux"] is None else used["s_aux"].detach(),
        )
    return output, None


def _own_formula(
    module: nn.Module,
    vectors: tuple[Tensor, Tensor, Tensor],
    mask: Tensor | None,
    used: Mapping[str, Any],
    options: Mapping[str, Any],
) -> Tensor:
    """The model's own eager function: torch's kernel raises on a soft cap and silently ignores a sink."""
    formula: Callable[..., tuple[Tensor, Tensor]] | None = getattr(
        sys.modules[type(module).__module__], "eager_attention_forward", None
    )
    if formula is None:
        raise TraceError(f"{type(module).__name__} has no formula of its own for its soft cap or sink")
    named = {name: used[name] for name in ("scaling", "softcap", "s_aux") if used[name] is not None}
    window = {name: options[name] for name in ("sliding_window",) if name in options}
    return formula(module, *vectors, mask, dropout=0.0, **named, **window)[0]


def _additive(mask: Tensor | None, query: Tensor, key: Tensor, causal: bool) -> Tensor | None:
    """The mask as eager functions want it: 0 where a key is allowed, the smallest number where it is not."""
    if mask is None:
        if not causal:
            return None
        positions = (torch.arange(size, device=query.device) for size in (query.shape[2], key.shape[2]))
        mask = CausalMask().window(*positions)[None, None]
    if mask.dtype != torch.bool:
        return mask
    return torch.zeros((), dtype=query.dtype, device=mask.device).where(mask, torch.finfo(query.dtype).min)


AttentionInterface.register(NAME, _attend)
AttentionMaskInterface.register(NAME, sdpa_mask)
