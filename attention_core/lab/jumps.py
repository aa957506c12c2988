"""Where a head takes up its role: the place of a run at which its score rises most, if it rises at all.

The rule: of all stretches of a run that are at most WINDOW of its steps long (at least from one checkpoint to the
next), the one over which a head's score rises most is where it jumps, if it rises there by at least RISE and by at
least half of what it ever rises. The marker stands in the middle of that stretch. In induction heads this is the bump
of Olsson et al. 2022, section "Argument 1".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from attention_core.lab.training import Checkpoint

WINDOW = 0.15  # of a run's steps
RISE = 0.25  # of a score, which goes from 0 to 1


@dataclass(frozen=True)
class Jump:
    """One head's jump: between the steps `start` and `end` its score of the role rises from `low` to `high`."""

    role: str
    layer: int
    head: int
    start: int
    end: int
    low: float
    high: float

    @property
    def step(self) -> int:
        """Where its marker stands."""
        return (self.start + self.end) // 2


def jumps(checkpoints: Sequence[Checkpoint]) -> tuple[Jump, ...]:
    """The jumps of all heads in all roles, those that rise to the most first; none where nothing rises."""
    if len(checkpoints) < 2:
        return ()
    steps = [one.step for one in checkpoints]
    found = []
    for role in checkpoints[0].scores:
        layers, heads = checkpoints[0].scores[role].shape
        for layer in range(layers):
            for head in range(heads):
                series = [float(one.scores[role][layer, head]) for one in checkpoints]
                at = jump_in(steps, series)
                if at is not None:
                    start, end = at
                    found.append(Jump(role, layer, head, steps[start], steps[end], series[start], series[end]))
    return tuple(sorted(found, key=lambda one: -one.high))


def jump_in(steps: Sequence[int], series: Sequence[float]) -> tuple[int, int] | None:
    """Between which two checkpoints a series jumps, by the rule above; None where it does not."""
    window = WINDOW * (steps[-1] - steps[0])
    best, rise = None, 0.0
    for size in range(1, len(steps)):
        for start in range(len(steps) - size):
            end = start + size
            fits = size == 1 or steps[end] - steps[start] <= window
            # Of stretches that rise alike the shortest counts, and of those the first: rounding decides nothing.
            if fits and series[end] - series[start] > rise + 1e-6:
                best, rise = (start, end), series[end] - series[start]
    ever = max((max(series[start:]) - series[start] for start in range(len(series))), default=0.0)
    return best if best is not None and rise >= RISE and rise >= ever / 2 else None
