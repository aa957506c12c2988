"""Writing on, one token after another: what each step saw, and what it held probable.

A key-value cache makes every step read one token; nothing of it outlives the step but the row of its newest query. The
maps of the whole come from one exact pass over prompt and answer, which `generate` makes.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from attention_core.errors import InputError, TooManyTokensError, TraceError
from attention_core.models.decoders import end_tokens
from attention_core.models.examples import MOST_WRITTEN, Encoded, Example
from attention_core.models.loading import LoadedModel
from attention_core.nn.changing import Changes
from attention_core.predictions import Candidate

CANDIDATES = 5
METHODS = ("greedy", "sample")
MOST_TEMPERATURE = 5.0
MOST_TOP_K = 1000
MOST_SEED = 2**32 - 1

Reason = Literal["", "end", "limit", "room"]


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen: the most probable one, or one drawn by the model's probabilities.

    A draw takes the softmax of scores / temperature over the `top_k` highest scores (Fan et al. 2018, "Hierarchical
    Neural Story Generation", section 5.4). The same seed draws the same tokens. An InputError for numbers out of
    range: 0 < temperature <= 5, 1 <= top_k <= 1000, 0 <= seed < 2**32.
    """

    method: Literal["greedy", "sample"] = "greedy"
    temperature: float = 1.0
    top_k: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        faults = []
        if self.method not in METHODS:
            faults.append(f"method is {str(self.method)[:40]!r}; accepted: {', '.join(METHODS)}")
        if type(self.temperature) not in (int, float) or not 0 < self.temperature <= MOST_TEMPERATURE:
            faults.append(f"temperature is {str(self.temperature)[:40]}; accepted: above 0, up to {MOST_TEMPERATURE:g}")
        for name, least, most in (("top_k", 1, MOST_TOP_K), ("seed", 0, MOST_SEED)):
            given = getattr(self, name)
            if type(given) is not int or not least <= given <= most:
                faults.append(f"{name} is {str(given)[:40]}; accepted: {least} to {most}")
        if faults:
            raise InputError("; ".join(faults))


@dataclass(frozen=True, eq=False)
class Step:
    """One token that the model wrote, and what it looked at to write it.

    `index` counts the tokens of this run from 0. `probability` and `candidates`, the best CANDIDATES, are the model's
    own softmax, before temperature and top-k. `rows` (layer, head, key), float32 on the CPU, is what the newest
    position looked at: keys are all tokens read so far, of which the last looks. `reason` says on the last step why it
    is the last: the model ended its text, `most` tokens are written, or the model has no room for more.
    """

    index: int
    id: int
    text: str
    special: bool
    probability: float
    candidates: tuple[Candidate, ...]
    rows: Tensor
    reason: Reason = ""


class Continuation(Protocol):
    """A model in the middle of a text, with all that it has read in its cache."""

    def read(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Reads ids (1, position) on from what was read; the scores of the next token (token), and the rows of the
        newest position (layer, head, key), float32."""


def steps(
    model: LoadedModel, example: Example, changes: Changes | None, sampling: Sampling, most: int
) -> Generator[Step]:
    """The steps of a proved model that can write; whatever is wrong with the example is raised before the first.

    Closing what comes back stops it and frees the cache.
    """
    if type(most) is not int or not 1 <= most <= MOST_WRITTEN:
        raise InputError(f"most is {str(most)[:40]}; accepted: 1 to {MOST_WRITTEN} tokens")
    encoded = model.encode(example)
    left = MOST_WRITTEN - len(example.written)
    if left < 1:
        raise InputError(f"{MOST_WRITTEN} tokens are written already, and no more can be")
    limit, count = model.card.max_tokens, len(encoded.source)
    room = MOST_WRITTEN + 1 if limit is None else limit - count
    if room < 1:
        assert limit is not None
        raise TooManyTokensError(count, limit, what="room")
    return _steps(model, encoded, _continuation(model, changes), _Choice(model, sampling, len(example.written)),
                  (min(most, left), room))  # fmt: skip


def _steps(
    model: LoadedModel, encoded: Encoded, reading: Continuation, choice: "_Choice", ends: tuple[int, int]
) -> Generator[Step]:
    limit, room = ends
    stops = end_tokens(model.network, model.folder)
    ids = encoded.inputs["input_ids"]
    for index in range(min(limit, room)):
        with torch.inference_mode():
            scores, rows = reading.read(ids)
            scores, rows = scores.float().cpu(), rows.cpu()
        if bool(scores.isnan().any()):
            raise TraceError(f"step {index} of this model's writing gives scores that are no numbers")
        number = choice.next(scores)
        reason: Reason = ""
        if number in stops:
            reason = "end"
        elif index + 1 == room:
            reason = "room"
        elif index + 1 == limit:
            reason = "limit"
        yield _step(model, index, number, scores, rows, reason)
        if reason:
            return
        ids = torch.tensor([[number]], device=model.device)


def _step(model: LoadedModel, index: int, number: int, scores: Tensor, rows: Tensor, reason: Reason) -> Step:
    probabilities = torch.softmax(scores, dim=-1)  # (token)
    best = probabilities.topk(min(CANDIDATES, len(probabilities)))
    reader = model.reader
    special = reader.is_special(number)
    said = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return Step(
        index=index,
        id=number,
        text=reader.piece(number) if special else reader.shown(number),
        special=special,
        probability=float(probabilities[number]),
        candidates=tuple(Candidate(reader.shown(one), probability) for one, probability in said),
        rows=rows,
        reason=reason,
    )


class _Choice:
    """Chooses one token after another. Each draw takes one number of its own, counted from the first token after the
    text: going on from what was written gives what one run would have."""

    def __init__(self, model: LoadedModel, sampling: Sampling, done: int) -> None:
        config: Any = model.network.config
        padding = getattr(config, "pad", None) if hasattr(config, "kinds") else None
        # As `nn.generation.greedy`: padding itself is never written.
        self._never = padding if padding is not None and padding != config.end else None
        self._sampling = sampling
        self._chance = torch.Generator().manual_seed(sampling.seed)
        for _ in range(done):
            self._draw()

    def next(self, scores: Tensor) -> int:
        """The token that is written, by the scores (token), float32."""
        if self._never is not None:
            scores = scores.clone()
            scores[self._never] = -torch.inf
        if self._sampling.method == "greedy" or self._sampling.top_k == 1:
            return int(scores.argmax())
        best = scores.topk(min(self._sampling.top_k, len(scores)))
        shares = torch.softmax(best.values.double() / self._sampling.temperature, dim=-1).cumsum(-1)  # (candidate)
        place = int(torch.searchsorted(shares, self._draw() * shares[-1], right=True))
        return int(best.indices[min(place, len(shares) - 1)])

    def _draw(self) -> Tensor:
        """A number from 0 to 1, 1 excluded."""
        return torch.rand((), dtype=torch.float64, generator=self._chance)


def _continuation(model: LoadedModel, changes: Changes | None) -> Continuation:
    network: Any = model.network
    if model.back_end == "in-house":
        from attention_core.capture import inhouse

        return inhouse.Continuation(network, changes)
    if model.back_end == "interface":
        from attention_core.capture import interface  # imports transformers, which takes seconds

        return interface.Continuation(network, changes, model.there)
    from attention_core.capture import hooks

    return hooks.Continuation(network)
