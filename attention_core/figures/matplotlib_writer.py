"""Figures drawn by matplotlib: PNG, SVG and PDF for slides and papers.

Only matplotlib's objects are used, no pyplot: nothing is global, so several threads can draw at once.
"""

from functools import lru_cache
from io import BytesIO
from math import ceil
from typing import Any

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize
from matplotlib.font_manager import fontManager
from matplotlib.image import AxesImage

from attention_core.figures.colour import contrasting, viridis
from attention_core.figures.figure import Figure

# Each letter is looked for in these in turn; a name that is not installed would be a line in a log.
FONTS = (
    "DejaVu Sans",
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "NanumGothic",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "PingFang SC",
    "Noto Sans Devanagari",
    "Lohit Devanagari",
    "Nirmala UI",
    "Noto Sans Thai",
    "Leelawadee UI",
    "Noto Sans Symbols2",
    "Noto Emoji",
    "Segoe UI Symbol",
    "Symbola",
    "Arial Unicode MS",
    "Unifont",
)

# Inches, and points where the name says so.
CELL = 0.52
GRID = 7.5
BAR_WIDTH, BAR_GAP, BAR_LABELS = 0.14, 0.2, 0.75
MARGIN = 0.15
LABEL_POINTS, SMALLEST_POINTS, NUMBER_POINTS = 10.0, 6.0, 8.5
MOST_LINED = 64
INK, SOFT = "#1a1a1a", "#5f6673"


class Drawing(matplotlib.figure.Figure):
    """A matplotlib figure that a notebook shows without pyplot."""

    def _repr_png_(self) -> bytes:
        png = BytesIO()
        self.savefig(png, format="png", dpi=144)
        return png.getvalue()


def to_matplotlib(figure: Figure) -> matplotlib.figure.Figure:
    """The figure as matplotlib draws it: viridis, tokens on both axes, a colour bar, numbers if they fit."""
    queries, keys = figure.matrix.shape
    width, height = (min(CELL * count, GRID) for count in (keys, queries))  # of the grid
    drawing = Drawing(figsize=(width, height), facecolor="white")
    canvas = FigureCanvasAgg(drawing)
    axes = drawing.add_axes((0, 0, 1, 1))
    scale = Normalize(0, figure.largest)
    image = axes.imshow(figure.shown, cmap="viridis", norm=scale, aspect="auto", interpolation="nearest")
    _label_axes(axes, figure, 72 * width / keys, 72 * height / queries)
    if max(queries, keys) <= MOST_LINED:
        _draw_lines(axes, queries, keys)
    if figure.caption:
        axes.set_title(figure.caption, loc="left", pad=10, color=INK, fontsize=11, **_plain())
    _place(drawing, axes, image, canvas)
    if numbers := figure.numbers:  # last, because they would only make the measuring longer
        _draw_numbers(axes, figure, numbers)
    return drawing


def _plain() -> dict[str, Any]:
    """How a text is drawn as it was typed: without mathematics or TeX, in a font that has its letters."""
    return {"parse_math": False, "usetex": False, "fontfamily": list(_installed_fonts())}


@lru_cache(maxsize=1)
def _installed_fonts() -> tuple[str, ...]:
    installed = set(fontManager.get_font_names())
    return tuple(name for name in FONTS if name in installed)


def _label_axes(axes: Axes, figure: Figure, cell_width: float, cell_height: float) -> None:
    """Tokens beside the rows and above the columns, as many as can be read; cells are measured in points."""
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.tick_params(length=0, pad=4, colors=INK)
    columns, points = _legible(len(figure.key_labels), cell_width)
    texts = [figure.key_labels[column] for column in columns]
    flat = max(map(len, texts)) * points < cell_width
    turned = {
        "rotation": 45 if cell_width > 16 else 90,
        "ha": "left",
        "va": "center",
        "rotation_mode": "anchor",
    }
    axes.set_xticks(columns, labels=texts, fontsize=points, **_plain() | ({} if flat else turned))
    rows, points = _legible(len(figure.query_labels), cell_height)
    axes.set_yticks(rows, labels=[figure.query_labels[row] for row in rows], fontsize=points, **_plain())
    axes.set_xlabel("key: is looked at", color=SOFT, fontsize=9, labelpad=8, **_plain())
    axes.set_ylabel("query: looks", color=SOFT, fontsize=9, labelpad=8, **_plain())


def _legible(count: int, cell: float) -> tuple[list[int], float]:
    """Which of `count` labels have room, at `cell` points each, and the size of their letters in points."""
    points = min(LABEL_POINTS, max(SMALLEST_POINTS, 0.75 * cell))
    return list(range(0, count, ceil((points + 1) / cell))), points


def _draw_lines(axes: Axes, queries: int, keys: int) -> None:
    """Thin white lines between cells."""
    axes.set_xticks(np.arange(1, keys) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, queries) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=0.6)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)


def _draw_numbers(axes: Axes, figure: Figure, numbers: list[list[str]]) -> None:
    """The numbers in their cells, each in the ink that its cell asks for."""
    inks = contrasting(viridis(figure.matrix, figure.largest))  # (query, key)
    points = min(NUMBER_POINTS, 0.34 * 72 * GRID / max(figure.matrix.shape))
    for row, texts in enumerate(numbers):
        for column, text in enumerate(texts):
            ink = str(inks[row, column])
            axes.text(column, row, text, ha="center", va="center", fontsize=points, color=ink, **_plain())


def _place(drawing: Drawing, axes: Axes, image: AxesImage, canvas: FigureCanvasAgg) -> None:
    """Grows the paper around the grid by what the labels need, measured once, and adds the colour bar."""
    grid_width, grid_height = drawing.get_size_inches()
    needed = axes.get_tightbbox(canvas.get_renderer())  # type: ignore[no-untyped-call]
    assert needed is not None
    left, bottom, right, top = (edge / drawing.dpi for edge in needed.extents)
    left, bottom = MARGIN - min(left, 0), MARGIN - min(bottom, 0)
    right = max(right - grid_width + MARGIN, BAR_GAP + BAR_WIDTH + BAR_LABELS)
    width = left + grid_width + right
    height = bottom + max(top, grid_height) + MARGIN
    drawing.set_size_inches(width, height)
    axes.set_position((left / width, bottom / height, grid_width / width, grid_height / height))
    bar_left = (left + grid_width + BAR_GAP) / width
    bar = drawing.add_axes((bar_left, bottom / height, BAR_WIDTH / width, grid_height / height))
    drawing.colorbar(image, cax=bar)
    bar.tick_params(length=2, labelsize=8, colors=SOFT)
    bar.set_ylabel("weight", color=SOFT, fontsize=9, **_plain())
    bar.spines[:].set_visible(False)
