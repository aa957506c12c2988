"""Importance: which tokens matter for what a model says here, by six methods beside one another.

    found = finish(importance(model, Example("The cat sat on the mat because it was tired"), row=9))
    found.methods[0].scores, found.methods[0].agreement
"""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import compress
from typing import TypeVar

import torch
from torch import Tensor

from attention_core.analysis.ranks import spearman
from attention_core.analysis.rollout import mixture
from attention_core.capture import capture, ready
from attention_core.capture.rewiring import demand_as_it_is
from attention_core.capture.switching import heads_off
from attention_core.capture.variants import Said, Variants
from attention_core.errors import MemoryLimitError, NotAvailableError, UnknownNameError
from attention_core.experiments import gradients, zeroing
from attention_core.experiments.aims import Aim, aim_of, variants_for
from attention_core.experiments.leaving import leaving
from attention_core.experiments.running import Progress
from attention_core.looking import look
from attention_core.maps import Kind
from attention_core.models.examples import Encoded, Example
from attention_core.models.loading import LoadedModel
from attention_core.nn.changing import Changes
from attention_core.trace import AttentionTrace

Result = TypeVar("Result")
Groups = tuple[tuple[int, ...], ...]

MOST_TOKENS = 512  # for the methods that need whole matrices, or one more pass a token and layer
METHODS = ("weight", "norm", "rollout", "gradient", "value-zeroing", "leave-one-out")


@dataclass(frozen=True)
class Method:
    """What one method says of every token, or why it says nothing.

    scores: one a token, larger is more; None with a `note`: "no-norms", "no-prediction", "no-gradient", "no-layers",
    "too-long" (more than 512 tokens, or than fit the memory). agreement: Spearman's rank correlation with leave-one-out
    over the tokens that are compared; None without scores, for leave-one-out itself, and where there are too few.
    """

    name: str
    scores: tuple[float, ...] | None
    note: str = ""
    agreement: float | None = None


@dataclass(frozen=True)
class Importance:
    """How much each token matters for an aim. `kind` says which attention looks at these tokens.

    tokens and special: one a token, or a word where pieces are merged. compared: the tokens that agreement is measured
    over, those that are not special, not what stands in the aim's own row, and not after it in a decoder. methods: all
    of METHODS, in order.

    "weight" is the mean over all heads that are on of the aim's row of weights, "norm" the same with the shares of
    ‖αf(x)‖ (Kobayashi et al. 2020), "rollout" Abnar & Zuidema 2020, "gradient" Chefer et al. 2021 without the 1 that a
    token's own relevance starts at, "value-zeroing" Mohebbi et al. 2023, "leave-one-out" `leaving`. Of a whole
    translation, and of a whole text's vector, the mean over all rows; of a picture's classes the class token's row. A
    word's score is the sum over its pieces (Clark et al. 2019, section 4.1); left out, they are left out together.
    """

    aim: Aim
    kind: Kind
    tokens: tuple[str, ...]
    special: tuple[bool, ...]
    compared: tuple[bool, ...]
    methods: tuple[Method, ...]


def importance(
    model: LoadedModel, example: Example, *, kind: str | None = None, row: int | None = None, words: bool = False
) -> Generator[Progress, None, Importance]:
    """How much each token matters for what the model says at `row`, counted in tokens also where `words` are merged.

    Beside an encoder the tokens are the source's and kind is "cross", else the model has one kind: an UnknownNameError
    for another. Heads that are off in the example stay off. Raises what `capture`, `aim_of` and `Variants` raise.
    """
    ready(model)
    demand_as_it_is(example, "this experiment")
    trace = capture(model, example)
    chosen = Kind.CROSS if Kind.CROSS in trace.kinds else trace.kinds[0]
    if kind is not None and kind != chosen:
        raise UnknownNameError("kind", kind, [chosen])
    encoded = model.encode(example)
    if trace.target is not None and encoded.target is None:
        encoded = model.with_target(encoded, trace.target)
    aim = aim_of(model, encoded, row)
    asked = _Asked(trace, chosen, aim, _groups(trace, chosen, words=words), heads_off(model, example))
    return (yield from _found(asked, model, encoded))


@dataclass(frozen=True, eq=False)
class _Asked:
    """What all methods are about."""

    trace: AttentionTrace
    kind: Kind
    aim: Aim
    groups: Groups
    changes: Changes | None

    @property
    def long(self) -> bool:
        """Whether there are more tokens than the methods with whole matrices take."""
        return max(map(len, self.trace.sequences)) > MOST_TOKENS

    @property
    def shares(self) -> Tensor:
        """The aim's row among all queries (query), or all of them alike."""
        count, device = len(self.trace.queries(self.kind)), self.trace.maps[0].device
        row = 0 if self.aim.task == "classes" else self.aim.row
        if row is None:
            return torch.full((count,), 1 / count, device=device)
        shares = torch.zeros(count, device=device)
        shares[row] = 1.0
        return shares

    def merged(self, scores: Tensor) -> tuple[float, ...]:
        """The scores (key) of tokens, added up by group."""
        values = scores.tolist()
        return tuple(sum(values[at] for at in group) for group in self.groups)

    def compared(self) -> tuple[bool, ...]:
        """Which groups agreement is measured over."""
        keys, row = self.trace.keys(self.kind), self.aim.row
        own = None if self.kind == Kind.CROSS else row
        last = row if self.kind == Kind.DECODER_SELF and row is not None else len(keys)
        return tuple(not keys.special[group[0]] and own not in group and group[-1] <= last for group in self.groups)


