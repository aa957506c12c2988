"""A sheet of paper in CSS pixels, x to the right and y down, with the few things that panels put on it.

Only matplotlib's objects are used, no pyplot: nothing is global, so several threads can draw at once. What is put on
later lies above. Names (`gid`) tell the parts apart, in an SVG too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Literal

import matplotlib.figure
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.image import AxesImage
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.text import Text
from numpy.typing import NDArray

from attention_core.figures import fonts
from attention_core.figures.look import LOOKS, Look

PIXELS = 96  # CSS pixels an inch
POINT = 72 / PIXELS  # points a pixel
BASELINE = 0.36  # how far below the middle of small letters and capitals the line stands that they stand on, in sizes
_MOST_HATCHED = 4096  # rectangles: masks have a few in a row; what is scattered wider is left plainly blank
_ROUND = 0.4477  # of a corner's radius: how far from the corner the handles of its curve stand

Boxes = NDArray[np.float64]  # (box, left top width height)
Colour = str | Sequence[float] | Sequence[Sequence[float]] | NDArray[np.float64]


@dataclass(frozen=True)
class Type:
    """How a line of text is set: size in pixels, turned by degrees against the clock around its beginning."""

    size: float
    colour: str
    align: Literal["left", "center", "right"] = "left"
    italic: bool = False
    turned: float = 0.0

    def but(self, **changes: object) -> "Type":
        """The same with something changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


class Drawing(matplotlib.figure.Figure):
    """A matplotlib figure that a notebook shows without pyplot."""

    def _repr_png_(self) -> bytes:
        png = BytesIO()
        self.savefig(png, format="png", dpi=2 * PIXELS)
        return png.getvalue()


