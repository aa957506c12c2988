"""Where attention stands in a transformers model: which kind a sub-layer is, by its name; layers by call order."""

from collections import Counter
from typing import Any

from torch import nn

from attention_core.maps import Kind
from attention_core.nn.changing import NOWHERE, There

# What BART and Marian, T5, and GPT-2 call attention from the target to the source.
CROSS_NAMES = frozenset({"encoder_attn", "EncDecAttention", "crossattention", "cross_attn"})


class Sites:
    """Tells the sub-layers of one model apart while it runs. One instance a forward pass.

    A model that is run again and again, to write, needs to know how many layers are `there`: they begin anew each time.
    """

    def __init__(self, network: nn.Module, there: There = NOWHERE) -> None:
        self._names = {id(module): name for name, module in network.named_modules()}
        self._two_stacks = bool(getattr(getattr(network, "config", None), "is_encoder_decoder", False))
        self._layers: Counter[Kind] = Counter()
        self._there = there

    def next(self, module: nn.Module) -> tuple[Kind, int]:
        """The kind and layer of the sub-layer that runs now. ALBERT runs one module N times: N layers."""
        kind = self._kind(module)
        layer = self._layers[kind]
        self._layers[kind] += 1
        count = self._there.get(kind, (0, 0))[0]
        return kind, layer % count if count else layer

    def reads_source(self, kind: Kind) -> bool:
        """Whether the keys of such attention are the tokens of the source."""
        return kind != Kind.DECODER_SELF or not self._two_stacks

    def _kind(self, module: nn.Module) -> Kind:
        parts = self._names.get(id(module), "").split(".")
        if CROSS_NAMES.intersection(parts):
            return Kind.CROSS
        if self._two_stacks:
            return Kind.DECODER_SELF if "decoder" in parts else Kind.ENCODER_SELF
        return Kind.DECODER_SELF if bool(getattr(module, "is_causal", False)) else Kind.ENCODER_SELF


def text_config(network: Any) -> Any:
    """The configuration of the part that reads text: of a model that sees too, as Gemma-3, it is one within another."""
    config = network.config
    return config.get_text_config() if hasattr(config, "get_text_config") else config
