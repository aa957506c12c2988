"""Every palette tells more from less, whatever eyes look at it: simulated colour blindness, greyscale, and ink on it.

The matrices are those of Machado, Oliveira & Fernandes 2009 ("A physiologically-based model for simulation of color
vision deficiency", table 1, severity 1.0), applied to linear RGB.
"""

import numpy as np
import pytest

from attention_core.figures.colour import STEPS, colours, contrasting, ramp
from attention_core.figures.figure import PALETTES, THEMES, Scale, Style

BLIND = {
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
EVERY = [(palette, theme) for palette in PALETTES for theme in THEMES]
# CIE 1976: a difference of about 2.3 is just noticed; steps of a tenth of the scale are to be told apart at a glance.
JUST, GLANCE = 2.3, 3.0


def linear(srgb):
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def seen(srgb, eyes):
    """Linear RGB as eyes of that kind see it."""
    return np.clip(linear(srgb) @ np.array(BLIND[eyes]).T, 0, 1)


def lab(light):
    """CIELAB (D65) of linear RGB."""
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    share = light @ np.array(to_xyz).T / np.array([0.95047, 1.0, 1.08883])
    root = np.where(share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def test_the_tools_of_this_test_know_black_white_and_red():
    white, black, red = np.ones(3), np.zeros(3), np.array([1.0, 0.0, 0.0])
    assert lab(linear(white)) == pytest.approx([100, 0, 0], abs=0.02)
    assert lab(linear(black)) == pytest.approx([0, 0, 0])
    assert lab(linear(red)) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)  # sRGB red, as published
    for eyes in BLIND:
        assert seen(white, eyes) == pytest.approx(1, abs=1e-3)  # grey is grey to all eyes


@pytest.mark.parametrize("eyes", BLIND)
@pytest.mark.parametrize(("palette", "theme"), EVERY)
def test_more_is_darker_or_lighter_all_the_way(palette, theme, eyes):
    steps = ramp(Style(theme=theme, palette=palette))
    assert steps.shape == (STEPS, 3)
    lightness = lab(seen(steps, eyes))[:, 0]
    change = np.diff(lightness)
    assert (change > -0.02).all() or (change < 0.02).all()
    tenths = lightness[np.linspace(0, STEPS - 1, 11).astype(int)]
    assert np.abs(np.diff(tenths)).min() > JUST
    assert abs(lightness[-1] - lightness[0]) > 60


@pytest.mark.parametrize("eyes", BLIND)
@pytest.mark.parametrize(("palette", "theme"), EVERY)
def test_less_and_more_are_never_alike(palette, theme, eyes):
    """Changes of the same size in two directions differ, each differs from none, and larger ones stand out more."""
    steps = lab(seen(ramp(Style(theme=theme, palette=palette), diverging=True), eyes))
    middle = (STEPS - 1) / 2
    for size in (0.25, 0.5, 1.0):
        less, more = steps[round(middle - size * middle)], steps[round(middle + size * middle)]
        assert np.linalg.norm(less - more) > GLANCE + 20 * size
    none = steps[round(middle)]
    for side in (steps[: STEPS // 2][::-1], steps[STEPS // 2 :]):
        change = np.diff(side[:, 0])
        assert (change > -0.02).all() or (change < 0.02).all()
        assert np.linalg.norm(side[-1] - none) > 30


@pytest.mark.parametrize("palette", PALETTES)
def test_print_is_told_apart_in_greyscale(palette):
    for diverging in (False, True):
        grey = ramp(Style(theme="print", palette=palette), diverging=diverging)
        lightness = lab(np.repeat((linear(grey) @ LUMINANCE)[:, None], 3, axis=1))[:, 0]
        change = np.diff(lightness)
        assert (change >= 0).all() or (change <= 0).all()
        assert np.abs(np.diff(lightness[np.linspace(0, STEPS - 1, 11).astype(int)])).min() > JUST
    # Where there is nothing, there is next to no ink.
    assert lab(linear(ramp(Style(theme="print", palette=palette))[0]))[0] > 85


@pytest.mark.parametrize("diverging", [False, True])
@pytest.mark.parametrize(("palette", "theme"), EVERY)
def test_numbers_are_black_or_white_whichever_contrasts_more(palette, theme, diverging):
    scale = Scale("weight", diverging=diverging)
    drawn = colours(np.linspace(scale.low, 1, 300), scale, Style(theme=theme, palette=palette))
    light = linear(drawn) @ LUMINANCE + 0.05
    against = {"black": light / 0.05, "white": 1.05 / light}
    inks = contrasting(drawn)
    for at, ink in enumerate(inks):
        assert against[ink][at] == max(against["black"][at], against["white"][at])
        assert against[ink][at] >= 4.5


def test_what_is_nothing_has_the_colour_of_nothing():
    for diverging in (False, True):
        scale, style = Scale("weight", diverging=diverging), Style()
        assert colours(np.array([np.nan]), scale, style) == pytest.approx(colours(np.array([0.0]), scale, style))
        assert colours(np.array([0.0]), scale, style) == pytest.approx(1, abs=0.005)
