"""Sees what goes into the projections of one attention of a transformers model, and what comes out of it.

No list of names: while the attention runs, what was handed to it and then goes into a layer of its own is what its
queries, keys and values are made of; and `projections` has found the layer that mixes the heads' outputs.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import get_ident
from typing import Any

from torch import Tensor, nn

from attention_core.capture.projections import Place
from attention_core.nn.watching import Passage


@dataclass(eq=False)
class _Running:
    """A module that runs now: the tensors that it was handed, and those that went on, as they are, into a matrix."""

    given: list[Tensor]
    used: list[Tensor] = field(default_factory=list)


class Witness:
    """Told by an attention function what its heads gave; `passage` is then what went through the attention at `place`.

    `output` is the layer that mixes its heads. One instance a forward pass.
    """

    def __init__(self, place: Place, output: nn.Module) -> None:
        self.passage: Passage | None = None
        self._place = place
        self._output = output
        self._running: list[_Running] = []
        self._inputs: tuple[Tensor, Tensor] | None = None
        self._heads = 0
        self._thread = get_ident()

    def add(self, place: Place, vectors: tuple[Tensor, Tensor, Tensor], output: Tensor, **how: Any) -> None:
        """The attention at a place has computed what its heads give: output (batch, query, head, value_dim)."""
        del how
        if place != self._place or not self._running:
            return
        # Queries are made first everywhere, and what is used last keys and values are made of.
        used = self._running[-1].used
        query, key, _ = vectors
        if used and used[0].shape[:2] == (len(query), query.shape[2]) and used[-1].shape[1] == key.shape[2]:
            self._inputs, self._heads = (used[0], used[-1]), output.shape[2]

    @contextmanager
    def watching(self, network: nn.Module) -> Iterator[None]:
        """Looks at what goes in and out of every module of the network, for one pass of this thread: others may run the
        same network meanwhile."""
        handles = []
        for module in network.modules():
            handles.append(module.register_forward_pre_hook(self._begin, with_kwargs=True))
            handles.append(module.register_forward_hook(self._end))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _begin(self, module: nn.Module, given: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        if get_ident() != self._thread:
            return
        weight = getattr(module, "weight", None)
        if given and isinstance(given[0], Tensor) and isinstance(weight, Tensor) and weight.ndim == 2:
            for outer in self._running:
                if any(given[0] is one for one in outer.given):
                    outer.used.append(given[0])
        tensors = [one for one in (*given, *named.values()) if isinstance(one, Tensor) and one.ndim == 3]
        self._running.append(_Running(tensors))

    def _end(self, module: nn.Module, given: tuple[Any, ...], output: Any) -> None:
        if get_ident() != self._thread:
            return
        self._running.pop()
        if module is self._output and self._inputs is not None and isinstance(output, Tensor):
            heads = given[0].unflatten(-1, (self._heads, -1)).transpose(1, 2)  # (batch, head, query, value_dim)
            self.passage = Passage(*self._inputs, heads, output)
            self._inputs = None
