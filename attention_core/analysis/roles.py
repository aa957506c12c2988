"""Roles: names for what a head does in one trace, each with the number it rests on and the number it must reach.

One sentence shows a habit, not a law: a role from a trace says what the head does there.
"""

from collections.abc import Callable
from dataclasses import dataclass

from attention_core.analysis.profile import HeadProfile, Profiles

POSITIONAL = 0.9  # Voita et al. 2019, section 5.1: the largest weight stands there at least nine times in ten


@dataclass(frozen=True)
class Role:
    """A name, the score that the head reached and the threshold that it passed."""

    name: str
    score: float
    threshold: float


@dataclass(frozen=True)
class HeadRoles:
    """One head's roles, the most telling first; none for a head that does nothing of the kind."""

    layer: int
    head: int
    roles: tuple[Role, ...]


@dataclass(frozen=True)
class Rule:
    """How a role is told: the score that a profile has for it, None where it has none, and the least that counts."""

    name: str
    threshold: float
    score: Callable[[HeadProfile], float | None]


def _at(offset: int) -> Callable[[HeadProfile], float | None]:
    """The mean weight of one offset, where that is the offset that gets most."""
    return lambda head: head.offset_share if head.offset == offset else None


# The order is that of the badges: the narrower role names a head before the wider one does.
RULES = (
    Rule("previous-token", 0.5, _at(-1)),
    Rule("next-token", 0.5, _at(1)),
    Rule("self", 0.5, lambda head: head.own),
    Rule("positional", POSITIONAL, lambda head: None if head.offset in (-1, 0, 1) else head.offset_largest),
    Rule("same-word", 0.3, lambda head: head.same_word),
    Rule("sink", 0.6, lambda head: max(head.special, head.first)),
    Rule("topic", 0.4, lambda head: head.topic if head.topic_key != 0 else None),
)
LEAST_ROWS = 4  # in a shorter text every head has some habit


def roles(profiles: Profiles) -> tuple[HeadRoles, ...]:
    """The roles of every head of a profile, layer by layer; none in a text of fewer than `LEAST_ROWS` tokens."""
    return tuple(HeadRoles(one.layer, one.head, _roles(one, profiles.rows)) for one in profiles.heads)


def _roles(head: HeadProfile, rows: int) -> tuple[Role, ...]:
    if rows < LEAST_ROWS:
        return ()
    scored = [(rule, rule.score(head)) for rule in RULES]
    reached = [(rule, score) for rule, score in scored if score is not None and score >= rule.threshold]
    return tuple(Role(rule.name, score, rule.threshold) for rule, score in reached)
