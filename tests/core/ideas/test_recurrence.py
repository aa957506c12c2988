"""A recurrent network with and without attention."""

import pytest
import torch

from attention_core.errors import InputError
from attention_core.experiments.running import finish
from attention_core.ideas.recurrence import TESTED, Recall, recurrence, texts_of


@pytest.fixture(scope="module")
def learned():
    news = []
    return finish(recurrence(length=6, steps=60), news.append), news


def test_with_attention_the_far_word_is_recalled_as_well_as_the_near_one(learned):
    found, _ = learned
    assert min(found.attending.accuracy) > 0.95
    without = found.without.accuracy
    assert len(without) == len(found.attending.accuracy) == 6
    assert without[0] > 0.8
    assert max(without[3:]) < 0.6, "one state does not hold so many words yet"
    assert found.chance == 0.1
    assert found.texts == TESTED
    assert found.without.parameters < found.attending.parameters


def test_losses_are_told_while_it_learns(learned):
    found, news = learned
    assert [one.done for one in news] == [20, 40, 60, 80, 100, 120]
    assert news[0].so_far.without.steps == (10,)
    assert news[0].so_far.without.accuracy == ()
    assert news[-1].so_far.attending.losses == found.attending.losses
    assert found.attending.losses[-1] < found.without.losses[-1] < found.without.losses[0]


def test_the_seed_decides():
    def losses(seed):
        return finish(recurrence(length=4, steps=10, seed=seed)).attending.losses

    torch.manual_seed(1)
    first = losses(3)
    torch.rand(5)  # what others draw has no part in it
    assert losses(3) == first
    assert losses(4) != first


def test_texts_of_the_test_are_never_learned_from():
    """Of four words there are ten thousand texts: as many as a run reads."""
    read, asked = (texts_of(count, 4, torch.Generator().manual_seed(0), held_out=held_out)
                   for count, held_out in ((12_800, False), (TESTED, True)))  # fmt: skip
    assert (read.shape, asked.shape) == ((12_800, 4), (TESTED, 4))
    assert not set(map(tuple, read.tolist())) & set(map(tuple, asked.tolist()))
    assert sorted(set(asked.flatten().tolist())) == list(range(10))


def test_without_attention_only_the_last_state_is_known():
    """A text whose states are told apart by nothing but the last one: with attention the weights are over all."""
    ids = torch.randint(10, (2, 6), generator=torch.Generator().manual_seed(0))
    scores, weights = Recall(6, attends=True)(ids)
    assert scores.shape == (2, 6, 10)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2, 6))
    assert Recall(6, attends=False)(ids)[1] is None


@pytest.mark.parametrize("given", [{"length": 3}, {"length": 33}, {"steps": 9}, {"steps": 2001}])
def test_bounds(given):
    name, value = next(iter(given.items()))
    with pytest.raises(InputError, match=f"{name} is {value}; accepted: "):
        finish(recurrence(**given))
