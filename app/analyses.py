"""Analyses for the API and the command line: what each takes, and the keys of what it replies."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from app.differences import read_difference
from app.documents import Document
from app.schemas import (
    AnalysisParameters,
    DifferenceParameters,
    LinkParameters,
    Parameters,
    StepsParameters,
    VersusParameters,
)
from attention_core.analysis import Analysis, analysis
from attention_core.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from attention_core.analysis.link import HeadLink, Links
    from attention_core.maps import Kind
    from attention_core.models.card import ModelCard
    from attention_core.trace import AttentionTrace

Positions = Sequence[int]


@dataclass(frozen=True)
class Offered:
    """An analysis, the parameters that it takes, and how a trace is read with them."""

    analysis: Analysis
    parameters: type[Parameters]
    read: "Callable[..., Document]"


def chosen(name: str) -> Offered:
    """The analysis of that name; an UnknownNameError otherwise."""
    found = analysis(name)
    parameters, read = READERS[found.name]
    return Offered(found, parameters, read)


def others(wanted: Parameters) -> list[str]:
    """The ids of the further traces that a request is about."""
    return [wanted.versus] if isinstance(wanted, VersusParameters) else []


def measured(trace: "AttentionTrace", measure: str) -> "AttentionTrace":
    """The trace by its weights, or by the lengths of what is handed on; a NotAvailableError where it has none."""
    from attention_core.looking import look

    return look(trace, measure=measure)


def encoded(body: Document) -> bytes:
    """The document as JSON in UTF-8; every number in it is finite."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def read_link(trace: "AttentionTrace", wanted: LinkParameters) -> Document:
    """What GET /traces/{id}/analyses/link replies."""
    trace = measured(trace, wanted.measure)
    kind = _kind(trace, wanted.kind)
    queries, keys = len(trace.queries(kind)), len(trace.keys(kind))
    rivals = [] if wanted.rivals is None else wanted.rivals.split(",")
    return link_document(
        trace,
        kind,
        _positions(wanted.query, queries),
        _positions(wanted.key, keys),
        [_positions(rival, keys) for rival in rivals],
        words=wanted.words == "1",
    )


def link_document(
    trace: "AttentionTrace",
    kind: "Kind | str | None",
    query: Positions,
    key: Positions,
    rivals: Sequence[Positions],
    *,
    words: bool = False,
) -> Document:
    """All heads ranked by how much they tie the query to the key, and the other direction where there is one."""
    from attention_core.analysis.link import link

    kind = _kind(trace, kind)
    found = link(trace, query, key, rivals=rivals, kind=kind, words=words)
    back, note = _back(trace, found)
    return {
        "name": "link",
        "kind": str(found.kind),
        "measure": trace.looking.measure,
        "words": found.words,
        **_links(found),
        "back": back,
        "back_note": note,
    }


def _back(trace: "AttentionTrace", found: "Links") -> tuple[Document | None, str | None]:
    """The same two tokens from the key to the query, or why it cannot be asked: "cross" where queries and keys are
    of two sequences, "masked" where the key may not look at what comes after it."""
    from attention_core.analysis.link import link

    if trace.queries(found.kind) is not trace.keys(found.kind):
        return None, "cross"
    try:
        return _links(link(trace, found.key, found.query, kind=found.kind, words=found.words)), None
    except InputError as error:
        if error.facts.get("reason") != "masked":
            raise
        return None, "masked"


def _links(found: "Links") -> Document:
    return {
        "query": _range(found.query),
        "key": _range(found.key),
        "rivals": [_range(rival) for rival in found.rivals],
        "other_count": found.other_count,
        "heads": [_head_link(head) for head in found.heads],
    }


def _head_link(head: "HeadLink") -> Document:
    return {
        "layer": head.layer,
        "head": head.head,
        "weight": head.weight,
        "lift": head.lift,
        "others": head.others,
        "margin": head.margin,
        "share": head.share,
        "named": head.named,
    }


