"""The numbers of a head and the names they earn: hand-made heads that do one thing each."""

import math

import pytest
import torch
from hand_made import rows, trace_of
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_core.analysis.profile import profile
from attention_core.analysis.roles import LEAST_ROWS, roles
from attention_core.capture import capture
from attention_core.errors import InputError

COUNT = 6
TEXT = "[S] a b c d e"


def only(offset: int, count: int = COUNT) -> torch.Tensor:
    """Each row gives everything to the token at this offset, and to the first where there is none."""
    weights = torch.zeros(count, count)
    for query in range(count):
        key = query + offset
        weights[query, key if 0 <= key < count else 0] = 1.0
    return weights


def heads_of(text: str, *heads: torch.Tensor, causal: bool = False):
    found = profile(trace_of(text, torch.stack(heads), causal=causal))
    names = [[role.name for role in one.roles] for one in roles(found)]
    return found.heads, names


def test_each_habit_is_told_by_its_number_and_gets_its_name() -> None:
    sink = torch.zeros(COUNT, COUNT)
    sink[:, 0] = 1.0
    topic = torch.zeros(COUNT, COUNT)
    topic[:, 3] = 1.0
    flat = torch.full((COUNT, COUNT), 1 / COUNT)
    (previous, following, own, back, first, about, even), names = heads_of(
        TEXT, only(-1), only(1), only(0), only(-3), sink, topic, flat
    )
    assert (previous.offset, previous.offset_share, previous.offset_largest) == (-1, 1.0, 1.0)
    assert (following.offset, own.offset, back.offset) == (1, 0, -3)
    assert own.own == 1.0
    assert (first.special, first.first) == (1.0, 1.0)
    assert (about.topic, about.topic_key) == (1.0, 3)
    assert even.entropy == pytest.approx(math.log2(COUNT))
    assert even.spread == pytest.approx(1.0)
    assert previous.entropy == previous.spread == 0.0
    # Three of the five rows have no token three places back and rest on the first: that is a sink too.
    assert names == [
        *(["previous-token"], ["next-token"], ["self"], ["positional", "sink"], ["sink"], ["topic"], []),
    ]


def test_one_row_looks_at_itself_and_has_no_usual_offset() -> None:
    (one,) = profile(trace_of("[S] a", rows("20 0", "5 15")[None])).heads
    assert (one.own, one.special, one.distance) == pytest.approx((0.75, 0.25, 0.25))
    assert (one.offset, one.offset_share, one.offset_largest) == (None, None, None)


def test_distance_is_the_mean_over_what_is_looked_at() -> None:
    # Rows a (at 1) and b (at 2): a looks at c (2 away) with 0.5 and at itself with 0.5; b looks at a with 1.
    weights = rows("20 0 0 0", "0 10 0 10", "0 20 0 0", "0 0 0 20")
    (head,), _ = heads_of("[S] a b c", weights)
    assert head.distance == pytest.approx((1.0 + 1.0 + 0.0) / 3)


def test_the_same_word_elsewhere_counts_only_rows_whose_word_stands_twice() -> None:
    text = "[S] The cat the dog"
    weights = rows("20 0 0 0 0", "0 4 0 16 0", "0 0 20 0 0", "0 12 0 8 0", "0 0 0 0 20")
    (head,), names = heads_of(text, weights)
    assert head.same_word == pytest.approx((0.8 + 0.6) / 2)
    assert "same-word" in names[0]
    (other,), _ = heads_of("[S] a b c d", torch.eye(5))
    assert other.same_word is None


def test_a_decoder_is_judged_by_what_it_may_see() -> None:
    weights = torch.tensor([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [1 / 3, 1 / 3, 1 / 3, 0], [0.25] * 4])
    (head,), _ = heads_of("a b c d", weights, causal=True)
    assert head.spread == pytest.approx(3 / 4)  # even over what is allowed; the first row has no choice
    (twice,), _ = heads_of("x y x y", rows("20 0 0 0", "0 20 0 0", "20 0 0 0", "0 20 0 0"), causal=True)
    assert twice.same_word == 1.0  # the first x and y cannot see the second


def test_between_two_sequences_there_are_no_distances() -> None:
    trace = trace_of("나 학교", torch.stack([rows("16 4", "2 18", "10 10")]), target="i school [e]")
    (head,) = profile(trace).heads
    assert (head.distance, head.offset, head.own, head.same_word) == (None, None, None, None)
    assert head.topic == pytest.approx((0.8 + 0.1) / 2) or head.topic == pytest.approx((0.2 + 0.9) / 2)


def test_a_short_text_names_nothing_and_one_token_has_no_profile() -> None:
    assert LEAST_ROWS == 4
    _, names = heads_of("[S] a b c", only(-1, 4))
    assert names == [[]]
    with pytest.raises(InputError, match="at least two tokens"):
        profile(trace_of("a", torch.ones(1, 1, 1)))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 12), st.booleans())
def test_for_any_weights_the_numbers_stay_in_their_ranges(seed: int, count: int, causal: bool) -> None:
    torch.manual_seed(seed)
    scores = torch.randn(2, count, count) * 4
    if causal:
        scores = scores.masked_fill(torch.ones(count, count).triu(1).bool(), -torch.inf)
    found = profile(trace_of(" ".join("abca"[n % 4] for n in range(count)), scores.softmax(-1), causal=causal))
    for one in found.heads:
        assert -1e-6 <= one.entropy <= math.log2(count) + 1e-5
        assert -1e-6 <= one.spread <= 1 + 1e-5
        assert 0 <= one.distance <= count
        for share in (one.special, one.first, one.own, one.offset_share, one.offset_largest):
            assert -1e-6 <= share <= 1 + 1e-5


@pytest.mark.model
def test_minilm_l0_h2_looks_at_the_previous_token_and_l5_h11_at_the_topic(cache) -> None:
    del cache
    found = roles(profile(capture("minilm", "The cat sat on the mat because it was tired")))
    named = {(one.layer, one.head): [role.name for role in one.roles] for one in found}
    assert named[0, 2] == ["previous-token"]
    assert named[5, 11] == ["topic"]
    assert named[3, 1] == []  # the head of pronouns is none that one sentence could name
