"""Words are found as people write them, in English and Korean."""

from unicodedata import normalize

import pytest
from hand_made import tokens_of

from attention_core.analysis.words import words
from attention_core.errors import UnknownNameError

CAT = tokens_of("[S] The cat, it said, saw it [E]")
KOREAN = tokens_of("고양이집은 고양이가 그것을 보았다 고양이는")


@pytest.mark.parametrize(
    ("wanted", "position"),
    [("it", 3), ("it#1", 3), ("it#2", 6), ("IT", 3), ("cat", 2), ("cat,", 2), ("the", 1), (" saw ", 5)],
)
def test_a_word_is_found_whole_in_any_case_and_by_its_number(wanted, position) -> None:
    assert words(CAT, wanted) == (position,)


@pytest.mark.parametrize("wanted", ["i", "sai", "dog", "it#3", "it#0", "", "  ", "#1", "[S]", "cat it", "\ud800"])
def test_a_word_that_is_not_there_lists_those_that_are(wanted) -> None:
    with pytest.raises(UnknownNameError) as refused:
        words(CAT, wanted)
    assert refused.value.facts["accepted"] == ["The", "cat", "it", "said", "saw", "it"]


@pytest.mark.parametrize(
    ("wanted", "position"),
    [("고양이", 1), ("고양이#2", 4), ("고양이가", 1), ("그것", 2), ("고양이집", 0), ("보", 3)],
)
def test_a_korean_word_is_found_with_and_without_its_particle(wanted, position) -> None:
    # 고양이집은 begins with 고양이 too, but what follows it is no particle.
    assert words(KOREAN, wanted) == (position,)


def test_composed_and_decomposed_hangul_are_the_same_word() -> None:
    assert words(KOREAN, "고양이가") == words(KOREAN, normalize("NFD", "고양이가")) == (1,)


def test_a_long_text_is_not_listed_whole() -> None:
    with pytest.raises(UnknownNameError) as refused:
        words(tokens_of(" ".join(f"w{number}" for number in range(500))), "cat")
    assert len(refused.value.facts["accepted"]) == 60
