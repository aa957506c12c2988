"""Which head looks from a pronoun at its antecedent: the score of every head on a row, and what comes of all rows.

The score is the attention from the pronoun's tokens (their mean) to each candidate (the largest of its tokens); a head
is right when the antecedent gets more than every distractor.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from attention_core.experiments.evaluate.places import Positions, moved, touched
from attention_core.experiments.evaluate.reading import Row
from attention_core.tokens import Tokens

Scores = NDArray[Any]


@dataclass(frozen=True)
class Placed:
    """A row on the tokens of a model: the pronoun's, and each candidate's, the antecedent's first."""

    pronoun: Positions
    candidates: tuple[Positions, ...]


@dataclass(frozen=True)
class Twins:
    """Pairs of rows that differ in the word that decides: both right, and the same candidate named in both."""

    pairs: int
    both_right: float
    same_answer: float


def place(row: Row, tokens: Tokens) -> Placed | str:
    """The row's spans as tokens, or why it cannot be scored."""
    at = touched(tokens, moved(row.pronoun, row.text, tokens.text))
    candidates = tuple(touched(tokens, moved(span, row.text, tokens.text)) for span in row.candidates)
    untouched = [("pronoun", row.pronoun)] if not at else []
    untouched += [("candidate", span) for span, found in zip(row.candidates, candidates, strict=True) if not found]
    if untouched:
        what, span = untouched[0]
        return f"its {what} {list(span)} touches no token of this model"
    return Placed(at, candidates)


def score(weights: Tensor, placed: Placed) -> Scores:
    """The scores (layer, head, candidate) from the weights of the pronoun's rows (layer, head, query, key)."""
    looked = weights.mean(2)  # (layer, head, key)
    best = [looked[..., list(one)].amax(-1).cpu().numpy() for one in placed.candidates]
    return np.stack(best, axis=-1).astype(np.float32)


def right(scores: Scores) -> Scores:
    """Whether each head (layer, head) gives the antecedent, candidate 0, more than every distractor: a tie is wrong."""
    return np.asarray(scores[..., 0] > scores[..., 1:].max(-1))


def chance(rows: Sequence[Row]) -> float:
    """How often one of the candidates, drawn at random, is the antecedent."""
    return float(np.mean([1 / len(row.candidates) for row in rows]))


def nearest(rows: Sequence[Row]) -> float:
    """How often the candidate whose beginning is nearest to the pronoun's is the antecedent; of two the earlier one."""
    return float(np.mean([min(row.candidates, key=row.distance) == row.candidates[0] for row in rows]))


def first(rows: Sequence[Row]) -> float:
    """How often the candidate that comes first in the text is the antecedent."""
    return float(np.mean([min(row.candidates) == row.candidates[0] for row in rows]))


def pairs(rows: Sequence[Row]) -> list[tuple[int, int]]:
    """The twins among the rows, by their numbers: two rows that share a `twin`, or of which one names the other."""
    named: dict[str, list[int]] = {}
    ids = {row.id: number for number, row in enumerate(rows)}
    found = set()
    for number, row in enumerate(rows):
        if row.twin is None:
            continue
        if row.twin in ids and row.twin != row.id:
            found.add((min(number, ids[row.twin]), max(number, ids[row.twin])))
        else:
            named.setdefault(row.twin, []).append(number)
    return sorted(found | {(one[0], one[1]) for one in named.values() if len(one) == 2})


def twins(rows: Sequence[Row], scores: Sequence[Scores]) -> Twins | None:
    """How one head does on twins, from its scores (candidate) of each row; None where there are no twins."""
    found = pairs(rows)
    if not found:
        return None
    correct = [bool(right(one)) for one in scores]
    both = [correct[a] and correct[b] for a, b in found]
    agree = [_answer(rows[a], scores[a]) == _answer(rows[b], scores[b]) for a, b in found]
    return Twins(len(found), float(np.mean(both)), float(np.mean(agree)))


def _answer(row: Row, scores: Scores) -> str:
    """The candidate that gets most, by its words: in a twin it may stand in another place."""
    return row.text[slice(*row.candidates[int(scores.argmax())])].casefold()


def undecided(rows: Sequence[Row]) -> int:
    """How many rows have a twin that reads the same up to the pronoun: what decides comes after it."""
    cut = [row.text[: row.pronoun[1]] for row in rows]
    return len({number for pair in pairs(rows) for number in pair if cut[pair[0]] == cut[pair[1]]})
