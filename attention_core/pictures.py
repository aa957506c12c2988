"""Pictures: bytes from anywhere to pixels, safely, and pixels to what a vision model sees.

Only three formats are opened, only their first frame, and nothing of their metadata is used.
"""

import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from attention_core.errors import PictureError, PictureTooLargeError, ShapeError

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_BYTES = 8 * 1024 * 1024
MOST_PIXELS = 40_000_000
KEPT = 1024  # pixels of the longer side that are kept: every model of the catalogue sees less

_BROKEN = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)


@dataclass(frozen=True, eq=False)
class Picture:
    """What a vision model saw: pixels uint8 (height, width, 3), cut into rows x columns patches."""

    pixels: Tensor
    rows: int
    columns: int

    def __post_init__(self) -> None:
        shape = tuple(self.pixels.shape)
        if self.pixels.dtype != torch.uint8 or len(shape) != 3 or shape[2] != 3 or 0 in shape:
            raise ShapeError(f"a picture is uint8 (height, width, 3), not {self.pixels.dtype} of shape {shape}")
        if self.rows < 1 or self.columns < 1 or shape[0] % self.rows or shape[1] % self.columns:
            raise ShapeError(f"{shape[0]} x {shape[1]} pixels are not {self.rows} x {self.columns} equal patches")


def read_picture(data: bytes) -> Tensor:
    """The pixels uint8 (height, width, 3) of a PNG, JPEG or WebP, at most 1,024 on the longer side.

    Transparency lies on white. PictureTooLargeError above 8 MB or 40 megapixels, before anything is decoded;
    PictureError for bytes that are no whole picture of these formats.
    """
    if len(data) > MOST_BYTES:
        raise PictureTooLargeError(
            f"this picture has {len(data)} bytes; at most {MOST_BYTES} are taken", bytes=len(data), limit=MOST_BYTES
        )
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _demand_pixels(image)
            image.draft("RGB", (KEPT, KEPT))  # a JPEG is decoded no larger than it is kept
            return _pixels(image)
    except PictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooLargeError(
            f"this picture has more than the {MOST_PIXELS} pixels that are taken", limit=MOST_PIXELS
        ) from error
    except _BROKEN as error:
        raise PictureError(
            "this is no whole picture that can be read; accepted: PNG, JPEG and WebP", accepted=FORMATS
        ) from error


def reading_bytes(data: bytes) -> int:
    """Memory that reading these bytes takes at its height; 0 where `read_picture` will refuse them."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return 12 * image.width * image.height if image.width * image.height <= MOST_PIXELS else 0
    except (*_BROKEN, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return 0


def to_png(pixels: Tensor) -> bytes:
    """The pixels uint8 (height, width, 3) as a PNG file without metadata."""
    file = io.BytesIO()
    Image.fromarray(pixels.cpu().numpy()).save(file, format="PNG")
    return file.getvalue()


def resized(pixels: Tensor, height: int, width: int, how: str = "bilinear") -> Tensor:
    """The pixels uint8 (height, width, 3) at another size, by bilinear or bicubic filtering over what each covers."""
    image = Image.fromarray(pixels.cpu().numpy())
    filtering = Image.Resampling.BICUBIC if how == "bicubic" else Image.Resampling.BILINEAR
    return _array(image.resize((width, height), filtering))


def cropped(pixels: Tensor, height: int, width: int) -> Tensor:
    """The middle of the pixels uint8 (height, width, 3)."""
    top, left = ((have - wanted) // 2 for have, wanted in zip(pixels.shape, (height, width), strict=False))
    return pixels[top : top + height, left : left + width].clone()


def squared(pixels: Tensor) -> Tensor:
    """The pixels uint8 (height, width, 3) in the middle of a square of the median colour of their border."""
    height, width, _ = pixels.shape
    size = max(height, width)
    if height == width:
        return pixels
    border = torch.cat([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])  # (pixel, 3)
    square = border.median(dim=0).values.expand(size, size, 3).clone()
    top, left = (size - height) // 2, (size - width) // 2
    square[top : top + height, left : left + width] = pixels
    return square


def _demand_pixels(image: Image.Image) -> None:
    pixels = image.width * image.height
    if pixels > MOST_PIXELS:
        raise PictureTooLargeError(
            f"this picture has {image.width} x {image.height} pixels; at most {MOST_PIXELS} are taken",
            pixels=pixels,
            limit=MOST_PIXELS,
        )


def _pixels(image: Image.Image) -> Tensor:
    """The first frame as RGB on white, at most KEPT a side."""
    image.seek(0)
    image.load()
    if image.mode.startswith("I"):  # 16 bits a pixel: the upper 8 are what RGB has
        deep = np.array(image).clip(0, 65535)
        image = Image.fromarray(np.right_shift(deep, 8, out=deep).astype(np.uint8))
    if image.mode in ("P", "PA", "LA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
    image.thumbnail((KEPT, KEPT))
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    return _array(image.convert("RGB"))


def _array(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image, dtype=np.uint8))
