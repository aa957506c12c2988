"""The task `antecedent`, from a file of pronouns to its result."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from attention_core.capture import ready
from attention_core.errors import InputError, TooManyTokensError
from attention_core.experiments.evaluate import antecedent
from attention_core.experiments.evaluate.antecedent import Placed
from attention_core.experiments.evaluate.keeping import KeptRows
from attention_core.experiments.evaluate.measuring import Array, Item, Options, measure
from attention_core.experiments.evaluate.passes import Asked, kind_of
from attention_core.experiments.evaluate.reading import Fault, Row, read_rows
from attention_core.experiments.evaluate.reporting import chosen_of, demand_halves, dtype_of, origin_of, table
from attention_core.experiments.evaluate.resampling import Resamples, by_group, reported
from attention_core.experiments.evaluate.results import ANTECEDENT, AntecedentResult, Origin
from attention_core.maps import Kind
from attention_core.models.examples import Example
from attention_core.models.loading import LoadedModel
from attention_core.tokens import Tokens


def antecedents(model: LoadedModel, path: Path, options: Options) -> AntecedentResult:
    """The result on a file of pronouns."""
    file = read_rows(path)
    ready(model)
    rows = file.rows[: options.limit]
    found, counts, faults = placed(model, rows, options)
    kept = KeptRows.of(model.card, options.cache, digest=file.digest, task=ANTECEDENT, dtype=dtype_of(model))
    items = [item(model, *one) for one in found]
    rows = tuple(row for row, _, _ in found)
    scores = measure(model, items, kept, options)
    warnings = {}
    if kind_of(model) == Kind.DECODER_SELF:
        warnings = {"later-candidates": counts["later_candidate"], "decided-later": antecedent.undecided(rows)}
    origin = origin_of(model, file, options, counts | {"scored": len(rows)}, warnings, (*file.faults, *faults))
    return _result(origin, rows, scores, options)


def item(model: LoadedModel, row: Row, tokens: Tokens, at: Placed) -> Item:
    """What is asked of the model for a row, and what is made of it: the scores (layer, head, candidate)."""
    shape = (model.card.layers, model.card.heads, len(at.candidates))
    return Item(row.line, Asked(tokens, at.pronoun), lambda weights: antecedent.score(weights, at), shape)


def placed(
    model: LoadedModel, rows: Sequence[Row], options: Options
) -> tuple[list[tuple[Row, Tokens, Placed]], Counter[str], list[Fault]]:
    """The rows that can be scored on the model's tokens, how many cannot for which reason, and what is wrong."""
    decoder = kind_of(model) == Kind.DECODER_SELF
    found, counts, faults = [], Counter(read=len(rows), too_long=0, no_rival=0, later_candidate=0), []
    for number, row in enumerate(rows):
        if number % 100 == 0:
            options.step("read", number, len(rows))
        if len(row.candidates) < 2:
            counts["no_rival"] += 1
        elif decoder and any(span[0] >= row.pronoun[1] for span in row.candidates):
            counts["later_candidate"] += 1
        else:
            try:
                tokens = model.encode(Example(row.text)).source
            except TooManyTokensError:
                counts["too_long"] += 1
                continue
            except InputError as error:
                faults.append(Fault(row.line, str(error)))
                continue
            one = antecedent.place(row, tokens)
            if isinstance(one, str):
                faults.append(Fault(row.line, one))
            else:
                found.append((row, tokens, one))
    return found, counts, faults


def _result(
    origin: Origin, rows: Sequence[Row], scores: Sequence[Array], options: Options
) -> AntecedentResult:
    right = np.array([antecedent.right(one).reshape(-1) for one in scores], dtype=np.float64)  # (row, head)
    groups = [row.group for row in rows]
    other = np.array([reported(group) for group in groups], dtype=bool)
    demand_halves(other)
    options.step("resample", 0, 1)
    halves = [by_group([groups[n] for n in np.flatnonzero(half)], right[half]) for half in (~other, other)]
    choice = Resamples(len(halves[0][1]), len(halves[1][1]), seed=options.seed).choose(halves[0], halves[1])
    shape = scores[0].shape[:2]
    chosen = chosen_of(choice, shape[1], other)
    there = [rows[number] for number in np.flatnonzero(other).tolist()]
    options.step("resample", 1, 1)
    return AntecedentResult(
        origin=origin,
        chosen=chosen,
        chance=antecedent.chance(there),
        nearest=antecedent.nearest(there),
        first=antecedent.first(there),
        # Of both halves: pairs are few, and the head was not chosen by them.
        twins=antecedent.twins(rows, [one[chosen.head.layer, chosen.head.head] for one in scores]),
        heads=table(right.mean(0), shape),
    )
