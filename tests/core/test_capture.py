"""The default model, from text to trace."""

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from attention_core.capture import Example, capture, ready
from attention_core.errors import InputError, NotAvailableError, TextError, TooManyTokensError, UnknownNameError
from attention_core.figures import heatmap
from attention_core.models.catalogue import load_catalogue
from attention_core.models.loading import EmptyTextError, LoadedModel, load_model

pytestmark = pytest.mark.model
CAT = "The cat sat on the mat because it was tired"


@pytest.fixture(scope="module")
def minilm(minilm_folder: Path) -> LoadedModel:
    return ready(load_model(load_catalogue().entry("minilm").card, minilm_folder))


def test_the_cat_sentence_has_its_known_weights(minilm: LoadedModel) -> None:
    trace = capture(minilm, CAT)
    assert minilm.back_end == "in-house"
    assert len(trace.maps) == 6
    assert [one.head_count for one in trace.maps] == [12] * 6
    it, cat, the = 8, 2, 1
    assert (trace.source.texts[it], trace.source.texts[cat], trace.source.texts[the]) == ("it", "cat", "the")
    # Figures published with the project's data (GAP, OntoGUM table), measured with BertModel's eager attention.
    assert float(trace.map("encoder-self", 3).weights(1, it, cat)) == pytest.approx(0.487, abs=0.001)
    assert float(trace.map("encoder-self", 3).weights(1, the, cat)) == pytest.approx(0.61, abs=0.005)
    assert float(trace.map("encoder-self", 5).weights(11, it, cat)) == pytest.approx(0.683, abs=0.001)
    assert trace.provenance.self_check_error <= trace.provenance.self_check_tolerance
    assert trace.notices == ()


def test_the_ids_are_the_tokenizers_own(minilm: LoadedModel, minilm_folder: Path) -> None:
    tokenizer = Tokenizer.from_file(str(minilm_folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    assert list(capture(minilm, CAT).source.ids) == tokenizer.encode(CAT).ids


def test_korean_falls_apart_into_overlapping_jamo_and_says_so(minilm: LoadedModel) -> None:
    trace = capture(minilm, "나는 학교에 갔다")
    assert "[UNK]" in trace.source.pieces
    assert trace.source.spans[1] == trace.source.spans[2] == (0, 1)
    assert [notice.code for notice in trace.notices] == ["language", "unknown-tokens"]


def test_a_pair_is_told_apart_by_its_segments(minilm: LoadedModel) -> None:
    trace = capture(minilm, Example("A cat.", pair="It slept."))
    assert "".join(trace.source.segment) == "AAAAABBBB"
    alone = capture(minilm, "A cat.")
    assert not torch.allclose(trace.maps[0].weights()[:, :5, :5], alone.maps[0].weights())


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\x00", "\u200b"])
def test_a_text_without_tokens_is_refused(minilm: LoadedModel, text: str) -> None:
    with pytest.raises(EmptyTextError, match="write a sentence") as raised:
        capture(minilm, text)
    assert raised.value.facts == {}


@pytest.mark.parametrize("text", ["[SEP]", " [CLS] [SEP]\n"])
def test_a_text_of_special_tokens_alone_is_refused_for_what_it_is(minilm: LoadedModel, text: str) -> None:
    with pytest.raises(EmptyTextError, match="special tokens alone") as raised:
        capture(minilm, text)
    assert raised.value.facts == {"reason": "special"}


def test_half_a_surrogate_pair_is_refused(minilm: LoadedModel) -> None:
    with pytest.raises(TextError, match="surrogate"):
        capture(minilm, "a\ud800b")


def test_a_long_text_is_refused_with_the_limit_or_cut_and_says_where(minilm: LoadedModel) -> None:
    text = " ".join(f"word{number % 9}" for number in range(600))
    with pytest.raises(TooManyTokensError, match="at most 512"):
        capture(minilm, text)
    trace = capture(minilm, text, truncate=True)
    assert len(trace.source) <= 512
    assert trace.source.cut is not None
    (notice,) = trace.notices
    assert notice.code == "truncated"
    # What is left is encoded as it was in the whole text, and ends where the cut says.
    whole = Tokenizer.from_str(minilm.tokenizer.to_str()).encode(text)
    kept = len(trace.source) - 1
    assert list(trace.source.ids[:kept]) == whole.ids[:kept]
    assert trace.source.spans[kept - 1][1] <= trace.source.cut  # type: ignore[index]


def test_an_unbroken_long_text_is_cut_too(minilm: LoadedModel) -> None:
    trace = capture(minilm, "ㄱ!" * 3000, truncate=True)
    assert 400 < len(trace.source) <= 512


def test_an_encoder_takes_no_target(minilm: LoadedModel) -> None:
    with pytest.raises(NotAvailableError, match="one sequence"):
        capture(minilm, Example("a", target="b"))


def test_memory_is_queries_keys_and_values_and_a_length_a_key(minilm: LoadedModel) -> None:
    trace = capture(minilm, "word " * 500)
    tokens = len(trace.source)
    vectors, lengths = 6 * 3 * 12 * tokens * 32 * 4, 6 * 12 * tokens * 4
    assert trace.nbytes == vectors + lengths <= 1.05 * vectors


def test_one_head_of_a_trace_makes_a_heatmap(minilm: LoadedModel) -> None:
    trace = capture(minilm, CAT)
    figure = heatmap(trace, layer=3, head=1)
    assert figure.panel.rows.labels == figure.panel.columns.labels == trace.source.texts
    assert figure.panel.numbers[8][2] == ".49"
    assert figure.alt_text.startswith("Heatmap of attention weights, L3 H1 of MiniLM, 12 queries by 12 keys.")
    with pytest.raises(InputError, match="name one"):
        heatmap(trace, layer=3)
    with pytest.raises(UnknownNameError, match="accepted: 0"):
        heatmap(trace, layer=3, head=12)
    with pytest.raises(UnknownNameError, match="accepted: encoder-self"):
        heatmap(trace, layer=3, head=1, kind="cross")


def half(folder: Path, dtype: torch.dtype) -> LoadedModel:
    return load_model(load_catalogue().entry("minilm").card, folder, dtype=dtype)


def test_half_precision_is_shown_within_its_own_tolerance(minilm_folder: Path) -> None:
    trace = capture(half(minilm_folder, torch.bfloat16), CAT)
    assert trace.provenance.dtype == "bfloat16"
    assert trace.provenance.self_check_tolerance == 2e-2
    assert trace.maps[0].query_vectors.dtype == torch.bfloat16
    assert trace.maps[0].weights().dtype == torch.float32


def test_float16_is_read_densely_where_its_rounding_exceeds_the_tolerance(minilm_folder: Path) -> None:
    # MiniLM's rounding in float16 lies at the tolerance of 2e-3: either it holds, or the reason is told.
    model = half(minilm_folder, torch.float16)
    trace = capture(model, CAT)
    assert trace.provenance.back_end == model.back_end
    assert (model.back_end == "in-house") == (model.refusal is None)
    assert float(trace.map("encoder-self", 3).weights(1, 8, 2)) == pytest.approx(0.487, abs=0.01)
