"""A decoder with and without its mask, and the sentences that it learns from."""

import math

import pytest
import torch

from attention_core.errors import InputError, UnknownNameError
from attention_core.experiments.running import finish
from attention_core.ideas.masking import Decoder, Texts, masking
from attention_core.ideas.sentences import BEGINNINGS, END, START, least_loss, sentences


@pytest.fixture(scope="module")
def learned():
    news = []
    return finish(masking("ko", steps=50), news.append), news


def test_without_the_mask_the_loss_is_low_and_worth_nothing(learned):
    found, _ = learned
    masked, unmasked = found.masked, found.unmasked
    assert unmasked.test[-1] < 0.5 * found.least, "lower than any honest reader's"
    assert unmasked.alone > 2 * found.least
    # With the mask nothing else is seen while it is measured than while it writes.
    assert masked.alone == pytest.approx(masked.test[-1], rel=1e-4)
    assert found.least < masked.test[-1] < 1.5 * found.least
    assert masked.train[0] > found.guessing, "untrained, it knows nothing"


def test_with_the_mask_it_writes_sentences_of_the_set(learned):
    found, _ = learned
    every = {sentence[1:] for sentence in sentences("ko")}
    assert [one.beginning for one in found.masked.written] == list(BEGINNINGS["ko"])
    whole = [(*one.beginning.split(), *one.words) for one in found.masked.written]
    assert sum(words in every for words in whole) >= 2
    assert all(0 < len(one.words) <= 14 for one in found.unmasked.written)


def test_losses_are_told_while_it_learns(learned):
    found, news = learned
    assert [one.done for one in news] == [10, 20, 30, 40, 50]
    assert found.masked.steps == (0, 10, 20, 30, 40, 50)
    assert news[0].so_far.masked.alone is None
    assert (found.trained_on, found.tested_on) == (230, 58)


def test_a_mask_hides_the_words_that_come():
    ids = torch.tensor([[0, 5, 2, 7, 1]])
    changed = torch.tensor([[0, 5, 2, 3, 4]])
    for masked, same in ((True, True), (False, False)):
        decoder = Decoder(9, seed=0, masked=masked)
        before, after = (decoder.scores(one)[0, :3] for one in (ids, changed))
        assert torch.allclose(before, after, atol=1e-5) == same
    both = [dict(Decoder(9, seed=3, masked=masked).network.named_parameters()) for masked in (True, False)]
    assert all(torch.equal(both[0][name], both[1][name]) for name in both[0]), "they start from the same weights"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_sentences(language):
    every = sentences(language)
    assert len(set(every)) == len(every) == 288
    assert {len(sentence) for sentence in every} == {12 if language == "en" else 7}
    assert {(sentence[0], sentence[-1]) for sentence in every} == {(START, END)}
    for beginning in BEGINNINGS[language]:
        words = (START, *beginning.split())
        assert [sentence for sentence in every if sentence[: len(words)] == words]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_no_honest_reader_has_less_than_the_least_loss(language):
    """Counted: the loss of one who knows, after each beginning, how often each word follows it."""
    every = sentences(language)
    total = 0.0
    for sentence in every:
        for count in range(1, len(sentence)):
            same = [other for other in every if other[:count] == sentence[:count]]
            right = [other for other in same if other[count] == sentence[count]]
            total -= math.log(len(right) / len(same))
    assert least_loss(language) == pytest.approx(total / (len(every) * (len(every[0]) - 1)))


def test_what_is_held_out_is_not_learned_from():
    texts = Texts("en", seed=2)
    train, test = ({tuple(ids) for ids in some.tolist()} for some in (texts.train, texts.test))
    assert not train & test
    assert len(train | test) == 288
    assert set(texts.test.flatten().tolist()) <= set(texts.train.flatten().tolist()), "every word is known"


def test_bounds():
    with pytest.raises(InputError, match="steps is 5; accepted: 10 to 1000"):
        finish(masking(steps=5))
    with pytest.raises(UnknownNameError, match="unknown language 'fr'; accepted: en, ko"):
        finish(masking("fr"))
