"""Looking through words and past special tokens: hand-made cases, and what must hold for any matrix."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_core.errors import NotAvailableError, TraceError, UnknownNameError
from attention_core.looking import look
from attention_core.maps import DenseMap, FactoredMap, Kind
from attention_core.masks import CausalMask, Mask, SlidingWindowMask
from attention_core.models.card import ModelCard
from attention_core.storage import save
from attention_core.tokens import Tokens
from attention_core.trace import AttentionTrace, Provenance

CARD = ModelCard("m", "M", "M", "bert", (), (), 1, 1, None, "exact", "", "")


def tokens(words: list[int | None]) -> Tokens:
    """Tokens of one letter each, a space between words; None is a special token."""
    letters = [chr(97 + at) for at in range(len(words))]
    spans, text, before = [], "", None
    for letter, word in zip(letters, words, strict=True):
        if word is None:
            spans.append(None)
            continue
        text += " " if before is not None and word != before else ""
        spans.append((len(text), len(text) + 1))
        text += letter
        before = word
    special = tuple(word is None for word in words)
    names = tuple("[S]" if word is None else letter for letter, word in zip(letters, words, strict=True))
    count = len(words)
    return Tokens(text, tuple(range(count)), names, names, tuple(spans), special, tuple(words), ("A",) * count)


def trace_of(weights: torch.Tensor, words: list[int | None], mask: Mask | None = None) -> AttentionTrace:
    kind = Kind.ENCODER_SELF if mask is None else Kind.DECODER_SELF
    one = DenseMap(kind=kind, layer=0, given=weights, mask=mask or Mask())
    provenance = Provenance("eager", "float32", "cpu", 0.0, 0.0, 1.0)
    return AttentionTrace(CARD, tokens(words), None, (one,), provenance)


# [S] a b|c [S]: b and c are one word.
WORDS = [None, 0, 1, 1, None]
ROWS = [
    [0.2, 0.2, 0.2, 0.2, 0.2],
    [0.1, 0.4, 0.2, 0.2, 0.1],
    [0.5, 0.1, 0.1, 0.3, 0.0],
    [0.1, 0.3, 0.4, 0.0, 0.2],
    [1.0, 0.0, 0.0, 0.0, 0.0],
]


def example() -> AttentionTrace:
    return trace_of(torch.tensor([ROWS]), WORDS)


def test_words_sum_over_columns_and_average_over_rows() -> None:
    seen = look(example(), words=True)
    assert seen.source.texts == ("[S]", "b", "cd", "[S]")
    assert seen.source.positions == ((0,), (1,), (2, 3), (4,))
    expected = [[0.2, 0.2, 0.4, 0.2], [0.1, 0.4, 0.4, 0.1], [0.3, 0.2, 0.4, 0.1], [1.0, 0.0, 0.0, 0.0]]
    torch.testing.assert_close(seen.maps[0].weights()[0], torch.tensor(expected))


def test_hidden_special_tokens_leave_and_what_they_took_is_told() -> None:
    seen = look(example(), special="hide")
    one = seen.maps[0]
    assert seen.source.positions == ((1,), (2,), (3,))
    torch.testing.assert_close(one.weights()[0], torch.tensor(ROWS)[1:4, 1:4])
    torch.testing.assert_close(one.removed()[0], torch.tensor([0.2, 0.5, 0.3]))


def test_renormalised_rows_share_out_what_is_left() -> None:
    one = look(example(), words=True, special="renormalise").maps[0]
    torch.testing.assert_close(one.weights()[0], torch.tensor([[0.5, 0.5], [1 / 3, 2 / 3]]))
    torch.testing.assert_close(one.removed()[0], torch.tensor([0.2, 0.4]))


def test_a_row_that_looked_at_special_tokens_only_stays_empty() -> None:
    rows = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    one = look(trace_of(rows, [None, 0]), special="renormalise").maps[0]
    assert one.weights().tolist() == [[[0.0]]]
    assert one.removed().tolist() == [[1.0]]


def test_a_causal_mask_stays_causal_over_words() -> None:
    raw = torch.rand(1, 4, 4).tril()
    seen = look(trace_of(raw / raw.sum(-1, keepdim=True), [0, 0, 1, 2], CausalMask()), words=True)
    one = seen.maps[0]
    assert one.mask.describe() == {"mask": "causal", "offset": 0}
    assert one.allowed().tolist() == torch.ones(3, 3).tril().bool().tolist()
    assert float(one.weights().triu(1).abs().max()) == 0.0


def test_another_mask_allows_a_word_when_any_of_its_pieces_may() -> None:
    raw = torch.eye(4)[None]
    one = look(trace_of(raw, [0, 0, 1, 1], CausalMask() & SlidingWindowMask(1)), words=True).maps[0]
    assert one.allowed().tolist() == [[True, False], [False, True]]
    assert one.mask.describe() == {"mask": "words", "of": (CausalMask() & SlidingWindowMask(1)).describe()}


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[int | None], int]:
    count = draw(st.integers(2, 24))
    words, word = [], 0
    for _ in range(count):
        word += draw(st.integers(0, 1))
        words.append(None if draw(st.integers(0, 4)) == 0 else word)
    words[draw(st.integers(0, count - 1))] = word
    return words, draw(st.integers(0, 2**31))


def factored(words: list[int | None], seed: int) -> AttentionTrace:
    generator = torch.Generator().manual_seed(seed)
    vectors = [torch.randn(2, len(words), 4, generator=generator) for _ in range(3)]
    one = FactoredMap(
        kind=Kind.ENCODER_SELF,
        layer=0,
        query_vectors=vectors[0],
        key_vectors=vectors[1],
        value_vectors=vectors[2],
        scale=2.0,
    )
    provenance = Provenance("in-house", "float32", "cpu", 0.0, 0.0, 1.0)
    return AttentionTrace(CARD, tokens(words), None, (one,), provenance)


@given(cases(), st.booleans(), st.sampled_from(["show", "hide", "renormalise"]))
@settings(max_examples=60, deadline=None)
def test_whatever_is_looked_at_rows_add_up(case: tuple[list[int | None], int], words: bool, special: str) -> None:
    seen = look(factored(*case), words=words, special=special)
    one = seen.maps[0]
    rows = one.weights().sum(-1)
    if special == "hide":
        rows = rows + one.removed()  # type: ignore[attr-defined]
    torch.testing.assert_close(rows, torch.ones_like(rows), atol=1e-5, rtol=0)
    # A window is cut from the whole, and an overview of one cell a token is the whole.
    last = one.query_count - 1
    torch.testing.assert_close(one.weights(1, last), one.weights()[1:, last:])
    torch.testing.assert_close(one.overview(None, 64), one.weights())


def test_long_words_are_read_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = factored([None, *[0] * 9, 1, None], 3)
    whole = look(trace, words=True, special="hide").maps[0].weights()
    monkeypatch.setattr("attention_core.attention_map.BLOCK_WEIGHTS", 24)
    torch.testing.assert_close(look(trace, words=True, special="hide").maps[0].weights(), whole)


def test_looking_twice_saving_and_asking_for_scores_are_refused(tmp_path) -> None:
    seen = look(example(), words=True)
    assert look(seen, words=True) is seen
    with pytest.raises(NotAvailableError, match="original"):
        look(seen, special="hide")
    with pytest.raises(NotAvailableError, match="single tokens"):
        seen.maps[0].scores()
    with pytest.raises(TraceError, match="save the original"):
        save(seen, tmp_path / "x.safetensors")
    with pytest.raises(UnknownNameError, match="accepted: show, hide, renormalise"):
        look(example(), special="drop")


def test_nothing_left_is_refused() -> None:
    with pytest.raises(NotAvailableError, match="nothing"):
        look(trace_of(torch.eye(2)[None], [None, None]), special="hide")
