"""Ids that a model wrote, as text: whole characters only, spans that hold what each token spells."""

import families
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

from attention_core.capture import wrap
from attention_core.models.examples import TextReader
from attention_core.tokens import Tokens, byte_alphabet

CARD = wrap(families.build("llama"), families.tokenizer()).card
END = "<|end|>"


def byte_level() -> Tokenizer:
    """GPT-2's way with three merges: every byte is a token, "ab" and " a" and " ab" are too, and one marker."""
    pieces = [*sorted(byte_alphabet()), "ab", "Ġa", "Ġab"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    made = Tokenizer(models.BPE(vocabulary, [("Ġ", "a"), ("a", "b"), ("Ġa", "b")]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.post_processor = processors.ByteLevel(trim_offsets=True)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(END, special=True)])
    return made


def sentence_pieces() -> Tokenizer:
    """Llama's way: "▁" for a space, and bytes for what is no piece."""
    pieces = ["<unk>", "▁", "a", "b", "▁a", *(f"<0x{byte:02X}>" for byte in range(256))]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    made = Tokenizer(models.BPE(vocabulary, [("▁", "a")], unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    made.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return made


READERS = {"bytes": TextReader(byte_level(), CARD), "sentence pieces": TextReader(sentence_pieces(), CARD)}


def ids_of(reader: TextReader, data: bytes) -> list[int]:
    """One token for every byte."""
    if reader is READERS["bytes"]:
        letters = {byte: char for char, byte in byte_alphabet().items()}
        return [reader.tokenizer.token_to_id(letters[byte]) for byte in data]
    return [reader.tokenizer.token_to_id(f"<0x{byte:02X}>") for byte in data]


def written(reader: TextReader, data: bytes) -> Tokens:
    return reader.follow(reader.read("a b"), ids_of(reader, data))


@pytest.mark.parametrize("name", READERS)
def test_parts_of_a_character_share_its_span_and_unfinished_ones_have_none(name: str) -> None:
    tokens = written(READERS[name], "한🙂".encode()[:5])
    start = len(tokens) - 5
    assert tokens.text == "a b한"
    assert tokens.spans[start:] == ((3, 4), (3, 4), (3, 4), None, None)
    assert tokens.texts[-2:] == ("<0xF0>", "<0x9F>")
    if name == "bytes":
        assert tokens.texts[start : start + 3] == ("한¹", "한²", "한³")
    assert not any(tokens.special)
    assert None not in tokens.words


def test_bytes_that_make_no_character_do_not_hide_those_that_do() -> None:
    tokens = written(READERS["bytes"], b"\xf0\x9fb\xffa")
    assert tokens.text == "a bba"
    assert tokens.spans[-5:] == (None, None, (3, 4), None, (4, 5))
    assert tokens.texts[-5:] == ("<0xF0>", "<0x9F>", "b", "<0xFF>", "a")


def test_a_replacement_character_that_the_model_wrote_is_text() -> None:
    assert written(READERS["bytes"], "\ufffd".encode()).text == "a b\ufffd"


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=24), name=st.sampled_from(sorted(READERS)))
def test_any_bytes_are_their_valid_characters(data: bytes, name: str) -> None:
    reader = READERS[name]
    tokens = written(reader, data)
    assert tokens.text == "a b" + data.decode(errors="ignore")
    assert list(tokens.ids) == [*reader.read("a b").ids, *ids_of(reader, data)]
    spans = [span for span in tokens.spans if span is not None]
    assert all(0 <= start <= end <= len(tokens.text) for start, end in spans)
    assert [end for _, end in spans] == sorted(end for _, end in spans)
    words = [word for word in tokens.words if word is not None]
    assert words == sorted(words)
    tokens.grouped(tokens.word_groups())


@settings(max_examples=100, deadline=None)
@given(text=st.text("ab 한🙂é,.\n1", min_size=1, max_size=20).filter(str.strip))
def test_what_the_tokenizer_would_have_made_is_what_it_makes(text: str) -> None:
    reader = READERS["bytes"]
    whole = reader.read("a" + text)
    for count in range(1, len(whole)):
        prompt = whole.text[: (whole.spans[count - 1] or (0, 0))[1]]
        if list(reader.tokenizer.encode(prompt).ids) == list(whole.ids[:count]):
            assert reader.follow(reader.read(prompt), whole.ids[count:]) == whole


def test_other_pieces_than_the_tokenizers_make_the_same_words() -> None:
    reader = READERS["bytes"]
    find = reader.tokenizer.token_to_id
    tokens = reader.follow(reader.read("ab a"), [find("b"), find("Ġ"), find("a"), find("b"), find("Ġab")])
    assert tokens.text == "ab ab ab ab"
    assert tokens.spans == ((0, 2), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8), (9, 11))
    assert tokens.texts == ("ab", "a", "b", "␣", "a", "b", "ab")
    assert tokens.words == (0, 1, 1, 2, 2, 2, 3)
    assert tokens.grouped(tokens.word_groups()).texts == ("ab", "ab", "ab", "ab")


def test_a_marker_ends_the_text() -> None:
    reader = READERS["bytes"]
    end = reader.tokenizer.token_to_id(END)
    tokens = reader.follow(reader.read("ab"), [*ids_of(reader, b"\xf0"), end])
    assert (tokens.text, tokens.spans[-2:], tokens.special) == (f"ab{END}", (None, None), (False, False, True))
    assert (tokens.texts[-1], tokens.words[-1]) == (END, None)
    assert reader.follow(reader.read("ab"), [end]).special == (False, True)


def test_an_id_without_a_piece_is_named_by_its_number() -> None:
    reader = TextReader(families.tokenizer(), CARD)
    tokens = reader.follow(reader.read("w1 w2"), [5, 10_000, 1])
    assert tokens.texts == ("w1", "w2", "w3", "<10000>", "[UNK]")
    assert tokens.text == "w1 w2 w3 <10000> [UNK]"
    assert [tokens.text[slice(*span)] for span in tokens.spans if span is not None] == list(tokens.texts)
