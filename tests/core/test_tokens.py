"""What a person reads of a token, and that it belongs to the input."""

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from attention_core.errors import ShapeError
from attention_core.tokens import Tokens, display_text


@pytest.mark.parametrize(
    ("piece", "read"),
    [
        ("##ing", "ing"),
        ("##", "##"),
        ("▁cat", "cat"),
        ("▁", "␣"),
        ("ᄂ", "ᄂ"),
        ("\u202e", "<U+202E>"),
        ("a\u202eb", "a<U+202E>b"),
        ("\n", "⏎"),
        ("<0xED>", "<0xED>"),
        ("<b>", "<b>"),
        ("½", "½"),
        ("é", "é"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
    ],
)
def test_a_piece_is_shown_as_a_person_reads_it(piece: str, read: str) -> None:
    assert display_text(piece) == read


@pytest.mark.parametrize(
    ("piece", "read"),
    [("Ġcat", "cat"), ("Ġ", "␣"), ("Ċ", "⏎"), ("íķĻ", "학"), ("íķ", "<0xED><0x95>"), ("Ã©", "é"), ("##x", "##x")],
)
def test_a_byte_level_piece_is_decoded_or_its_bytes_are_named(piece: str, read: str) -> None:
    assert display_text(piece, byte_level=True) == read


def test_spans_count_code_points_of_the_input() -> None:
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "갔다": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    text = "😀 갔다 x"
    tokens = Tokens.of(text, tokenizer.encode(text))
    assert tokens.spans == ((0, 1), (2, 4), (5, 6))
    assert tokens.pieces == ("[UNK]", "갔다", "[UNK]")
    assert tokens.words == (0, 1, 2)


def test_fields_of_different_lengths_are_refused() -> None:
    with pytest.raises(ShapeError, match="one entry a token"):
        Tokens("x", (1, 2), ("x",), ("x",), (None,), (False,), (0,), ("A",))
