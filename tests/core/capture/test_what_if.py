"""A model of ours that is made to attend otherwise: each what-if against what the formula, or another text, says."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attention_core import what_if
from attention_core.capture import Example, capture, open_model, write
from attention_core.errors import InputError, NotAvailableError, TraceError, UnknownNameError
from attention_core.experiments.importance import importance
from attention_core.experiments.running import finish
from attention_core.experiments.switching import scan
from attention_core.storage import from_bytes, to_bytes

CAT = "The cat sat on the mat because it was tired"


def weights(trace, layer=0, kind=None):
    return trace.maps_of(kind or trace.kinds[0])[layer].weights(None)


def taken(model, text, *names, **more):
    return capture(model, Example(text, what_if=names, **more))


# Nothing that the first layer gets has changed: its weights follow from its scores as they were.


def test_without_the_scale_the_first_layer_is_the_softmax_of_the_bare_products():
    usual, changed = taken("minilm", CAT), taken("minilm", CAT, "unscaled")
    first = usual.maps[0]
    bare = first.query_vectors @ first.key_vectors.transpose(-2, -1)
    torch.testing.assert_close(weights(changed), bare.softmax(-1), atol=1e-6, rtol=0)
    assert changed.maps[0].scale == 1.0
    assert changed.what_if == ("unscaled",)


def test_a_temperature_divides_the_scores():
    usual, changed = taken("minilm", CAT), taken("minilm", CAT, "temperature:2")
    torch.testing.assert_close(weights(changed), (usual.maps[0].scores(None) / 2).softmax(-1), atol=1e-6, rtol=0)
    both = taken("minilm", CAT, "temperature:0.5", "unscaled")
    dim = usual.maps[0].query_vectors.shape[-1]
    expected = (usual.maps[0].scores(None) * dim**0.5 / 0.5).softmax(-1)
    torch.testing.assert_close(weights(both), expected, atol=1e-5, rtol=0)
    assert both.what_if == ("unscaled", "temperature:0.5")


def test_an_encoder_that_looks_only_back_is_the_softmax_of_what_is_left():
    usual, changed = taken("minilm", CAT), taken("minilm", CAT, "mask:causal")
    scores = usual.maps[0].scores(None)
    later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    torch.testing.assert_close(weights(changed), scores.masked_fill(later, -torch.inf).softmax(-1), atol=1e-6, rtol=0)
    assert all(not one.weights(None)[:, later].any() for one in changed.maps)


def test_a_decoder_that_looks_ahead_is_the_softmax_of_the_whole_row():
    usual, changed = taken("induction", "ant bed map ant bed"), taken("induction", "ant bed map ant bed", "mask:none")
    torch.testing.assert_close(weights(changed), usual.maps[0].scores(None).softmax(-1), atol=1e-6, rtol=0)
    assert float(weights(changed)[:, 0, 1:].sum()) > 0


def test_without_positions_the_same_word_is_the_same_wherever_it_stands():
    text = "cat mat cat"
    first, last = 1, 3  # between [CLS] and [SEP]
    usual, changed = taken("minilm", text), taken("minilm", text, "positions:none")
    for layer in range(6):
        torch.testing.assert_close(
            weights(changed, layer)[:, first], weights(changed, layer)[:, last], atol=1e-5, rtol=0
        )
    assert float((weights(usual)[:, first] - weights(usual)[:, last]).abs().max()) > 0.01


# ---- another order is another text


@pytest.mark.parametrize(
    ("model", "text", "names"),
    [
        ("minilm", "tired cats sat there because it rained", ()),
        ("minilm", "tired cats sat there because it rained", ("mask:causal",)),
        ("induction", "ant bed boy deer fox", ()),
        ("induction", "ant bed boy deer fox", ("mask:none", "unscaled")),
    ],
)
def test_another_order_is_the_text_in_that_order_put_back(model, text, names):
    moved = taken(model, text, "shuffle:3", *names)
    places = torch.tensor(what_if.places_of(moved.source, 3))
    assert not torch.equal(places, torch.arange(len(places)))
    reading = places.argsort().tolist()
    words = [moved.source.texts[at] for at in reading if not moved.source.special[at]]
    other = taken(model, " ".join(words), *names)
    assert [other.source.ids[place] for place in places.tolist()] == list(moved.source.ids)
    for layer in range(len(moved.maps)):
        expected = weights(other, layer)[:, places][:, :, places]
        torch.testing.assert_close(weights(moved, layer), expected, atol=2e-5, rtol=0)


def test_without_positions_weights_move_with_the_words():
    still, moved = taken("minilm", CAT, "positions:none"), taken("minilm", CAT, "positions:none", "shuffle:5")
    assert torch.equal(weights(still, 5), weights(moved, 5))
    assert float((weights(taken("minilm", CAT), 5) - weights(taken("minilm", CAT, "shuffle:5"), 5)).abs().max()) > 0.05


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.sampled_from("AB")), min_size=1, max_size=12),
    st.integers(0, 999_999_999),
)
def test_an_order_keeps_markers_texts_and_words_together(given_tokens, seed):
    special, numbers, segments = (list(column) for column in zip(*given_tokens, strict=True))
    words = [None if marker else word for marker, word in zip(special, sorted(numbers), strict=True)]
    places = what_if.shuffled(special, words, segments, seed)
    assert sorted(places) == list(range(len(places)))
    for at, place in enumerate(places):
        assert segments[at] == segments[place]
        assert not special[at] or place == at
    assert places == what_if.shuffled(special, words, segments, seed)


def test_the_pieces_of_a_word_stay_together_and_two_words_always_move():
    places = what_if.shuffled([True, False, False, False, True], [None, 0, 0, 1, None], "AAAAA", 0)
    assert places == [0, 2, 3, 1, 4]  # two words have one other order
    assert what_if.shuffled([True, False, True], [None, 0, None], "AAA", 4) == [0, 1, 2]


# ---- where else it shows


def test_a_translator_reads_otherwise_what_it_would_have_written_anyway():
    usual = capture("ko-en", "나는 학교에 갔다")
    changed = taken("ko-en", "나는 학교에 갔다", "mask:none", "mask:causal", "shuffle:1")
    assert changed.target.text == usual.target.text
    later = torch.ones(len(changed.source), len(changed.source), dtype=torch.bool).triu(1)
    order = torch.tensor(what_if.places_of(changed.source, 1))
    assert not weights(changed)[:, order[None, :] > order[:, None]].any()
    assert float(weights(changed, kind="decoder-self")[:, 0, 1:].sum()) > 0
    assert weights(changed)[:, later].any()  # what is earlier in the order that was read may stand later here


def test_a_trace_keeps_what_was_changed():
    made = taken("minilm", CAT, "shuffle:3", "unscaled")
    again = from_bytes(to_bytes(made))
    assert again.what_if == ("unscaled", "shuffle:3")
    torch.testing.assert_close(weights(again, 2), weights(made, 2), atol=1e-6, rtol=0)
    with pytest.raises(InputError, match="unknown what_if 'nonsense'"):
        replace(made, what_if=("nonsense",))
    with pytest.raises(TraceError, match="unknown what_if 'nonsense!'"):
        from_bytes(_renamed(to_bytes(made)))


def _renamed(data):
    """The file with another name in the place of one of the same length."""
    assert data.count(b'\\"shuffle:3\\"') == 1
    return data.replace(b'\\"shuffle:3\\"', b'\\"nonsense!\\"')


@pytest.mark.parametrize(
    "name",
    ["", "scaled", "temperature:0.04", "temperature:20.01", "temperature:2.0", "temperature:nan", "temperature:٣",
     "shuffle:-1", "shuffle:01", "shuffle:1000000000", "mask:both", "positions:"],
)  # fmt: skip
def test_what_is_no_what_if_is_refused_with_what_is(name):
    with pytest.raises(UnknownNameError, match=r"temperature:0\.05 to temperature:20"):
        taken("minilm", CAT, name)


def test_one_sort_twice_is_refused():
    with pytest.raises(InputError, match="temperature twice"):
        taken("minilm", CAT, "temperature:1", "temperature:2")


def test_who_cannot_says_why():
    with pytest.raises(NotAvailableError, match="another library runs") as refused:
        taken("smollm2", CAT, "unscaled")
    assert refused.value.facts["reason"] == "no-what-if"
    with pytest.raises(NotAvailableError, match="no decoder-self attention") as refused:
        taken("minilm", CAT, "mask:none")
    assert refused.value.facts["reason"] == "no-such-mask"
    example = Example("ant bed map ant bed", what_if=("unscaled",))
    model = open_model("induction")
    for run in (lambda: list(write(model, example)), lambda: finish(scan(model, example)),
                lambda: finish(importance(model, example))):  # fmt: skip
        with pytest.raises(NotAvailableError, match="as it is"):
            run()
