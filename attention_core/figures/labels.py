"""Tokens as labels: on one line, as typed, with what cannot be seen made visible, as static/js/lib/tokens.js does."""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from attention_core.errors import InputError

LONGEST_LABEL = 24
_NAMES = {"\n": "⏎", "\r": "⏎", "\t": "⇥", " ": "␣"}
# A jamo that stands alone is drawn small and in a corner; these are the same letters as a person writes them.
_JAMO = (
    (0x1100, "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"),
    (0x1161, "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"),
    (0x11A8, "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"),
)
_LETTERS = {chr(first + number): letter for first, row in _JAMO for number, letter in enumerate(row)}
_UNSEEN = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
# What else is drawn as nothing (Unicode: Default_Ignorable_Code_Point), first and last.
_IGNORED = (
    *((0x34F, 0x34F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2065, 0x2065), (0x3164, 0x3164)),
    *((0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF)),
)
_JOINERS = "\u200c\u200d"  # they shape letters and stay


def label(text: Any) -> str:
    """A token as a label: on one line, what cannot be seen spelled out, and cut when it is very long.

    An InputError for what is no text.
    """
    if not isinstance(text, str):
        raise InputError(f"tokens are texts; {text!r:.100} is not".replace("\n", " "))
    return cut(shown(text[: 2 * LONGEST_LABEL]), LONGEST_LABEL)


def labels(texts: Any) -> tuple[str, ...]:
    """The labels of a list of tokens; an InputError for what is no list of texts."""
    if hasattr(texts, "tolist"):  # of numpy and pandas
        texts = texts.tolist()
    if isinstance(texts, str) or not isinstance(texts, Sequence):
        raise InputError(f"tokens are a list of texts, one a row, not {type(texts).__name__}")
    return tuple(map(label, texts))


def shown(text: str) -> str:
    """The text on one line with names for what cannot be seen: "⏎", "∅" for nothing, "␣" for a space alone."""
    if not text:
        return "∅"
    if all(map(_is_unseen, text)):
        return "".join(_NAMES.get(character) or f"U+{ord(character):04X}" for character in text)
    return _LETTERS.get(text) or "".join(map(_visible, text))


def cut(text: str, longest: int) -> str:
    """At most `longest` characters, with "…" where the text goes on."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def joined(texts: Iterable[str], longest: int) -> str:
    """Texts as one line, cut."""
    return cut(" ".join(texts), longest)


def _is_unseen(character: str) -> bool:
    code = ord(character)
    return unicodedata.category(character) in _UNSEEN or any(first <= code <= last for first, last in _IGNORED)


def _visible(character: str) -> str:
    if character in _NAMES and character != " ":
        return _NAMES[character]
    # Controls, lone surrogates, line separators and what turns the direction of a line have no glyph; as <U+202E>
    # they can be read. No-break and other wide spaces are spaces.
    category = unicodedata.category(character)
    if category in {"Cc", "Cs", "Zl", "Zp"} or (category == "Cf" and character not in _JOINERS):
        return f"<U+{ord(character):04X}>"
    return character
