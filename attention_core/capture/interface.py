"""Capture from transformers models through their attention interface.

One attention function is registered together with its mask function: without the second, GPT-2 gets no mask and
looks at the future. It is inactive unless a pass stands in the context variable, so two requests never mix. The fast
kernel computes; a collector keeps references to queries, keys and values, and changes are made around the kernel.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from attention_core.capture.entering import demand_entered, entering
from attention_core.capture.projections import Finder
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
from attention_core.capture.witness import Witness
from attention_core.errors import TraceError
from attention_core.maps import Bias, FactoredMap, Kind, RelativeBias
from attention_core.masks import CausalMask, Mask, recognise
from attention_core.nn.changing import NOWHERE, Changes, There
from attention_core.nn.norms import NO_OUTPUTS, Outputs
from attention_core.nn.shapes import zero_empty_rows
from attention_core.nn.watching import Passage

NAME = "attention_atlas"
PROBED = 24  # tokens that are enough to see what the heads' outputs go through
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

    def __init__(self, outputs: Outputs = NO_OUTPUTS) -> None:
        self.seen: list[Seen] = []
        self._outputs = outputs
        # Layers share masks and biases: each is read once. The tensor is kept, so that its id stays its own.
        self._masks: dict[int, tuple[Tensor, Mask]] = {}
        self._biases: dict[int, tuple[Tensor, Bias | None]] = {}

    def add(
        self, place: tuple[Kind, int], vectors: tuple[Tensor, Tensor, Tensor], output: Tensor, **how: Any
    ) -> None:
        """Keep one sub-layer: its vectors (batch, head, position, dim) and a few rows of its kernel's output."""
        query, key, value = (tensor[0].detach() for tensor in vectors)
        if vectors[0].shape[0] != 1:
            raise TraceError(f"a trace is of one example, not of a batch of {vectors[0].shape[0]}")
        kind, layer = place
        rows = sample_rows(query.shape[1])
        projection = self._outputs.get(place)
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
            value_norms=None if projection is None else projection.lengths(value, len(query)),
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
        self, place: tuple[Kind, int], vectors: tuple[Tensor, Tensor, Tensor], output: Tensor, **how: Any
    ) -> None:
        """Keep the newest query's row of one sub-layer, over all tokens read."""
        del place, output
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


@dataclass(eq=False)
class Going:
    """A pass that goes on: who gathers what it sees, and what is done to it.

    hidden: (batch, source position), True where no query may look.
    """

    sites: Sites
    collector: Collector | NewestRows | Finder | Witness | None = None
    changes: Changes | None = None
    hidden: Tensor | None = None

    def masked(self, kind: Kind, mask: Tensor | None, causal: bool, query: Tensor, key: Tensor) -> Tensor | None:
        """The mask (batch, 1, query, key) in which no query looks at a hidden token; `mask` itself where none is."""
        if self.hidden is None or not self.sites.reads_source(kind):
            return mask
        if mask is None and causal:
            mask = _causal(query, key)
        if mask is not None and mask.dtype != torch.bool:
            raise TraceError(f"a mask {mask.dtype} of shape {tuple(mask.shape)} cannot be read")
        open_keys = ~self.hidden[:, None, None, :]  # (batch, 1, 1, key)
        return open_keys.expand(-1, 1, query.shape[2], -1) if mask is None else mask & open_keys

    def value(self, place: tuple[Kind, int], value: Tensor) -> Tensor:
        """The values (batch, key head, key, value_dim) that the kernel gets."""
        return value if self.changes is None else self.changes.value(*place, value)

    def output(self, place: tuple[Kind, int], output: Tensor) -> Tensor:
        """What goes on of the output (batch, query, head, value_dim), as the interface has it."""
        if self.changes is None:
            return output
        return self.changes.output(*place, output.transpose(1, 2)).transpose(1, 2).contiguous()


_going: ContextVar[Going | None] = ContextVar("attention_atlas_going", default=None)


@contextmanager
def _listening(going: Going) -> Iterator[None]:
    token = _going.set(going)
    try:
        yield
    finally:
        _going.reset(token)


