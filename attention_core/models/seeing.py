"""How a vision model sees: pictures resized, cut into patches and normalised as its configuration says."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from attention_core.errors import CheckpointError
from attention_core.files import PREPROCESSOR_FILE, read_object
from attention_core.pictures import Picture, cropped, resized, squared

LARGEST = 10_000  # pixels a side
_USUAL = (0.5, 0.5, 0.5)  # ViT's own mean and standard deviation of pixels from 0 to 1
_FILTERS = {2: "bilinear", 3: "bicubic"}  # Pillow's numbers of the filters that published models were trained with


@dataclass(frozen=True)
class Seeing:
    """The size of the pictures that a model takes, of its patches, and how pixels become numbers, in pixels.

    A picture that is no square is stretched, as transformers does it, or `pads`: laid on a square of its border's
    colour, where the shape of things counts. With `shortest` its shorter side gets so many pixels and the middle is
    cut out; `stretched` gives both sides so many pixels before that. Pixels from 0 to 255 are divided by `divisor`.
    """

    size: int
    patch: int
    mean: tuple[float, ...] = _USUAL
    std: tuple[float, ...] = _USUAL
    pads: bool = False
    shortest: int | None = None
    stretched: int | None = None
    filter: Literal["bilinear", "bicubic"] = "bilinear"
    divisor: float = 255.0

    @classmethod
    def of(cls, config: Mapping[str, Any], preprocessor: Mapping[str, Any] | None = None) -> "Seeing":
        """As a configuration has it: image_size, patch_size, and image_mean and image_std where they stand.

        `preprocessor` is what stands beside it in preprocessor_config.json; a CheckpointError for what no model sees.
        """
        told = {**config, **(preprocessor or {})}
        try:
            size, patch = _side(config["image_size"]), _side(config["patch_size"])
            mean, std = (
                tuple(float(value) for value in told.get(name) or _USUAL) for name in ("image_mean", "image_std")
            )
            if told.get("do_normalize") is False:
                mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
            shortest, stretched = _before_crop(preprocessor or {}, size)
            known = _FILTERS[told.get("resample", 2)]
            divisor = _divisor(preprocessor or {})
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise CheckpointError(f"this vision model has no usable picture size: {error}", reason="config") from error
        if patch < 1 or not patch <= size <= LARGEST or size % patch or len(mean) != 3 or len(std) != 3 or 0.0 in std:
            raise CheckpointError(
                f"pictures of {size} pixels cannot be cut into patches of {patch}, or are not RGB", reason="config"
            )
        filtering: Literal["bilinear", "bicubic"] = "bicubic" if known == "bicubic" else "bilinear"
        return cls(size, patch, mean, std, config.get("image_fit") == "pad", shortest, stretched, filtering, divisor)

    def see(self, image: Tensor) -> tuple[Picture, Tensor]:
        """The picture at the model's size, and its pixels as numbers (1, channel, height, width)."""
        pixels = self._fitted(squared(image) if self.pads else image)
        scaled = pixels.permute(2, 0, 1).float() / self.divisor  # (channel, height, width)
        mean, std = (torch.tensor(values)[:, None, None] for values in (self.mean, self.std))
        patches = self.size // self.patch
        return Picture(pixels, patches, patches), ((scaled - mean) / std)[None]

    def _fitted(self, image: Tensor) -> Tensor:
        """The pixels (size, size, 3)."""
        height, width, _ = image.shape
        if self.shortest is not None:
            # A strip is first cut to what is left of it, so that it does not become a huge picture.
            ratio = self.shortest / min(height, width)
            image = cropped(image, *(min(side, max(1, int(LARGEST / ratio))) for side in (height, width)))
            height, width = (max(self.shortest, int(ratio * side)) for side in image.shape[:2])
            return cropped(resized(image, height, width, self.filter), self.size, self.size)
        if self.stretched is not None:
            return cropped(resized(image, self.stretched, self.stretched, self.filter), self.size, self.size)
        return resized(image, self.size, self.size, self.filter)


def read_preprocessor(folder: Path) -> Mapping[str, Any]:
    """What preprocessor_config.json says, nothing where there is none; a CheckpointError for a damaged one."""
    path = folder / PREPROCESSOR_FILE
    return read_object(path) if path.exists() else {}


def _divisor(told: Mapping[str, Any]) -> float:
    """What pixels are divided by: the other way round than preprocessor_config.json says it."""
    if told.get("do_rescale") is False:
        return 1.0
    factor = float(told.get("rescale_factor", 1 / 255))
    if told.get("rescale_offset") is True or not 1e-6 <= factor <= 1e6:
        raise ValueError(f"pixels times {factor}, or with an offset")
    return 255.0 if isclose(factor, 1 / 255, rel_tol=1e-6) else 1 / factor


def _before_crop(told: Mapping[str, Any], size: int) -> tuple[int | None, int | None]:
    """The pixels that the shorter side, or both, get before the middle is cut out; None where nothing is cut."""
    if told.get("do_resize") is False or "size" not in told:
        return None, None
    given = told["size"]
    if isinstance(given, Mapping) and "shortest_edge" in given:
        shortest = _side(given["shortest_edge"])
        if not size <= shortest <= LARGEST:
            raise ValueError(f"a shortest edge of {shortest} pixels for pictures of {size}")
        return shortest, None
    both = _side([given["height"], given["width"]] if isinstance(given, Mapping) else given)
    if told.get("do_center_crop") and both > size:
        return None, min(both, LARGEST)
    return None, None


def _side(given: Any) -> int:
    """The pixels of a side, which a pair of the same number may give too."""
    sides = given if isinstance(given, list | tuple) else [given]
    if len(set(sides)) != 1 or type(sides[0]) is not int:
        raise ValueError(f"a size of {str(given)[:100]}, not of a square in whole pixels")
    return int(sides[0])
