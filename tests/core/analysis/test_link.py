"""Which head ties a query to a key: hand-made traces with known answers, and the cat sentence on the real model."""

from dataclasses import replace

import pytest
import torch
from hand_made import rows, trace_of
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_core.analysis.link import link
from attention_core.capture import capture
from attention_core.errors import InputError, UnknownNameError
from attention_core.looking import look

# Head 0 sends "it" to "cat" and nobody else; head 1 sends everybody there; head 2 knows nothing.
TEXT = "[S] cat mat it red"
TIES = rows("20 0 0 0 0", "20 0 0 0 0", "16 2 0 0 2", "2 12 4 0 2", "18 2 0 0 0")
TOPIC = rows("4 16 0 0 0", "0 20 0 0 0", "2 16 0 0 2", "2 16 2 0 0", "2 16 0 0 2")
FLAT = torch.full((5, 5), 0.2)


def cat() -> object:
    return trace_of(TEXT, torch.stack([TIES, TOPIC, FLAT]))


def test_the_head_with_lift_comes_first_and_the_one_to_which_everything_looks_is_named() -> None:
    found = link(cat(), [3], [1], rivals=[[2]])
    assert [(one.layer, one.head) for one in found.heads] == [(0, 0), (0, 1), (0, 2)]
    ties, topic, flat = found.heads
    # The others are mat and red: 0.1 and 0.1 in head 0; 0.8 and 0.8 in head 1. [S], cat and it itself do not count.
    assert (ties.weight, ties.others, ties.lift) == pytest.approx((0.6, 0.1, 0.5))
    assert (ties.margin, ties.share) == pytest.approx((0.4, 0.6 / 0.9))
    assert (topic.weight, topic.others, topic.lift) == pytest.approx((0.8, 0.8, 0.0))
    assert (ties.named, topic.named, flat.named) == (None, "topic", "topic")
    assert found.other_count == 2
    assert found.of(0, 1) is topic


def test_the_other_direction_is_a_question_of_its_own() -> None:
    back = link(cat(), [1], [3])
    assert {one.head: one.weight for one in back.heads} == pytest.approx({0: 0.0, 1: 0.0, 2: 0.2})
    assert back.heads[0].margin is None


def test_pieces_of_a_word_are_summed_as_keys_and_averaged_as_queries() -> None:
    found = link(cat(), [3, 4], [1, 2])
    assert found.of(0, 0).weight == pytest.approx((0.8 + 0.1) / 2)
    assert found.other_count == 0
    assert found.of(0, 0).lift is None
    assert found.of(0, 0).others is None
    # Without lift the raw weight ranks, and nothing is said about topics: nobody else could be asked.
    assert [one.head for one in found.heads] == [1, 0, 2]
    assert all(one.named is None for one in found.heads)


def test_a_key_that_is_special_or_first_is_a_sink_not_a_topic() -> None:
    sink = trace_of("[S] a b c", torch.stack([rows("20 0 0 0", "16 4 0 0", "16 0 4 0", "16 0 0 4")]))
    assert link(sink, [3], [0]).of(0, 0).named == "sink"
    # 0.8 of the row is no part of the 0.2 that it gives to words.
    assert link(sink, [3], [0]).of(0, 0).share is None


def test_a_decoder_counts_only_those_that_may_look() -> None:
    causal = trace_of("a b c d", torch.stack([rows("20 0 0 0", "10 10 0 0", "4 16 0 0", "2 8 4 6")]), causal=True)
    found = link(causal, [3], [1])
    assert found.other_count == 1  # c: a stands before b
    assert found.of(0, 0).lift == pytest.approx(0.4 - 0.8)
    with pytest.raises(InputError, match="sees only what came before"):
        link(causal, [1], [3])


def test_cross_attention_compares_the_words_that_are_written() -> None:
    weights = torch.stack([rows("16 4", "2 18", "10 10")])
    found = link(trace_of("나 학교", weights, target="i school [e]"), [1], [1])
    assert found.other_count == 1  # "i": the end marker is special, and the key stands on another axis
    assert found.of(0, 0).lift == pytest.approx(0.9 - 0.2)


