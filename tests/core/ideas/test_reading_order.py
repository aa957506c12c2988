"""Order, and fewer scores: a random encoder on a few words."""

import pytest
import torch

from attention_core.errors import InputError, TextError, UnknownNameError
from attention_core.ideas.order import order
from attention_core.ideas.reading import words_of
from attention_core.ideas.sparing import sparing
from attention_core.nn.config import POSITIONS
from attention_core.nn.efficient import Window

WORDS = ("the", "cat", "sat", "on", "the", "mat")


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("positions", POSITIONS)
def test_only_positions_tell_the_order(positions, seed):
    found = order(positions, WORDS, seed)
    assert found.shuffled != WORDS
    assert sorted(found.shuffled) == sorted(WORDS)
    ones = torch.ones(2, 2, len(WORDS))
    torch.testing.assert_close(found.weights.sum(dim=-1), ones)
    torch.testing.assert_close(found.back.sum(dim=-1), ones)
    if positions == "none":
        assert found.difference < 2e-6
        # To such an encoder the two "the" are one and the same, in every layer.
        torch.testing.assert_close(found.weights[..., 0, :], found.weights[..., 4, :])
    else:
        assert found.difference > 0.05


def test_words_that_are_all_the_same_have_no_other_order():
    with pytest.raises(InputError, match="all words are the same"):
        order("none", ("buffalo", "buffalo", "buffalo"))
    assert order("none", ("a", "b")).permutation == (1, 0)


def test_the_seed_draws_encoder_and_order():
    first, again, other = (order("rotary", WORDS, seed) for seed in (5, 5, 6))
    assert torch.equal(first.weights, again.weights)
    assert first.permutation == again.permutation
    assert not torch.equal(first.weights, other.weights)


def test_words_are_read_at_spaces_and_not_without_bounds():
    assert words_of("  나는  학교에\n갔다 ") == ("나는", "학교에", "갔다")
    with pytest.raises(TextError, match="1 words"):
        words_of("alone")
    with pytest.raises(InputError, match="33 words; accepted: 2 to 32"):
        words_of("a " * 33)
    with pytest.raises(InputError, match="longer than 40"):
        words_of("a " + "b" * 41)
    with pytest.raises(UnknownNameError, match="accepted: learned, sinusoidal, rotary, none"):
        order("absolute", WORDS)


def test_ways_that_compute_fewer_scores_beside_the_formula():
    found = sparing(WORDS, Window(2), 2048, sharpness=0.1)
    mask = Window(2).mask(len(WORDS))
    assert (found.near.weights[:, ~mask] == 0).all()
    assert (found.near.weights[:, mask] > found.exact[:, mask]).all(), "the window's keys share what the others had"
    assert found.near.difference == pytest.approx(float((found.near.weights - found.exact).abs().max()))
    assert 0 < found.estimated.difference < 0.05
    few = [sparing(WORDS, Window(2), 4, seed, sharpness=0.1).estimated.difference for seed in range(5)]
    many = [sparing(WORDS, Window(2), 2048, seed, sharpness=0.1).estimated.difference for seed in range(5)]
    assert sum(many) < 0.2 * sum(few)
    assert sparing(WORDS, Window(len(WORDS))).near.difference < 1e-6


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"features": 0}, "features is 0; accepted: 1 to 4096"),
        ({"features": 5000}, "features is 5000"),
        ({"sharpness": float("nan")}, "sharpness is nan"),
        ({"window": Window(2, (6,))}, "global token 6 is not in the text"),
    ],
)
def test_what_is_out_of_bounds_is_said(given, sentence):
    with pytest.raises(InputError, match=sentence):
        sparing(**{"words": WORDS, "window": Window(2), **given})
