"""Pairs of texts in an encoder: who belongs to which, and what one of them sees of one of them."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from attention_core.capture import Example, capture, ready
from attention_core.errors import NotAvailableError, ShapeError, TooManyTokensError, TraceError, UnknownNameError
from attention_core.looking import look
from attention_core.maps import DenseMap, FactoredMap, Kind
from attention_core.models.card import ModelCard
from attention_core.models.catalogue import load_catalogue
from attention_core.models.examples import EmptyTextError
from attention_core.models.loading import LoadedModel, load_model
from attention_core.storage import load, save
from attention_core.tokens import Tokens
from attention_core.trace import AttentionTrace, Looking, Provenance

CARD = ModelCard("m", "M", "M", "bert", ("encoder-self",), (), 1, 1, None, "exact", "", "")
BOTH = ("AA", "AB", "BA", "BB")
FIRST, SECOND = "The teacher gave the student a book", "The student read the book to the teacher"

# Pairs that repeat words in other places and roles; the small words are left out of the count.
REPEATS = (
    (FIRST, SECOND),
    ("A dog chased the cat", "The cat was chased by a dog"),
    ("The cat sat on the mat", "Later the mat was under the cat"),
    ("My brother lives in Berlin and works at a bank", "The bank in Berlin closed last week"),
    ("She bought apples and bread at the market", "The bread from the market was fresh"),
    ("Rain fell on the quiet village", "In the village nobody minded the rain"),
    ("The doctor called the lawyer", "The lawyer never answered the doctor"),
    ("He painted the old door green", "The door was old but the paint was green"),
    ("We saw an elephant near the river", "The river was too deep for the elephant"),
    ("The piano stood beside the window", "Through the window we heard the piano"),
)
SMALL_WORDS = {"the", "a", "an", "was", "by", "in", "at", "on", "and", "of", "to", "from", "for"}


def tokens(words: list[int | None], segment: str) -> Tokens:
    """A token a letter of `segment`; None is a marker. Letters of one word stand together in their text."""
    spans, texts, last = [], {"A": "", "B": ""}, {"A": None, "B": None}
    for word, of in zip(words, segment, strict=True):
        if word is None:
            spans.append(None)
            continue
        texts[of] += " " if texts[of] and word != last[of] else ""
        spans.append((len(texts[of]), len(texts[of]) + 1))
        texts[of] += "abcdefgh"[len(texts[of]) % 8]
        last[of] = word
    names = tuple(
        "[S]" if span is None else texts[of][slice(*span)] for of, span in zip(segment, spans, strict=True)
    )
    special = tuple(word is None for word in words)
    return Tokens(
        texts["A"], tuple(range(len(words))), names, names, tuple(spans), special, tuple(words), tuple(segment),
        pair=texts["B"],
    )  # fmt: skip


def trace_of(weights: torch.Tensor, words: list[int | None], segment: str) -> AttentionTrace:
    one = DenseMap(kind=Kind.ENCODER_SELF, layer=0, given=weights)
    provenance = Provenance("eager", "float32", "cpu", 0.0, 0.0, 1.0)
    return AttentionTrace(CARD, tokens(words, segment), None, (one,), provenance)


# [S] a [S] | b c [S], where b and c are one word
WORDS: list[int | None] = [None, 0, None, 0, 0, None]
ROWS = [
    [0.5, 0.1, 0.1, 0.1, 0.1, 0.1],
    [0.1, 0.2, 0.3, 0.1, 0.2, 0.1],
    [0.0, 0.0, 0.0, 0.5, 0.5, 0.0],
    [0.2, 0.3, 0.1, 0.0, 0.1, 0.3],
    [0.4, 0.1, 0.1, 0.2, 0.0, 0.2],
    [1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
]


def example() -> AttentionTrace:
    return trace_of(torch.tensor([ROWS]), WORDS, "AAABBB")


@pytest.mark.parametrize(
    ("segments", "rows", "columns"), [("AA", (0, 3), (0, 3)), ("AB", (0, 3), (3, 6)), ("BA", (3, 6), (0, 3))]
)
def test_a_filter_cuts_a_window_and_nothing_else(
    segments: str, rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    seen = look(example(), segments=segments)
    expected = torch.tensor(ROWS)[slice(*rows), slice(*columns)]
    torch.testing.assert_close(seen.maps[0].weights()[0], expected, rtol=0, atol=0)
    assert set(seen.queries("encoder-self").segment) == {segments[0]}
    assert set(seen.keys("encoder-self").segment) == {segments[1]}
    assert seen.queries("encoder-self").positions == tuple((at,) for at in range(*rows))
    assert (seen.source_queries is None) == (segments[0] == segments[1])
    assert float(seen.maps[0].removed().abs().max()) == 0.0  # type: ignore[attr-defined]


def test_words_are_merged_and_markers_hidden_before_the_cut() -> None:
    seen = look(example(), words=True, special="hide", segments="BA")
    assert seen.queries("encoder-self").texts == ("ab",)
    assert seen.keys("encoder-self").texts == ("a",)
    torch.testing.assert_close(seen.maps[0].weights()[0], torch.tensor([[0.2]]))
    # What was hidden of the whole row, in either text: 0.6 of b's row and 0.7 of c's.
    torch.testing.assert_close(seen.maps[0].removed()[0], torch.tensor([0.65]))  # type: ignore[attr-defined]


def test_rows_are_scaled_up_whole_and_then_cut() -> None:
    first, second = (look(example(), special="renormalise", segments=name).maps[0] for name in ("AA", "AB"))
    torch.testing.assert_close(first.weights()[0], torch.tensor([[0.4]]))
    torch.testing.assert_close(second.weights()[0], torch.tensor([[0.2, 0.4]]))


def test_a_row_that_looked_at_markers_only_stays_empty() -> None:
    rows = torch.tensor([[[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]])
    seen = look(trace_of(rows, [None, 0, 0], "AAB"), special="renormalise", segments="AB")
    assert seen.maps[0].weights().tolist() == [[[0.0]]]


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[int | None], str, int]:
    sizes = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    words: list[int | None] = []
    for size in sizes:
        word = 0
        for _ in range(size):
            word += draw(st.integers(0, 1))
            words.append(None if draw(st.integers(0, 3)) == 0 else word)
        words[-1] = word  # each text keeps a word of its own
    return words, "A" * sizes[0] + "B" * sizes[1], draw(st.integers(0, 2**31))


def factored(words: list[int | None], segment: str, seed: int) -> AttentionTrace:
    generator = torch.Generator().manual_seed(seed)
    vectors = [torch.randn(2, len(words), 4, generator=generator) for _ in range(3)]
    one = FactoredMap(
        kind=Kind.ENCODER_SELF, layer=0, scale=2.0,
        query_vectors=vectors[0], key_vectors=vectors[1], value_vectors=vectors[2],
    )  # fmt: skip
    provenance = Provenance("in-house", "float32", "cpu", 0.0, 0.0, 1.0)
    return AttentionTrace(CARD, tokens(words, segment), None, (one,), provenance)


@given(cases(), st.booleans(), st.sampled_from(["show", "hide", "renormalise"]))
@settings(max_examples=60, deadline=None)
def test_the_four_cuts_lie_side_by_side_and_are_the_whole(
    case: tuple[list[int | None], str, int], words: bool, special: str
) -> None:
    trace = factored(*case)
    whole = look(trace, words=words, special=special).maps[0]
    cut = {name: look(trace, words=words, special=special, segments=name).maps[0] for name in BOTH}
    upper, lower = (torch.cat([cut[f"{row}A"].weights(), cut[f"{row}B"].weights()], -1) for row in "AB")
    torch.testing.assert_close(torch.cat([upper, lower], 1), whole.weights(), rtol=0, atol=1e-6)
    for one in cut.values():
        last = one.query_count - 1
        torch.testing.assert_close(one.weights(1, last), one.weights()[1:, last:])
        torch.testing.assert_close(one.overview(None, 64), one.weights())
        assert one.allowed().all()
    if special != "show":
        removed = [look(trace, words=words, special=special, segments=name).maps[0].removed() for name in ("AB", "BB")]  # type: ignore[attr-defined]
        torch.testing.assert_close(torch.cat(removed, 1), whole.removed())  # type: ignore[attr-defined]


def test_what_is_no_pair_is_refused() -> None:
    one_text = trace_of(torch.eye(2)[None], [0, 1], "AA")
    with pytest.raises(NotAvailableError, match="no second one") as raised:
        look(one_text, segments="AB")
    assert raised.value.facts["reason"] == "one-text"
    with pytest.raises(UnknownNameError, match="accepted: all, AA, AB, BA, BB"):
        look(example(), segments="A")
    with pytest.raises(NotAvailableError, match="second text would be left"):
        look(trace_of(torch.eye(2)[None], [0, None], "AB"), special="hide", segments="AB")
    with pytest.raises(NotAvailableError, match="only an encoder alone"):
        look(capture("ko-en", Example("나는 학교에 갔다", target="I went to school")), segments="AB")
    assert look(one_text, segments="all") is one_text


def test_a_cut_trace_is_looked_at_once_and_not_saved(tmp_path: Path) -> None:
    seen = look(example(), segments="AB")
    assert look(seen, segments="AB") is seen
    with pytest.raises(NotAvailableError, match="original"):
        look(seen, segments="BA")
    with pytest.raises(TraceError, match="save the original"):
        save(seen, tmp_path / "x.safetensors")


def test_a_trace_refuses_tokens_that_look_where_nothing_was_cut() -> None:
    whole, cut = example(), look(example(), segments="AB")
    with pytest.raises(TraceError, match="only a pair"):
        AttentionTrace(CARD, whole.source, None, whole.maps, whole.provenance, source_queries=whole.source)
    with pytest.raises(TraceError, match="only a pair"):
        AttentionTrace(CARD, cut.source, None, cut.maps, cut.provenance, looking=Looking(segments="AB"))
    with pytest.raises(ShapeError, match="3 x 3"):
        AttentionTrace(
            CARD, cut.source, None, cut.maps, cut.provenance,
            looking=Looking(segments="AB"), source_queries=whole.source,
        )  # fmt: skip


def test_a_second_text_shows_its_own_characters() -> None:
    # Of a byte-level tokenizer: one token a byte, so that every Korean letter is three.
    alphabet = {letter: at for at, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    made = Tokenizer(models.BPE(vocab=alphabet, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    encoding = made.encode("ab", "갔다")
    read = Tokens.of("ab", encoding, byte_level=True, pair="갔다")
    assert read.texts == ("a", "b", "갔¹", "갔²", "갔³", "다¹", "다²", "다³")
    assert read.grouped(read.word_groups()).texts == ("ab", "갔다")
    assert "".join(read.segment) == "AABBBBBB"


@pytest.fixture(scope="module")
def minilm(minilm_folder: Path) -> LoadedModel:
    return ready(load_model(load_catalogue().entry("minilm").card, minilm_folder))


@pytest.mark.model
def test_every_head_of_a_real_pair_is_cut_from_its_own_weights(minilm: LoadedModel) -> None:
    trace = capture(minilm, Example(FIRST, pair=SECOND))
    border = trace.source.segment.index("B")
    spans = {"A": slice(0, border), "B": slice(border, len(trace.source))}
    assert trace.source.texts[border - 1] == "[SEP]"
    for name in BOTH:
        seen = look(trace, segments=name)
        for one, whole in zip(seen.maps, trace.maps, strict=True):
            expected = whole.weights()[:, spans[name[0]], spans[name[1]]]
            torch.testing.assert_close(one.weights(), expected, rtol=0, atol=1e-6)


@pytest.mark.model
def test_layer_2_head_9_finds_the_same_word_in_the_other_sentence(minilm: LoadedModel) -> None:
    seen = look(capture(minilm, Example(FIRST, pair=SECOND)), special="hide", segments="AB")
    weights = seen.map("encoder-self", 2).weights(9)[0]
    queries, keys = seen.queries("encoder-self").texts, seen.keys("encoder-self").texts
    best = {query: keys[int(row.argmax())] for query, row in zip(queries, weights, strict=True)}
    assert {word: best[word] for word in ("teacher", "student", "book")} == {
        "teacher": "teacher", "student": "student", "book": "book",
    }  # fmt: skip


@pytest.mark.model
def test_the_catalogues_hint_on_layer_2_head_9_is_measured(minilm: LoadedModel) -> None:
    found, weights = [], []
    for first, second in REPEATS:
        for segments in ("AB", "BA"):
            seen = look(capture(minilm, Example(first, pair=second)), words=True, special="hide", segments=segments)
            queries, keys = seen.queries("encoder-self").texts, seen.keys("encoder-self").texts
            rows = seen.map("encoder-self", 2).weights(9)[0]
            for word, row in zip(queries, rows, strict=True):
                if word in keys and word not in SMALL_WORDS:
                    found.append(keys[int(row.argmax())] == word)
                    weights.append(sum(float(weight) for key, weight in zip(keys, row, strict=True) if key == word))
    assert (sum(found), len(found)) == (46, 46)
    assert sum(weights) / len(weights) == pytest.approx(0.56, abs=0.005)


@pytest.mark.model
def test_a_pair_is_saved_with_both_texts(minilm: LoadedModel, tmp_path: Path) -> None:
    trace = capture(minilm, Example(FIRST, pair=SECOND))
    assert (trace.source.text, trace.source.pair) == (FIRST, SECOND)
    save(trace, tmp_path / "pair.safetensors")
    again = load(tmp_path / "pair.safetensors")
    assert again.source.pair == SECOND
    torch.testing.assert_close(
        look(again, segments="BA").maps[5].weights(), look(trace, segments="BA").maps[5].weights(), rtol=0, atol=0
    )


@pytest.mark.model
@pytest.mark.parametrize("second", ["", " \n", "[SEP]", "[CLS] [SEP]"])
def test_a_second_text_without_a_word_is_refused(minilm: LoadedModel, second: str) -> None:
    with pytest.raises(EmptyTextError, match="nothing in the second text") as raised:
        capture(minilm, Example("A cat.", pair=second))
    assert raised.value.facts["reason"] == "pair"
    with pytest.raises(EmptyTextError, match="nothing in the first text"):
        capture(minilm, Example(second, pair="A cat."))


@pytest.mark.model
def test_two_texts_that_are_too_long_are_named_with_their_sizes_and_never_cut(minilm: LoadedModel) -> None:
    with pytest.raises(TooManyTokensError, match="300 and 400 tokens, 703 with") as raised:
        capture(minilm, Example("cat " * 300, pair="dog " * 400), truncate=True)
    expected = {"count": 703, "limit": 512, "reason": "pair", "first": 300, "second": 400}
    assert raised.value.facts == expected


@pytest.mark.model
def test_korean_in_the_second_text_alone_is_noticed(minilm: LoadedModel) -> None:
    trace = capture(minilm, Example("I went to school", pair="나는 학교에 갔다"))
    assert "language" in [notice.code for notice in trace.notices]
