"""What Plotly's panels are made of: labels as typed, axes of tokens, colours, and room for text."""

import base64
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from attention_core.figures.colour import colours, ramp, ticks
from attention_core.figures.figure import Axis, Scale, Style
from attention_core.figures.look import LOOKS

MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"
FAMILY = "system-ui, -apple-system, 'Segoe UI', 'Apple SD Gothic Neo', 'Malgun Gothic', 'Noto Sans', sans-serif"
CLEAR = "rgba(0,0,0,0)"
# Shares of the range at which a colour is named; between them Plotly mixes. Curves are steep at the beginning.
STOPS = np.unique(np.concatenate([[0.0], np.geomspace(1e-4, 1, 33), np.linspace(0, 1, 33)]))


@dataclass
class Drawing:
    """A panel in Plotly's words: its own size and the room around it, in pixels."""

    width: float
    height: float
    left: float = 16
    top: float = 12
    right: float = 12
    bottom: float = 0
    traces: list[dict[str, Any]] = field(default_factory=list)
    layout: dict[str, Any] = field(default_factory=dict)
    bar: bool = True


def escape(text: str) -> str:
    """The text as Plotly has to be given it, so that it draws what was typed.

    Plotly reads a little HTML in every label (a token `<br>` would vanish, `<a href=…>` become a link), its
    entities, and TeX between dollars where a page has MathJax.
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("$", "&#36;")


def isolated(text: str) -> str:
    """The text escaped, and where it runs from right to left in isolation, so that its neighbours stay in place."""
    turns = any(unicodedata.bidirectional(character) in ("R", "AL", "RLE", "RLO", "RLI") for character in text)
    return f"\u2068{escape(text)}\u2069" if turns else escape(text)


def room(text: str, size: float) -> float:
    """About how many pixels wide a text is in letters of this size, rather more than less: which font a reader has is
    not known."""
    return size * sum(map(_wide, text))


def _wide(letter: str) -> float:
    """The width of a letter as a share of its height; those of East Asia are as wide as high."""
    if unicodedata.east_asian_width(letter) in "WF" or letter in "%@mwMW":
        return 1.0
    if letter.isupper() or letter in "+=<>":
        return 0.74
    return 0.4 if letter in "ijlft.,:;'|!()[]/ " else 0.64


def wrapped(text: str, size: float, width: float) -> list[str]:
    """The text in lines of at most about that many pixels, broken at spaces, or anywhere where there are none."""
    lines, line = [], ""
    for word in text.split(" "):
        for part in _pieces(word, size, width):
            longer = f"{line} {part}" if line else part
            if line and room(longer, size) > width:
                lines.append(line)
                line = part
            else:
                line = longer
    return [*lines, line]


def _pieces(word: str, size: float, width: float) -> list[str]:
    """A word that is too wide for a line, such as an address, in parts."""
    if room(word, size) <= width:
        return [word]
    parts, part = [], ""
    for letter in word:
        if part and room(part + letter, size) > width:
            parts.append(part)
            part = ""
        part += letter
    return [*parts, part]


def css(colour: NDArray[np.float64]) -> str:
    """A colour from 0 to 1 (red green blue) as CSS writes it."""
    return "rgb({},{},{})".format(*(round(255 * float(part)) for part in colour))


def colorscale(scale: Scale, style: Style) -> list[list[Any]]:
    """The colours from the scale's lower to its upper end, by share of the range of values."""
    at = np.linspace(0, 1, 65) if scale.diverging else STOPS
    drawn = colours(scale.low + at * (scale.high - scale.low), scale, style)
    return [[float(share), css(colour)] for share, colour in zip(at, drawn, strict=True)]


def colour_bar(scale: Scale, style: Style) -> dict[str, Any]:
    """A trace of no points that wears the bar: even along its curve, with the numbers that the scale names."""
    whole = ramp(style, diverging=scale.diverging)
    steps = whole[np.linspace(0, len(whole) - 1, 65).round().astype(int)]
    named = ticks(scale)
    bar = {
        "title": {"text": escape(scale.title), "side": "right", "font": {"size": style.font_size}},
        "tickvals": [at for at, _ in named],
        "ticktext": [escape(text) for _, text in named],
        "tickfont": {"size": style.font_size * 0.9},
        "outlinewidth": 1,
        "outlinecolor": LOOKS[style.theme].line,
        "thickness": 12,
    }
    marker = {
        "color": [0], "cmin": 0, "cmax": 1, "opacity": 0, "showscale": True, "colorbar": bar,
        "colorscale": [[float(at), css(step)] for at, step in zip(np.linspace(0, 1, len(steps)), steps, strict=True)],
    }  # fmt: skip
    return {
        "type": "scatter", "x": [None], "y": [None], "mode": "markers", "marker": marker, "hoverinfo": "skip",
        "showlegend": False,
    }  # fmt: skip


def tick_labels(axis: Axis, style: Style) -> list[str]:
    """The labels of an axis: special tokens in italics, the chosen one bold and in the colour of the mark."""
    texts = []
    for at, text in enumerate(axis.labels):
        drawn = f"<i>{isolated(text)}</i>" if axis.special and axis.special[at] else isolated(text)
        mark = f'<span style="color:{LOOKS[style.theme].mark}">{drawn}</span>'
        texts.append(f"<b>{mark}</b>" if at == axis.chosen else drawn)
    return texts


def token_axis(axis: Axis, style: Style, cell: float) -> dict[str, Any]:
    """An axis of positions that wear tokens: if tokens were the positions, two equal ones would be one.

    `cell` is the room for each in pixels: where it is short, only every nth is named, and the chosen one.
    """
    step = max(1, ceil(1.3 * style.font_size / cell))
    named = [at for at in range(len(axis)) if at % step == 0 or at == axis.chosen]
    texts = tick_labels(axis, style)
    return {
        **bare_axis(),
        "title": {"text": escape(axis.title), "font": {"size": style.font_size}, "standoff": 10},
        "range": [-0.5, len(axis) - 0.5],
        "tickvals": named,
        "ticktext": [texts[at] for at in named],
        "showticklabels": True,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": CLEAR,
        "automargin": True,
    }


def bare_axis() -> dict[str, Any]:
    """An axis without anything that Plotly would draw by itself."""
    nothing = dict.fromkeys(("showgrid", "zeroline", "showline", "showticklabels"), False)
    return {**nothing, "ticks": "", "type": "linear"}


def texts_at(
    places: Sequence[tuple[float, float]], texts: Sequence[str], font: dict[str, Any], position: str = "middle center"
) -> dict[str, Any]:
    """A trace of texts at some places (x, y), escaped."""
    return {
        "type": "scatter",
        "x": [x for x, _ in places],
        "y": [y for _, y in places],
        "text": [isolated(text) for text in texts],
        "mode": "text",
        "textposition": position,
        "textfont": font,
        "hoverinfo": "skip",
        "showlegend": False,
        "cliponaxis": False,
    }


def widest(axis: Axis, size: float) -> float:
    """About how many pixels wide the widest label of an axis is."""
    return max((room(text, size) for text in axis.labels), default=0.0)


def png(pixels: NDArray[np.uint8]) -> str:
    """Pixels (row, column, 3 or 4) as a data address of a PNG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def rgb(colour: str) -> tuple[int, int, int]:
    """ "#rrggbb" as three numbers."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
