"""A drawn figure as a file: PNG, SVG, PDF. The same figure gives the same bytes; nothing says when it was drawn."""

import re
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from io import BytesIO
from threading import RLock
from typing import Any, cast
from xml.etree import ElementTree

import matplotlib
import matplotlib.figure
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from attention_core.errors import InputError
from attention_core.figures import fonts
from attention_core.figures.figure import Figure
from attention_core.figures.matplotlib_writer.frame import sheet_of
from attention_core.figures.matplotlib_writer.sheet import PIXELS

MOST_PIXELS = 40_000_000  # of a PNG
SCALES = (1.0, 3.0)
_PROGRAM = "Attention Atlas"
_SVG = "http://www.w3.org/2000/svg"
_GENERIC, _ITALIC = "sans-serif", " Italic"
_UNSAYABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")  # what no XML may hold
# How matplotlib draws letters and writes vector files is told to it by settings of the whole process: one at a time.
_SETTINGS = RLock()
# Letters stand where their widths put them, not on whole pixels, and nobody's own settings reach the picture.
_PLAIN = {"text.hinting": "no_hinting", "text.antialiased": True, "text.kerning_factor": None, "path.sketch": None}


def to_matplotlib(figure: Figure) -> matplotlib.figure.Figure:
    """The figure as matplotlib's own: one axes in CSS pixels, whose artists have names (`get_gid`)."""
    return sheet_of(figure).drawing


def png(figure: Figure, scale: float = 1.0) -> bytes:
    """The figure as PNG, `scale` dots a CSS pixel (1 to 3); title, alternative text and link stand inside.

    An InputError for another scale and for more than 40 megapixels.
    """
    if not SCALES[0] <= scale <= SCALES[1]:
        raise InputError(f"a picture at {scale} dots a pixel; accepted: 1 to 3", limit=int(SCALES[1]))
    with _settings(_PLAIN):
        image = _painted(figure, scale)
    if not figure.style.transparent:
        image = image.convert("RGB")
    info = PngInfo()
    for key, text in _said(figure).items():
        info.add_text(key, text)
    file = BytesIO()
    image.save(file, "png", pnginfo=info, dpi=(PIXELS * scale, PIXELS * scale))
    return file.getvalue()


def _painted(figure: Figure, scale: float) -> Image.Image:
    """The figure as pixels."""
    sheet = sheet_of(figure)
    width, height = round(sheet.width * scale), round(sheet.height * scale)
    if width * height > MOST_PIXELS:
        limit = MOST_PIXELS // 1_000_000
        raise InputError(
            f"a picture of {width} x {height} pixels; accepted: at most {limit} megapixels, so choose a smaller width, "
            "smaller letters or fewer dots a pixel",
            limit=limit,
        )
    sheet.drawing.set_dpi(PIXELS * scale)
    canvas = FigureCanvasAgg(sheet.drawing)
    canvas.draw()  # type: ignore[no-untyped-call]
    return Image.fromarray(np.asarray(canvas.buffer_rgba()))  # type: ignore[no-untyped-call]


def svg(figure: Figure) -> bytes:
    """The figure as SVG: text stays text in named fonts; title and alternative text are the document's own."""
    drawing = to_matplotlib(figure)
    file = BytesIO()
    with _settings({"svg.fonttype": "none", "svg.hashsalt": _PROGRAM, "svg.image_inline": True}):
        drawing.savefig(file, format="svg", metadata={"Date": None, "Creator": _PROGRAM})
    return _dressed(file.getvalue(), figure)


def pdf(figure: Figure) -> bytes:
    """The figure as PDF with its fonts inside: TrueType where all are, else (with Chinese, Japanese, Korean) Type 3."""
    drawing = to_matplotlib(figure)
    said = _said(figure)
    # matplotlib names PostScript outlines TrueType when it embeds them whole, which not every reader forgives.
    kind = 3 if any(fonts.needs_postscript(text.get_text()) for text in drawing.findobj(Text)) else 42
    metadata = {
        "Title": said["Title"], "Subject": said["Description"], "Keywords": said.get("Source", ""),
        "Creator": _PROGRAM, "CreationDate": None,
    }  # fmt: skip
    file = BytesIO()
    with _settings({"pdf.fonttype": kind, "pdf.compression": 6, "pdf.use14corefonts": False}):
        drawing.savefig(file, format="pdf", metadata=metadata)
    return file.getvalue()


def _said(figure: Figure) -> dict[str, str]:
    """What a file says of itself, by the keywords of PNG."""
    said = {"Title": figure.title, "Description": figure.alt_text, "Software": _PROGRAM}
    if link := figure.facts.get("link"):
        said["Source"] = str(link)
    return {key: _UNSAYABLE.sub(" ", text) for key, text in said.items()}


@contextmanager
def _settings(wanted: Mapping[str, Any]) -> Iterator[None]:
    """matplotlib's settings for one file, put back afterwards."""
    settings = cast(MutableMapping[str, Any], matplotlib.rcParams)
    with _SETTINGS:
        before = {key: settings[key] for key in wanted}
        try:
            settings.update(wanted)
            yield
        finally:
            settings.update(before)


def _dressed(source: bytes, figure: Figure) -> bytes:
    """The SVG with its title, its description and the fonts' own names."""
    for prefix, space in (("", _SVG), ("xlink", "http://www.w3.org/1999/xlink")):
        ElementTree.register_namespace(prefix, space)
    root = ElementTree.fromstring(source)  # noqa: S314 - matplotlib's own, just written
    for found in root.findall(f"{{{_SVG}}}metadata"):
        root.remove(found)
    for text in root.iter(f"{{{_SVG}}}text"):
        text.set("style", re.sub(r"font-family: ([^;]*)", _named, text.get("style", "")))
    said = _said(figure)
    for place, (name, keyword) in enumerate((("title", "Title"), ("desc", "Description"))):
        element = ElementTree.Element(f"{{{_SVG}}}{name}", {"id": name})
        element.text = said[keyword]
        root.insert(place, element)
    root.set("role", "img")
    root.set("aria-labelledby", "title desc")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="unicode")}'.encode()


def _named(found: re.Match[str]) -> str:
    own = [fonts.name_of(family) for family in re.findall(r"'([^']*)'", found[1])]
    names = dict.fromkeys(name.removesuffix(_ITALIC) for name in own if name)
    slanted = "; font-style: italic" if any(name and name.endswith(_ITALIC) for name in own) else ""
    return "font-family: " + ", ".join([*(f"'{name}'" for name in names), _GENERIC]) + slanted
