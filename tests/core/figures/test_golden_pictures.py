"""Pictures that were looked at and found good, compared with those drawn now: one for every script and view.

python tests/core/figures/test_golden_pictures.py     draws them anew: look at each before it is kept
"""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from hand_drawn import SCRIPTS, VIEWS
from PIL import Image

from attention_core.figures import matplotlib_writer

GOLDEN = Path(__file__).parents[2] / "golden/figures"
FIGURES = {f"script-{name}": figure for name, figure in SCRIPTS.items()} | VIEWS
COLOURS = 96  # of a kept picture: enough to see what is wrong, and small
BLOCK = 8  # pixels a side that are compared together: a letter that is missing shows, the softness of edges does not
TOLERANCE = 14  # of 255, the mean of a block


def drawn(name):
    return Image.open(io.BytesIO(matplotlib_writer.png(FIGURES[name]))).convert("RGB")


def blocks(picture):
    """Means of blocks (row, column, colour); what is left over at the edges is margin."""
    pixels = np.asarray(picture, dtype=np.float64)
    high, wide = (side // BLOCK for side in pixels.shape[:2])
    cut = pixels[: high * BLOCK, : wide * BLOCK]
    return cut.reshape(high, BLOCK, wide, BLOCK, 3).mean(axis=(1, 3))


@pytest.mark.parametrize("name", FIGURES)
def test_it_looks_as_it_did(name):
    kept = Image.open(GOLDEN / f"{name}.png").convert("RGB")
    now = drawn(name)
    assert now.size == kept.size
    worst = np.abs(blocks(now) - blocks(kept)).max()
    assert worst < TOLERANCE, f"a place differs by {worst:.0f} of 255"


def test_the_tolerance_sees_a_letter_and_a_cell():
    """One letter less, or one cell of another colour, is a difference."""
    kept = blocks(Image.open(GOLDEN / "heatmap.png").convert("RGB"))
    lighter = drawn("heatmap")
    lighter.paste("white", (100, 150, 118, 168))
    assert np.abs(blocks(lighter) - kept).max() > 2 * TOLERANCE


def test_no_golden_picture_is_left_over_or_large():
    assert {path.stem for path in GOLDEN.glob("*")} == set(FIGURES)
    assert max(path.stat().st_size for path in GOLDEN.glob("*")) < 15_000


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or FIGURES:
        small = drawn(name).quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        small.save(GOLDEN / f"{name}.png", optimize=True)
