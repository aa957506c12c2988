"""Alignment: which tokens of one text stand for which of another, so that two traces can be compared cell by cell.

Two readings of one text are aligned by the characters that their tokens cover. Two texts are aligned by their words: as
many equal ones as possible, in order (a longest common subsequence); words that were replaced pair up one to one.
"""

import unicodedata
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from attention_core.tokens import Tokens


@dataclass(frozen=True)
class Pair:
    """Positions of one text and those of the other that stand for them, None where the other has none.

    Several positions where the two are cut differently, as a word of one piece and one of three. `same`: they read
    the same, whatever the case of their letters.
    """

    first: range | None
    second: range | None
    same: bool

    @property
    def both(self) -> bool:
        """Whether each text has it."""
        return self.first is not None and self.second is not None


def align(first: Tokens, second: Tokens) -> tuple[Pair, ...]:
    """The tokens of two sequences in pairs: every position of either stands in one of them, in order.

    Words that stand in both pair up. Between them, as many words as words stand for one another, one by one; where
    their numbers differ, none has a counterpart. The pieces of two words that stand for one another are aligned like
    words, and are one pair where their numbers differ.
    """
    sides = _characters(first, second) if _is_one_text(first, second) else _words(first, second)
    return tuple(_paired(first, second, *sides))


Side = list[tuple[range, Hashable]]  # runs of positions in order, and what each is known by


def _paired(first: Tokens, second: Tokens, one: Side, other: Side) -> Iterator[Pair]:
    start, begin = 0, 0
    for stop, end in (*common(_names(one), _names(other)), (len(one), len(other))):
        yield from _between(first, second, one[start:stop], other[begin:end])
        if stop < len(one):
            yield from _pieces(first, second, one[stop][0], other[end][0])
        start, begin = stop + 1, end + 1


def _between(first: Tokens, second: Tokens, one: Side, other: Side) -> Iterator[Pair]:
    """What stands between two that both have; a marker stands for no word."""
    markers = [[tokens.special[run.start] for run, _ in side] for tokens, side in ((first, one), (second, other))]
    if markers[0] == markers[1]:
        for (run, _), (its, _) in zip(one, other, strict=True):
            yield from _pieces(first, second, run, its)
    else:
        yield from _alone([at for run, _ in one for at in run], [at for run, _ in other for at in run])


def _pieces(first: Tokens, second: Tokens, one: range, other: range) -> Iterator[Pair]:
    """The tokens of two words that stand for one another."""
    names = [[_folded(tokens.texts[at]) for at in word] for tokens, word in ((first, one), (second, other))]
    start, begin = 0, 0
    for stop, end in (*common(*names), (len(one), len(other))):
        left, right = one[start:stop], other[begin:end]
        if len(left) == len(right):
            yield from (Pair(left[n : n + 1], right[n : n + 1], False) for n in range(len(left)))
        elif left and right:
            yield Pair(left, right, _folded("".join(names[0][start:stop])) == _folded("".join(names[1][begin:end])))
        else:
            yield from _alone(left, right)
        if stop < len(one):
            yield Pair(one[stop : stop + 1], other[end : end + 1], True)
        start, begin = stop + 1, end + 1


def _alone(first: Sequence[int], second: Sequence[int]) -> Iterator[Pair]:
    yield from (Pair(range(at, at + 1), None, False) for at in first)
    yield from (Pair(None, range(at, at + 1), False) for at in second)


def _names(side: Side) -> list[Hashable]:
    return [name for _, name in side]


def _is_one_text(first: Tokens, second: Tokens) -> bool:
    """Whether both read one text, or one pair of texts, and every token that is no marker says where it stands."""
    if (first.text, first.pair) != (second.text, second.pair):
        return False
    flags = [zip(tokens.spans, tokens.special, strict=True) for tokens in (first, second)]
    return all(span is not None or special for one in flags for span, special in one)