def _groups(trace: AttentionTrace, kind: Kind, *, words: bool) -> Groups:
    keys = trace.keys(kind)
    return tuple(keys.word_groups()) if words else tuple((at,) for at in range(len(keys)))


def _found(asked: _Asked, model: LoadedModel, encoded: Encoded) -> Generator[Progress, None, Importance]:
    variants = variants_for(model, encoded, asked.aim)
    zeroed = 0 if asked.long else zeroing.steps(len(asked.trace.source), len(asked.trace.target or ()))
    total = 2 + zeroed + len(asked.groups)
    methods = [
        Method("weight", asked.merged(_mean_row(asked, asked.trace))),
        _norm(asked),
        Method("rollout", asked.merged(mixture(asked.trace, asked.kind, asked.shares))),
    ]
    yield Progress(1, total)
    methods.append(_gradient(asked, variants))
    yield Progress(2, total)
    methods.append((yield from _value_zeroing(asked, variants, total)))
    left = yield from _part(leaving(variants, asked.aim, asked.groups, asked.changes), 2 + zeroed, total)
    methods.append(Method("leave-one-out", left))
    compared = asked.compared()
    tokens = asked.trace.keys(asked.kind).grouped(asked.groups)
    return Importance(
        aim=asked.aim,
        kind=asked.kind,
        tokens=tokens.texts,
        special=tokens.special,
        compared=compared,
        methods=tuple(_agreeing(one, left, compared) for one in methods),
    )


def _norm(asked: _Asked) -> Method:
    try:
        lengths = look(asked.trace, measure="norm")
    except NotAvailableError:
        return Method("norm", None, "no-norms")
    return Method("norm", asked.merged(_mean_row(asked, lengths)))


def _mean_row(asked: _Asked, trace: AttentionTrace) -> Tensor:
    """The mean of rows, each with its share, over all heads that are on (key); 0 where none is."""
    maps, shares = trace.maps_of(asked.kind), asked.shares
    total, count = torch.zeros(maps[0].key_count, device=shares.device), 0
    rows = shares.nonzero()[:, 0].tolist()
    for one in maps:
        on = [head for head in range(one.head_count) if f"{one.kind}.{one.layer}.{head}" not in trace.off]
        count += len(on)
        if len(rows) == 1:
            total += shares[rows[0]] * one.weights(None, rows[0])[on, 0].sum(0)
            continue
        for block, weights in one.stream():
            total += shares[block] @ weights[on].sum(0)
    return total / max(1, count)


def _gradient(asked: _Asked, variants: Variants) -> Method:
    if not asked.aim.predicts:
        return Method("gradient", None, "no-prediction")
    if asked.long:
        return Method("gradient", None, "too-long")
    try:
        found = gradients.relevance(variants, asked.trace, partial(_score, asked.aim), asked.changes)  # (query, key)
    except MemoryLimitError:
        return Method("gradient", None, "too-long")
    except NotAvailableError:
        return Method("gradient", None, "no-gradient")
    row = asked.shares @ found
    return Method("gradient", asked.merged(row if asked.kind == Kind.CROSS else row - asked.shares))


def _score(aim: Aim, said: Said) -> Tensor:
    """The score of what the model holds most probable: of a translation the sum over its rows, of a picture over the
    questions about it."""
    assert said.logits is not None
    if aim.task == "classes":
        classes = said.logits(slice(0, 1))[0]
        return torch.stack([classes[list(members)].max() for members in aim.questions]).sum()
    rows = slice(0, said.hidden.shape[1]) if aim.row is None else slice(aim.row, aim.row + 1)
    return said.logits(rows)[0].amax(dim=-1).sum()


def _value_zeroing(asked: _Asked, variants: Variants, total: int) -> Generator[Progress, None, Method]:
    name = "value-zeroing"
    if asked.long:
        return Method(name, None, "too-long")
    try:
        found = yield from _part(zeroing.mixing(variants, asked.changes), 2, total)
    except NotAvailableError:
        return Method(name, None, "no-layers")
    return Method(name, asked.merged(asked.shares.cpu() @ found.rolled()))


def _part(experiment: Generator[Progress, None, Result], done: int, total: int) -> Generator[Progress, None, Result]:
    """An experiment as a part of this one, `done` of whose steps lie behind it."""
    with closing(experiment):
        while True:
            try:
                step = next(experiment)
            except StopIteration as end:
                found: Result = end.value
                return found
            yield Progress(done + step.done, total)


def _agreeing(method: Method, left: Sequence[float], compared: Sequence[bool]) -> Method:
    """The method beside how far its order is that of leave-one-out."""
    if method.scores is None or method.name == "leave-one-out":
        return method
    pair = (list(compress(scores, compared)) for scores in (method.scores, left))
    return replace(method, agreement=spearman(*pair))
