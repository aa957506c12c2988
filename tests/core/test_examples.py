"""What becomes of odd texts on their way to tokens: composed letters, markers that were typed, second texts."""

import time
import unicodedata

import families
import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from attention_core.capture import Example, capture, wrap
from attention_core.errors import NotAvailableError, UnknownWordsError
from attention_core.looking import look
from attention_core.models.card import ModelCard
from attention_core.models.examples import TextReader

KOREAN = "나는 학교에 갔다"


def test_korean_as_a_mac_writes_it_is_the_same_korean() -> None:
    trace = capture("ko-en", unicodedata.normalize("NFD", KOREAN))
    assert trace.source == capture("ko-en", KOREAN).source
    assert look(trace, words=True, special="hide").source.texts == ("나는", "학교에", "갔다")


def test_a_marker_that_was_typed_is_a_marker() -> None:
    trace = capture("ko-en", "나는 </s> 갔다")
    assert trace.source.special == (False, False, True, False, False, True)
    assert look(trace, special="hide").source.texts == ("나", "는", "갔", "다")


def test_a_word_without_end_is_refused_at_once() -> None:
    started = time.process_time()
    for text in ("쀍" + "는" * 3000, " ".join(f"쀍{number}" for number in range(20_000))):
        with pytest.raises(UnknownWordsError) as caught:
            capture("ko-en", text)
        assert len(str(caught.value)) < 2000
        assert len(caught.value.facts["words"]) <= 12  # type: ignore[arg-type]
    assert time.process_time() - started < 20  # it took minutes


def roberta_like() -> Tokenizer:
    made = families.tokenizer()
    ends = [("w0", 2), ("w1", 3)]
    made.add_special_tokens(["w0", "w1"])
    made.post_processor = processors.RobertaProcessing(ends[1], ends[0])
    return made


def test_a_second_text_is_the_second_text_also_where_type_ids_say_nothing() -> None:
    tokens = capture(wrap(families.build("roberta"), roberta_like()), Example("w4 w5", pair="w6 w7")).source
    words = [at for at, special in enumerate(tokens.special) if not special]
    assert [tokens.segment[at] for at in words] == ["A", "A", "B", "B"]
    assert tokens.grouped(tokens.word_groups()).texts == tokens.texts


def test_a_pair_for_a_model_that_tells_no_segments_apart() -> None:
    tokens = capture(wrap(families.build("distilbert"), families.tokenizer()), Example("w4", pair="w6")).source
    assert tokens.segment == ("A", "B")


def test_a_decoder_takes_no_second_text() -> None:
    with pytest.raises(NotAvailableError, match="no second one"):
        capture("induction", Example("apple", pair="owl"))


@pytest.mark.parametrize(
    ("text", "words"),
    [("I ❤\ufe0fyou", ["I", "❤\ufe0f", "you"]), ("हिन्दी में", ["हिन्दी", "में"]), ("👩‍👩‍👧 a", ["👩‍👩‍👧", "a"])],
)
def test_byte_level_words_end_where_people_end_them(text: str, words: list[str]) -> None:
    made = Tokenizer(models.BPE({char: at for at, char in enumerate(pre_tokenizers.ByteLevel.alphabet())}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens = TextReader(made, ModelCard("b", "B", "B", "gpt2", (), (), 1, 1, None, "exact", "", "")).read(text)
    assert [word.strip() for word in tokens.grouped(tokens.word_groups()).texts] == words


@pytest.mark.parametrize(
    ("name", "text"),
    [("GPT2ForSequenceClassification", "w4 w5"), ("GPT2ForTokenClassification", "w4 w5"),
     ("BertForTokenClassification", "w4 [MASK] w5"), ("BertForSequenceClassification", "w4 [MASK]")],
)  # fmt: skip
def test_a_head_that_is_no_language_model_predicts_no_words(name: str, text: str) -> None:
    torch.manual_seed(0)
    size = {"vocab_size": families.VOCABULARY, "num_labels": 3, "pad_token_id": 0}
    small = (
        {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 64}
        if "GPT2" in name
        else {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    )
    model_class = getattr(transformers, name)
    made = families.tokenizer()
    made.add_special_tokens(["[MASK]"])
    network = model_class(model_class.config_class(**size, **small)).eval()
    network.resize_token_embeddings(families.VOCABULARY + 1)
    trace = capture(wrap(network, made), text)
    assert (trace.predictions, trace.predictions_note) == (None, "no-head")


def test_a_target_that_was_cut_is_told() -> None:
    trace = capture("ko-en", Example(KOREAN, target="I went to school " * 40), truncate=True)
    notice = next(one for one in trace.notices if one.code == "target-truncated")
    assert trace.target is not None
    assert (notice.facts["kept"], notice.facts["cut"]) == (len(trace.target), trace.target.cut)
