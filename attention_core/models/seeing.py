"""How a vision model sees: pictures resized, cut into patches and normalised as its configuration says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from attention_core.errors import CheckpointError
from attention_core.pictures import Picture, resized, squared

_USUAL = (0.5, 0.5, 0.5)  # ViT's own mean and standard deviation of pixels from 0 to 1


@dataclass(frozen=True)
class Seeing:
    """The size of the pictures that a model takes, of its patches, and how pixels become numbers, in pixels.

    A picture that is no square is stretched, as transformers does it, or `pads`: laid on a square of its border's
    colour, where the shape of things counts.
    """

    size: int
    patch: int
    mean: tuple[float, ...] = _USUAL
    std: tuple[float, ...] = _USUAL
    pads: bool = False

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Seeing":
        """As a configuration has it: image_size, patch_size, and image_mean and image_std where they stand."""
        try:
            size, patch = int(config["image_size"]), int(config["patch_size"])
            mean, std = (
                tuple(float(value) for value in config.get(name) or _USUAL) for name in ("image_mean", "image_std")
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"this vision model has no usable picture size: {error}") from error
        if size < 1 or patch < 1 or size % patch or len(mean) != 3 or len(std) != 3 or 0.0 in std:
            raise CheckpointError(f"pictures of {size} pixels cannot be cut into patches of {patch}, or are not RGB")
        return cls(size, patch, mean, std, config.get("image_fit") == "pad")

    def see(self, image: Tensor) -> tuple[Picture, Tensor]:
        """The picture at the model's size, and its pixels as numbers (1, channel, height, width)."""
        pixels = resized(squared(image) if self.pads else image, self.size, self.size)
        scaled = pixels.permute(2, 0, 1).float() / 255  # (channel, height, width)
        mean, std = (torch.tensor(values)[:, None, None] for values in (self.mean, self.std))
        patches = self.size // self.patch
        return Picture(pixels, patches, patches), ((scaled - mean) / std)[None]
