"""Profile: what the heads of one trace do, in a few numbers each."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from attention_core.analysis.columns import chosen_kind, column_sums
from attention_core.errors import InputError
from attention_core.maps import AttentionMap, Kind
from attention_core.tokens import Tokens
from attention_core.trace import AttentionTrace

_TINY = 1e-30


@dataclass(frozen=True)
class HeadProfile:
    """One head in numbers, means over the rows of tokens that are not special.

    `entropy` in bits, `spread` the entropy as a part of the largest that these rows could have. `distance` is the mean
    distance of what is looked at, in tokens. `offset` is the distance key - query that gets most, `offset_share`
    what it gets on average, `offset_largest` how often the largest weight of a row stands there. `special`, `own`
    and `same_word` are what special tokens, the token itself and the same word elsewhere get; `same_word` counts rows
    alone whose word stands elsewhere. `topic` is the most that one token gets on average from the others, `topic_key`
    which it is. What has no meaning between two sequences, or has no row, is None.
    """

    layer: int
    head: int
    entropy: float
    spread: float
    special: float
    topic: float | None
    topic_key: int | None
    first: float
    distance: float | None = None
    offset: int | None = None
    offset_share: float | None = None
    offset_largest: float | None = None
    own: float | None = None
    same_word: float | None = None


@dataclass(frozen=True)
class Profiles:
    """The profile of every head of a kind, layer by layer, and over how many rows its means go."""

    kind: Kind
    rows: int
    heads: tuple[HeadProfile, ...]


def profile(trace: AttentionTrace, *, kind: str | None = None) -> Profiles:
    """Every head's profile; an InputError for a trace of one token, in which there is nowhere to look."""
    chosen = chosen_kind(trace, kind)
    queries, keys = trace.queries(chosen), trace.keys(chosen)
    rows = [at for at in range(len(queries)) if not queries.special[at]] or list(range(len(queries)))
    if len(keys) < 2:
        raise InputError("a profile needs at least two tokens")
    heads: list[HeadProfile] = []
    for one in trace.maps_of(chosen):
        heads += _profiles(one, rows, queries, keys)
    return Profiles(chosen, len(rows), tuple(heads))


def _profiles(one: AttentionMap, rows: list[int], queries: Tokens, keys: Tokens) -> list[HeadProfile]:
    entropy, spread = _entropy(one, rows)
    special = [at for at in range(len(keys)) if keys.special[at]]
    sums = column_sums(one, (special, (0,)))[:, rows].mean(1)  # (head, 2)
    topic, topic_key = _topic(one, rows, keys)
    alone = queries is not keys
    beside: list[dict[str, Any]] = [{}] * one.head_count if alone else _offsets(one, rows, keys)
    return [
        HeadProfile(
            layer=one.layer,
            head=head,
            entropy=float(entropy[head]),
            spread=float(spread[head]),
            special=float(sums[head, 0]),
            first=float(sums[head, 1]),
            topic=None if topic is None else float(topic[head]),
            topic_key=None if topic_key is None else int(topic_key[head]),
            **beside[head],
        )
        for head in range(one.head_count)
    ]


def _entropy(one: AttentionMap, rows: list[int]) -> tuple[Tensor, Tensor]:
    """The mean entropy in bits (head), and its share of the largest: log₂ of how many keys a row may attend to."""
    total = torch.zeros(one.head_count, device=one.device)
    share = torch.zeros_like(total)
    kept = torch.zeros(one.query_count, dtype=torch.bool, device=one.device)
    kept[rows] = True
    for block, weights in one.stream():
        inside = kept[block]
        if not bool(inside.any()):
            continue
        picked = weights[:, inside]  # (head, query, key)
        bits = -(picked * picked.clamp_min(_TINY).log2()).sum(-1)  # (head, query)
        most = one.allowed(block)[inside].sum(1).clamp_min(1).log2()  # (query)
        total += bits.sum(1)
        share += torch.where(most > 0, bits / most.clamp_min(_TINY), 0.0).sum(1)
    return total / len(rows), share / len(rows)


