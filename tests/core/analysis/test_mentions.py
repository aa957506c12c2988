"""Pronouns and what they might mean, suggested by a small rule, in English and Korean."""

import pytest
from hand_made import tokens_of

from attention_core.analysis.mentions import mentions


def words(text: str) -> tuple[list[str], list[str]]:
    tokens = tokens_of(text)
    found = mentions(tokens)
    return tuple([tokens.texts[group[0]] for group in groups] for groups in (found.pronouns, found.candidates))


@pytest.mark.parametrize(
    ("text", "pronouns", "candidates"),
    [
        ("[S] the cat sat on the mat because it was tired [E]", ["it"], ["cat", "mat"]),
        ("The doctor thanked the nurse because she had stayed", ["she"], ["doctor", "nurse"]),
        ("Anna gave her book to Ben", ["her"], ["Anna", "book", "Ben"]),
        ("고양이가 책상에서 내려왔다 그것은 피곤했다", ["그것은"], ["고양이가", "책상에서"]),
        ("철수는 영희에게 그녀의 책을 주었다", ["그녀의"], ["철수는", "영희에게", "책을"]),
        ("그는 자기 방으로 갔다", ["그는", "자기"], ["방으로"]),
        ("12 + 7 = 19 !", [], []),
    ],
)
def test_the_rule_finds_what_a_reader_would(text, pronouns, candidates) -> None:
    assert words(text) == (pronouns, candidates)


def test_a_name_that_begins_like_a_pronoun_is_none() -> None:
    assert words("그림은 이마를 저녁에")[0] == []
