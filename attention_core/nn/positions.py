"""Where a token stands: a wave that is added to its vector, or a turn of its queries and keys.

Learned positions are a table of vectors like that of the tokens, and need no words here.
"""

import torch
from torch import Tensor


def sinusoidal(places: Tensor, dim: int) -> Tensor:
    """The waves (position, dim) of tokens at these places (position), counted from 0, float32, in Marian's layout.

    Vaswani et al. 2017, section 3.5: sin and cos of position / 10000^(2i/dim). Marian puts all sines into the
    first half and all cosines into the second, where the paper has them by turns. Computed in float64: in
    float32 the angle of a late position is already off by 1e-4.
    """
    pairs = torch.arange(0, dim, 2, dtype=torch.float64)
    angles = places.cpu().double()[:, None] / 10000 ** (pairs / dim)  # (position, pair)
    waves = torch.cat([angles.sin(), angles[:, : dim // 2].cos()], dim=1)  # (position, dim)
    return waves.float()


def rotate(vectors: Tensor, places: Tensor) -> Tensor:
    """Queries or keys (batch, head, position, dim) turned by the angle of their places (position), counted from 0.

    Su et al. 2021, "RoFormer", section 3.2.2: pair i of position m is turned by m / 10000^(2i/dim), so that a score
    depends on the distance alone. A pair is (i, i + dim/2), as in Llama, where the paper has (2i, 2i + 1).
    """
    dim = vectors.shape[-1]
    speeds = 10000 ** -(torch.arange(0, dim, 2, device=vectors.device).float() / dim)  # (pair)
    angles = places.float()[:, None] * speeds  # (position, pair)
    cos, sin = angles.cos().to(vectors.dtype), angles.sin().to(vectors.dtype)
    first, second = vectors.chunk(2, dim=-1)  # twice (batch, head, position, pair)
    turned = first * cos - second * sin, second * cos + first * sin
    return torch.cat(turned, dim=-1)  # (batch, head, position, dim)