def _topic(one: AttentionMap, rows: list[int], keys: Tokens) -> tuple[Tensor | None, Tensor | None]:
    """The largest mean that one token gets from the others that may look at it, and which token that is (head)."""
    content = [at for at in range(len(keys)) if not keys.special[at]]
    if len(rows) < 2 or not content:
        return None, None
    total = torch.zeros(one.head_count, one.key_count, device=one.device)
    count = torch.zeros(one.key_count, device=one.device)
    kept = torch.zeros(one.query_count, dtype=torch.bool, device=one.device)
    kept[rows] = True
    same = one.kind != Kind.CROSS
    for block, weights in one.stream():
        seen = one.allowed(block) & kept[block][:, None]  # (query, key)
        if same:
            at = torch.arange(block.start, block.stop, device=one.device)
            seen[torch.arange(len(at), device=one.device), at] = False
        total += (weights * seen).sum(1)
        count += seen.sum(0)
    # A key that a single row can see says nothing of all rows.
    mean = torch.where(count >= 2, total / count.clamp_min(1), -1.0)[:, content]
    best, place = mean.max(1)
    if float(best.max()) < 0:
        return None, None
    return best.clamp_min(0), torch.tensor(content, device=one.device)[place]


def _offsets(one: AttentionMap, rows: list[int], keys: Tokens) -> list[dict[str, Any]]:
    """Distance, best offset, and what the token itself and the same word elsewhere get, a head each."""
    size = one.key_count
    total = torch.zeros(one.head_count, 2 * size - 1, device=one.device)  # (head, offset + size - 1)
    largest = torch.zeros_like(total)
    possible = torch.zeros(2 * size - 1, device=one.device)
    kept = torch.zeros(one.query_count, dtype=torch.bool, device=one.device)
    kept[rows] = True
    at = torch.arange(size, device=one.device)
    for block, weights in one.stream():
        inside = kept[block].nonzero()[:, 0] + block.start
        if not len(inside):
            continue
        picked = weights[:, inside - block.start]  # (head, query, key)
        offset = at[None, :] - inside[:, None] + size - 1  # (query, key)
        total.index_add_(1, offset.flatten(), picked.flatten(1))
        possible.index_add_(0, offset.flatten(), one.allowed(block)[inside - block.start].flatten().float())
        best = offset.gather(1, picked.argmax(2).T).T  # (head, query)
        largest.scatter_add_(1, best, torch.ones_like(best, dtype=largest.dtype))
    count = len(rows)
    distance = (total * (torch.arange(2 * size - 1, device=one.device) - size + 1).abs()).sum(1) / count
    # An offset counts over the rows that have it: the first token has no previous one. A single row has no habit.
    often = possible >= max(2, math.ceil(count / 2))
    share = torch.where(often, total / possible.clamp_min(1), 0.0)
    best_share, place = share.max(1)
    habit = bool(often.any())
    same = _same_words(one, rows, keys)
    return [
        {
            "distance": float(distance[head]),
            "offset": int(place[head]) - size + 1 if habit else None,
            "offset_share": float(best_share[head]) if habit else None,
            "offset_largest": float(largest[head, place[head]] / possible[place[head]].clamp_min(1)) if habit else None,
            "own": float(total[head, size - 1] / possible[size - 1].clamp_min(1)),
            "same_word": None if same is None else float(same[head]),
        }
        for head in range(one.head_count)
    ]


def _same_words(one: AttentionMap, rows: list[int], keys: Tokens) -> Tensor | None:
    """What the same word elsewhere gets (head), over the rows whose word stands elsewhere where they may look."""
    words = [text.casefold() for text in keys.texts]
    places: dict[str, list[int]] = {}
    for place, word in enumerate(words):
        if not keys.special[place]:
            places.setdefault(word, []).append(place)
    twice = [at for at in rows if len(places.get(words[at], ())) > 1]
    if not twice:
        return None
    number = {at: row for row, at in enumerate(twice)}
    elsewhere = torch.zeros(len(twice), one.key_count, device=one.device)
    for at in twice:
        elsewhere[number[at], [place for place in places[words[at]] if place != at]] = 1.0
    total = torch.zeros(one.head_count, device=one.device)
    count = 0
    for block, weights in one.stream():
        here = [at for at in twice if block.start <= at < block.stop]
        if not here:
            continue
        wanted = elsewhere[[number[at] for at in here]]  # (query, key)
        local = [at - block.start for at in here]
        reachable = (one.allowed(block)[local] & (wanted > 0)).any(1)  # (query)
        total += ((weights[:, local] * wanted).sum(-1) * reachable).sum(1)
        count += int(reachable.sum())
    return total / count if count else None
