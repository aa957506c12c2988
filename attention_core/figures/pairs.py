"""The axes that two traces share: pairs of their tokens as labels, as static/js/lib/pairs.js has them."""

import re
from collections.abc import Sequence
from itertools import pairwise, zip_longest
from typing import Literal

import torch

from attention_core.analysis.alignment import Pair
from attention_core.cells import Cells as Shares
from attention_core.figures.figure import Axis
from attention_core.figures.labels import label, shown
from attention_core.figures.shown import COARSE, WHOLE, Span
from attention_core.tokens import Tokens

Side = Literal["first", "second"]
_PARTS = re.compile(r"\s+|\S+")  # words and what stands between them
BEFORE = 2  # words before the first that differs


def pair_axis(pairs: Sequence[Pair], tokens: tuple[Tokens, Tokens], span: Span, title: str, chosen: int | None) -> Axis:
    """An axis of pairs: "cat", "tired/soft" for words that stand for one another, "+very" and "−very" for what one
    side alone has. `chosen` is the number of a pair."""
    edges = [span[0] + edge for edge in _edges(span)]
    named = [_named(pairs[at], *tokens) for at in edges[:-1]]
    at = None
    if chosen is not None and span[0] <= chosen < span[1]:
        at = next(number for number, (start, stop) in enumerate(pairwise(edges)) if start <= chosen < stop)
    return Axis(tuple(text for text, _ in named), title, tuple(special for _, special in named), at)


def from_difference(text: str, other: str) -> str:
    """A text from shortly before the first word in which it differs from another: "… it was soft"."""
    parts, others = (_PARTS.findall(one) for one in (text, other))
    same = (part == its for part, its in zip_longest(parts, others))
    first = next((at for at, equal in enumerate(same) if not equal), len(parts))
    start = min(first, len(parts)) - 2 * BEFORE
    return text if start <= 2 else f"… {''.join(parts[start:]).lstrip()}"


def _edges(span: Span) -> list[int]:
    count = span[1] - span[0]
    return Shares(count, WHOLE if count <= WHOLE else COARSE, torch.device("cpu")).edges


def _named(pair: Pair, first: Tokens, second: Tokens) -> tuple[str, bool]:
    """The label of a pair, "cat", "tired/soft", "+very", "−very", and whether it is special."""
    before, after = _spelled(first, pair.first), _spelled(second, pair.second)
    tokens, place = (first, pair.first) if pair.first is not None else (second, pair.second)
    assert place is not None
    special = tokens.special[place.start]
    if before is None or after is None:
        return label(f"{'+' if before is None else '−'}{before or after}"), special
    return label(before if pair.same or before == after else f"{before}/{after}"), special


def _spelled(tokens: Tokens, place: range | None) -> str | None:
    """The tokens of a range as the text has them; what no span places is written piece by piece."""
    if place is None:
        return None
    spans = [span for span in tokens.spans[place.start : place.stop] if span is not None]
    if len(place) == 1 or len(spans) < len(place) or tokens.segment[place.start] != "A":
        return "".join(map(shown, tokens.texts[place.start : place.stop]))
    return shown(tokens.text[spans[0][0] : spans[-1][1]])


def _of(pair: Pair, side: Side) -> range | None:
    return pair.first if side == "first" else pair.second


def pair_at(pairs: Sequence[Pair], side: Side, position: int | None) -> int | None:
    """The pair that a shown token of one side stands in."""
    if position is None:
        return None
    return next((at for at, pair in enumerate(pairs) if position in (_of(pair, side) or ())), None)


def pair_window(pairs: Sequence[Pair], side: Side, span: Span | None) -> Span:
    """A window of shown tokens as one of pairs; the whole axis where it holds none, or is none."""
    if span is None:
        return 0, len(pairs)
    inside = []
    for at, pair in enumerate(pairs):
        place = _of(pair, side)
        if place is not None and place.stop > span[0] and place.start < span[1]:
            inside.append(at)
    return (inside[0], inside[-1] + 1) if inside else (0, len(pairs))
