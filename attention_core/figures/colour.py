"""From numbers to colours, and the ink of the numbers that stand on them.

"atlas" is the page's own palette (static/js/lib/color.js and diverging.js). Every palette is told apart with
protanopia, deuteranopia and tritanopia (test_colour_blindness.py), and with the theme "print" in greyscale too.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

from attention_core.figures import numbers
from attention_core.figures.figure import Overlay, Scale, Style, Theme

Colours = NDArray[np.float64]  # sRGB from 0 to 1 (..., red green blue)
RGB = tuple[int, int, int]

STEPS = 256
DECADES = 3  # of a logarithmic scale
TICKS = {"linear": (0, 0.25, 0.5, 0.75, 1), "sqrt": (0, 0.05, 0.25, 0.5, 1), "log": (0.001, 0.01, 0.1, 1)}
# How much of a picture's own light and dark is left under the colours, and how much the strongest colour covers.
FADE, COVER = 0.32, 0.92
SHADE = 0.3  # of colours that lie on black

WHITE, DARK = (255, 255, 255), (27, 30, 37)  # the cards of the page
# Of weights: from none to the most. Named colour maps run by themselves.
RAMPS: dict[str, dict[str, tuple[RGB, RGB] | str]] = {
    "atlas": {"light": (WHITE, (49, 54, 149)), "dark": (DARK, (255, 209, 102))},
    "viridis": {"light": "viridis", "dark": "viridis"},
    "cividis": {"light": "cividis", "dark": "cividis"},
    "greys": {"light": (WHITE, (17, 17, 17)), "dark": (DARK, (245, 245, 245))},
}


@dataclass(frozen=True)
class Ends:
    """Of changes: less, none, more."""

    less: RGB
    none: RGB
    more: RGB


# Of greys alone, dark is less and light is more: two directions need two ends that differ without colour.
_GREYS = Ends((84, 84, 84), (170, 170, 170), WHITE)
ENDS: dict[str, dict[str, Ends]] = {
    "atlas": {
        "light": Ends((179, 88, 6), WHITE, (33, 84, 171)),
        "dark": Ends((255, 159, 77), DARK, (122, 176, 255)),
    },
    "viridis": {
        "light": Ends((118, 42, 131), WHITE, (27, 120, 55)),
        "dark": Ends((194, 120, 214), DARK, (90, 190, 110)),
    },
    "cividis": {
        "light": Ends((140, 100, 0), WHITE, (0, 62, 130)),
        "dark": Ends((254, 222, 80), DARK, (90, 140, 220)),
    },
    "greys": {"light": _GREYS, "dark": _GREYS},
}


def ramp(style: Style, *, diverging: bool = False) -> Colours:
    """The palette's colours (step, red green blue) from one end of the bar to the other, `STEPS` of them."""
    return _ramp(style.palette, style.theme, diverging)


def colours(values: NDArray[np.floating], scale: Scale, style: Style) -> Colours:
    """The colours of values (...) as sRGB (..., red green blue); NaN takes the colour of nothing."""
    at = np.nan_to_num(positions(values, scale), nan=0.5 if scale.diverging else 0.0)
    steps = ramp(style, diverging=scale.diverging)
    place = at * (STEPS - 1)
    low = np.floor(place).astype(int)
    high = np.minimum(low + 1, STEPS - 1)
    part = (place - low)[..., None]
    return np.asarray(steps[low] * (1 - part) + steps[high] * part)


def positions(values: NDArray[np.floating], scale: Scale) -> NDArray[np.float64]:
    """Where values stand along the bar, 0 to 1, after the scale's curve: the opacity of lines too. NaN stays."""
    share = np.asarray(values, dtype=np.float64) / scale.high
    if scale.diverging:
        return np.clip(0.5 + share / 2, 0, 1)
    share = np.minimum(share, 1)
    if scale.curve == "sqrt":
        share = np.sqrt(np.maximum(share, 0))
    elif scale.curve == "log":
        with np.errstate(divide="ignore"):
            share = np.where(share <= 0, 0 * share, 1 + np.log10(np.maximum(share, 0)) / DECADES)
    return np.clip(share, 0, 1)


