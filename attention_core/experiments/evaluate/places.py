"""From spans of a text to the tokens of a model: by overlap, so that a Korean particle glued to a name does no harm."""

import unicodedata
from collections.abc import Sequence

from attention_core.tokens import Span, Tokens

Positions = tuple[int, ...]


def moved(span: Span, given: str, read: str) -> Span:
    """The span in the text that the tokenizer read, which may be the given one with its letters composed (NFC)."""
    if given == read:
        return span
    start, end = (len(unicodedata.normalize("NFC", given[:place])) for place in span)
    return start, max(end, start + 1)


def touched(tokens: Tokens, span: Span) -> Positions:
    """The tokens that share a character with the span; special tokens never do."""
    return tuple(at for at in range(len(tokens)) if _shared(tokens, at, span) > 0)


def owned(tokens: Tokens, spans: Sequence[Span]) -> tuple[Positions, ...]:
    """The tokens of each word; each token belongs to one word alone: the one it shares most with, the first of equals.

    Words must stand in the order of the text. A word that shares all its tokens with another may own none.
    """
    found: list[list[int]] = [[] for _ in spans]
    first = 0
    for at in range(len(tokens)):
        place = tokens.spans[at]
        if place is None:
            continue
        while first < len(spans) - 1 and spans[first][1] <= place[0]:
            first += 1
        best, most = None, 0
        for number in range(first, len(spans)):
            if spans[number][0] >= place[1]:
                break
            shared = _shared(tokens, at, spans[number])
            if shared > most:
                best, most = number, shared
        if best is not None:
            found[best].append(at)
    return tuple(tuple(positions) for positions in found)


def _shared(tokens: Tokens, at: int, span: Span) -> int:
    """How many characters of the text a token shares with a span."""
    place = tokens.spans[at]
    return 0 if place is None or tokens.special[at] else min(place[1], span[1]) - max(place[0], span[0])
