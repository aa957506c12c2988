"""What-ifs: how a model of ours may be made to attend otherwise, by names that an example and a trace carry.

    "unscaled"        scores are not divided by √dim
    "temperature:2"   scores are divided by 2 as well: 0.05 to 20, at most two decimals
    "mask:causal"     an encoder's tokens look only back
    "mask:none"       a decoder's tokens look ahead too
    "positions:none"  nothing says where a token stands
    "shuffle:7"       the words stand in another order, drawn with the seed 7; everything is put back where it was
"""

import random
import re
from collections.abc import Sequence

from attention_core.errors import InputError, UnknownNameError
from attention_core.tokens import Tokens

ACCEPTED = ("unscaled", "temperature:0.05 to temperature:20 (2, not 2.0)", "mask:causal", "mask:none", "positions:none",
            "shuffle:0 to shuffle:999999999")  # fmt: skip
COLDEST, HOTTEST = 0.05, 20.0
_PLAIN = ("unscaled", "mask:causal", "mask:none", "positions:none")
_TEMPERATURE = re.compile(r"temperature:([0-9]{1,2}(?:\.[0-9]{1,2})?)")
_SHUFFLE = re.compile(r"shuffle:(0|[1-9][0-9]{0,8})")
_ORDER = ("unscaled", "temperature", "mask:causal", "mask:none", "positions", "shuffle")


def checked(names: Sequence[str]) -> tuple[str, ...]:
    """The names in one order, so that the same wishes are the same; an UnknownNameError for what is none of them, an
    InputError for two of one sort."""
    sorts = [_sort_of(name) for name in names]
    for sort in sorts:
        if sorts.count(sort) > 1:
            raise InputError(f"what_if names {sort} twice; accepted: each at most once")
    return tuple(sorted(names, key=lambda name: _ORDER.index(_sort_of(name))))


def temperature_of(names: Sequence[str]) -> float:
    """What scores are divided by beside √dim, 1 where nothing is wished for."""
    return next((float(found[1]) for name in names if (found := _TEMPERATURE.fullmatch(name))), 1.0)


def seed_of(names: Sequence[str]) -> int | None:
    """The seed of the order of words, None where they stand as they are."""
    return next((int(found[1]) for name in names if (found := _SHUFFLE.fullmatch(name))), None)


def shuffled(tokens: Sequence[bool], words: Sequence[int | None], segments: Sequence[str], seed: int) -> list[int]:
    """The places of tokens whose words stand in another order, drawn with the seed.

    tokens: whether each is special: these stay where they are, and so does each text of a pair. A word's tokens stay
    together. Where there are two words, the order is another one than before.
    """
    places = list(range(len(tokens)))
    for segment in sorted(set(segments)):
        own = [at for at, special in enumerate(tokens) if not special and segments[at] == segment]
        blocks: list[list[int]] = []
        for before, at in zip([None, *own], own, strict=False):
            same = before is not None and words[at] is not None and words[at] == words[before]
            blocks[-1].append(at) if same else blocks.append([at])
        drawn = blocks.copy()
        random.Random(seed).shuffle(drawn)  # noqa: S311  # a lesson's order, no secret
        if drawn == blocks:
            drawn = [*blocks[1:], *blocks[:1]]
        for place, at in zip(own, (at for block in drawn for at in block), strict=True):
            places[at] = place
    return places


def places_of(tokens: Tokens, seed: int) -> list[int]:
    """`shuffled` of the tokens that a model reads."""
    return shuffled(tokens.special, tokens.words, tokens.segment, seed)


def _sort_of(name: str) -> str:
    found = _TEMPERATURE.fullmatch(name)
    if found and COLDEST <= float(found[1]) <= HOTTEST and f"{float(found[1]):g}" == found[1]:
        return "temperature"
    if _SHUFFLE.fullmatch(name):
        return "shuffle"
    if name not in _PLAIN:
        raise UnknownNameError("what_if", name, ACCEPTED)
    return "positions" if name == "positions:none" else name
