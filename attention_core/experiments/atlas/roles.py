"""Roles from data: what a head does in many sentences, each with the number it rests on and the number it must pass."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attention_core.experiments.evaluate.results import ANTECEDENT, INDUCTION, SYNTAX

DATA_ROLES = (ANTECEDENT, SYNTAX, INDUCTION)  # in the order of the badges
INDUCTION_SCORE = 0.4  # mean weight on what followed before; a head that looks at all tokens alike gives some 0.02
LEAST_ROWS = 20  # that a share is of; fewer say nothing, however often a head is right on them
SYNTAX_FACTOR = 1.1  # Voita et al. 2019, section 5.2: at least 10 % above the most frequent relative position

Result = Mapping[str, Any]


@dataclass(frozen=True)
class DataRole:
    """A head's role. `of` is the file, or the relation; `rows` how many rows the score is of, `file` where from.

    `score` is the share of right answers on rows that the head was not chosen on, with its 95 % `interval`; for
    induction the mean weight. `threshold` is what it had to pass: for antecedents the best rule that needs no head.
    """

    name: str
    layer: int
    head: int
    score: float
    threshold: float
    of: str
    file: str
    rows: int
    interval: tuple[float, float] | None = None
    direction: str | None = None

    def to_document(self) -> dict[str, Any]:
        """Plain data."""
        return {**vars(self), "interval": None if self.interval is None else list(self.interval)}


def roles_of(results: Sequence[Result]) -> tuple[DataRole, ...]:
    """The roles that results give, the strongest score of each name first.

    antecedent: the chosen head's interval lies above chance, the nearest and the first candidate; to touch is not to
    pass. syntax: the chosen head of a relation is at least SYNTAX_FACTOR times as often right as the best fixed offset,
    and its interval lies above that offset. Both heads were chosen on the other half of the data, and both shares are
    of LEAST_ROWS rows or more. induction: every head whose score reaches INDUCTION_SCORE.
    """
    found = [role for one in results for role in _RULES[one["task"]](one)]
    return tuple(sorted(found, key=lambda one: (DATA_ROLES.index(one.name), -one.score, one.of, one.layer, one.head)))


def _antecedent(result: Result) -> Iterator[DataRole]:
    threshold = max(result["chance"], result["nearest"], result["first"])
    if result["rows"] >= LEAST_ROWS and result["interval"][0] > threshold:
        yield _chosen(ANTECEDENT, result, result["file"], result["file"], threshold)


def _syntax(result: Result) -> Iterator[DataRole]:
    for one in result["relations"]:
        threshold = SYNTAX_FACTOR * one["offset_right"]
        reached = one["right"] >= threshold and one["interval"][0] > one["offset_right"]
        if reached and one["rows"] >= LEAST_ROWS:
            yield _chosen(SYNTAX, one, one["relation"], result["file"], threshold)


def _induction(result: Result) -> Iterator[DataRole]:
    rows = result["rows"] + result["chosen_rows"]
    for layer, heads in enumerate(result["heads"]):
        for head, score in enumerate(heads):
            if score >= INDUCTION_SCORE:
                file = result["file"]
                yield DataRole(INDUCTION, layer, head, score, INDUCTION_SCORE, file, file, rows)


def _chosen(name: str, result: Result, of: str, file: str, threshold: float) -> DataRole:
    low, high = result["interval"]
    return DataRole(
        name=name,
        layer=result["chosen"]["layer"],
        head=result["chosen"]["head"],
        score=result["right"],
        threshold=threshold,
        of=of,
        file=file,
        rows=result["rows"],
        interval=(low, high),
        direction=result.get("direction"),
    )


_RULES = {ANTECEDENT: _antecedent, SYNTAX: _syntax, INDUCTION: _induction}
