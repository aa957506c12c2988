"""A run of the lab: a generator that trains a small transformer and shows, on the way, what its heads do.

    trained = finish(train(LabChoices.of("reverse")), report=print)

Whoever holds the generator decides when the next steps are taken; closing it ends the run and frees what it holds.
"""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from math import isfinite

import torch
import torch.nn.functional as F
from torch import Tensor

from attention_core.errors import AtlasError
from attention_core.lab.building import kind_of, network_of
from attention_core.lab.choices import LabChoices
from attention_core.lab.tasks import TASKS, Batch, Task
from attention_core.nn.transformer import Transformer
from attention_core.nn.watching import Watch
from attention_core.threads import this_thread_on_one_core

BATCH = 64  # sequences of a step
WARM_UP = 50  # steps until the learning rate is reached
LAST_RATE = 0.02  # of the learning rate, at the end; it falls there in a straight line
POINTS = 120  # of a run's curve, at most, beside the beginning
EACH_CHECKPOINT = 3  # of so many points one comes with the heads' maps
TESTED = 256  # sequences that a point's accuracy is the share of
TESTED_AT_LAST = 1024
_BASE = 16 << 20  # bytes of buffers of the kernels, and of Python's own
SCORED = 64  # sequences that a head's scores are means over; the first is the probe that is shown


class DivergedError(AtlasError):
    """The loss is no number any more: a smaller learning rate may help."""

    code = "lab-diverged"


@dataclass(frozen=True)
class Probe:
    """A fixed sequence of the test: what the model reads, and what it is to say at each place."""

    ids: tuple[int, ...]
    answers: tuple[int, ...]


@dataclass(frozen=True)
class Point:
    """One place of the curve: the mean loss of the steps since the last point (nats), the share of right answers in
    the test, 0 to 1."""

    step: int
    loss: float
    accuracy: float


@dataclass(frozen=True, eq=False)
class Checkpoint(Point):
    """A point with what every head does there: its map of the probe (layer, head, query, key), float32, and its score
    of each role (layer, head)."""

    maps: Tensor
    scores: Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class Trained:
    """What came of a run: the network in evaluation mode, its curve, what its heads did on the way, the accuracy over
    TESTED_AT_LAST sequences, the steps that were taken, and seconds."""

    choices: LabChoices
    network: Transformer
    curve: tuple[Point, ...]
    checkpoints: tuple[Checkpoint, ...]
    accuracy: float
    steps: int
    seconds: float


def probe_of(choices: LabChoices) -> Probe:
    """The sequence whose maps are shown; runs of the same task, length and vocabulary show the same."""
    test = TASKS[choices.task].test(choices, SCORED)
    return Probe(tuple(test.ids[0].tolist()), tuple(test.answers[0].tolist()))


