"""The head is chosen on one half and reported on the other; luck on the one half does not reach the other."""

from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_core.experiments.evaluate.resampling import Resamples, by_group, reported


@given(st.text(max_size=20))
def test_the_halves_are_told_by_the_parity_of_a_hash(group):
    """The rule of SOURCES.md, written as it is said there: the parity of the number."""
    assert reported(group) == bool(int(sha256(("x" + group).encode()).hexdigest(), 16) % 2)


def halves(right, groups):
    other = np.array([reported(group) for group in groups])
    return tuple(by_group([g for g, o in zip(groups, other, strict=True) if o == half], right[other == half])
                 for half in (False, True))  # fmt: skip


def choose(right, groups, seed=0):
    one, two = halves(right, groups)
    return Resamples(len(one[1]), len(two[1]), seed=seed).choose(one, two)


def test_shuffled_labels_are_near_chance_where_they_are_reported_although_the_best_head_looks_better():
    """A permutation test: of 72 heads that guess, the best on the choosing half beats a coin by luck, only there."""
    generator = np.random.default_rng(0)
    chosen, reported_shares, inside = [], [], []
    for _ in range(40):
        right = (generator.random((400, 72)) < 0.5).astype(float)
        choice = choose(right, [f"g{n}" for n in range(400)])
        chosen.append(choice.share_chosen)
        reported_shares.append(choice.share)
        inside.append(choice.interval[0] <= 0.5 <= choice.interval[1])
    assert min(chosen) > 0.55
    assert np.mean(reported_shares) == pytest.approx(0.5, abs=0.015)
    assert np.mean(inside) > 0.85


def test_a_head_that_knows_is_found_and_its_interval_is_that_of_its_share():
    generator = np.random.default_rng(1)
    right = (generator.random((600, 20)) < 0.4).astype(float)
    right[:, 13] = generator.random(600) < 0.8
    choice = choose(right, [f"g{n}" for n in range(600)])
    assert choice.place == 13
    assert choice.again == 1.0
    low, high = choice.interval
    wide = 1.96 * np.sqrt(0.8 * 0.2 / 300)  # the normal interval of a share of about 300 rows
    assert low == pytest.approx(choice.share - wide, abs=0.012)
    assert high == pytest.approx(choice.share + wide, abs=0.012)


def test_rows_of_one_group_count_as_one_draw():
    """Ten copies of each row say no more than one: the interval stays as wide."""
    generator = np.random.default_rng(2)
    right = (generator.random((200, 3)) < 0.6).astype(float)
    groups = [f"g{n}" for n in range(200)]
    once, ten = choose(right, groups), choose(np.repeat(right, 10, axis=0), np.repeat(groups, 10).tolist())
    assert ten.share == pytest.approx(once.share)
    assert ten.interval == pytest.approx(once.interval)


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(2, 30), st.integers(1, 6))
def test_shares_and_intervals_are_shares_whatever_the_order_of_the_rows(seed, rows, heads):
    generator = np.random.default_rng(seed)
    right = (generator.random((rows, heads)) < 0.5).astype(float)
    groups = [f"g{n}" for n in generator.integers(0, 8, rows)]
    if len({reported(group) for group in groups}) < 2:
        return
    choice = choose(right, groups, seed)
    assert 0 <= choice.interval[0] <= choice.interval[1] <= 1
    order = generator.permutation(rows)
    assert choose(right[order], [groups[n] for n in order], seed) == choice
    ours = [n for n, group in enumerate(groups) if reported(group)]
    assert choice.share == pytest.approx(right[ours, choice.place].mean())
