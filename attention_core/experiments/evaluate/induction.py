"""The task `induction`, of decoders: random tokens repeated, on which nothing but the repetition can be known.

Olsson et al. 2022, "In-context Learning and Induction Heads": the score of a head is its attention from the tokens of
the second copy to the token after their first occurrence. No file is needed: the tokens are drawn from the model's own
vocabulary, none twice but in the copy, after a prefix, and the length of the copied stretch differs from sequence to
sequence, so that no fixed distance finds the place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from attention_core.capture import ready
from attention_core.errors import NotAvailableError
from attention_core.experiments.evaluate.keeping import KeptRows
from attention_core.experiments.evaluate.measuring import Item, Options, measure
from attention_core.experiments.evaluate.passes import Asked, kind_of
from attention_core.experiments.evaluate.reporting import chosen_of, dtype_of, table
from attention_core.experiments.evaluate.resampling import Resamples
from attention_core.experiments.evaluate.results import INDUCTION, Chosen, Origin, Table, rounded
from attention_core.maps import Kind
from attention_core.models.decoders import vocabulary_of
from attention_core.models.loading import LoadedModel
from attention_core.models.tokenizer import guarded
from attention_core.tokens import Tokens

DRAWN = "random-tokens"  # where a result of a file has the file's name
SEQUENCES = 40
SHORTEST, LONGEST = 3, 40  # tokens of a stretch
PREFIX = 12  # tokens before it, at most

Array = NDArray[Any]


@dataclass(frozen=True)
class Repeated:
    """One sequence: its tokens, where the second copy begins, and how many tokens lie between a token and its copy."""

    tokens: Tokens
    second: int
    period: int

    @property
    def queries(self) -> tuple[int, ...]:
        """The positions of the second copy."""
        return tuple(range(self.second, self.second + self.period))


@dataclass(frozen=True)
class InductionResult:
    """How much the best head gives to the token that followed before: `chosen.right` is a mean weight, not a share.

    It is chosen on one half of the sequences and reported on the other; `chance` is what a head gets that looks at all
    tokens alike. `heads` is every head's score over all sequences (layer, head).
    """

    origin: Origin
    chosen: Chosen
    chance: float
    heads: Table = field(default=())

    task = INDUCTION

    def to_document(self) -> dict[str, Any]:
        """Plain data; there is no nearest candidate, no first one and no twin."""
        return {
            "task": self.task,
            "model": self.origin.model,
            **self.chosen.to_document(),
            "chance": self.chance,
            "nearest": None,
            "first": None,
            "twins": None,
            "heads": rounded(self.heads),
            **self.origin.to_document(),
        }


def inductions(model: LoadedModel, options: Options) -> InductionResult:
    """The result for a decoder; a NotAvailableError for other models, and for one with too few tokens to repeat."""
    if kind_of(model) != Kind.DECODER_SELF:
        raise NotAvailableError(f"{model.card.title} is no decoder; induction is about what comes next")
    ready(model)
    drawn = draw(model, SEQUENCES, options.seed)
    options.step("read", 0, len(drawn))
    found = np.array(measure(model, [_item(model, *one) for one in enumerate(drawn)], KeptRows(None), options))
    scores = found.reshape(len(drawn), -1).astype(np.float64).clip(0, 1)  # (sequence, head)
    options.step("resample", 0, 1)
    counts = np.array([one.period for one in drawn], dtype=np.float64)  # (sequence)
    other = np.arange(len(drawn)) % 2 == 1
    halves = [(scores[half] * counts[half, None], counts[half]) for half in (~other, other)]
    resamples = Resamples(int((~other).sum()), int(other.sum()), seed=options.seed)
    choice = resamples.choose(halves[0], halves[1])
    shape = found.shape[1:]
    options.step("resample", 1, 1)
    there = [at for one, half in zip(drawn, other, strict=True) if half for at in one.queries]
    return InductionResult(
        origin=_origin(model, drawn),
        chosen=chosen_of(choice, shape[1], np.repeat(other, counts.astype(int))),
        chance=float(np.mean([1 / (at + 1) for at in there])),
        heads=table((scores * counts[:, None]).sum(0) / counts.sum(), shape),
    )


def draw(model: LoadedModel, count: int, seed: int = 0) -> tuple[Repeated, ...]:
    """So many sequences of the model's own tokens; the same seed draws the same ones."""
    usable = _usable(model)
    start = _start(model, usable)
    room = (model.card.max_tokens or 10**9) - len(start)
    longest = min(LONGEST, room // 2, len(usable))
    if longest < SHORTEST:
        raise NotAvailableError(f"{model.card.title} has too few tokens, or too little room, to repeat some")
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        period = int(generator.integers(max(SHORTEST, longest // 4), longest + 1))
        before = int(generator.integers(min(PREFIX, room - 2 * period, len(usable) - period) + 1))
        ids = generator.permutation(usable)[: before + period].tolist()
        whole = [*start, *ids, *ids[before:]]
        found.append(Repeated(_tokens(model, whole, len(start)), len(start) + before + period, period))
    return tuple(found)


def _usable(model: LoadedModel) -> Array:
    """The ids of ordinary tokens, in order: neither markers nor what the network has no row for."""
    assert model.tokenizer is not None, "kind_of refused a model without one"
    with guarded(model.card.name):
        special = set(model.tokenizer.get_added_tokens_decoder())
        named = set(model.tokenizer.get_vocab(with_added_tokens=True).values())
    return np.array(sorted(one for one in named - special if one < vocabulary_of(model.network)))


def _start(model: LoadedModel, usable: Array) -> tuple[int, ...]:
    """What the tokenizer puts before every text."""
    assert model.tokenizer is not None
    with guarded(model.card.name):
        read = model.tokenizer.encode(model.tokenizer.decode(usable[:1].tolist()))
    ordinary = [at for at, special in enumerate(read.special_tokens_mask) if not special]
    return tuple(read.ids[: ordinary[0] if ordinary else 1])


def _tokens(model: LoadedModel, ids: Sequence[int], start: int) -> Tokens:
    assert model.tokenizer is not None
    pieces = [model.tokenizer.id_to_token(one) or str(one) for one in ids]
    return Tokens.of_ids(ids, pieces, [at < start for at in range(len(ids))])


def _item(model: LoadedModel, line: int, one: Repeated) -> Item:
    """What is asked of the model for a sequence: the mean weight of each head (layer, head) on what followed before."""
    wanted = [at - one.period + 1 for at in one.queries]

    def make(weights: Tensor) -> Array:  # (layer, head, query, key)
        picked = weights[:, :, range(one.period), wanted]  # (layer, head, query)
        return np.asarray(picked.mean(-1).cpu().numpy().astype(np.float32))

    return Item(line, Asked(one.tokens, one.queries), make, (model.card.layers, model.card.heads))


def _origin(model: LoadedModel, drawn: Sequence[Repeated]) -> Origin:
    ids = ";".join(",".join(map(str, one.tokens.ids)) for one in drawn)
    return Origin(
        model=model.card.name,
        revision=model.card.revision,
        dtype=dtype_of(model),
        kind=str(kind_of(model)),
        file=DRAWN,
        sha256=sha256(ids.encode()).hexdigest(),
        limit=None,
        counts={"read": len(drawn), "scored": len(drawn)},
    )