def checkpoint_count(choices: LabChoices) -> int:
    """How many checkpoints a whole run has, the beginning included."""
    points = -(-choices.steps // _spacing(choices))
    return 1 + -(-points // EACH_CHECKPOINT)


def finish(run: Generator[Point, None, Trained], report: Callable[[Point], object] | None = None) -> Trained:
    """What the run comes to, here and now; `report` is told of each point."""
    with closing(run):
        while True:
            try:
                point = next(run)
            except StopIteration as end:
                trained: Trained = end.value
                return trained
            if report is not None:
                report(point)


def most_bytes(choices: LabChoices) -> int:
    """The bytes that a run takes at most: weights, gradients and the optimiser's two moments, what the passes of a step
    or of a test hold for the way back, and the maps of every checkpoint."""
    width, length, layers, heads = choices.width, choices.length, choices.layers, choices.heads
    inner = TASKS[choices.task].inner * width
    weights = (choices.vocabulary + 1 + length) * width + layers * (4 * width + 2 * inner + 13) * width
    each = layers * (14 * width + 4 * inner) + 4 * choices.vocabulary + 2 * width  # numbers held for one token
    looked = layers * heads * length * length  # numbers of one sequence's maps
    held = 4 * weights + max(BATCH, TESTED) * length * each + 4 * SCORED * looked
    return _BASE + 4 * (held + checkpoint_count(choices) * looked)


def _not_yet() -> bool:
    return False


def train(choices: LabChoices, enough: Callable[[], bool] = _not_yet) -> Generator[Point, None, Trained]:
    """Trains; yields a Point now and then, first of all before the first step, some of them Checkpoints.

    `enough` is asked after each step, and may end the run before its steps are done. Deterministic: nothing is drawn
    but from the seed, and all is computed on one core. A DivergedError when the loss is no number any more.
    """
    began = time.monotonic()
    with this_thread_on_one_core():
        run = _Run(choices)
        points: list[Point] = [run.checkpoint(0, run.loss_before())]
        yield points[0]
        spacing, losses = _spacing(choices), []
        for step in range(1, choices.steps + 1):
            losses.append(run.step(step - 1))
            last = step == choices.steps or enough()
            if step % spacing and not last:
                continue
            loss, losses = sum(losses) / len(losses), []
            shown = len(points) % EACH_CHECKPOINT == 0 or last
            points.append(run.checkpoint(step, loss) if shown else Point(step, loss, run.accuracy()))
            yield points[-1]
            if last:
                break
        accuracy = run.accuracy(TESTED_AT_LAST)
    return Trained(
        choices=choices,
        network=run.network.eval(),
        curve=tuple(Point(one.step, one.loss, one.accuracy) for one in points),
        checkpoints=tuple(one for one in points if isinstance(one, Checkpoint)),
        accuracy=accuracy,
        steps=points[-1].step,
        seconds=time.monotonic() - began,
    )


def _spacing(choices: LabChoices) -> int:
    """Steps between two points."""
    return -(-choices.steps // POINTS)


class _Run:
    """The network, its optimiser, and what it is tested on."""

    def __init__(self, choices: LabChoices) -> None:
        self._choices = choices
        self._task: Task = TASKS[choices.task]
        self._kind = kind_of(choices)
        self._generator = torch.Generator().manual_seed(choices.seed)
        self.network = network_of(choices, self._generator)
        self._optimizer = torch.optim.AdamW(self.network.parameters(), lr=choices.learning_rate, betas=(0.9, 0.98))
        self._test = self._task.test(choices, TESTED)
        self._scored = self._task.test(choices, SCORED).ids

    def step(self, done: int) -> float:
        """Takes one step, after `done` others; its loss in nats."""
        rate = self._choices.learning_rate * min(1.0, (done + 1) / WARM_UP)
        for group in self._optimizer.param_groups:
            group["lr"] = rate * max(LAST_RATE, 1 - done / self._choices.steps)
        loss = _loss(self.network, self._task.draw(self._choices, BATCH, self._generator))
        self._optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        value = float(loss.detach())
        if not isfinite(value):
            raise DivergedError(f"the loss is {value} after {done} steps; try a smaller learning rate", step=done)
        self._optimizer.step()
        return value

    @torch.no_grad()
    def loss_before(self) -> float:
        """The loss of the untrained network over the test, in nats."""
        return float(_loss(self.network, self._test))

    @torch.no_grad()
    def accuracy(self, count: int = TESTED) -> float:
        """The share of right answers in the test of so many sequences."""
        test = self._test if count == TESTED else self._task.test(self._choices, count)
        parts = torch.split(test.ids, TESTED)  # so that the memory it takes is that of one
        said = torch.cat([self.network.logits(self.network(ids).hidden).argmax(dim=-1) for ids in parts])
        return float((said == test.answers)[test.asked].float().mean())

    @torch.no_grad()
    def checkpoint(self, step: int, loss: float) -> Checkpoint:
        """Where the network stands, with its heads' maps and scores."""
        watch = Watch(readable=True)
        self.network(self._scored, watch=watch)
        layers = [record.given for record in watch.records[self._kind] if record.given is not None]
        weights = torch.stack(layers).transpose(1, 2)  # (layer, head, sequence, query, key)
        maps = weights[:, :, 0].clone()  # (layer, head, query, key); a view would keep all of them
        return Checkpoint(step, loss, self.accuracy(), maps, self._task.scores(weights, self._scored))


def _loss(network: Transformer, batch: Batch) -> Tensor:
    """Mean cross-entropy of the answers, by how much each place counts, in nats."""
    logits = network.logits(network(batch.ids).hidden)  # (sequence, position, token)
    losses = F.cross_entropy(logits.transpose(1, 2), batch.answers, reduction="none")  # (sequence, position)
    return (losses * batch.counts).sum() / batch.counts.sum()