def read_profile(trace: "AttentionTrace", wanted: AnalysisParameters) -> Document:
    """What GET /traces/{id}/analyses/profile replies: every head in numbers, and the roles that it has here."""
    from attention_core.analysis.profile import profile
    from attention_core.analysis.roles import roles

    trace = measured(trace, wanted.measure)
    found = profile(trace, kind=_kind(trace, wanted.kind))
    heads = [
        {
            **vars(head),
            "roles": [{"name": role.name, "score": role.score, "threshold": role.threshold} for role in its.roles],
        }
        for head, its in zip(found.heads, roles(found), strict=True)
    ]
    place = {"name": "profile", "kind": str(found.kind), "measure": trace.looking.measure}
    return {**place, "rows": found.rows, "heads": heads}


def read_mentions(trace: "AttentionTrace", wanted: AnalysisParameters) -> Document:
    """What GET /traces/{id}/analyses/mentions replies: pronouns where a kind's queries stand, what they might mean
    where its keys stand, as half-open ranges."""
    from attention_core.analysis.mentions import mentions

    kind = _kind(trace, wanted.kind)
    return {
        "name": "mentions",
        "kind": str(kind),
        "pronouns": [_range(group) for group in mentions(trace.queries(kind)).pronouns],
        "candidates": [_range(group) for group in mentions(trace.keys(kind)).candidates],
    }


def read_steps(trace: "AttentionTrace", wanted: StepsParameters) -> Document:
    """What GET /traces/{id}/analyses/steps replies."""
    return steps_document(trace, _kind(trace, wanted.kind), wanted.layer, wanted.head, wanted.query)


def steps_document(trace: "AttentionTrace", kind: "Kind | str", layer: int, head: int, query: int) -> Document:
    """One row of one head, step by step: a number for each key, or null where it is none, as of a score of -inf."""
    from attention_core.analysis.steps import steps

    found = steps(trace, kind, layer, head, query)
    return {
        "name": "steps",
        "kind": str(found.kind),
        "layer": found.layer,
        "head": found.head,
        "query": found.query,
        "group": found.group,
        "sharing": list(found.sharing),
        "scale": found.scale,
        "dim": len(found.query_vector),
        "value_dim": len(found.output),
        "query_vector": numbers(found.query_vector),
        "dots": numbers(found.dots),
        "scaled": numbers(found.scaled),
        "cap": found.cap,
        "capped": None if found.capped is None else numbers(found.capped),
        "bias": None if found.bias is None else numbers(found.bias),
        "scores": numbers(found.scores),
        "allowed": found.allowed.tolist(),
        "peak": number(found.peak),
        "exponentials": numbers(found.exponentials),
        "sink": number(found.sink),
        "total": number(found.total),
        "weights": numbers(found.weights),
        "output": numbers(found.output),
    }


def numbers(vector: "Tensor") -> list[float | None]:
    """A float32 vector as JSON has it; null for what is no number."""
    return [number(one) for one in vector.tolist()]


def number(given: float | None) -> float | None:
    """A float32 in the nine digits that tell it from every other one; None for none, and for what is no number."""
    return float(f"{given:.9g}") if given is not None and isfinite(given) else None


def read_atlas(card: "ModelCard", cache: "Path") -> Document:
    """What GET /models/{name}/atlas replies: the kept results of this revision of a model, and its heads' roles."""
    from attention_core.experiments.atlas import load_atlas  # brings torch in

    return load_atlas(card, cache).to_document()


READERS: Mapping[str, "tuple[type[Parameters], Callable[..., Document]]"] = {
    "link": (LinkParameters, read_link),
    "profile": (AnalysisParameters, read_profile),
    "mentions": (AnalysisParameters, read_mentions),
    "difference": (DifferenceParameters, read_difference),
    "steps": (StepsParameters, read_steps),
}


def _kind(trace: "AttentionTrace", wanted: str | None) -> "Kind":
    from attention_core.maps import Kind

    if wanted is None:
        return trace.kinds[0]
    trace.maps_of(wanted)  # raises for a kind that the trace does not have
    return Kind(wanted)


def _positions(wanted: str, count: int) -> range:
    """The positions of a range "a:b"; of what lies outside only as much as an error needs to name it."""
    first, _, last = wanted.partition(":")
    return range(int(first), min(int(last), max(int(first), count) + 1))


def _range(positions: Positions) -> list[int]:
    return [positions[0], positions[-1] + 1]