class Sheet:
    """Paper `width` x `height` pixels."""

    def __init__(self, width: float, height: float, look: Look = LOOKS["light"], *, language: str = "") -> None:
        self.width, self.height, self.look, self.language = width, height, look, language
        self.drawing = Drawing(figsize=(width / PIXELS, height / PIXELS), dpi=PIXELS, facecolor=look.paper)
        FigureCanvasAgg(self.drawing)
        self.axes: Axes = self.drawing.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.axes.set(xlim=(0, width), ylim=(height, 0), autoscale_on=False)
        self._depth = 0.0

    def text(self, x: float, y: float, text: str, type_: Type, *, gid: str | None = None) -> None:
        """One line, its middle at height y: exactly these letters, neither mathematics nor TeX."""
        shown = fonts.spelled(text)
        turn = np.deg2rad(type_.turned)
        down = BASELINE * type_.size  # across the line
        drawn = Text(
            x + down * np.sin(turn), y + down * np.cos(turn), shown,
            color=type_.colour, horizontalalignment=type_.align, verticalalignment="baseline",
            rotation=type_.turned, rotation_mode="anchor", fontsize=type_.size * POINT,
            fontfamily=list(fonts.families(shown, italic=type_.italic)), parse_math=False, usetex=False,
            fontstyle="normal", fontweight=400,
        )  # fmt: skip
        if self.language:
            drawn.set_language(self.language)
        drawn.set_transform(self.axes.transData)
        self._put(drawn, gid)

    def boxes(self, boxes: Boxes, colours: Colour, *, gid: str | None = None) -> None:
        """Filled rectangles (box, left top width height) without outlines, each in its colour or all in one."""
        self._put(PolyCollection(list(_corners(boxes)), facecolors=colours, edgecolors="none", antialiased=False), gid)

    def frame(self, box: Sequence[float], colour: str, width: float, *, alpha: float = 1.0, radius: float = 0) -> None:
        """The outline of a rectangle (left, top, width, height), `width` pixels thick."""
        path = rounded(box, radius) if radius else _rectangle(box)
        self.path(path, edge=colour, width=width, alpha=alpha)

    def frames(self, boxes: Boxes, colour: str, width: float) -> None:
        """The outlines of many rectangles (box, left top width height) at once."""
        self._put(PolyCollection(list(_corners(boxes)), facecolors="none", edgecolors=colour, linewidths=width * POINT))

    def path(
        self, path: Path, *, fill: Colour = "none", edge: str = "none", width: float = 0, alpha: float = 1.0
    ) -> None:
        """A shape, filled or outlined or both."""
        patch = PathPatch(path, facecolor=fill, edgecolor=edge, linewidth=width * POINT, capstyle="round")
        if alpha != 1:
            patch.set_alpha(alpha)
        self._put(patch)

    def paths(
        self, paths: Sequence[Path], *, fills: Colour = "none", edges: Colour = "none", widths: Sequence[float] = (0,),
        gid: str | None = None,
    ) -> None:  # fmt: skip
        """Many shapes at once, each in its colours and with its thickness in pixels."""
        thick = np.asarray(widths) * POINT
        drawn = PathCollection(list(paths), facecolors=fills, edgecolors=edges, linewidths=thick, capstyle="round")
        drawn.set_transform(self.axes.transData)
        self._put(drawn, gid)

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: str, width: float) -> None:
        """A straight line, `width` pixels thick."""
        self.path(Path([start, end]), edge=colour, width=width)

    def hatch(self, boxes: Boxes, colour: str, gap: float) -> None:
        """Thin slanted strokes over rectangles, as one pattern that goes on from one to the next."""
        if not 0 < len(boxes) <= _MOST_HATCHED:
            return
        left, top = boxes[:, :2].min(axis=0)
        right, bottom = (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
        starts = np.arange(left - (bottom - top), right, gap)
        strokes = [Path([(start, bottom), (start + bottom - top, top)]) for start in starts]
        pattern = Path.make_compound_path(*strokes)
        drawn = PathCollection([pattern], facecolors="none", edgecolors=colour, linewidths=POINT)
        drawn.set_transform(self.axes.transData)
        self._put(drawn, "blocked")
        drawn.set_clip_on(True)
        drawn.set_clip_path(Path.make_compound_path(*map(_rectangle, boxes)), self.axes.transData)

    def image(self, colours: NDArray[np.uint8], box: Sequence[float], *, gid: str | None = None) -> None:
        """Colours (row, column, red green blue [opacity]) stretched over a rectangle, each an even patch."""
        left, top, width, height = box
        extent = (left, left + width, top + height, top)
        drawn = AxesImage(self.axes, extent=extent, interpolation="nearest", origin="upper")
        drawn.set_data(colours)
        self._put(drawn, gid)

    def _put(self, artist: Artist, gid: str | None = None) -> None:
        self._depth += 1
        artist.set_zorder(self._depth)
        if gid:
            artist.set_gid(gid)
        artist.set_clip_on(False)
        self.axes.add_artist(artist)


def rounded(box: Sequence[float], radius: float) -> Path:
    """A rectangle (left, top, width, height) with round corners."""
    x, y, width, height = box
    radius = min(radius, width / 2, height / 2)
    right, bottom, bend = x + width, y + height, radius * _ROUND
    move, line, curve = Path.MOVETO, Path.LINETO, Path.CURVE4
    steps = [
        (move, (x + radius, y)), (line, (right - radius, y)),
        (curve, (right - bend, y)), (curve, (right, y + bend)), (curve, (right, y + radius)),
        (line, (right, bottom - radius)),
        (curve, (right, bottom - bend)), (curve, (right - bend, bottom)), (curve, (right - radius, bottom)),
        (line, (x + radius, bottom)),
        (curve, (x + bend, bottom)), (curve, (x, bottom - bend)), (curve, (x, bottom - radius)),
        (line, (x, y + radius)),
        (curve, (x, y + bend)), (curve, (x + bend, y)), (curve, (x + radius, y)),
        (Path.CLOSEPOLY, (x + radius, y)),
    ]  # fmt: skip
    return Path([point for _, point in steps], [code for code, _ in steps])


def _corners(boxes: Boxes) -> NDArray[np.float64]:
    """(box, corner, x y) of rectangles (box, left top width height)."""
    left, top, width, height = np.asarray(boxes, dtype=np.float64).T
    x = np.stack([left, left + width, left + width, left], axis=1)
    y = np.stack([top, top, top + height, top + height], axis=1)
    return np.stack([x, y], axis=2)


def _rectangle(box: Sequence[float]) -> Path:
    x, y, width, height = box
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
    return Path(corners, [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY])
