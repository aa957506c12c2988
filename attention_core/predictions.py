"""What a model said: the next token, the masked token, the words of a translation, the answers about a picture, or the
token that belongs at each place of an answer as long as the text."""

from dataclasses import dataclass
from typing import Literal

from attention_core.errors import TraceError

Task = Literal["next-token", "translation", "masked-token", "classes", "answer"]
TASKS = ("next-token", "translation", "masked-token", "classes", "answer")


@dataclass(frozen=True)
class Candidate:
    """One thing that a model could say, and how probable it holds it: softmax over everything it could say."""

    text: str
    probability: float


@dataclass(frozen=True)
class Prediction:
    """The most probable candidates at one place, the best first.

    `position` is the row that says it, counted in the tokens that the model read, None for a question about the
    whole; then `label` is the question. `actual` is the token that does stand there, None where none does.
    """

    candidates: tuple[Candidate, ...]
    position: int | None = None
    label: str | None = None
    actual: Candidate | None = None


@dataclass(frozen=True)
class Predictions:
    """Everything a model said about one example, in order."""

    task: Task
    at: tuple[Prediction, ...]

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise TraceError(f"unknown task {str(self.task)[:100]!r} of predictions")
        for one in self.at:
            if not isinstance(one.position, int | None) or not isinstance(one.label, str | None):
                raise TraceError("a prediction stands at a row, or answers a question")
            said = (*one.candidates, *(() if one.actual is None else (one.actual,)))
            if not all(isinstance(candidate.text, str) for candidate in said):
                raise TraceError("a prediction's candidate is no text")
            if not all(-1e-6 <= candidate.probability <= 1 + 1e-5 for candidate in said):
                raise TraceError("a prediction's probability lies outside 0 to 1")
