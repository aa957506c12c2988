"""Attention against effect in the sentence of the cat: the figures that the README quotes."""

import pytest

from attention_core.capture import Example, open_model
from attention_core.experiments.running import finish
from attention_core.experiments.switching import scan

pytestmark = pytest.mark.model
IT, CAT = 8, 2


def test_the_head_that_ties_it_to_cat_is_not_the_one_whose_loss_turns_the_vector_of_it():
    example = Example("The cat sat on the mat because it was tired")
    found = finish(scan(open_model("minilm"), example, row=IT, key=CAT))
    heads = {(one.layer, one.head): one for one in found.heads}
    ties, topic = heads[3, 1], heads[5, 11]
    assert (ties.attention, topic.attention) == (pytest.approx(0.487, abs=1e-3), pytest.approx(0.683, abs=1e-3))
    assert (ties.effect, topic.effect) == (pytest.approx(0.005, abs=6e-4), pytest.approx(0.131, abs=1e-3))
    assert found.agreement == pytest.approx(0.41, abs=0.005)
