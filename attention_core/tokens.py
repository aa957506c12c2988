"""Tokens: what the model reads, with a display text for people, the span in the input, the word and the segment."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from tokenizers import Encoding

from attention_core.errors import ShapeError

Segment = Literal["A", "B"]
Span = tuple[int, int]

_FIELDS = ("pieces", "texts", "spans", "special", "words", "segment")


@dataclass(frozen=True)
class Written:
    """One token that a model wrote: what it spells is text[span], nothing where it is a marker or part of a character
    that was never finished."""

    id: int
    piece: str
    span: Span | None
    special: bool
    word: int | None


@dataclass(frozen=True)
class Tokens:
    """The tokens of one sequence, in order; every field but `text`, `cut` and `count` has one entry a token.

    pieces are the tokenizer's own; texts are for reading (no "##", no "Ġ", no broken bytes). spans are half-open
    code-point ranges in the input, None for special tokens; they may overlap. words are group indices, None for
    special tokens. `cut` is the code point where the text that was left out begins, None when nothing was;
    `count` is the number of tokens before the cut. `positions` says which tokens of the model each entry stands
    for where words are merged or special tokens are left out, None where each entry is one token. `pair` is the
    second of two texts, which the spans of segment B count in, None where there is one text.
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
    positions: tuple[tuple[int, ...], ...] | None = None
    pair: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.text, str) or not isinstance(self.pair, str | None):
            raise ShapeError("the text of Tokens is no text")
        lengths = {name: len(getattr(self, name)) for name in ("ids", *_FIELDS)}
        if self.positions is not None:
            lengths["positions"] = len(self.positions)
        if len(set(lengths.values())) != 1:
            raise ShapeError(f"every field of Tokens has one entry a token, not {lengths}")
        if not self.ids:
            raise ShapeError("Tokens without a token")
        if not all(span is None or 0 <= span[0] <= span[1] for span in self.spans):
            raise ShapeError("a token's span is a range of the text")
        if any(special and word is not None for special, word in zip(self.special, self.words, strict=True)):
            raise ShapeError("a special token belongs to no word")

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(
        cls,
        text: str,
        encoding: Encoding,
        *,
        special: Sequence[bool] | None = None,
        byte_level: bool = False,
        pair: str | None = None,
    ) -> "Tokens":
        """The tokens of a `tokenizers` encoding of `text`, or of `text` and `pair`.

        `special` says which are markers, by default those that the tokenizer put there; `byte_level` when the
        pieces spell bytes, as GPT-2's do.
        """
        special = tuple(bool(flag) for flag in (encoding.special_tokens_mask if special is None else special))
        pieces = tuple(encoding.tokens)
        spans = tuple(
            None if is_special else (start, end)
            for is_special, (start, end) in zip(special, encoding.offsets, strict=True)
        )
        segment = _segments(encoding)
        texts = tuple(text if of == "A" or pair is None else pair for of in segment)
        return cls(
            text=text,
            ids=tuple(encoding.ids),
            pieces=pieces,
            texts=_texts(texts, pieces, spans, byte_level=byte_level),
            spans=spans,
            special=special,
            words=tuple(
                None if is_special else word
                for word, is_special in zip(encoding.word_ids, special, strict=True)
            ),
            segment=segment,
            pair=pair,
        )

    @classmethod
    def of_ids(
        cls, ids: Sequence[int], pieces: Sequence[str], special: Sequence[bool], *, byte_level: bool = False
    ) -> "Tokens":
        """The tokens of ids that no text was encoded to: without spans, each a word of its own."""
        texts = tuple(
            piece if is_special else display_text(piece, byte_level=byte_level)
            for piece, is_special in zip(pieces, special, strict=True)
        )
        return cls(
            text=" ".join(text for text, is_special in zip(texts, special, strict=True) if not is_special),
            ids=tuple(ids),
            pieces=tuple(pieces),
            texts=texts,
            spans=(None,) * len(ids),
            special=tuple(special),
            words=tuple(None if is_special else at for at, is_special in enumerate(special)),
            segment=_one_segment(len(ids)),
        )

    @classmethod
    def of_patches(cls, rows: int, columns: int) -> "Tokens":
        """The tokens of a picture: the class token, then the patches row by row, named by row and column from 1."""
        names = [f"{row + 1},{column + 1}" for row in range(rows) for column in range(columns)]
        count = len(names)
        return cls(
            text="",
            ids=(0,) * (count + 1),
            pieces=("[CLS]", *names),
            texts=("[CLS]", *names),
            spans=(None,) * (count + 1),
            special=(True, *(False,) * count),
            words=(None, *range(count)),
            segment=_one_segment(count + 1),
        )

    def followed(self, text: str, more: Sequence[Written], *, byte_level: bool = False) -> "Tokens":
        """These tokens and those that were written after them; `text` is the whole of what all of them spell."""
        pieces = [one.piece for one in more]
        spans = [one.span for one in more]
        texts = _texts([text] * len(more), pieces, spans, byte_level=byte_level)
        shown = tuple(
            read if one.special or one.span is not None else display_text(one.piece, byte_level=byte_level)
            for read, one in zip(texts, more, strict=True)
        )
        return replace(
            self,
            text=text,
            ids=(*self.ids, *(one.id for one in more)),
            pieces=(*self.pieces, *pieces),
            texts=(*self.texts, *shown),
            spans=(*self.spans, *spans),
            special=(*self.special, *(one.special for one in more)),
            words=(*self.words, *(one.word for one in more)),
            segment=(*self.segment, *_one_segment(len(more))),
            count=len(self) + len(more),
        )

    def shifted(self, start: int, piece: str) -> "Tokens":
        """What a decoder reads while it writes these tokens: a start token, then all but the last."""
        return replace(
            self,
            ids=(start, *self.ids[:-1]),
            pieces=(piece, *self.pieces[:-1]),
            texts=(piece, *self.texts[:-1]),
            spans=(None, *self.spans[:-1]),
            special=(True, *self.special[:-1]),
            words=(None, *self.words[:-1]),
            segment=("A", *self.segment[:-1]),
        )

    def word_groups(self) -> tuple[tuple[int, ...], ...]:
        """The positions of each word in order; a special token is a group of its own.

        Words are the tokenizer's, but that a combining mark never begins one: GPT-2's rule cuts Hindi before vowels.
        """
        groups: list[list[int]] = []
        before: tuple[int | None, Segment] | None = None
        for position, (word, segment) in enumerate(zip(self.words, self.segment, strict=True)):
            if word is not None and before is not None and ((word, segment) == before or self._is_tied(position)):
                groups[-1].append(position)
            else:
                groups.append([position])
            before = None if word is None else (word, segment)
        return tuple(tuple(group) for group in groups)

    def _is_tied(self, position: int) -> bool:
        """Whether a combining mark, before or behind the border, ties this token to the one before it."""
        span, before = self.spans[position], self.spans[position - 1]
        text = self._text_at(position)
        if span is None or before is None or span[0] != before[1] or span[0] == 0 or text is None:
            return False
        if self.segment[position] != self.segment[position - 1]:
            return False
        left, right = text[span[0] - 1 : span[0]], text[span[0] : span[0] + 1]
        behind = _is_combining(left) and left != "\u200d" and not "\ufe00" <= left <= "\ufe0f"
        return _is_combining(right) or (behind and right.isalpha())

    def grouped(self, groups: Sequence[tuple[int, ...]]) -> "Tokens":
        """One entry for each group of positions; a word reads as it stands in the text."""
        first = [group[0] for group in groups]
        return replace(
            self,
            ids=tuple(self.ids[at] for at in first),
            pieces=tuple(" ".join(self.pieces[at] for at in group) for group in groups),
            texts=tuple(self._text_of(group) for group in groups),
            spans=tuple(self._span_of(group) for group in groups),
            special=tuple(self.special[at] for at in first),
            words=tuple(self.words[at] for at in first),
            segment=tuple(self.segment[at] for at in first),
            positions=tuple(groups),
        )

    def _span_of(self, group: tuple[int, ...]) -> Span | None:
        spans = [span for at in group if (span := self.spans[at]) is not None]
        return (min(span[0] for span in spans), max(span[1] for span in spans)) if spans else None

    def _text_of(self, group: tuple[int, ...]) -> str:
        span, text = self._span_of(group), self._text_at(group[0])
        if len(group) == 1 or span is None or text is None:
            return "".join(self.texts[at] for at in group)
        return display_text(text[slice(*span)])

    def _text_at(self, position: int) -> str | None:
        """The text that a token's span counts in; None for a second text that was not kept."""
        return self.text if self.segment[position] == "A" else self.pair


