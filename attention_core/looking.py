"""Ways to look at a trace: lengths instead of weights, whole words, special tokens left out, one text of a pair.

What comes back is a trace like any other, whose maps compute their windows from the original's, so every view,
figure and export shows it without knowing. The original keeps every number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import compress
from operator import not_
from typing import Any

import torch
from torch import Tensor

from attention_core.attention_map import DerivedMap
from attention_core.errors import NotAvailableError, UnknownNameError
from attention_core.lengths import LengthMap
from attention_core.maps import AttentionMap, Kind, Range
from attention_core.masks import CausalMask, Mask
from attention_core.tokens import Tokens
from attention_core.trace import AttentionTrace, Looking

SPECIAL = ("show", "hide", "renormalise")
SEGMENTS = ("all", "AA", "AB", "BA", "BB")
MEASURES = ("weight", "norm")
Groups = tuple[tuple[int, ...], ...]


def look(
    trace: AttentionTrace,
    *,
    words: bool = False,
    special: str = "show",
    segments: str = "all",
    measure: str = "weight",
) -> AttentionTrace:
    """The trace seen through a choice: `words` merges the pieces of a word, `special` is one of SPECIAL, `segments`
    one of SEGMENTS, `measure` one of MEASURES.

    With "norm", first of all, a cell is α‖f(x)‖ as a share of its row (Kobayashi et al. 2020, eq. 4): a row still sums
    to 1, unless all its lengths are 0. Words by Clark et al. 2019, section 4.1: attention to a word is the sum over its
    pieces, attention from a word the mean over its pieces, so rows still sum to 1. "hide" then leaves out the rows and
    columns of special tokens, and rows sum to 1 minus what was `removed`; "renormalise" divides each row by what is
    left of it. `segments` last keeps of a pair the rows of one text and the columns of one: "AB" is the first looking
    at the second. It only cuts: what "AA" and "AB" show of a row is what the row had.
    NotAvailableError when nothing would be left, for segments of what is no pair in an encoder, and for lengths where
    a map has no value norms.
    """
    if measure not in MEASURES:
        raise UnknownNameError("measure", measure, MEASURES)
    if special not in SPECIAL:
        raise UnknownNameError("choice for special tokens", special, SPECIAL)
    if segments not in SEGMENTS:
        raise UnknownNameError("choice of segments", segments, SEGMENTS)
    looking = Looking(words=words, special=special, segments=segments, measure=measure)
    if looking == trace.looking:
        return trace
    if trace.looking != Looking():
        raise NotAvailableError("this trace is seen through a choice already; look at the original")
    if measure == "norm":
        maps = tuple(LengthMap(kind=one.kind, layer=one.layer, mask=one.mask, base=one) for one in trace.maps)
        trace = replace(trace, maps=maps, looking=Looking(measure=measure))
        if looking == trace.looking:
            return trace
    if segments != "all":
        return _between(trace, looking)
    seen = {id(tokens): _axis(tokens, looking) for tokens in trace.sequences}
    merged = tuple(
        _looked(one, seen[id(trace.queries(one.kind))], seen[id(trace.keys(one.kind))], special) for one in trace.maps
    )
    return replace(
        trace,
        source=seen[id(trace.source)].tokens,
        target=_tokens_of(trace.target, seen),
        decoder_input=_tokens_of(trace.decoder_input, seen),
        maps=merged,
        looking=looking,
        written=_written(trace, seen[id(trace.source)].shown),
    )


def _between(trace: AttentionTrace, looking: Looking) -> AttentionTrace:
    """A pair seen from one of its texts to one of them."""
    if set(trace.kinds) != {Kind.ENCODER_SELF}:
        raise NotAvailableError("only an encoder alone reads two texts at once", reason="one-text")
    if set(trace.source.segment) != {"A", "B"}:
        raise NotAvailableError("this trace is of one text; there is no second one to look at", reason="one-text")
    whole = _axis(trace.source, looking)
    axes = {name: _part(whole, trace.source, name) for name in dict.fromkeys(looking.segments)}
    queries, keys = (axes[name] for name in looking.segments)
    return replace(
        trace,
        source=keys.tokens,
        source_queries=None if queries is keys else queries.tokens,
        maps=tuple(_looked(one, queries, keys, looking.special) for one in trace.maps),
        looking=looking,
    )


@dataclass(frozen=True, eq=False)
class _Axis:
    """One sequence as it is shown: the groups of positions that stay, the positions that are hidden, and the tokens.

    `elsewhere` are the groups that are not hidden but stand in the other text of a pair, which is cut away.
    """

    shown: Groups
    hidden: tuple[int, ...]
    tokens: Tokens
    elsewhere: Groups = ()


def _axis(tokens: Tokens, looking: Looking) -> _Axis:
    groups = tokens.word_groups() if looking.words else tuple((at,) for at in range(len(tokens)))
    leaves = looking.special != "show"
    shown = tuple(group for group in groups if not (leaves and tokens.special[group[0]]))
    if not shown:
        raise NotAvailableError("without its special tokens nothing of this sequence would be left")
    hidden = tuple(at for at, special in enumerate(tokens.special) if leaves and special)
    return _Axis(shown, hidden, tokens.grouped(shown))


def _part(whole: _Axis, tokens: Tokens, segment: str) -> _Axis:
    """Of an axis what stands in one text of a pair."""
    inside = [tokens.segment[group[0]] == segment for group in whole.shown]
    shown = tuple(compress(whole.shown, inside))
    if not shown:
        text = "first" if segment == "A" else "second"
        raise NotAvailableError(f"without its special tokens nothing of the {text} text would be left")
    elsewhere = tuple(compress(whole.shown, map(not_, inside)))
    return _Axis(shown, whole.hidden, tokens.grouped(shown), elsewhere)


def _tokens_of(tokens: Tokens | None, seen: Mapping[int, _Axis]) -> Tokens | None:
    return None if tokens is None else seen[id(tokens)].tokens


def _written(trace: AttentionTrace, shown: Groups) -> int:
    """How many of the shown words the model wrote from their first piece on."""
    first = len(trace.source) - trace.written
    return sum(group[0] >= first for group in shown)


def _looked(base: AttentionMap, queries: _Axis, keys: _Axis, special: str) -> "LookedMap":
    same = queries is keys
    if type(base.mask) is Mask:
        mask = Mask()
    elif same and base.mask == CausalMask():
        mask = CausalMask()  # a word sees a word as soon as its last piece sees the other's first
    else:
        mask = GroupedMask(base.mask, queries.shown, keys.shown)
    return LookedMap(
        kind=Kind(base.kind),
        layer=base.layer,
        mask=mask,
        base=base,
        query_axis=queries,
        key_axis=keys,
        renormalise=special == "renormalise",
    )


@dataclass(frozen=True, eq=False)
class GroupedMask(Mask):
    """A mask over groups of positions: allowed when any member of the query may attend to any member of the key."""

    base: Mask
    query_groups: Groups
    key_groups: Groups

    def window(self, queries: Tensor, keys: Tensor) -> Tensor:
        """True where any pair of members is allowed."""
        query_at, query_group = _members(self.query_groups, queries)
        key_at, key_group = _members(self.key_groups, keys)
        allowed = self.base.window(query_at, key_at).to(torch.int32)  # (member, member)
        by_key = allowed.new_zeros(len(query_at), len(keys)).index_add_(1, key_group, allowed)
        return by_key.new_zeros(len(queries), len(keys)).index_add_(0, query_group, by_key) > 0

    def describe(self) -> dict[str, Any]:
        """Plain data: the kind, and the mask over single positions."""
        return {"mask": "words", "of": self.base.describe()}


def _members(groups: Groups, numbers: Tensor) -> tuple[Tensor, Tensor]:
    """The original positions of some groups, and for each the place of its group among them."""
    chosen = [groups[number] for number in numbers.tolist()]
    at = [position for group in chosen for position in group]
    place = [place for place, group in enumerate(chosen) for _ in group]
    return torch.tensor(at, device=numbers.device), torch.tensor(place, device=numbers.device)


@dataclass(frozen=True, eq=False, kw_only=True)
class LookedMap(DerivedMap):
    """A map seen through merged words, hidden special tokens and a cut: windows are computed from the original's."""

    query_axis: _Axis
    key_axis: _Axis
    renormalise: bool

    @property
    def query_count(self) -> int:
        """How many words or tokens look."""
        return len(self.query_axis.shown)

    @property
    def key_count(self) -> int:
        """How many words or tokens can be looked at."""
        return len(self.key_axis.shown)

    @property
    def has_sink(self) -> bool:
        """Whether a learned sink takes a share of every row."""
        return self.base.has_sink

    @property
    def norms_note(self) -> str | None:
        """Why the original has no value norms; None where it has them."""
        return self.base.norms_note

    def lengths(self, heads: Range = None, queries: Range = None, keys: Range = None) -> Tensor:
        """A NotAvailableError: a length belongs to a single token; those of a word add up to more than the word's."""
        del heads, queries, keys
        raise NotAvailableError("lengths belong to single tokens; show special tokens and pieces to see them")

    def scores(self, heads: Range = None, queries: Range = None, keys: Range = None) -> Tensor:
        """A NotAvailableError: scores belong to single tokens before any of them is hidden or merged."""
        del heads, queries, keys
        raise NotAvailableError("scores belong to single tokens; show special tokens and pieces to see them")

    def removed(self, heads: Range = None, queries: Range = None) -> Tensor:
        """How much of each row went to special tokens that are hidden (head, query), float32, 0 when none is."""
        head, query, _ = self._window(heads, queries, None)
        if not self.key_axis.hidden:
            return torch.zeros(head.stop - head.start, query.stop - query.start, device=self.device)
        return self._merged(head, query, (self.key_axis.hidden,))[..., 0]

    def _rows(self, heads: slice, queries: slice) -> Tensor:
        shown, elsewhere = self.key_axis.shown, self.key_axis.elsewhere
        if not self.renormalise:
            return self._merged(heads, queries, shown)  # (head, query, key)
        # What was cut away had its share too: a cut row is a part of the row that was scaled up.
        rows = self._merged(heads, queries, (*shown, *elsewhere))  # (head, query, key of both texts)
        # A row that looked at hidden tokens only has nothing left to share out, and stays 0.
        rows = rows / rows.sum(-1, keepdim=True).clamp_min(torch.finfo(rows.dtype).tiny)
        return rows.narrow(-1, 0, len(shown))

    def _merged(self, heads: slice, queries: slice, keys: Groups) -> Tensor:
        """The mean over each query's pieces of the sums over each group of keys (head, query, group of keys)."""
        groups = self.query_axis.shown[queries]
        first, last = groups[0][0], groups[-1][-1] + 1
        blocks = self.base._blocks(heads, slice(first, last))
        pieces = torch.cat([_sums(self.base._rows(heads, block), -1, keys) for block in blocks], dim=1)
        rows = _sums(pieces, 1, tuple(tuple(at - first for at in group) for group in groups))
        sizes = torch.tensor([len(group) for group in groups], device=self.device)
        return rows / sizes[:, None] if int(sizes.max()) > 1 else rows


def _sums(weights: Tensor, axis: int, groups: Groups) -> Tensor:
    """The sums over each group of positions along one axis. Most words are one piece: they are only picked out."""
    first = [group[0] for group in groups]
    longest = max(len(group) for group in groups)
    if longest == 1 and first[-1] - first[0] == len(first) - 1:
        return weights.narrow(axis, first[0], len(first))
    sums = weights.index_select(axis, torch.tensor(first, device=weights.device))
    for number in range(1, longest):
        of = [place for place, group in enumerate(groups) if len(group) > number]
        pieces = torch.tensor([groups[place][number] for place in of], device=weights.device)
        sums.index_add_(axis, torch.tensor(of, device=weights.device), weights.index_select(axis, pieces))
    return sums
