"""Labels are the tokens as typed, on one line, with names for what cannot be seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from attention_core.errors import InputError
from attention_core.figures.labels import LONGEST_LABEL, label, labels


@pytest.mark.parametrize(
    "token", ["<b>", "<br>", "&lt;", "<a href=x>", "$$", r"$\frac{", "%{x}", "_^{}", "شجرة", "나는", "👩‍🔬", "क्षि"]
)
def test_a_label_is_the_token_as_typed(token):
    assert label(token) == token


def test_what_cannot_be_seen_is_spelled_out_on_one_line():
    tokens = ["new\nline", "\t", "a\x00", "\r", "a\u2028b", "\ud800", "a\u202eb", "", " ", "\u200b", "\u1161"]
    expected = ["new⏎line", "⇥", "a<U+0000>", "⏎", "a<U+2028>b", "<U+D800>", "a<U+202E>b", "∅", "␣", "U+200B", "ㅏ"]
    assert list(map(label, tokens)) == expected


def test_a_very_long_token_is_cut():
    assert label("x" * 5000) == "x" * 23 + "…"
    assert label("x" * 24) == "x" * 24
    assert label("\x00" * 9)[-1] == "…"  # names count as letters


@given(some.text())
def test_any_text_makes_a_short_label_on_one_line(text):
    made = label(text)
    assert 0 < len(made) <= LONGEST_LABEL
    assert len(made.splitlines()) == 1


def test_what_is_no_text_is_told_on_one_line():
    with pytest.raises(InputError, match="tokens are texts; b'x' is not"):
        label(b"x")
    with pytest.raises(InputError, match="list of texts"):
        labels({"a"})
    assert labels(("a", "b")) == ("a", "b")
