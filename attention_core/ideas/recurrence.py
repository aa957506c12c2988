"""A recurrent network that is asked which word it saw d steps ago, with and without attention.

Without attention all it has of a text is its last state, as in the encoder of Cho et al. 2014; with attention it may
look back at every state (Bahdanau et al. 2015, section 3). The far end of a text is where the two part.
"""

from collections.abc import Generator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attention_core.errors import InputError
from attention_core.experiments.running import Progress
from attention_core.ideas.drawing import drawn
from attention_core.nn.attention import attention
from attention_core.nn.positions import sinusoidal
from attention_core.threads import this_thread_on_one_core

WORDS = 10  # that there are: who guesses is right in one of so many cases
LENGTHS = (4, 32)
STEPS = (10, 2000)
HIDDEN = 64
BATCH = 32
RATE = 3e-3
TESTED = 256  # texts that were never trained on
HELD_OUT = 8  # one of so many texts is for the test alone, told by the sum of its words
NEWS = 10  # steps between two reports


@dataclass(frozen=True)
class Curve:
    """One network while it learns: the mean loss of the last steps, in nats, at each of `steps`; and when it has
    learned, the share of right answers for the word d = 1, 2, … steps ago (empty before). `parameters` counts its
    numbers."""

    parameters: int
    steps: tuple[int, ...]
    losses: tuple[float, ...]
    accuracy: tuple[float, ...]


@dataclass(frozen=True)
class Recurrence:
    """Both networks, trained on the same texts in the same order; chance is what guessing gives."""

    length: int
    seed: int
    chance: float
    texts: int
    without: Curve
    attending: Curve


@dataclass(frozen=True)
class RecurrenceProgress(Progress):
    """Steps of both networks, and what is known so far."""

    so_far: Recurrence


class Recall(nn.Module):
    """A GRU that reads a text and is asked for the word d steps ago, for every d at once.

    Both kinds get the same: words with waves that tell where they stand, and the question as a vector. Without
    attention the answer is made of the last state and the question; with it, the question looks at all states.
    """

    def __init__(self, length: int, *, attends: bool) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, HIDDEN)
        self.questions = nn.Embedding(length, HIDDEN)
        self.reader = nn.GRU(HIDDEN, HIDDEN, batch_first=True)
        self.key = nn.Linear(HIDDEN, HIDDEN) if attends else None
        self.answer = nn.Sequential(nn.Linear(2 * HIDDEN, 2 * HIDDEN), nn.ReLU(), nn.Linear(2 * HIDDEN, WORDS))

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor | None]:
        """The scores (batch, d - 1, word) of texts (batch, position), and the weights (batch, d - 1, position)
        of the attention, or None."""
        x = self.words(ids) * HIDDEN**0.5 + sinusoidal(torch.arange(ids.shape[1]), HIDDEN)  # (batch, position, dim)
        states, _ = self.reader(x)  # (batch, position, dim)
        questions = self.questions.weight.expand(len(ids), -1, -1) * HIDDEN**0.5  # (batch, d - 1, dim)
        if self.key is None:
            known, weights = states[:, -1:].expand_as(questions), None  # (batch, d - 1, dim)
        else:
            known, weights = attention(questions, self.key(states), states)  # (batch, d - 1, dim)
        return self.answer(torch.cat([known, questions], dim=-1)), weights


def recurrence(length: int = 24, steps: int = 400, seed: int = 0) -> Generator[RecurrenceProgress, None, Recurrence]:
    """Trains both networks from the seed on random texts of `length` words (4 to 32), `steps` steps each (10 to 2,000),
    then asks both for each word of texts that neither has seen. An InputError for what is out of bounds."""
    for name, given, (least, most) in (("length", length, LENGTHS), ("steps", steps, STEPS)):
        if not least <= given <= most:
            raise InputError(f"{name} is {given}; accepted: {least} to {most}")
    learners = [_Learner(length, seed, attends=attends) for attends in (False, True)]

    def found() -> Recurrence:
        return Recurrence(length, seed, 1 / WORDS, TESTED, *(learner.curve for learner in learners))

    for step in range(0, steps, NEWS):
        until = min(step + NEWS, steps)
        with this_thread_on_one_core():
            for learner in learners:
                learner.learn(until - step)
                learner.note(until)
        yield RecurrenceProgress(2 * until, 2 * steps, found())
    tests = texts_of(TESTED, length, torch.Generator().manual_seed(seed), held_out=True)
    with this_thread_on_one_core():
        for learner in learners:
            learner.test(tests)
    return found()


def texts_of(count: int, length: int, random: torch.Generator, *, held_out: bool) -> Tensor:
    """`count` random texts (batch, position): of those that are held out for the test, or of the others. Of short texts
    there are so few that training would otherwise come across most of them."""
    parts: list[Tensor] = []
    while sum(map(len, parts)) < count:
        drawn = torch.randint(WORDS, (HELD_OUT * count if held_out else 2 * count, length), generator=random)
        parts.append(drawn[(drawn.sum(dim=1) % HELD_OUT == 0) == held_out])
    return torch.cat(parts)[:count]


class _Learner:
    """One network, its optimiser, and the texts that it reads."""

    def __init__(self, length: int, seed: int, *, attends: bool) -> None:
        self.network = drawn(Recall(length, attends=attends), seed)
        self.length = length
        self.texts = torch.Generator().manual_seed(seed)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=RATE)
        parameters = sum(one.numel() for one in self.network.parameters())
        self.curve = Curve(parameters, (), (), ())
        self._recent: list[float] = []

    def learn(self, steps: int) -> None:
        """Takes so many steps."""
        for _ in range(steps):
            self._step()

    def _step(self) -> None:
        ids = texts_of(BATCH, self.length, self.texts, held_out=False)  # (batch, position)
        scores, _ = self.network(ids)
        loss = F.cross_entropy(scores.flatten(0, 1), ids.flip(1).flatten())  # the last word was seen one step ago
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self._recent.append(float(loss.detach()))

    def note(self, step: int) -> None:
        """Keeps the mean loss of the steps since the last note."""
        mean = sum(self._recent) / len(self._recent)
        self._recent = []
        curve = self.curve
        self.curve = Curve(curve.parameters, (*curve.steps, step), (*curve.losses, mean), ())

    @torch.inference_mode()
    def test(self, ids: Tensor) -> None:
        """Keeps the share of right answers by d."""
        scores, _ = self.network(ids)
        right = (scores.argmax(dim=-1) == ids.flip(1)).float().mean(dim=0)  # (d - 1)
        curve = self.curve
        self.curve = Curve(curve.parameters, curve.steps, curve.losses, tuple(right.tolist()))
