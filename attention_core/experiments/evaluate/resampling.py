"""Choosing a head on one half of the data and reporting it on the other, with an interval by bootstrap.

The best of 144 heads beats a coin by luck: its share on the rows it was chosen on says nothing. So the rows are split
by group, the head is chosen on one half, and only the other half is reported. The interval repeats both: it draws
groups of each half with replacement and chooses the head again in every resample (Efron 1979; the choice within the
resample is what keeps the interval honest).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
LEVEL = 0.95
_AT_ONCE = 1 << 22  # counts that are resampled at once

Counts = NDArray[Any]


@dataclass(frozen=True)
class Choice:
    """The head chosen on one half and its share on the other; `interval` is of that share, at LEVEL.

    `place` is the head's number. `share_chosen` is its share on the half it was chosen on. `again` is how often a
    resample chose the same head.
    """

    place: int
    share: float
    interval: tuple[float, float]
    share_chosen: float
    again: float


def reported(group: str) -> bool:
    """Whether a group belongs to the half that is reported: sha256("x" + group), as a number, is odd."""
    return bool(sha256(f"x{group}".encode()).digest()[-1] & 1)


def by_group(groups: Sequence[str], right: Counts) -> tuple[Counts, Counts]:
    """What each group has: right answers (group, head) of rows (row, head), and rows (group), float64.

    Groups stand in the order of their names, so that the order of the rows changes nothing.
    """
    names = {name: number for number, name in enumerate(sorted(set(groups)))}
    at = np.array([names[group] for group in groups])
    sums = np.zeros((len(names), right.shape[1]))
    np.add.at(sums, at, right)
    return sums, np.bincount(at, minlength=len(names)).astype(np.float64)


class Resamples:
    """The groups that each resample draws of the two halves: made once, for as many questions as there are."""

    def __init__(self, choosing: int, reporting: int, *, seed: int = 0, count: int = RESAMPLES) -> None:
        generator = np.random.default_rng(seed)
        self.choosing, self.reporting = (
            generator.multinomial(size, np.full(size, 1 / size), size=count).astype(np.float32)
            for size in (choosing, reporting)
        )  # (resample, group)

    def choose(self, choosing: tuple[Counts, Counts], reporting: tuple[Counts, Counts]) -> Choice:
        """The choice, from right answers (group, head) and rows (group) of each half.

        Of equal heads the first is chosen. A resample without a row in one of its halves does not count.
        """
        right, rows = choosing
        share_chosen = right.sum(0) / rows.sum()
        place = int(share_chosen.argmax())
        drawn = self.choosing @ right.astype(np.float32)  # (resample, head)
        places = drawn.argmax(1)  # the rows of a resample are the same for all its heads
        other, other_rows = reporting
        found = np.empty(len(places))
        step = max(1, _AT_ONCE // max(1, len(other)))
        for start in range(0, len(places), step):
            part = slice(start, start + step)
            found[part] = (self.reporting[part] * other.T[places[part]]).sum(1)
        counted = self.reporting @ other_rows
        valid = (counted > 0) & (self.choosing @ rows > 0)
        shares = found[valid] / counted[valid]
        share = float(other[:, place].sum() / other_rows.sum())
        low, high = np.quantile(shares, ((1 - LEVEL) / 2, (1 + LEVEL) / 2)) if len(shares) else (share, share)
        again = float((places[valid] == place).mean()) if len(shares) else 1.0
        return Choice(place, share, (float(low), float(high)), float(share_chosen[place]), again)
