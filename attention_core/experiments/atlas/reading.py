"""Results as they are kept, read without trust: what is damaged, of another model or no result is passed over."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from attention_core.experiments.evaluate.results import ANTECEDENT, INDUCTION, SYNTAX
from attention_core.experiments.evaluate.syntax import DIRECTIONS
from attention_core.models.card import ModelCard

MOST_RESULTS = 100
MOST_RELATIONS = 400
MOST_ENTRIES = 20  # counts, warnings, and broken lines that are named
LONGEST_NAME = 200
LONGEST_SENTENCE = 500

Document = dict[str, Any]


class _DamagedError(Exception):
    """A value that no result has."""


def read_results(found: Iterable[Mapping[str, Any]], card: ModelCard) -> tuple[Document, ...]:
    """The results of this revision of a model, each made anew of what was checked; the rest is passed over."""
    read: list[Document] = []
    for one in found:
        try:
            read.append(_result(one, card))
        except (_DamagedError, KeyError, TypeError, AttributeError):
            continue
        if len(read) == MOST_RESULTS:
            break
    return tuple(read)


def _result(given: Mapping[str, Any], card: ModelCard) -> Document:
    task = given["task"]
    _demand((given["model"], given["revision"]) == (card.name, card.revision))
    _demand(task in (ANTECEDENT, SYNTAX, INDUCTION) and given["limit"] is None)
    rule = None if task == INDUCTION else 1.0
    twins = given["twins"]
    document: Document = {
        "task": task,
        "model": card.name,
        **_chosen(given, card),
        "chance": _share(given["chance"]),
        "nearest": _maybe(given["nearest"], rule),
        "first": _maybe(given["first"], rule),
        "twins": None if twins is None else _twins(twins),
        "heads": _table(given["heads"], card),
    }
    if task == SYNTAX:
        _demand(isinstance(given["relations"], list) and len(given["relations"]) <= MOST_RELATIONS)
        document["relations"] = [_relation(one, card) for one in given["relations"]]
    return {**document, **_origin(given, card)}


def _chosen(given: Mapping[str, Any], card: ModelCard) -> Document:
    layer, head = given["chosen"]["layer"], given["chosen"]["head"]
    _demand(_count(layer) < card.layers and _count(head) < card.heads)
    low, high = map(_share, given["interval"]) if len(given["interval"]) == 2 else (1.0, 0.0)
    _demand(low <= high)
    return {
        "rows": _count(given["rows"]),
        "chosen": {"layer": layer, "head": head},
        "right": _share(given["right"]),
        "interval": [low, high],
        "chosen_rows": _count(given["chosen_rows"]),
        "chosen_right": _share(given["chosen_right"]),
        "again": _share(given["again"]),
    }


def _relation(given: Mapping[str, Any], card: ModelCard) -> Document:
    offset = given["offset"]
    _demand(type(offset) is int and abs(offset) < 1_000_000 and given["direction"] in DIRECTIONS)
    return {
        "relation": _text(given["relation"], LONGEST_NAME),
        "direction": given["direction"],
        **_chosen(given, card),
        "chance": _share(given["chance"]),
        "offset": offset,
        "offset_right": _share(given["offset_right"]),
        "offset_all": _share(given["offset_all"]),
        "heads": _table(given["heads"], card),
    }


def _origin(given: Mapping[str, Any], card: ModelCard) -> Document:
    broken = given["broken"]
    _demand(isinstance(broken, list))
    return {
        "revision": card.revision,
        **{name: _text(given[name], LONGEST_NAME) for name in ("dtype", "kind", "file", "sha256")},
        "limit": None,
        "counts": _counts(given["counts"]),
        "warnings": _counts(given["warnings"]),
        "broken": [
            {"line": _count(one["line"]), "why": _text(one["why"], LONGEST_SENTENCE)} for one in broken[:MOST_ENTRIES]
        ],
    }


def _twins(given: Mapping[str, Any]) -> Document:
    return {
        "pairs": _count(given["pairs"]),
        "both_right": _share(given["both_right"]),
        "same_answer": _share(given["same_answer"]),
    }


def _table(given: Any, card: ModelCard) -> list[list[float]]:
    """The shares of all heads (layer, head), as many as the model has."""
    _demand(isinstance(given, list) and len(given) == card.layers)
    _demand(all(isinstance(row, list) and len(row) == card.heads for row in given))
    return [[_share(one) for one in row] for row in given]


def _counts(given: Mapping[str, Any]) -> dict[str, int]:
    _demand(len(given) <= MOST_ENTRIES)
    return {_text(name, LONGEST_NAME): _count(count) for name, count in given.items()}


def _share(given: Any) -> float:
    _demand(type(given) in (int, float) and math.isfinite(given) and 0 <= given <= 1)
    return float(given)


def _maybe(given: Any, rule: float | None) -> float | None:
    """A share; None where the task has no such rule."""
    _demand((given is None) == (rule is None))
    return None if given is None else _share(given)


def _count(given: Any) -> int:
    _demand(type(given) is int and 0 <= given < 1 << 53)
    return int(given)


def _text(given: Any, longest: int) -> str:
    _demand(isinstance(given, str) and given.isprintable() and 0 < len(given) <= longest)
    return str(given)


def _demand(holds: bool) -> None:
    if not holds:
        raise _DamagedError


