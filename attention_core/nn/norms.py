"""How long the vector is that a key hands on: Kobayashi et al. 2020, "Attention is Not Only a Weight", section 2.

A head's output at a query is the sum over keys of α f(x), f(x) = (x Wᵛ + bᵛ) Wᴼ (eq. 4 and 5): the key's value vector
times the head's slice of the output projection. α ‖f(x)‖ is how much of it a key contributes, α alone is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor, nn


def output_factors(weight: Tensor, heads: int) -> Tensor:
    """Of an output projection (embed_dim, head * value_dim) a small factor a head, float32 (head, rank, value_dim).

    The factor R of the slice's QR decomposition W = Q R. Columns of Q are orthonormal, so that ‖W v‖ = ‖R v‖: exact,
    and without vectors of embed_dim for every head and key. Computed on the processor: not every accelerator has a QR.
    """
    slices = weight.detach().cpu().float().reshape(len(weight), heads, -1)  # (embed_dim, head, value_dim)
    factors: Tensor = torch.linalg.qr(slices.transpose(0, 1), mode="r").R  # (head, rank, value_dim)
    return factors.to(weight.device)


def transformed_lengths(values: Tensor, factors: Tensor) -> Tensor | None:
    """‖f(x)‖ of every key (head, key), float32, of values (key head, key, value_dim) and `output_factors`.

    Heads that share a value vector (Ainslie et al. 2023) have each a slice and a length of their own. The bias of the
    output projection belongs to no key and is left out. None where a length is beyond float32.
    """
    groups, count, size = values.shape
    grouped = factors.reshape(groups, -1, size)  # (key head, head of the group * rank, value_dim)
    transformed = values.float() @ grouped.transpose(1, 2)  # (key head, key, head of the group * rank)
    vectors = transformed.view(groups, count, len(factors) // groups, -1)  # (key head, key, head of the group, rank)
    lengths = torch.linalg.vector_norm(vectors, dim=-1).transpose(1, 2).reshape(len(factors), count)  # (head, key)
    return lengths if bool(torch.isfinite(lengths.sum())) else None


@dataclass(eq=False)
class OutputProjection:
    """The linear layer that mixes the heads of one attention; its factors are kept until its weight changes.

    `transposed`: its weight is (head * value_dim, embed_dim), as GPT-2's in transformers.
    """

    module: nn.Module
    transposed: bool = False
    _kept: tuple[Tensor, int, Tensor] | None = field(default=None, repr=False)  # weight, its version, factors

    def lengths(self, values: Tensor, heads: int) -> Tensor | None:
        """‖f(x)‖ (head, key) of the values (key head, key, value_dim) of so many heads; as `transformed_lengths`."""
        return transformed_lengths(values, self._factors(heads))

    def _factors(self, heads: int) -> Tensor:
        weight: Tensor = self.module.weight  # type: ignore[assignment]
        version = 0 if weight.is_inference() else weight._version
        kept = self._kept
        if kept is None or kept[0].data_ptr() != weight.data_ptr() or kept[1] != version:
            factors = output_factors(weight.T if self.transposed else weight, heads)
            # The weight is held, so that no other can come to lie where it was.
            self._kept = kept = weight.detach(), version, factors
        return kept[2]


Outputs = Mapping[tuple[str, int], OutputProjection]  # by kind and layer
NO_OUTPUTS: Outputs = MappingProxyType({})
