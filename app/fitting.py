"""A picture in a frame of an exact size, for previews that are told the size before anything is drawn."""

import io

from PIL import Image

Colour = tuple[int, int, int]


def fitted(png: bytes, width: int, height: int, background: Colour) -> bytes:
    """A PNG of exactly width x height pixels with the picture in its middle: scaled down until it fits, never up, the
    rest of the frame and what is transparent in the background's colour. The same bytes each time."""
    with Image.open(io.BytesIO(png)) as opened:
        picture = opened.convert("RGBA")
    share = min(1.0, width / picture.width, height / picture.height)
    size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
    if size != picture.size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    frame = Image.new("RGBA", (width, height), (*background, 255))
    frame.alpha_composite(picture, ((width - size[0]) // 2, (height - size[1]) // 2))
    made = io.BytesIO()
    frame.convert("RGB").save(made, "PNG", optimize=False)
    return made.getvalue()
