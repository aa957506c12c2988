"""What a small model says about a word that it does not know."""

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import Whitespace

from attention_core.errors import UnknownWordsError
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