@pytest.mark.parametrize(
    ("query", "key", "rivals", "match"),
    [
        ([], [1], [], "query touches no token"),
        ([3], [], [], "key touches no token"),
        ([9], [1], [], "query stands at token 9, and there are 0 to 4"),
        ([3], [-1], [], "key stands at token -1"),
        ([1, 3], [1], [], "not linked with itself"),
        ([3], [1], [[1]], "a rival is another token"),
        ([3], [1], [[3]], "a rival is another token"),
        ([3], [1], [[]], "rival touches no token"),
    ],
)
def test_what_is_no_link_is_refused(query, key, rivals, match) -> None:
    with pytest.raises(InputError, match=match):
        link(cat(), query, key, rivals=rivals)


def test_a_head_or_kind_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnknownNameError):
        link(cat(), [3], [1]).of(0, 7)
    with pytest.raises(UnknownNameError):
        link(cat(), [3], [1], kind="cross")


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 9))
def test_for_any_weights_lift_is_weight_minus_others_and_heads_are_ranked(seed: int, count: int) -> None:
    torch.manual_seed(seed)
    weights = torch.randn(3, count + 1, count + 1).mul(3).softmax(-1)
    trace = trace_of(" ".join(["[S]", *(f"w{n}" for n in range(count))]), weights)
    query, key = (torch.randperm(count)[:2] + 1).tolist()
    found = link(trace, [query], [key])
    for one in found.heads:
        assert one.weight == pytest.approx(float(weights[one.head, query, key]), abs=1e-6)
        others = [q for q in range(1, count + 1) if q not in (query, key)]
        if others:
            assert one.lift == pytest.approx(one.weight - float(weights[one.head, others, key].mean()), abs=1e-6)
    lifts = [one.lift for one in found.heads if one.lift is not None]
    assert lifts == sorted(lifts, reverse=True)


def test_other_words_count_once_however_many_pieces_they_have() -> None:
    """a, b and c are pieces of one word, d is another: the mean of two words, not of four tokens."""
    weights = torch.stack([rows("20 0 0 0 0 0", "12 8 0 0 0 0", "12 4 4 0 0 0", "12 0 0 8 0 0", "2 18 0 0 0 0",
                                "0 16 0 0 4 0")])  # fmt: skip
    trace = trace_of("[S] k a b d q", weights)
    pieces = replace(trace.source, words=(None, 0, 1, 1, 2, 3))
    trace = replace(trace, source=pieces)
    one = link(trace, [5], [1])
    assert (one.other_count, one.of(0, 0).others) == (3, pytest.approx((0.2 + 0.0 + 0.9) / 3))
    whole = link(trace, [5], [1], words=True)
    assert (whole.other_count, whole.of(0, 0).others) == (2, pytest.approx((0.1 + 0.9) / 2))
    assert whole.of(0, 0).lift == pytest.approx(0.8 - 0.5)


@pytest.mark.model
def test_asked_in_words_it_is_the_same_as_on_the_merged_trace(cache) -> None:
    del cache
    trace = capture("minilm", "The immunologist met the unhappiest ophthalmologist because she was late")
    merged = look(trace, words=True)
    assert len(merged.source) < len(trace.source)
    at = [merged.source.texts.index(word) for word in ("she", "immunologist", "ophthalmologist")]
    query, key, rival = (list(merged.source.positions[one]) for one in at)
    found, same = link(trace, query, key, rivals=[rival], words=True), link(merged, at[:1], at[1:2], rivals=[at[2:]])
    assert found.other_count == same.other_count
    for one, other in zip(found.heads, same.heads, strict=True):
        assert vars(one) == pytest.approx(vars(other), abs=1e-5)


@pytest.mark.model
def test_in_the_cat_sentence_l3_h1_ties_it_to_cat_and_l5_h11_marks_the_topic(cache) -> None:
    del cache
    trace = capture("minilm", "The cat sat on the mat because it was tired")
    found = link(trace, [8], [2], rivals=[[6]])
    first = found.heads[0]
    assert (first.layer, first.head) == (3, 1)
    assert first.weight == pytest.approx(0.487, abs=0.001)
    assert first.lift == pytest.approx(0.37, abs=0.01)
    assert max(found.heads, key=lambda one: one.weight).named == "topic"
    topic = found.of(5, 11)
    assert (topic.weight, topic.others, topic.lift) == pytest.approx((0.683, 0.605, 0.08), abs=0.005)
    assert topic.named == "topic"
    # Whole words are other axes, and here the same words: the same numbers but for the special tokens' rows.
    merged = look(trace, words=True)
    assert link(merged, [8], [2]).heads[0].weight == pytest.approx(first.weight, abs=1e-6)
