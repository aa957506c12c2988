"""Link: which heads tie one token to another, and not just every token to it.

A large weight alone proves little: a head that sends every token to the topic of the sentence also sends *it* there.
The lift takes that away: the weight minus what the other tokens give to the same key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from attention_core.analysis.columns import chosen_kind, column_sums
from attention_core.analysis.words import groups_of
from attention_core.errors import InputError, UnknownNameError
from attention_core.maps import Kind
from attention_core.tokens import Tokens
from attention_core.trace import AttentionTrace

Positions = tuple[int, ...]
Named = Literal["topic", "sink"]

LARGE = 0.2  # a weight from which on a head without lift is named for what it is
LITTLE = 0.25  # lift that is at most this share of its weight is none to speak of


@dataclass(frozen=True)
class HeadLink:
    """What one head gives from the query to the key; numbers are shares of a row, from 0 to 1.

    `others` is the mean of what the other tokens that may attend to the key give to it, and `lift` the weight minus
    that; both None where no other token may. `margin` is the weight minus the largest rival's, None without rivals.
    `share` is the weight as a part of what the row gives to tokens that are not special, None for a key that is special
    itself. `named` says what a head is that has a large weight and no lift: every token looks there.
    """

    layer: int
    head: int
    weight: float
    lift: float | None
    others: float | None
    margin: float | None
    share: float | None
    named: Named | None


@dataclass(frozen=True)
class Links:
    """All heads of a kind, the largest lift first; heads without one come last, by weight.

    `other_count` is how many tokens the lift compares with; words, where it was asked for `words`.
    """

    kind: Kind
    query: Positions
    key: Positions
    rivals: tuple[Positions, ...]
    heads: tuple[HeadLink, ...]
    other_count: int
    words: bool = False

    def of(self, layer: int, head: int) -> HeadLink:
        """One head's numbers; an UnknownNameError for a head that is not there."""
        for one in self.heads:
            if (one.layer, one.head) == (layer, head):
                return one
        raise UnknownNameError("head", f"L{layer} H{head}", [f"L{one.layer} H{one.head}" for one in self.heads[:12]])


def link(
    trace: AttentionTrace,
    query: Sequence[int],
    key: Sequence[int],
    *,
    rivals: Sequence[Sequence[int]] = (),
    kind: str | None = None,
    words: bool = False,
) -> Links:
    """How much each head ties a query to a key, ranked by lift.

    query, key and each of the rivals are positions on the axes of that kind, several for a word of several pieces: its
    weight is the sum over the key's pieces and the mean over the query's (Clark et al. 2019, section 4.1). The lift is
    w(query, key) minus the mean of w(q, key) over the tokens q that may attend to the key, leaving out the query, the
    key and special tokens; with `words` over the other words, each the mean of its pieces. An InputError for positions
    that are none, or for a query that is its own key.
    """
    chosen = chosen_kind(trace, kind)
    queries, keys = trace.queries(chosen), trace.keys(chosen)
    asked = _positions("query", query, len(queries))
    wanted = _positions("key", key, len(keys))
    against = tuple(_positions("rival", rival, len(keys)) for rival in rivals)
    same = queries is keys
    if same and set(asked) & set(wanted):
        raise InputError("a token is not linked with itself: the query and the key share a token", reason="itself")
    for rival in against:
        if set(rival) & set(wanted) or (same and set(rival) & set(asked)):
            raise InputError("a rival is another token than the query and the key", reason="rival")
    _demand_allowed(trace, chosen, asked, wanted)

    content = tuple(at for at in range(len(keys)) if not keys.special[at])
    others = _others(trace, chosen, asked, wanted)
    if words:
        others = _whole(queries, others)
    sink = all(keys.special[at] for at in wanted) or 0 in wanted
    part = not any(keys.special[at] for at in wanted)
    heads = []
    for layer, one in enumerate(trace.maps_of(chosen)):
        sums = column_sums(one, (wanted, content, *against))  # (head, query, group of keys)
        rows = sums[:, list(asked)].mean(1)  # (head, group of keys)
        usual = sums[..., 0] @ _means(others, one.query_count).to(sums) if others else None  # (head)
        heads += [
            _head(layer, head, rows[head], None if usual is None else float(usual[head]), sink=sink, part=part)
            for head in range(one.head_count)
        ]
    heads.sort(key=lambda one: (one.lift is None, -(one.weight if one.lift is None else one.lift), one.layer, one.head))
    return Links(chosen, asked, wanted, against, tuple(heads), len(others), words)


def _head(layer: int, head: int, row: Tensor, usual: float | None, *, sink: bool, part: bool) -> HeadLink:
    weight, content, *rivals = row.tolist()
    lift = None if usual is None else weight - usual
    plain = lift is not None and weight >= LARGE and lift <= LITTLE * weight
    return HeadLink(
        layer=layer,
        head=head,
        weight=weight,
        lift=lift,
        others=usual,
        margin=weight - max(rivals) if rivals else None,
        share=None if not part else weight / content if content > 0 else 0.0,
        named=("sink" if sink else "topic") if plain else None,
    )


def _positions(what: str, given: Sequence[int], count: int) -> Positions:
    """The positions in order, each once; an InputError for none, and for one that is not there."""
    found = tuple(sorted(set(given)))
    if not found:
        raise InputError(f"the {what} touches no token; choose one", reason="nothing")
    outside = [at for at in found if not 0 <= at < count]
    if outside:
        sentence = f"the {what} stands at token {outside[0]}, and there are 0 to {count - 1}"
        raise InputError(sentence, reason="outside", count=count)
    return found


def _demand_allowed(trace: AttentionTrace, kind: Kind, query: Positions, key: Positions) -> None:
    """An InputError where no layer lets the query look at the key, as a decoder's at what comes after it."""
    for one in trace.maps_of(kind):
        allowed = one.mask.window(torch.tensor(query, device=one.device), torch.tensor(key, device=one.device))
        if bool(allowed.any()):
            return
    sentence = "this query may not look at this key: in a decoder a token sees only what came before it"
    raise InputError(sentence, reason="masked")


def _others(trace: AttentionTrace, kind: Kind, query: Positions, key: Positions) -> tuple[Positions, ...]:
    """The tokens with which the query is compared, each alone: those that may attend to the key in every layer."""
    queries, same = trace.queries(kind), trace.queries(kind) is trace.keys(kind)
    left_out = {*query, *(key if same else ())}
    candidates = [at for at in range(len(queries)) if at not in left_out and not queries.special[at]]
    for one in trace.maps_of(kind):
        if not candidates:
            break
        rows = torch.tensor(candidates, device=one.device)
        allowed = one.mask.window(rows, torch.tensor(key, device=one.device)).any(1).tolist()
        candidates = [at for at, may in zip(candidates, allowed, strict=True) if may]
    return tuple((at,) for at in candidates)


def _means(groups: tuple[Positions, ...], count: int) -> Tensor:
    """What each of so many positions counts in the mean over groups of their means."""
    share = torch.zeros(count)
    for group in groups:
        share[list(group)] = 1 / (len(groups) * len(group))
    return share


def _whole(queries: Tokens, others: tuple[Positions, ...]) -> tuple[Positions, ...]:
    """The words of which every piece is among the others."""
    alone = {at for (at,) in others}
    return tuple(group for group in groups_of(queries) if alone.issuperset(group))
