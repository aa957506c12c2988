"""The heatmap of weights from anywhere: rows look, columns are looked at, and clear words for what is no heatmap."""

import numpy as np
import pytest
import torch

from attention_core.errors import InputError, ShapeError, UnknownNameError
from attention_core.figures import heatmap

TOKENS = ["the", "cat", "sat"]
WEIGHTS = [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.1, 0.7, 0.2]]


def equal_weights(rows, columns=None):
    columns = rows if columns is None else columns
    return np.full((rows, columns), 1 / columns)


def test_queries_are_rows_and_keys_are_columns():
    panel = heatmap([[0.25, 0.75]], ["je"], ["I", "am"]).panel
    assert panel.values.tolist() == [[0.25, 0.75]]
    assert (panel.rows.labels, panel.columns.labels) == (("je",), ("I", "am"))
    assert (panel.rows.title, panel.columns.title) == ("query: looks", "key: is looked at")


@pytest.mark.parametrize(
    "weights",
    [
        torch.tensor(WEIGHTS),
        torch.tensor(WEIGHTS, dtype=torch.bfloat16),
        torch.tensor(WEIGHTS, requires_grad=True),
        np.array(WEIGHTS, dtype=np.float32),
        [torch.tensor(row) for row in WEIGHTS],
    ],
    ids=["torch", "bfloat16", "with a gradient", "numpy", "list of tensors"],
)
def test_weights_come_as_tensors_arrays_and_lists(weights):
    np.testing.assert_allclose(heatmap(weights, TOKENS).panel.values, WEIGHTS, atol=5e-3)


def test_the_figure_keeps_its_own_copy():
    weights = np.array(WEIGHTS)
    figure = heatmap(weights, TOKENS)
    weights[:] = 0
    assert figure.panel.values.tolist() == WEIGHTS


def test_numbers_stand_in_cells_as_on_the_page():
    figure = heatmap(WEIGHTS, TOKENS)
    assert figure.panel.numbers == ((".50", ".25", ".25"), ("", "1.0", ""), (".10", ".70", ".20"))
    assert figure.caption == ()  # nothing was left out: a 0 needs no number
    assert heatmap([[0.04, 0.96]], ["a"], ["b", "c"]).caption == ("Numbers below 0.05 are not written into cells.",)


def test_numbers_stand_in_cells_where_they_can_be_read():
    assert heatmap(equal_weights(24), ["a"] * 24).panel.numbers is not None
    assert heatmap(equal_weights(25), ["a"] * 25).panel.numbers is None
    assert heatmap(WEIGHTS, TOKENS, numbers=False).panel.numbers is None
    with pytest.raises(InputError, match="at most 24 x 24 cells, not 25 x 25; choose a window") as told:
        heatmap(equal_weights(25), ["a"] * 25, numbers=True)
    assert told.value.facts["limit"] == 24


def test_colours_run_from_zero_to_the_largest_weight_or_as_told():
    assert heatmap(WEIGHTS, TOKENS).scale.high == 1.0
    assert heatmap(equal_weights(4), list("abcd")).scale.high == 0.25
    assert heatmap(np.zeros((1, 1)), ["a"]).scale.high == 1.0
    assert heatmap(equal_weights(2), ["a", "b"], largest=1).scale.high == 1
    assert heatmap(WEIGHTS, TOKENS, curve="log").scale.curve == "log"
    for wrong in (-1, 0, float("inf"), float("nan")):
        with pytest.raises(InputError, match=f"colour scale ends at {wrong}"):
            heatmap(WEIGHTS, TOKENS, largest=wrong)


def test_the_alt_text_says_what_is_to_be_seen():
    assert heatmap(WEIGHTS, TOKENS).alt_text == (
        "Heatmap of attention weights, 3 queries by 3 keys. The largest is 1.000, from “cat” to “cat”."
    )
    assert heatmap(WEIGHTS, TOKENS, language="ko").alt_text == (
        "어텐션 가중치 히트맵이에요. 보는 토큰 3개, 보이는 토큰 3개예요. "
        "가장 큰 값은 1.000, “cat” 토큰이 “cat” 토큰을 보는 값이에요."
    )
    assert heatmap(np.zeros((1, 1)), ["a"]).alt_text.endswith("Nothing that is shown has any weight.")


@pytest.mark.parametrize(
    ("weights", "tokens", "message"),
    [
        (torch.zeros(1, 12, 3, 3), TOKENS, r"shape \(1, 12, 3, 3\) are not one matrix.*weights\[0, 1\]"),
        ([0.5, 0.5], TOKENS, r"shape \(2,\) are not one matrix"),
        (0.5, TOKENS, r"shape \(\) are not one matrix"),
        (np.zeros((3, 4)), TOKENS, r"shape \(3, 4\) \(query, key\) do not fit 3 query tokens and 3 key tokens"),
        (WEIGHTS, ["the"], "do not fit 1 query tokens"),
        (np.zeros((0, 0)), [], "nothing to show"),
        ([[0.1, 0.2], [0.3]], TOKENS, "matrix of numbers"),
        ([["a", "b"]], ["x", "y"], "matrix of numbers"),
        (None, TOKENS, r"shape \(\)"),
        ([[0.5, float("nan")]], ["a"], "1 of these is not finite, the first at query 0, key 1: nan"),
        ([[0.5, float("inf")]], ["a"], "not finite"),
        ([[0.5, -0.5]], ["a"], "1 of these is negative, the first at query 0, key 1: -0.5"),
        (WEIGHTS, "cat", "list of texts, one a row, not str"),
        (WEIGHTS, 3, "list of texts, one a row, not int"),
        (WEIGHTS, [1, 2, 3], "tokens are texts; 1 is not"),
        (WEIGHTS, None, "need the tokens that label them"),
        (equal_weights(513), ["a"] * 513, "513 x 513 cells; a figure shows at most 512 x 512: choose a window"),
    ],
)
def test_what_is_no_heatmap_is_told(weights, tokens, message):
    key_tokens = ["b", "c"] if tokens == ["a"] else None
    with pytest.raises(InputError, match=message):
        heatmap(weights, tokens, key_tokens)


def test_a_shape_is_a_shape_error():
    with pytest.raises(ShapeError):
        heatmap(np.zeros((3, 4)), TOKENS)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"layer": 3}, InputError, "layer chooses from a trace"),
        ({"words": True}, InputError, "words chooses from a trace"),
        ({"colour": "red"}, InputError, "unknown option 'colour'; accepted: kind, layer, head"),
        ({"theme": "sepia"}, UnknownNameError, "unknown theme 'sepia'; accepted: light, dark, print"),
        ({"palette": "jet"}, UnknownNameError, "accepted: atlas, viridis, cividis, greys"),
        ({"language": "fr"}, UnknownNameError, "accepted: en, ko"),
        ({"curve": "cubic"}, UnknownNameError, "accepted: linear, sqrt, log"),
        ({"width": 159}, InputError, "159 pixels wide; accepted: 160 to 4000"),
        ({"width": 10**9}, InputError, "accepted: 160 to 4000"),
        ({"font_size": 7.9}, InputError, "letters of 7.9 pixels; accepted: 8 to 40"),
        ({"font_size": float("nan")}, InputError, "accepted: 8 to 40"),
    ],
)
def test_options_that_make_no_figure_are_told(options, error, message):
    with pytest.raises(error, match=message):
        heatmap(WEIGHTS, TOKENS, **options)
