"""The data model refuses what would make a wrong picture, so that writers hold no checks."""

import numpy as np
import pytest

from attention_core.errors import InputError, ShapeError
from attention_core.figures.figure import (
    Axis,
    Cells,
    Figure,
    Heads,
    Links,
    Measure,
    Measures,
    Overlay,
    Scale,
    Strip,
)

AB = Axis(("a", "b"))
TWO = np.array([[0.5, 0.5], [0.0, 1.0]])
PIXELS = np.zeros((4, 4, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Axis(("a", "b"), special=(True,)), "2 labels do not fit 1 marks of special tokens"),
        (lambda: Axis(("a", "b"), segments=("A",)), "marks of segments"),
        (lambda: Axis(("a",), chosen=1), "of 1 tokens none stands at 1"),
        (lambda: Axis(("a",), chosen=-1), "none stands at -1"),
        (lambda: Scale("w", 0), "ends at 0"),
        (lambda: Scale("w", float("nan")), "ends at nan"),
        (lambda: Scale("w", 1, "log", diverging=True), "linear scale, not log"),
        (lambda: Cells(TWO, AB, Axis(("a",))), "do not fit 2 query tokens and 1 key tokens"),
        (lambda: Cells(np.zeros((0, 0)), Axis(()), Axis(())), "nothing to show"),
        (lambda: Cells(np.full((2, 2), np.inf), AB, AB), "infinite"),
        (lambda: Cells(TWO, AB, AB, numbers=(("", ""),)), "1 rows of numbers do not fit 2"),
        (lambda: Cells(TWO, AB, AB, numbers=(("", ""), ("",))), "2 cells each"),
        (lambda: Cells(TWO, AB, AB, rest=("",)), "1 rows of rest"),
        (lambda: Heads(TWO), r"\(layer, head, query, key\), not \(2, 2\)"),
        (lambda: Heads(TWO[None, None], chosen=(0, 1)), "no L0 H1 in 1 layers of 1 heads"),
        (lambda: Heads(TWO[None, None], off=((1, 0),)), "no L1 H0"),
        (lambda: Heads(TWO[None, None], highs=np.ones((2, 1))), "ends of colours"),
        (lambda: Heads(TWO[None, None], highs=np.zeros((1, 1))), "above 0"),
        (lambda: Links(TWO, AB, Axis(("a",))), "do not fit"),
        (lambda: Links(TWO, AB, AB, numbers=("1",)), "1 numbers do not fit 2 tokens"),
        (lambda: Strip(TWO[0], Axis(("a",)), ("", "")), "1 tokens in a flow"),
        (lambda: Strip(TWO[0], AB, ("",)), "1 numbers"),
        (lambda: Strip(np.zeros(0), Axis(()), ()), "0 tokens in a flow"),
        (lambda: Strip(TWO[0], AB, ("", ""), starts=(True,)), "1 marks of words"),
        (lambda: Measure("m", np.array([np.nan]), 1, "1", 1), "one finite number of every head"),
        (lambda: Measure("m", np.ones(1), 1, "1", 0), "ends at 0"),
        (lambda: Measures((), "L0 H0"), "nothing to show"),
        (lambda: Overlay(PIXELS.astype(float), TWO), "uint8"),
        (lambda: Overlay(PIXELS[:3], TWO), "equal patches"),
        (lambda: Overlay(PIXELS, TWO[0]), r"are not \(row, column\)"),
        (lambda: Overlay(PIXELS, TWO, chosen=(2, 0)), "none stands at"),
        (lambda: Figure(Cells(TWO, AB, AB), "", ""), "this figure has none"),
        (lambda: Figure(Cells(-TWO, AB, AB), "", "", Scale("w")), "negative"),
    ],
)
def test_a_figure_that_would_be_wrong_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_shape_that_does_not_fit_is_a_shape_error():
    with pytest.raises(ShapeError):
        Cells(TWO, AB, Axis(("a",)))


def test_blank_cells_and_changes_in_both_directions_are_shown():
    holes = np.where(np.eye(2, dtype=bool), np.nan, 0.5)
    assert Figure(Cells(holes, AB, AB), "", "", Scale("w")).panel.values is holes
    assert Figure(Cells(-TWO, AB, AB), "", "", Scale("change", diverging=True)).scale.low == -1
    row = Measure("m", np.ones(1), float("nan"), "–", 1)
    assert Figure(Measures((row,), "L0 H0"), "", "").scale is None
