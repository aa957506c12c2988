"""Pictures from anywhere: right pixels for every accepted form, and a sentence for everything else."""

import io
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
import torch
from PIL import Image

from attention_core.errors import PictureError, PictureTooLargeError, ShapeError
from attention_core.pictures import KEPT, MOST_BYTES, Picture, read_picture, resized, squared, to_png

RED = (200, 10, 30)


def file_of(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format=form, **options)
    return file.getvalue()


def plain(size: tuple[int, int] = (20, 10), colour: tuple[int, ...] = RED, mode: str = "RGB") -> Image.Image:
    return Image.new(mode, size, colour)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_each_format_gives_its_pixels(form: str) -> None:
    pixels = read_picture(file_of(plain(), form, **({} if form == "PNG" else {"quality": 100})))
    assert pixels.dtype == torch.uint8
    assert tuple(pixels.shape) == (10, 20, 3)
    assert int((pixels.int() - torch.tensor(RED)).abs().max()) <= 6


def test_transparency_lies_on_white() -> None:
    assert read_picture(file_of(plain(colour=(*RED, 0), mode="RGBA"), "PNG")).unique().tolist() == [255]
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([9, 9, 9])
    assert read_picture(file_of(palette, "PNG", transparency=0)).unique().tolist() == [255]
    assert read_picture(file_of(Image.new("LA", (4, 4), (0, 128)), "PNG")).unique().tolist() == [127]


def test_other_modes_keep_their_brightness() -> None:
    deep = Image.fromarray(np.full((4, 4), 0x8040, dtype=np.uint16))
    assert read_picture(file_of(deep, "PNG")).unique().tolist() == [0x80]
    cmyk = Image.new("CMYK", (16, 16), (0, 0, 0, 0))
    assert int(read_picture(file_of(cmyk, "JPEG")).min()) >= 250
    assert read_picture(file_of(Image.new("1", (4, 4), 1), "PNG")).unique().tolist() == [255]


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [plain(colour=RED), plain(colour=(0, 0, 255))]
    data = file_of(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    assert tuple(read_picture(data)[0, 0].tolist()) == RED


def test_metadata_changes_nothing() -> None:
    image = plain((20, 10))
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn me by 90 degrees"
    assert tuple(read_picture(file_of(image, "JPEG", exif=exif)).shape) == (10, 20, 3)


def test_a_large_picture_is_kept_small() -> None:
    assert max(read_picture(file_of(plain((3000, 1500)), "JPEG")).shape) == KEPT


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header promises width x height pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body


@pytest.mark.parametrize("size", [(8000, 5001), (10_000, 10_000), (60_000, 60_000)])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    with pytest.raises(PictureTooLargeError, match="40000000"):
        read_picture(bomb(*size))


def test_too_many_bytes_are_refused_with_both_numbers() -> None:
    with pytest.raises(PictureTooLargeError, match=str(MOST_BYTES)):
        read_picture(bytes(MOST_BYTES + 1))


GOOD = file_of(Image.effect_noise((64, 64), 50), "PNG")
JPEG = file_of(Image.effect_noise((64, 64), 50).convert("RGB"), "JPEG")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + bytes(100),
        b"%PDF-1.7",
        GOOD[:200],
        GOOD[:-40],
        JPEG[: len(JPEG) // 2],
        bomb(50, 50),
        file_of(plain(), "GIF"),
        file_of(plain(), "TIFF"),
        file_of(plain(), "BMP"),
    ],
    ids=["empty", "text", "svg", "gif-head", "pdf", "cut", "cut-end", "cut-jpeg", "no-data", "gif", "tiff", "bmp"],
)
def test_what_is_no_whole_picture_is_refused(data: bytes) -> None:
    with pytest.raises(PictureError, match="accepted: PNG, JPEG and WebP"):
        read_picture(data)


def test_damaged_files_raise_nothing_else() -> None:
    generator = np.random.default_rng(0)
    for data in (GOOD, JPEG, file_of(plain(), "WEBP")):
        for _ in range(60):
            broken = bytearray(data)
            for at in generator.integers(0, len(broken), 8):
                broken[at] = int(generator.integers(0, 256))
            with suppress(PictureError):
                assert read_picture(bytes(broken)).shape[2] == 3


def test_a_png_of_the_pixels_is_the_pixels_again() -> None:
    pixels = torch.randint(0, 256, (12, 8, 3), dtype=torch.uint8)
    assert torch.equal(read_picture(to_png(pixels)), pixels)


def test_resizing_averages_what_a_pixel_covers() -> None:
    board = torch.zeros(8, 8, 3, dtype=torch.uint8)
    board[:, ::2] = 200
    assert int((resized(board, 2, 2).int() - 100).abs().max()) <= 30


def test_a_picture_that_is_no_square_lies_on_one_of_its_border_s_colour() -> None:
    pixels = torch.full((4, 10, 3), 200, dtype=torch.uint8)
    pixels[1:3, 2:8] = 10
    square = squared(pixels)
    assert tuple(square.shape) == (10, 10, 3)
    assert torch.equal(square[3:7], pixels)
    assert square[:3].unique().tolist() == square[7:].unique().tolist() == [200]
    assert squared(square) is square


def test_a_picture_is_cut_into_equal_patches() -> None:
    pixels = torch.zeros(8, 12, 3, dtype=torch.uint8)
    assert Picture(pixels, 2, 3).rows == 2
    with pytest.raises(ShapeError, match="equal patches"):
        Picture(pixels, 3, 3)
    with pytest.raises(ShapeError, match="uint8"):
        Picture(pixels.float(), 2, 3)
