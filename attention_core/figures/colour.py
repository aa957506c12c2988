"""Colours of weights, and of the numbers that stand on them."""

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray


def viridis(weights: NDArray[np.float64], largest: float) -> NDArray[np.float64]:
    """The sRGB colours (..., red green blue), from 0 to 1, of weights from 0 to `largest`."""
    return np.asarray(colormaps["viridis"](np.clip(weights / largest, 0, 1)))[..., :3]


def contrasting(colours: NDArray[np.float64]) -> NDArray[np.str_]:
    """Black or white for each colour (..., red green blue): what contrasts more by WCAG 2.2, 4.5 at least."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    return np.where((luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05), "black", "white")
