"""Where the layers of a transformers model begin, so that what enters them can be changed.

A layer is an entry of an outermost `nn.ModuleList`, whatever the family calls it. Its hook is installed once, when a
change first asks for it, and does nothing unless a pass that wants it stands in the context variable.
"""

import threading
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

from torch import Tensor, nn

from attention_core.errors import NotAvailableError
from attention_core.maps import Kind
from attention_core.models.decoders import is_causal
from attention_core.nn.changing import Changes


class Entrances:
    """The layers of one pass, as they begin: each kind's in order."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._begun: Counter[Kind] = Counter()

    def enter(self, kind: Kind, hidden: Tensor) -> Tensor:
        """What the next layer of this kind gets."""
        self._begun[kind] += 1
        return self._changes.entering(kind, self._begun[kind] - 1, hidden)

    def demand(self, kind: Kind, layer: int) -> None:
        """A NotAvailableError unless the layer whose attention runs now was seen to begin."""
        if kind != Kind.CROSS and self._begun[kind] != layer + 1:
            raise NotAvailableError(
                f"where the layers of this model begin is not known: {self._begun[kind]} were seen before the "
                f"attention of layer {layer}",
                reason="no-layers",
            )


_passing: ContextVar[Entrances | None] = ContextVar("attention_atlas_entrances", default=None)
_marked: weakref.WeakSet[nn.Module] = weakref.WeakSet()
_lock = threading.Lock()


@contextmanager
def entering(network: nn.Module, changes: Changes | None) -> Iterator[None]:
    """While this is open, changes that want to see what enters a layer see it in this thread's passes."""
    if changes is None or not changes.enters:
        yield
        return
    with _lock:
        if network not in _marked:
            _mark(network)
            _marked.add(network)
    token = _passing.set(Entrances(changes))
    try:
        yield
    finally:
        _passing.reset(token)


def demand_entered(kind: Kind, layer: int) -> None:
    """A NotAvailableError with the reason "no-layers" where a pass wants to see layers begin and missed this one."""
    passing = _passing.get()
    if passing is not None:
        passing.demand(kind, layer)


def _mark(network: nn.Module) -> None:
    two_stacks = bool(getattr(getattr(network, "config", None), "is_encoder_decoder", False))
    outermost: list[str] = []
    for name, module in network.named_modules():  # what holds others comes before them
        if isinstance(module, nn.ModuleList) and not any(name.startswith(f"{one}.") for one in outermost):
            outermost.append(name)
            decodes = "decoder" in name.split(".") if two_stacks else is_causal(network)
            kind = Kind.DECODER_SELF if decodes else Kind.ENCODER_SELF
            for layer in module:
                layer.register_forward_pre_hook(partial(_enter, kind), with_kwargs=True)


def _enter(
    kind: Kind, _: nn.Module, given: tuple[Any, ...], named: Mapping[str, Any]
) -> tuple[tuple[Any, ...], Mapping[str, Any]] | None:
    passing = _passing.get()
    if passing is None:
        return None
    if given:
        return (passing.enter(kind, given[0]), *given[1:]), named
    return given, {**named, "hidden_states": passing.enter(kind, named["hidden_states"])}
