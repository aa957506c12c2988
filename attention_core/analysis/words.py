"""Words of a text by how they are written: the positions that an analysis takes."""

import re
import unicodedata

from attention_core.errors import InputError, UnknownNameError
from attention_core.tokens import Tokens

Positions = tuple[int, ...]

MOST_LISTED = 60  # words that an error names
# What is glued to a Korean noun.
_GLUED = """
은 는 이 가 을 를 에 에서 에게 에게서 께 께서 께서는 의 와 과 랑 이랑 하고 로 으로 도 만 까지 부터
보다 처럼 에는 에서는 에도 이나 나 이라는 라는 이란 란
"""
PARTICLES = sorted(_GLUED.split(), key=len, reverse=True)  # the longest first
HANGUL = re.compile("[\uac00-\ud7a3]+\\Z")
_MARKS = ".,;:!?\"'“”‘’()[]…"
_NUMBERED = re.compile(r"(.+)#([1-9][0-9]{0,5})\Z", re.DOTALL)


def groups_of(tokens: Tokens) -> tuple[Positions, ...]:
    """The positions of each word, special tokens left out; of merged words those of the entries."""
    groups = tokens.word_groups() if tokens.positions is None else tuple((at,) for at in range(len(tokens)))
    return tuple(group for group in groups if not tokens.special[group[0]])


def spelled(tokens: Tokens, group: Positions) -> str:
    """A word as it stands in the text, without the marks beside it; NFC."""
    spans = [span for at in group if (span := tokens.spans[at]) is not None]
    if not spans or "B" in (tokens.segment[at] for at in group):
        word = "".join(tokens.texts[at] for at in group)
    else:
        word = tokens.text[min(span[0] for span in spans) : max(span[1] for span in spans)]
    return unicodedata.normalize("NFC", word).strip().strip(_MARKS)


def words(tokens: Tokens, wanted: str) -> Positions:
    """The positions of a word: "it" is the first one, "it#2" the second; upper and lower case are the same.

    A Korean word is found with its particle or without: "고양이" finds 고양이가. A word that stands there as it is
    asked for comes before one with a particle, that before one that only begins so. An UnknownNameError lists the
    words of the text.
    """
    groups = groups_of(tokens)
    written = [spelled(tokens, group) for group in groups]
    numbered = _NUMBERED.match(wanted)
    asked, number = (numbered[1], int(numbered[2])) if numbered else (wanted, 1)
    ranks = [_rank(word, _folded(asked)) for word in written]
    best = min((rank for rank in ranks if rank is not None), default=None)
    found = [group for group, rank in zip(groups, ranks, strict=True) if rank is not None and rank == best]
    if len(found) < number:
        raise UnknownNameError("word", wanted, [word for word in written if word][:MOST_LISTED])
    return found[number - 1]


def token(tokens: Tokens, wanted: str) -> int:
    """The position of one token, named by its place from 0 or as `words` does; an InputError for a word of several."""
    if wanted.isascii() and wanted.isdecimal() and len(wanted) < 10:
        if int(wanted) >= len(tokens):
            raise InputError(f"token {wanted} is not there; accepted: 0 to {len(tokens) - 1}")
        return int(wanted)
    found = words(tokens, wanted)
    if len(found) > 1:
        places = ", ".join(f"{tokens.texts[at]} ({at})" for at in found)
        raise InputError(f"{wanted!r} is read as {len(found)} tokens: {places}; name one of them by its place")
    return found[0]


def _folded(word: str) -> str:
    return unicodedata.normalize("NFC", word).strip().strip(_MARKS).casefold()


def _rank(word: str, asked: str) -> int | None:
    """0 for the word itself, 1 with a particle, 2 for a Korean word that begins so, None for another word."""
    word = word.casefold()
    if not asked or not word.startswith(asked):
        return None
    if word == asked:
        return 0
    if not HANGUL.match(asked) or not HANGUL.match(word):
        return None
    return 1 if word.removeprefix(asked) in PARTICLES else 2
