"""Heads switched off: what the model says without them.

`scan` switches every head off alone and ranks them by what that changes; beside it stands how much attention each pays,
because a large weight is not a large effect (Jain & Wallace 2019, "Attention is not Explanation"; for whole heads
Michel et al. 2019, section 3.2). A small effect does not prove that a head does nothing either: others may do its work
once it is gone (Wang et al. 2023, "Interpretability in the Wild", section 3.4).
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import torch
from torch import Tensor

from attention_core.analysis.ranks import spearman
from attention_core.capture import Example, LoadedModel, capture, ready
from attention_core.capture.rewiring import demand_as_it_is
from attention_core.capture.switching import demand_changes, head_of, heads_off, with_own_target
from attention_core.capture.variants import Variants
from attention_core.errors import AtlasError, InputError, UnknownNameError
from attention_core.experiments.aims import Aim, aim_of, candidates, distance, kept_probability, outcome, variants_for
from attention_core.experiments.running import Progress, most_variants, pieces
from attention_core.maps import AttentionMap, Kind
from attention_core.models.examples import Encoded
from attention_core.nn.changing import Head, HeadsOff
from attention_core.predictions import Candidate
from attention_core.trace import AttentionTrace

_BLOCK = 256  # rows of weights that are in memory at once


@dataclass(frozen=True)
class HeadEffect:
    """One head switched off alone.

    effect: how far what the model says then lies from what it said before, as `aims.distance` measures it. attention:
    the weight in the aim's row on the scan's key, or on the token that it looks at most, special ones aside; for an aim
    without a row, and within the encoder beside a decoder, the mean of that over all rows. after: the most probable
    candidate then; probability: how probable is then what was most probable before. Both None for an aim that predicts
    nothing, `after` also for several rows or questions at once.
    """

    kind: str
    layer: int
    head: int
    effect: float
    attention: float
    after: Candidate | None
    probability: float | None


@dataclass(frozen=True)
class Scan:
    """Every head switched off alone, the largest effect first.

    base: what the model said before, as `aims.candidates` has it. agreement: the rank correlation (Spearman) of
    attention with effect over all heads, None where it is not defined.
    """

    aim: Aim
    how: str
    base: tuple[Candidate, ...]
    heads: tuple[HeadEffect, ...]
    agreement: float | None


@dataclass(frozen=True)
class Switched:
    """Some heads switched off together: what the model said before and says after, and how far apart that is.

    probability: how probable is afterwards what was most probable before. `written`: what an encoder-decoder writes by
    itself before and after; None where it writes nothing, or cannot with heads at their mean.
    """

    aim: Aim
    how: str
    effect: float
    before: tuple[Candidate, ...]
    after: tuple[Candidate, ...]
    probability: float | None
    written: tuple[str | None, str | None] = (None, None)


def scan(
    model: LoadedModel,
    example: Example,
    *,
    kind: str | None = None,
    row: int | None = None,
    key: int | None = None,
    how: str = "zero",
) -> Generator[Progress, None, Scan]:
    """Every head of every kind, or of one, switched off alone with zeros or its mean; heads of `example.off` are off in
    all of it, and left out.

    row: which prediction or vector is watched (`aim_of`). key: a position of the keys of `kind`, whose weight counts as
    attention; with several kinds and none named, an InputError. Yields after each pass. Raises before the first one
    what `capture` raises, UnknownNameError for a kind, InputError for a row or key that is not there.
    """
    model = ready(model)
    demand_as_it_is(example, "switching heads off")
    demand_changes(model)
    example = replace(example, off_with=how)
    off = [head_of(name) for name in example.off]
    if kind is not None and kind not in model.there:
        raise UnknownNameError("kind", kind, list(model.there))
    trace, encoded = _seen(model, example)
    aim = aim_of(model, encoded, row)
    attention = _attention(trace, kind, aim.row, key)
    heads = [head for head in _heads(model, kind) if head not in off]
    variants = variants_for(model, encoded, aim)
    with torch.inference_mode():
        base = outcome(aim, variants.say(1, changes=HeadsOff([off], how)))[0]

    def work(some: Sequence[Head]) -> list[HeadEffect]:
        after = _outcome(variants, aim, HeadsOff([[*off, head] for head in some], how), len(some))
        far = distance(aim, base, after).tolist()
        return [
            _effect(model, aim, head, (base, after[number]), (far[number], attention[head]))
            for number, head in enumerate(some)
        ]

    found: list[HeadEffect] = []
    yield Progress(0, len(heads))
    for some in pieces(heads, most_variants(variants)):
        found += work(some)
        yield Progress(len(found), len(heads))
    ranked = sorted(found, key=lambda one: -one.effect)
    agreement = spearman([one.attention for one in ranked], [one.effect for one in ranked])
    return Scan(aim, how, candidates(model, aim, base), tuple(ranked), agreement)


def switch_off(
    model: LoadedModel, example: Example, *, row: int | None = None
) -> Generator[Progress, None, Switched]:
    """The heads of `example.off` switched off together, with `example.off_with`, against the model as it is.

    The target of an encoder-decoder is the example's, or what the whole model writes. Yields after each pass; raises as
    `scan` does, and an InputError where no head is named.
    """
    model = ready(model)
    demand_as_it_is(example, "switching heads off")
    changes = heads_off(model, example)
    if changes is None:
        raise InputError("no head is switched off; name some, for example decoder-self.0.3")
    whole = model.encode(replace(example, off=()))
    encoded, total = whole, 1
    before = after = None
    if model.encoder_decoder:
        yield Progress(0, 3)
        total = 3
        with torch.inference_mode():
            before, after, encoded = _written(model, whole, changes)
        yield Progress(2, total)
    aim = aim_of(model, encoded, row)
    said = _outcome(variants_for(model, encoded, aim), aim, HeadsOff([(), *changes.variants], changes.how), 2)
    effect = float(distance(aim, said[0], said[1:])[0])
    yield Progress(total, total)
    return Switched(
        aim, changes.how, effect, candidates(model, aim, said[0]), candidates(model, aim, said[1]),
        kept_probability(aim, said[0], said[1]), (before, after),
    )  # fmt: skip


def _outcome(variants: Variants, aim: Aim, changes: HeadsOff, count: int) -> Tensor:
    """What is said in each variant; an inference mode must not stay on while a generator rests."""
    with torch.inference_mode():
        return outcome(aim, variants.say(count, changes=changes))


def _seen(model: LoadedModel, example: Example) -> tuple[AttentionTrace, Encoded]:
    """The trace of the example and what went through the model for it, with the target that the model wrote."""
    if model.encoder_decoder and example.target is None and example.off_with == "mean" and example.off:
        # The target is what the whole model writes, because heads at their mean cannot write.
        whole = capture(model, replace(example, off=()))
        assert whole.target is not None
        example = replace(example, target=whole.target.text)
    trace = capture(model, example)
    encoded = model.encode(replace(example, target=None))
    return trace, encoded if trace.target is None else model.with_target(encoded, trace.target)


def _written(model: LoadedModel, whole: Encoded, changes: HeadsOff) -> tuple[str | None, str | None, Encoded]:
    """What the model writes with all heads and without some, and the example with its target."""
    before, after, encoded = None, None, whole
    try:
        own, _ = with_own_target(model, whole)
        before = None if own.target is None else own.target.text
        encoded = own if whole.target is None else whole
    except AtlasError:  # without a head that writes, the example must have brought its target
        if whole.target is None:
            raise
    if before is not None and changes.how == "zero":
        other, _ = with_own_target(model, whole, changes)
        after = None if other.target is None else other.target.text
    return before, after, encoded


def _heads(model: LoadedModel, kind: str | None) -> list[Head]:
    kinds = model.there if kind is None else {kind: model.there[kind]}
    return [(str(k), layer, head) for k, (layers, heads) in kinds.items() for layer in range(layers)
            for head in range(heads)]  # fmt: skip


def _effect(
    model: LoadedModel, aim: Aim, head: Head, said: tuple[Tensor, Tensor], numbers: tuple[float, float]
) -> HeadEffect:
    single = aim.row is not None or len(aim.questions) == 1
    best = candidates(model, aim, said[1])[:1] if single else ()
    effect, attention = numbers
    return HeadEffect(*head, effect, attention, best[0] if best else None, kept_probability(aim, *said))


def _attention(trace: AttentionTrace, kind: str | None, row: int | None, key: int | None) -> dict[Head, float]:
    """How much attention each head pays: what stands beside its effect."""
    kinds = trace.kinds if kind is None else (Kind(kind),)
    if key is not None:
        if len(kinds) > 1:
            raise InputError(f"key {key} may be of several kinds; name one of {', '.join(kinds)}")
        count = len(trace.keys(kinds[0]))
        if not 0 <= key < count:
            raise InputError(f"key {key} is not there; accepted: 0 to {count - 1}")
    found = {}
    for one in chain.from_iterable(trace.maps_of(each) for each in kinds):
        # A row of an encoder-decoder's target is none of its encoder's.
        own = None if one.kind == Kind.ENCODER_SELF and trace.target is not None else row
        for head, paid in enumerate(_paid(one, own, key, trace.keys(one.kind).special).tolist()):
            found[str(one.kind), one.layer, head] = paid
    return found


def _paid(one: AttentionMap, row: int | None, key: int | None, special: Sequence[bool]) -> Tensor:
    """The weight (head) of a row, or the mean over all rows, on a key, or on whichever ordinary one has most."""
    ordinary = torch.tensor([not marker for marker in special])
    total, count = torch.zeros(one.head_count, dtype=torch.float64), 0
    for rows in _blocks(one.query_count) if row is None else [slice(row, row + 1)]:
        weights = one.weights(None, rows).cpu()  # (head, query, key)
        if key is not None:
            paid = weights[:, :, key]
        else:
            paid = weights[:, :, ordinary].amax(dim=-1) if bool(ordinary.any()) else weights.amax(dim=-1)
        total += paid.double().sum(dim=1)
        count += paid.shape[1]
    return total / count


def _blocks(count: int) -> Iterator[slice]:
    for start in range(0, count, _BLOCK):
        yield slice(start, min(start + _BLOCK, count))
