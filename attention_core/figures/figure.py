"""A figure as plain data: what is to be drawn, decided once; a writer for each library only draws it.

A figure is one panel in a frame. Panels: Cells (a heatmap, cross-attention, a difference, what a model wrote), Heads
(all heads, small), Links (lines), Strip (tokens in the colours of one row), Measures (one head among all), Overlay (a
picture and where a patch looks). The constructors refuse what would make a wrong picture, so writers hold no checks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from attention_core.errors import InputError, UnknownNameError
from attention_core.figures.panels import (
    CURVES,
    MOST_CELLS,
    Axis,
    Cells,
    Curve,
    Heads,
    Links,
    Measure,
    Measures,
    Overlay,
    Panel,
    Scale,
    Strip,
    Values,
)

__all__ = [
    "CURVES",
    "FORMATS",
    "MOST_CELLS",
    "MOST_NUMBERED",
    "PALETTES",
    "THEMES",
    "Axis",
    "Cells",
    "Curve",
    "Figure",
    "Heads",
    "Links",
    "Measure",
    "Measures",
    "Overlay",
    "Panel",
    "Scale",
    "Strip",
    "Style",
    "Theme",
    "Values",
]

Theme = Literal["light", "dark", "print"]
FORMATS = ("png", "svg", "pdf", "html", "json", "plotly.json", "csv", "npy")
THEMES = ("light", "dark", "print")
LANGUAGES = ("en", "ko")
PALETTES = ("atlas", "viridis", "cividis", "greys")
WIDTHS = (160, 4000)  # CSS pixels
FONT_SIZES = (8, 40)
MOST_NUMBERED = 24  # cells a side that have room for numbers


@dataclass(frozen=True)
class Style:
    """How a figure looks: nothing here changes a number.

    width and font_size are CSS pixels (1/96 inch), width of the whole picture, None for what its content needs.
    numbers in cells: None where they can be read. "print" is told apart in greyscale and stands on white.
    """

    theme: Theme = "light"
    palette: str = "atlas"
    language: Literal["en", "ko"] = "en"
    numbers: bool | None = None
    caption: bool = True
    width: int | None = None
    font_size: float = 13.0
    transparent: bool = False

    def __post_init__(self) -> None:
        known = (("theme", self.theme, THEMES), ("palette", self.palette, PALETTES))
        for what, value, accepted in (*known, ("language", self.language, LANGUAGES)):
            if value not in accepted:
                raise UnknownNameError(what, value, accepted)
        if self.width is not None and not WIDTHS[0] <= self.width <= WIDTHS[1]:
            sentence = f"a figure {self.width} pixels wide; accepted: {WIDTHS[0]} to {WIDTHS[1]}"
            raise InputError(sentence, limit=WIDTHS[1])
        if not FONT_SIZES[0] <= self.font_size <= FONT_SIZES[1]:
            sentence = f"letters of {self.font_size} pixels; accepted: {FONT_SIZES[0]} to {FONT_SIZES[1]}"
            raise InputError(sentence, limit=FONT_SIZES[1])


@dataclass(frozen=True, eq=False)
class Figure:
    """One panel in its frame: a title above, the colour bar beside, the caption's lines below.

    alt_text is for who does not see it. `facts` is where the numbers come from, as plain data: model, revision,
    precision, kind, layer, head, link and others; exports carry them.
    """

    panel: Panel
    title: str
    alt_text: str
    scale: Scale | None = None
    caption: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    style: Style = field(default_factory=Style)

    def __post_init__(self) -> None:
        if isinstance(self.panel, Measures):
            return
        if self.scale is None:
            raise InputError("weights are coloured by a scale; this figure has none")
        if not self.scale.diverging and (self.panel.values < 0).any():
            raise InputError("attention weights are numbers of 0 or more; some of these are negative")

    def write(self, kind: str, *, scale: float = 1.0) -> bytes:
        """The figure as a file of one of FORMATS; scale multiplies the pixels of a PNG, 1 to 3."""
        from attention_core.figures.writing import written

        return written(self, kind, scale=scale)

    def save(self, path: str | Path, *, scale: float = 1.0) -> None:
        """Writes the file; its ending says which of FORMATS, as in "it.svg" or "it.plotly.json"."""
        path = Path(path)
        name = path.name.lower()
        kind = next((kind for kind in sorted(FORMATS, key=len, reverse=True) if name.endswith(f".{kind}")), None)
        path.write_bytes(self.write(kind or path.suffix.removeprefix("."), scale=scale))

    savefig = save

    def __repr__(self) -> str:
        return f"Figure({self.alt_text!r})"

    def _repr_png_(self) -> bytes:
        return self.write("png", scale=2.0)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        # What a notebook shows: the picture with its alternative text.
        from attention_core.figures.notebook import figure_bundle

        return figure_bundle(self)