def ticks(scale: Scale) -> tuple[tuple[float, str], ...]:
    """What stands beside the bar: (place from 0 to 1 after the curve, text)."""
    if scale.diverging:
        return tuple((0.5 + share / 2, numbers.signed(share * scale.high, 2)) for share in (-1, 0, 1))
    shares = np.array(TICKS[scale.curve], dtype=np.float64)
    places = positions(shares * scale.high, scale)
    return tuple((float(at), numbers.tick(share * scale.high)) for at, share in zip(places, shares, strict=True))


def blended(panel: Overlay, scale: Scale, style: Style) -> NDArray[np.uint8]:
    """The picture in grey with the colours of its patches over it, uint8 (row, column, red green blue).

    As static/js/lib/patches.js: the strong end of the palette, as opaque as a weight is large. Palettes whose weak end
    is no paper colour the patches themselves, darker where the picture is. Each patch is even; a hidden one is grey.
    """
    first, last = ramp(style)[[0, -1]] * 255
    named = isinstance(_wanted(style.palette, style.theme), str)
    if named:
        first = np.array(DARK if style.theme == "dark" else WHITE, dtype=np.float64)
    grey = panel.pixels @ np.array([0.299, 0.587, 0.114])  # (row, column)
    away = grey if style.theme == "dark" else grey - 255
    base = np.clip(first + away[..., None] * FADE, 0, 255)
    sizes = [side // count for side, count in zip(panel.pixels.shape, panel.values.shape, strict=False)]
    spread = np.ones((sizes[0], sizes[1]))
    if named:
        patches = np.kron(colours(panel.values, scale, style), spread[..., None]) * 255
        shade = 1 - SHADE * (1 - grey / 255)
        hidden = np.kron(np.isnan(panel.values), spread)[..., None] > 0
        mixed = np.where(hidden, base, patches * shade[..., None])
    else:
        over = np.kron(np.nan_to_num(positions(panel.values, scale)) * COVER, spread)[..., None]
        mixed = base * (1 - over) + last * over
    return np.asarray(np.round(mixed).astype(np.uint8))


def contrasting(colours: Colours) -> NDArray[np.str_]:
    """Black or white for each colour (..., red green blue): what contrasts more by WCAG 2.2, 4.5 at least."""
    light = luminance(colours)
    return np.where((light + 0.05) / 0.05 > 1.05 / (light + 0.05), "black", "white")


def luminance(colours: Colours) -> NDArray[np.float64]:
    """The relative luminance (...) of sRGB colours (..., red green blue), WCAG 2.2."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))


@cache
def _ramp(palette: str, theme: Theme, diverging: bool) -> Colours:
    steps = np.linspace(0, 1, STEPS)
    if diverging:
        ends = _GREYS if theme == "print" else ENDS[palette][theme]
        half = _between(ends.none, ends.less, np.clip(1 - 2 * steps, 0, 1))
        other = _between(ends.none, ends.more, np.clip(2 * steps - 1, 0, 1))
        return np.where(steps[:, None] < 0.5, half, other)
    wanted = _wanted(palette, theme)
    if isinstance(wanted, str):
        mapped = np.asarray(colormaps[wanted](steps))[:, :3]
        # On paper the weak end is the pale one: what is not there takes no ink.
        return mapped[::-1] if theme == "print" else mapped
    return _between(*wanted, steps)


def _wanted(palette: str, theme: Theme) -> tuple[RGB, RGB] | str:
    return RAMPS[palette]["light" if theme == "print" else theme]


def _between(start: RGB, end: RGB, steps: NDArray[np.float64]) -> Colours:
    return np.asarray((np.array(start) + (np.array(end) - np.array(start)) * steps[:, None]) / 255)