class Continuation:
    """A decoder of transformers in the middle of a text, with the cache of its own library."""

    def __init__(self, network: Any, changes: Changes | None = None, there: There = NOWHERE) -> None:
        self._network = network
        self._changes = changes
        self._sites = Sites(network, there)
        self._options = step_options(network)
        self._past: Any = None
        self._read = 0

    def read(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """The scores of the next token (token), and the rows of the newest position (layer, head, key), float32."""
        self._read += ids.shape[1]
        rows = NewestRows(self._read)
        with _listening(Going(self._sites, rows, self._changes)):
            output = self._network(input_ids=ids, past_key_values=self._past, **self._options)
        self._past = output.past_key_values
        return output.logits[0, -1], torch.stack(rows.rows)


def run(
    network: nn.Module, inputs: Mapping[str, Tensor], changes: Changes | None = None, outputs: Outputs = NO_OUTPUTS
) -> Run:
    """One forward pass over one example, as factored maps; with value norms where `outputs` are. The network must be
    `installed`."""
    collector = Collector(outputs)
    with _listening(Going(Sites(network), collector, changes)):
        output = network(**inputs, **call_options(network), return_dict=True)
    if not collector.seen:
        raise TraceError(f"{type(network).__name__} does not use the attention interface")
    logits = logits_of(network, output, collector.seen[-1].map.query_count)
    return Run(tuple(collector.seen), output[0][0], logits)


def find_outputs(network: nn.Module, inputs: Mapping[str, Tensor]) -> Outputs:
    """The layers that mix the heads' outputs, as far as they can be found. The network must be `installed`."""
    short = {name: given[:, :PROBED] if given.ndim == 2 else given for name, given in inputs.items()}
    finder = Finder()
    with finder.watching(network), _listening(Going(Sites(network), finder)):
        network(**short, **call_options(network), return_dict=True)
    return finder.found


def passage(
    network: nn.Module, inputs: Mapping[str, Tensor], witness: Witness, changes: Changes | None = None
) -> Passage | None:
    """What goes through the attention that the witness looks at, None where it cannot be told. The network must be
    `installed`."""
    with witness.watching(network), _listening(Going(Sites(network), witness, changes)):
        network(**inputs, **call_options(network), return_dict=True)
    return witness.passage


def say(
    network: nn.Module, inputs: Mapping[str, Tensor], changes: Changes | None, hidden: Tensor | None, **options: Any
) -> Any:
    """What the network itself returns for a batch, of which no record is kept; `options` are for its own call."""
    with _listening(Going(Sites(network), None, changes, hidden)), entering(network, changes):
        return network(**inputs, **call_options(network) | options, return_dict=True)


def write(
    network: Any, inputs: Mapping[str, Tensor], limit: int, changes: Changes | None = None, there: There = NOWHERE
) -> list[int]:
    """The ids that an encoder-decoder writes for a source, always the most probable one next, after its start."""
    with _listening(Going(Sites(network, there), None, changes)):
        ids = network.generate(**inputs, do_sample=False, num_beams=1, max_new_tokens=limit)[0].tolist()
    return list(ids[1:])


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
    going = _going.get()
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
    if going is None:
        return _computed(module, (query, key, value), attention_mask, causal, used, options), None
    place = going.sites.next(module)
    demand_entered(*place)
    mask = going.masked(place[0], attention_mask, causal, query, key)
    causal = causal and mask is None
    vectors = query, key, going.value(place, value)
    output = _computed(module, vectors, mask, causal, used, options)  # (batch, query, head, value_dim)
    if mask is not attention_mask:  # a token that may look at nothing brings nothing, whatever a kernel makes of it
        assert mask is not None
        output = zero_empty_rows(output.transpose(1, 2), mask).transpose(1, 2)
    if going.collector is not None:
        going.collector.add(
            place,
            vectors,
            output,
            mask=mask,
            causal=causal,
            scale=used["scaling"] if used["scaling"] is not None else query.shape[-1] ** -0.5,
            bias=used["position_bias"],
            soft_cap=used["softcap"],
            sink=None if used["s_aux"] is None else used["s_aux"].detach(),
        )
    return going.output(place, output), None


def _computed(
    module: nn.Module,
    vectors: tuple[Tensor, Tensor, Tensor],
    mask: Tensor | None,
    causal: bool,
    used: Mapping[str, Any],
    options: Mapping[str, Any],
) -> Tensor:
    """The output (batch, query, head, value_dim), by torch's kernel or the model's own formula."""
    if used["softcap"] is not None or used["s_aux"] is not None:
        return _own_formula(module, vectors, _additive(mask, vectors[0], vectors[1], causal), used, options)
    output: Tensor = sdpa_attention_forward(
        module,
        *vectors,
        mask,
        scaling=used["scaling"],
        is_causal=causal,
        position_bias=used["position_bias"],
    )[0]
    return output


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
        mask = _causal(query, key)
    if mask.dtype != torch.bool:
        return mask
    return torch.zeros((), dtype=query.dtype, device=mask.device).where(mask, torch.finfo(query.dtype).min)


def _causal(query: Tensor, key: Tensor) -> Tensor:
    """No query looks at a later key: (1, 1, query, key)."""
    positions = (torch.arange(size, device=query.device) for size in (query.shape[2], key.shape[2]))
    return CausalMask().window(*positions)[None, None]


AttentionInterface.register(NAME, _attend)
AttentionMaskInterface.register(NAME, sdpa_mask)