_BYTE_PIECE = re.compile(r"<0x[0-9A-Fa-f]{2}>\Z")
_BYTES = re.compile(r"(<0x[0-9A-F]{2}>)+")
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
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
    kept = text.strip(" ") or text
    if not kept.strip():
        return "".join(_INVISIBLE.get(char, f"<U+{ord(char):04X}>") for char in kept)
    return visible(kept)


def visible(text: str) -> str:
    """The text with a name in the place of every character that controls the line instead of being drawn."""
    return "".join(_seen(char) for char in text)


def _segments(encoding: Encoding) -> tuple[Segment, ...]:
    """The text that each token belongs to; a marker to the one before it where the tokenizer does not say."""
    found: list[Segment] = []
    for kind, sequence in zip(encoding.type_ids, encoding.sequence_ids, strict=True):
        second = "B" in found[-1:] or (kind if sequence is None else sequence) == 1
        found.append("B" if second else "A")
    return tuple(found)


def _one_segment(count: int) -> tuple[Segment, ...]:
    first: Segment = "A"
    return (first,) * count


def _texts(
    texts: Sequence[str], pieces: Sequence[str], spans: Sequence[Span | None], *, byte_level: bool
) -> tuple[str, ...]:
    """Every piece as a person reads it; of several that are one character, each is the character and a number."""
    read = [
        piece if span is None else display_text(piece, byte_level=byte_level)
        for piece, span in zip(pieces, spans, strict=True)
    ]
    part, before = 0, None
    for at, (text, piece, span) in enumerate(zip(texts, pieces, spans, strict=True)):
        partial = byte_level and span is not None and bool(_BYTES.fullmatch(read[at])) and not _BYTE_PIECE.match(piece)
        part = part + 1 if partial and span == before else 1
        before = span if partial else None
        if partial and span is not None and text[slice(*span)].strip():
            read[at] = f"{display_text(text[slice(*span)])}{str(part).translate(_SUPERSCRIPT)}"
    return tuple(read)


def _is_combining(char: str) -> bool:
    return bool(char) and (unicodedata.category(char).startswith("M") or char == "\u200d")


def _seen(char: str) -> str:
    """The character, or its name in angle brackets when it controls the line instead of being drawn."""
    if char in _INVISIBLE and char != " ":
        return _INVISIBLE[char]
    joins = char in "\u200c\u200d"
    hidden = unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and not joins
    return f"<U+{ord(char):04X}>" if hidden else char


@cache
def byte_alphabet() -> dict[str, int]:
    """The character that stands for each byte in byte-level BPE (Radford et al. 2019, section 2.2)."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {chr(256 + n): byte for n, byte in enumerate(hidden)}


def _from_byte_level(piece: str) -> str:
    """The text of a piece whose characters stand for bytes; bytes that make no character are spelled out."""
    alphabet = byte_alphabet()
    if not all(char in alphabet for char in piece):
        return piece
    data = bytes(alphabet[char] for char in piece)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "".join(f"<0x{byte:02X}>" for byte in data)
