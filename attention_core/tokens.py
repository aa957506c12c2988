"""Tokens: what the model reads, with a display text for people, the span in the input, the word and the segment."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Literal

from tokenizers import Encoding

from attention_core.errors import ShapeError

Segment = Literal["A", "B"]
Span = tuple[int, int]

_FIELDS = ("pieces", "texts", "spans", "special", "words", "segment")


@dataclass(frozen=True)
class Tokens:
    """The tokens of one sequence, in order; every field but `text`, `cut` and `count` has one entry a token.

    pieces are the tokenizer's own; texts are for reading (no "##", no "Ġ", no broken bytes). spans are half-open
    code-point ranges in the input, None for special tokens; they may overlap. words are group indices, None for
    special tokens. `cut` is the code point where the text that was left out begins, None when nothing was;
    `count` is the number of tokens before the cut.
    """

    text: str
    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    texts: tuple[str, ...]
    spans: tuple[Span | None, ...]
    special: tuple[bool, ...]
    words: tuple[int | None, ...]
    segment: tuple[Segment, ...]
    cut: int | None = None
    count: int | None = None

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in ("ids", *_FIELDS)}
        if len(set(lengths.values())) != 1:
            raise ShapeError(f"every field of Tokens has one entry a token, not {lengths}")
        if not self.ids:
            raise ShapeError("Tokens without a token")

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(
        cls,
        text: str,
        encoding: Encoding,
        *,
        byte_level: bool = False,
        cut: int | None = None,
        count: int | None = None,
    ) -> "Tokens":
        """The tokens of a `tokenizers` encoding of `text`; `byte_level` when its pieces spell bytes, as GPT-2's."""
        special = tuple(bool(flag) for flag in encoding.special_tokens_mask)
        pieces = tuple(encoding.tokens)
        spans = tuple(
            None if is_special else (start, end)
            for is_special, (start, end) in zip(special, encoding.offsets, strict=True)
        )
        return cls(
            text=text,
            ids=tuple(encoding.ids),
            pieces=pieces,
            texts=tuple(
                piece if is_special else display_text(piece, byte_level=byte_level)
                for piece, is_special in zip(pieces, special, strict=True)
            ),
            spans=spans,
            special=special,
            words=tuple(
                None if is_special else word
                for word, is_special in zip(encoding.word_ids, special, strict=True)
            ),
            segment=tuple("B" if kind == 1 else "A" for kind in encoding.type_ids),
            cut=cut,
            count=count,
        )


_BYTE_PIECE = re.compile(r"<0x[0-9A-Fa-f]{2}>\Z")
_INVISIBLE = {"\n": "⏎", "\t": "⇥", " ": "␣", "\r": "␍"}


def display_text(piece: str, *, byte_level: bool = False) -> str:
    """The piece as a person reads it.

    WordPiece's "##" and SentencePiece's "▁" go; byte-level pieces are decoded, and one that is only part of a
    character shows its bytes as `<0xED>`. What cannot be seen is named: "␣", "⏎", `<U+202E>`.
    """
    if _BYTE_PIECE.match(piece):
        return piece
    if byte_level:
        text = _from_byte_level(piece)
    else:
        text = (piece.removeprefix("##") if len(piece) > 2 else piece).replace("▁", " ")
    visible = text.strip(" ") or text
    if not visible.strip():
        return "".join(_INVISIBLE.get(char, f"<U+{ord(char):04X}>") for char in visible)
    return "".join(_seen(char) for char in visible)


def _seen(char: str) -> str:
    """The character, or its name in angle brackets when it controls the line instead of being drawn."""
    if char in _INVISIBLE and char != " ":
        return _INVISIBLE[char]
    joins = char in "\u200c\u200d"
    hidden = unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and not joins
    return f"<U+{ord(char):04X}>" if hidden else char


@cache
def _byte_alphabet() -> dict[str, int]:
    """The character that stands for each byte in byte-level BPE (Radford et al. 2019, section 2.2)."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {chr(256 + n): byte for n, byte in enumerate(hidden)}


def _from_byte_level(piece: str) -> str:
    """The text of a piece whose characters stand for bytes; bytes that make no character are spelled out."""
    alphabet = _byte_alphabet()
    if not all(char in alphabet for char in piece):
        return piece
    data = bytes(alphabet[char] for char in piece)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "".join(f"<0x{byte:02X}>" for byte in data)
