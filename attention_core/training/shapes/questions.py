"""What is asked about a picture, and its labels: `shape/circle`, `colour/red`, `where/top left`, `count/2`."""

import itertools
from typing import NamedTuple

QUESTIONS: dict[str, tuple[str, ...]] = {
    "shape": ("circle", "square", "triangle", "star", "cross"),
    "colour": ("red", "orange", "yellow", "green", "blue", "purple"),
    "where": ("top left", "top right", "bottom left", "bottom right"),
    "count": ("1", "2", "3"),
}
"""The answers to each question, in the order of the classes."""

LABELS = tuple(f"{question}/{answer}" for question, answers in QUESTIONS.items() for answer in answers)
"""The label of each class."""

SLICES: dict[str, slice] = {}
"""The classes of each question: its answers' probabilities are a softmax over these."""

_first = 0
for _question, _answers in QUESTIONS.items():
    SLICES[_question] = slice(_first, _first + len(_answers))
    _first += len(_answers)


class Answers(NamedTuple):
    """The right answer to each question, as its number among the question's answers."""

    shape: int
    colour: int
    where: int
    many: int

    @property
    def number(self) -> int:
        """How many shapes there are."""
        return self.many + 1


ALL = tuple(Answers(*numbers) for numbers in itertools.product(*(range(len(each)) for each in QUESTIONS.values())))
"""Every combination of answers."""

# One combination in five: sums of this kind leave every pair of answers in the training.
HELD_OUT = tuple(one for one in ALL if (one.shape + 2 * one.colour + 3 * one.where + one.many) % 5 == 0)
"""The combinations that training never shows."""

TRAINED = tuple(sorted(set(ALL) - set(HELD_OUT)))
"""The combinations that training shows."""
