"""What a small model says about a word that it does not know."""

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import Whitespace

from attention_core.capture import Example, capture
from attention_core.capture import open_model as bundled
from attention_core.errors import UnknownWordsError, WrongLanguageError
from attention_core.models.words import refuse_unknown, suggest

KNOWN = ["학교", "학생", "도서관", "고양이", "사과", "school", "library", "cat"]
ENDINGS = {"은", "는", "에", "에서", "을", "를", "다"}


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("학꾜에", "학교에"),
        ("학굘에서", "학교에서"),
        ("고양아는", "고양이는"),
        ("사가을", "사과를"),  # the particle follows its new word
        ("학셍는", "학생은"),
        ("scool", "school"),
        ("libary", "library"),
    ],
)
def test_the_nearest_word_comes_first_with_its_particle(word: str, first: str) -> None:
    assert suggest(word, KNOWN, ENDINGS)[0] == first


def test_a_word_unlike_any_other_gets_no_suggestion() -> None:
    assert suggest("xylophone", KNOWN, ENDINGS) == []


def tokenizer() -> Tokenizer:
    pieces = ["<unk>", *KNOWN, *(f"##{ending}" for ending in sorted(ENDINGS))]
    made = Tokenizer(WordPiece({piece: number for number, piece in enumerate(pieces)}, unk_token="<unk>"))
    made.pre_tokenizer = Whitespace()
    made.add_special_tokens(["<unk>"])
    return made


def test_unknown_words_are_named_with_what_is_near_and_what_is_known() -> None:
    made, text = tokenizer(), "고양이는 학꾜에 로켓을"
    with pytest.raises(UnknownWordsError) as caught:
        refuse_unknown(made, text, made.encode(text))
    facts = caught.value.facts
    assert facts["words"] == ["학꾜에", "로켓을"]
    assert facts["suggestions"][0] == "학교에"
    assert set(facts["known"]) <= set(KNOWN[:5])  # known words of the same script


def test_a_text_of_known_words_passes() -> None:
    made = tokenizer()
    refuse_unknown(made, "고양이는 학교에", made.encode("고양이는 학교에"))


@pytest.mark.parametrize(("word", "plain"), [("갔습니다", "갔다"), ("갔어요", "갔다"), ("읽었습니다", "읽었다")])
def test_a_polite_past_is_offered_in_the_plain_style(word: str, plain: str) -> None:
    made = bundled("ko-en").tokenizer
    with pytest.raises(UnknownWordsError) as caught:
        refuse_unknown(made, word, made.encode(word))
    assert caught.value.facts["suggestions"] == [plain]
    assert caught.value.facts["reason"] == "polite"


@pytest.mark.parametrize("word", ["싶다", "학생입니다", "엄마가", "좋다", "ㅎㅎㅎ"])
def test_nothing_is_offered_that_is_no_word(word: str) -> None:
    made = bundled("ko-en").tokenizer
    with pytest.raises(UnknownWordsError) as caught:
        refuse_unknown(made, word, made.encode(word))
    for offered in caught.value.facts["suggestions"]:
        # A stem of a verb with an ending that does not fit would be none: 숲다, 학생다, 좋아다.
        assert not offered.endswith("다")
    assert all("\uac00" <= known[0] <= "\ud7a3" for known in caught.value.facts["known"])


@pytest.mark.parametrize(
    ("example", "reason"),
    [
        (Example("I went to school"), "source-ko"),
        (Example("나는 school에 갔다"), "source-ko"),
        (Example("나는 갔다", target="나는 학교"), "target-en"),
    ],
)
def test_each_side_is_in_its_own_language(example: Example, reason: str) -> None:
    with pytest.raises(WrongLanguageError) as caught:
        capture("ko-en", example)
    assert caught.value.facts["reason"] == reason
