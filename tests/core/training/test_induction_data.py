"""The sequences of the induction recipe: repeated as they say, and not to be solved at a fixed distance."""

import pytest
import torch

from attention_core.training.induction import fixed_distance
from attention_core.training.induction.sequences import (
    HELD_OUT,
    PERIODS,
    START,
    UNKNOWN,
    VOCABULARY,
    draw,
    tokenizer,
)
from attention_core.training.induction.words import ENGLISH, KOREAN


@pytest.fixture(scope="module")
def trained():
    return draw(512, PERIODS, torch.Generator().manual_seed(11))


def test_held_out_periods_are_never_drawn(trained):
    assert not set(HELD_OUT) & set(PERIODS)
    assert set(trained.period.tolist()) == set(PERIODS)
    # Some held-out periods lie between trained ones: a model that knew only some distances would miss them.
    assert min(PERIODS) < min(HELD_OUT) < max(HELD_OUT) < max(PERIODS)


def test_the_second_copy_is_the_first_and_no_other_word_stands_twice(trained):
    rows = zip(trained.ids.tolist(), trained.prefix.tolist(), trained.period.tolist(), strict=True)
    for ids, prefix, period in rows:
        assert ids[0] == VOCABULARY.index(START)
        words = ids[1:]
        first, second = words[prefix : prefix + period], words[prefix + period : prefix + 2 * period]
        assert first == second
        rest = words[: prefix + period] + words[prefix + 2 * period :]
        assert len(set(rest)) == len(rest)
        assert min(words) >= 2


def test_prefix_and_period_vary(trained):
    assert len(set((trained.prefix + trained.period).tolist())) > 50
    assert int(trained.prefix.min()) < 3
    assert int(trained.prefix.max()) > 80


def test_no_fixed_distance_foretells_the_words(trained):
    assert fixed_distance(trained) < 0.12
    assert fixed_distance(draw(512, HELD_OUT, torch.Generator().manual_seed(11))) < 0.3
    # The same measure sees a distance that does win.
    assert fixed_distance(draw(64, (9,), torch.Generator().manual_seed(11))) == 1.0


def test_foretold_words_are_those_that_the_token_after_the_first_names(trained):
    after = trained.ids.gather(1, trained.after_first())
    foretold = trained.foretold()[:, :-1]
    assert torch.equal(after[:, :-1][foretold], trained.ids[:, 1:][foretold])
    assert torch.equal(trained.in_second().sum(dim=1), trained.period)
    assert torch.equal(trained.foretold().sum(dim=1), trained.period - 1)


def test_sequences_are_english_korean_or_both(trained):
    korean = trained.ids[:, 1:] >= 2 + len(ENGLISH)
    # Of one language there are enough words for every sequence but the longest of them.
    share = (korean & trained.in_second()[:, 1:]).sum(dim=1) / trained.period
    assert {bool((share == 0).any()), bool((share == 1).any()), bool(((share > 0) & (share < 1)).any())} == {True}


def test_words_are_distinct_and_read_one_by_one():
    assert len(set(VOCABULARY)) == len(VOCABULARY)
    assert 128 <= len(ENGLISH) <= 200
    assert 128 <= len(KOREAN) <= 200
    made = tokenizer()
    encoding = made.encode("Apple 사과\n tree dragonfly")
    assert encoding.tokens == [START, "apple", "사과", UNKNOWN, UNKNOWN]
    assert encoding.special_tokens_mask[0] == 1
    assert made.encode(" ".join(ENGLISH + KOREAN)).ids == list(range(len(VOCABULARY)))[:1] + list(
        range(2, len(VOCABULARY))
    )
