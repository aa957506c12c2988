"""Finds the layers that mix the heads' outputs in a model of transformers, by what goes through them.

No list of names: while a short probe runs, the layer is looked for whose input is exactly what the heads gave and
whose output is that input times its weight. A model that does something else in between, such as a gate, has none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from attention_core.maps import Kind
from attention_core.nn.norms import OutputProjection

_SLACK = {torch.float16: 1e-2, torch.bfloat16: 3e-2}  # of the largest output; float32: 1e-4
Place = tuple[Kind, int]


class Finder:
    """Told what the heads of each attention gave, it sees which layer takes that in. One instance a forward pass."""

    def __init__(self) -> None:
        self._given: tuple[Place, Tensor] | None = None
        self._found: dict[Place, OutputProjection] = {}
        self._refused: set[Place] = set()

    @property
    def found(self) -> dict[tuple[str, int], OutputProjection]:
        """The layers by kind and layer; none where what takes in the heads' output is more than a matrix and a bias."""
        return {place: found for place, found in self._found.items() if place not in self._refused}

    def add(self, place: Place, vectors: tuple[Tensor, Tensor, Tensor], output: Tensor, **how: Any) -> None:
        """What the heads of one attention gave: output (batch, query, head, value_dim)."""
        del vectors, how
        self._given = place, output.flatten()

    @contextmanager
    def watching(self, network: nn.Module) -> Iterator[None]:
        """Looks at what goes in and out of every module of the network, for one pass."""
        handles = [module.register_forward_hook(self._look) for module in network.modules()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _look(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        weight = getattr(module, "weight", None)
        if self._given is None or not inputs or not isinstance(inputs[0], Tensor) or not isinstance(output, Tensor):
            return
        (place, heads), given = self._given, inputs[0]
        if not isinstance(weight, Tensor) or weight.ndim != 2 or given.numel() != heads.numel() or not heads.any():
            return
        if not torch.equal(given.flatten(), heads):
            return
        transposed = _orientation(module, weight, given, output)
        # A layer around the one that was found, as adapters are, has the last word: what it adds must not be missed.
        if transposed is None:
            self._refused.add(place)
        else:
            self._found.setdefault(place, OutputProjection(module, transposed))


def _orientation(module: nn.Module, weight: Tensor, given: Tensor, output: Tensor) -> bool | None:
    """Whether the layer's weight lies transposed, (in, out); None where it is not what makes the output."""
    bias = getattr(module, "bias", None)
    expected = output - bias if isinstance(bias, Tensor) else output
    slack = _SLACK.get(output.dtype, 1e-4) * float(output.abs().max())
    for transposed in (False, True):
        matrix = weight if transposed else weight.T  # (in, out)
        if matrix.shape != (given.shape[-1], output.shape[-1]) or matrix.dtype != given.dtype:
            continue
        if float((given @ matrix - expected).abs().max()) <= slack:
            return transposed
    return None
