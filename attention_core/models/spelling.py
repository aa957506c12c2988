"""What a model wrote, as text: ids to bytes, bytes to characters, characters to spans and words.

The tokens of a text come from the tokenizer. Ids that a model wrote need not be those: it may end in the middle of a
character, or spell a word in other pieces than the tokenizer would.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tokenizers import Tokenizer

from attention_core.tokens import Span, Tokens, Written, byte_alphabet

_BYTE_PIECE = re.compile(r"<0x([0-9A-Fa-f]{2})>\Z")


class Speller:
    """Continues the tokens of a text with ids, for one tokenizer."""

    def __init__(self, tokenizer: Tokenizer, special: frozenset[int], *, byte_level: bool) -> None:
        self._tokenizer = tokenizer
        self._special = special
        self._byte_level = byte_level
        self._added = {number: one.content for number, one in tokenizer.get_added_tokens_decoder().items()}
        parts: Any = (tokenizer.decoder, tokenizer.pre_tokenizer, tokenizer.normalizer)
        state = b"".join(b"" if part is None else part.__getstate__() for part in parts)
        self._sentence_pieces = b"Metaspace" in state or "▁".encode() in state or b"\\u2581" in state
        self._trims = b'"trim_offsets":true' in state

    def follow(self, prompt: Tokens, ids: Sequence[int], *, markers: bool = True) -> Tokens:
        """The tokens of the prompt, then these ids; the text is the prompt's and what they spell.

        Spans and words are the tokenizer's own wherever it would make the same tokens of the whole text. `markers`
        is whether it put its own around the prompt.
        """
        spelled = [self._bytes(number) for number in ids]
        text, spans = _characters(prompt.text, spelled)
        encoding = self._tokenizer.encode(text, add_special_tokens=markers)
        if list(encoding.ids) == [*prompt.ids, *ids] and unicodedata.is_normalized("NFC", text):
            special = [
                bool(flag) or number in self._special
                for number, flag in zip(encoding.ids, encoding.special_tokens_mask, strict=True)
            ]
            count = len(encoding.ids)
            return replace(Tokens.of(text, encoding, special=special, byte_level=self._byte_level), count=count)
        marked = [number in self._special for number in ids]
        spans = [
            None if special else self._trimmed(text, span) for special, span in zip(marked, spans, strict=True)
        ]
        words = self._words(prompt, text, spans, marked)
        more = [
            Written(number, self.piece(number), span, special, word)
            for number, span, special, word in zip(ids, spans, marked, words, strict=True)
        ]
        return prompt.followed(text, more, byte_level=self._byte_level)

    def piece(self, number: int) -> str:
        """The tokenizer's piece of an id; one that it has none for is named by its number."""
        return self._tokenizer.id_to_token(number) or f"<{number}>"

    def _bytes(self, number: int) -> bytes:
        """What a token adds to the text before it, in UTF-8."""
        piece = self._added.get(number)
        if piece is not None and (self._byte_level or self._sentence_pieces):
            return piece.encode()
        piece = self.piece(number)
        if self._byte_level and all(char in byte_alphabet() for char in piece):
            return bytes(byte_alphabet()[char] for char in piece)
        byte = _BYTE_PIECE.match(piece)
        if byte and self._sentence_pieces:
            return bytes([int(byte[1], 16)])
        if self._byte_level or self._sentence_pieces:
            return piece.replace("▁", " ").encode()
        return piece[2:].encode() if piece.startswith("##") and len(piece) > 2 else f" {piece}".encode()

    def _trimmed(self, text: str, span: Span | None) -> Span | None:
        """The span as this tokenizer gives it: without the space before a word, where it leaves that out."""
        if span is None:
            return None
        if self._trims or not (self._byte_level or self._sentence_pieces):
            start = next((at for at in range(*span) if not text[at].isspace()), None)
            return span if start is None else (start, span[1])
        return span

    def _words(
        self, prompt: Tokens, text: str, spans: Sequence[Span | None], marked: Sequence[bool]
    ) -> Iterator[int | None]:
        """The word of each written token: the piece of text, as the tokenizer cuts it first, in which it ends."""
        splitter: Any = self._tokenizer.pre_tokenizer
        cuts = [span for _, span in splitter.pre_tokenize_str(text)] if splitter is not None else []
        cut = iter([*cuts, (len(text) + 1, len(text) + 1)])
        here = next(cut)
        word = max((one for one in prompt.words if one is not None), default=-1)
        end = next((span[1] for span in reversed(prompt.spans) if span is not None), 0)
        known: dict[Span, int] = {}
        # The word in which the prompt ends may go on.
        for one in cuts:
            if one[0] < end <= one[1] and prompt.words[-1] is not None:
                known[one] = word
        for span, special in zip(spans, marked, strict=True):
            if special:
                known.clear()
                yield None
                continue
            if span is None:  # bytes that are no text: a word of their own, after which another begins
                known.clear()
                word += 1
                yield word
                continue
            while here[1] < span[1]:
                here = next(cut)
            if here not in known:
                word += 1
                known = {here: word} if here[0] < span[1] else {}
            yield known.get(here, word)


def _characters(before: str, spelled: Sequence[bytes]) -> tuple[str, list[Span | None]]:
    """The text and each token's span in it; bytes that make no character are left out.

    Tokens that are parts of one character share its span; one that has no part in any has None.
    """
    data = b"".join(spelled)
    owner = [token for token, one in enumerate(spelled) for _ in one]
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    kept: list[str] = []
    place = len(before)
    at = 0
    while at < len(data):
        size = _size_of_character(data, at)
        if size == 0:
            at += 1
            continue
        kept.append(data[at : at + size].decode())
        for token in {*owner[at : at + size]}:
            starts.setdefault(token, place)
            ends[token] = place + 1
        place += 1
        at += size
    spans: list[Span | None] = [
        (starts[token], ends[token]) if token in starts else None for token in range(len(spelled))
    ]
    return before + "".join(kept), spans


def _size_of_character(data: bytes, at: int) -> int:
    """How many bytes the character that begins here has; 0 where none does."""
    for size in range(1, 5):
        try:
            data[at : at + size].decode()
        except UnicodeDecodeError:
            continue
        return size if at + size <= len(data) else 0
    return 0