def _characters(first: Tokens, second: Tokens) -> tuple[Side, Side]:
    """Both as the smallest runs that cover the same characters."""
    covers = sorted(
        (segment, *span)
        for tokens in (first, second)
        for segment, span in zip(tokens.segment, tokens.spans, strict=True)
        if span is not None
    )
    number, number_of = -1, {}
    last: tuple[str, int] = ("", 0)
    for segment, start, end in covers:
        if segment != last[0] or start >= last[1]:
            number, last = number + 1, (segment, end)
        last = (segment, max(last[1], end))
        number_of[segment, start, end] = number
    named = _are_named_alike(first, second)
    sides: list[Side] = []
    for tokens in (first, second):
        side: Side = []
        for at, (segment, span) in enumerate(zip(tokens.segment, tokens.spans, strict=True)):
            name = _marker(tokens, at, named) if span is None else number_of[segment, *span]
            if side and side[-1][1] == name and span is not None:
                side[-1] = (range(side[-1][0].start, at + 1), name)
            else:
                side.append((range(at, at + 1), name))
        sides.append(side)
    return sides[0], sides[1]


def _words(first: Tokens, second: Tokens) -> tuple[Side, Side]:
    """Both as words, known by their letters and the text of a pair that they stand in."""
    named = _are_named_alike(first, second)
    sides: list[Side] = []
    for tokens in (first, second):
        groups = tokens.word_groups() if tokens.positions is None else [(at,) for at in range(len(tokens))]
        sides.append([(range(group[0], group[-1] + 1), _word(tokens, group, named)) for group in groups])
    return sides[0], sides[1]


def _word(tokens: Tokens, group: Sequence[int], named: bool) -> Hashable:
    if tokens.special[group[0]]:
        return _marker(tokens, group[0], named)
    return tokens.segment[group[0]], _folded("".join(tokens.texts[at] for at in group))


def _marker(tokens: Tokens, at: int, named: bool) -> Hashable:
    """Markers of two tokenizers have other names for the same thing: then each is known as a marker alone."""
    return "marker", tokens.segment[at], tokens.texts[at] if named else None


def _are_named_alike(first: Tokens, second: Tokens) -> bool:
    """Whether the two have a marker of one name."""
    names = [{text for text, flag in zip(one.texts, one.special, strict=True) if flag} for one in (first, second)]
    return not names[0].isdisjoint(names[1])


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def common(first: Sequence[Hashable], second: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The places of a longest common subsequence of two sequences, in order; what begins or ends both is in it.

    By whole numbers as rows of bits (Crochemore et al. 2001; Hyyrö 2004): time and memory are a bit for each pair of
    entries, whatever the two hold, which difflib cannot promise.
    """
    most = min(len(first), len(second))
    start = next((at for at in range(most) if first[at] != second[at]), most)
    end = next((at for at in range(most - start) if first[-1 - at] != second[-1 - at]), most - start)
    before = [(at, at) for at in range(start)]
    behind = [(len(first) - at, len(second) - at) for at in range(end, 0, -1)]
    inner = _longest(first[start : len(first) - end], second[start : len(second) - end])
    return [*before, *((start + left, start + right) for left, right in inner), *behind]


def _longest(first: Sequence[Hashable], second: Sequence[Hashable]) -> list[tuple[int, int]]:
    places: dict[Hashable, int] = {}
    for at, entry in enumerate(second):
        places[entry] = places.get(entry, 0) | 1 << at
    full = (1 << len(second)) - 1
    row, rows = full, []
    for entry in first:
        # Bit j of row i is 0 where second[: j + 1] shares one entry more with first[: i + 1] than second[:j] does.
        matched = row & places.get(entry, 0)
        row = ((row + matched) | (row - matched)) & full
        rows.append(row)
    found = []
    left, right = len(first) - 1, len(second) - 1
    while left >= 0 and right >= 0:
        if first[left] == second[right]:
            found.append((left, right))
            left, right = left - 1, right - 1
        elif rows[left] >> right & 1:
            right -= 1
        else:
            left -= 1
    return found[::-1]
