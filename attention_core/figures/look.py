"""The colours around the data, by theme: paper, type, lines. Those of the page (static/css/base.css), and of print."""

from dataclasses import dataclass

from attention_core.figures.figure import Theme


@dataclass(frozen=True)
class Look:
    """sRGB colours as "#rrggbb".

    `soft` and `faint` are quieter inks (4.5 : 1 on paper at least), `line` separates, `edge` surrounds; `mark` is what
    was chosen, `accent` draws lines that carry weights.
    """

    paper: str
    ink: str
    soft: str
    faint: str
    line: str
    edge: str
    mark: str
    accent: str


LOOKS: dict[Theme, Look] = {
    "light": Look("#ffffff", "#1b1d22", "#4d5360", "#646a77", "#e4e4df", "#8b90a0", "#c2364a", "#3b4cc0"),
    "dark": Look("#1b1e25", "#eceef2", "#aeb5c1", "#99a0ae", "#2d313c", "#6b7282", "#ff8a9a", "#8fa2ff"),
    # Ink on white: what was chosen is told by a black frame, not by a hue.
    "print": Look("#ffffff", "#000000", "#333333", "#4d4d4d", "#d4d4d4", "#777777", "#000000", "#1a1a1a"),
}
