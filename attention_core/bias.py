"""What a model adds to its scores before the softmax, as T5 does."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False, kw_only=True)
class RelativeBias:
    """A bias that depends on key - query only, as in T5 (Raffel et al. 2020, section 2.1): linear memory.

    `by_distance` is (head, distance), where distance 0 stands for key 0 seen from the last query.
    """

    by_distance: Tensor
    query_count: int

    def window(self, heads: slice, queries: Tensor, key_count: int) -> Tensor:
        """The bias (head, query, key) of some positions of queries and all keys."""
        key = torch.arange(key_count, device=self.by_distance.device)
        return self.by_distance[heads][:, key[None, :] - queries[:, None] + self.query_count - 1]


Bias = Tensor | RelativeBias
