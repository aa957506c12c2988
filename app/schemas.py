"""The API's keys: the only place that spells them, for what comes in and for what goes out."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from attention_core.models.catalogue import CatalogueEntry
    from attention_core.tokens import Tokens
    from attention_core.trace import AttentionTrace

Document = dict[str, Any]
Range = Annotated[str, Field(pattern=r"^\d{1,9}:\d{1,9}$", description="positions a:b, without b")]
MOST_CELLS = 512


class Body(BaseModel):
    """A request's body: no other keys, no silent conversion."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Parameters(BaseModel):
    """A request's query string: no other parameters."""

    model_config = ConfigDict(extra="forbid")


class NoParameters(Parameters):
    """A query string without parameters."""


class Options(Body):
    """How an example is read."""

    truncate: bool = Field(default=False, description="show the beginning of a text that is too long")


class TraceRequest(Body):
    """One example for one model."""

    model: str | None = Field(default=None, description="a name of /models; default: its default")
    text: str
    pair: str | None = None
    target: str | None = None
    options: Options = Field(default_factory=Options)


class JobRequest(Body):
    """Long work to be done."""

    do: Literal["fetch"]
    model: str


class ThumbnailParameters(Parameters):
    """Every head, small."""

    kind: str | None = None
    size: int = Field(default=32, ge=8, le=64)


class WeightParameters(Parameters):
    """A window of one layer's weights."""

    kind: str | None = None
    layer: int
    head: int | None = None
    queries: Range | None = None
    keys: Range | None = None
    size: int | None = Field(default=None, ge=1, le=MOST_CELLS, description="an overview of at most size cells a side")
    reduce: Literal["max", "mean"] = "max"


def models_document(default: str, models: list[Document]) -> Document:
    """What GET /models replies."""
    return {"default": default, "models": models}


def model_document(entry: "CatalogueEntry", state: str, job: str | None, problem: Document | None) -> Document:
    """One model of the catalogue and what has become of it here."""
    card = entry.card
    return {
        "name": card.name,
        "title": card.title,
        "full_title": card.full_title,
        "family": card.family,
        "kinds": list(card.kinds),
        "languages": list(card.languages),
        "layers": card.layers,
        "heads": card.heads,
        "max_tokens": card.max_tokens,
        "precision": card.precision,
        "licence": card.licence,
        "revision": card.revision,
        "size_bytes": entry.size_bytes,
        "ready": state == "ready",
        "state": state,
        "job": job,
        "problem": problem,
        "look_for": [
            {"kind": one.kind, "layer": one.layer, "head": one.head, "en": one.en, "ko": one.ko}
            for one in entry.look_for
        ],
    }


def trace_document(trace_id: str, trace: "AttentionTrace") -> Document:
    """What POST /traces and GET /traces/{id} reply: everything of a trace but its matrices."""
    return {
        "id": trace_id,
        "model": _card(trace),
        "source": tokens_document(trace.source),
        "target": None if trace.target is None else tokens_document(trace.target),
        "maps": [_kind(trace, kind) for kind in trace.kinds],
        "predictions": None,
        "predictions_note": trace.predictions_note,
        "provenance": _provenance(trace),
        "notices": [{"code": notice.code, **notice.facts} for notice in trace.notices],
    }


def _card(trace: "AttentionTrace") -> Document:
    card = trace.model
    return {
        "name": card.name,
        "title": card.title,
        "full_title": card.full_title,
        "family": card.family,
        "revision": card.revision,
        "precision": card.precision,
        "licence": card.licence,
        "languages": list(card.languages),
        "max_tokens": card.max_tokens,
    }


def tokens_document(tokens: "Tokens") -> Document:
    """One sequence: its text, and a list with an entry a token for everything known of them."""
    return {
        "text": tokens.text,
        "ids": list(tokens.ids),
        "pieces": list(tokens.pieces),
        "texts": list(tokens.texts),
        "spans": [None if span is None else list(span) for span in tokens.spans],
        "special": list(tokens.special),
        "words": list(tokens.words),
        "segment": list(tokens.segment),
        "cut": tokens.cut,
    }


def _kind(trace: "AttentionTrace", kind: str) -> Document:
    maps = trace.maps_of(kind)
    first = maps[0]
    queries, keys = trace.queries(kind), trace.keys(kind)
    return {
        "kind": str(kind),
        "layers": len(maps),
        "heads": first.head_count,
        "queries": first.query_count,
        "keys": first.key_count,
        "query_axis": "source" if queries is trace.source else "target",
        "key_axis": "source" if keys is trace.source else "target",
        "scores": all(one.has_scores for one in maps),
        "sink": any(one.has_sink for one in maps),
    }


def _provenance(trace: "AttentionTrace") -> Document:
    made = trace.provenance
    return {
        "back_end": made.back_end,
        "dtype": made.dtype,
        "device": made.device,
        "seconds": made.seconds,
        "versions": dict(made.versions),
        "self_check": {"error": made.self_check_error, "tolerance": made.self_check_tolerance},
    }


def weights_document(trace: "AttentionTrace", kind: str, layer: int, head: int) -> Document:
    """One head as the command line prints it: the tokens of both axes and the matrix (query, key)."""
    weights = trace.map(kind, layer).weights(head)[0].tolist()
    tokens = {"queries": list(trace.queries(kind).texts), "keys": list(trace.keys(kind).texts)}
    return {"kind": str(kind), "layer": layer, "head": head, "tokens": tokens, "weights": weights}


def job_document(job_id: str, do: str, model: str, state: str) -> Document:
    """A job as POST /jobs replies it."""
    return {"id": job_id, "do": do, "model": model, "state": state}


def progress_document(job: Document, step: str, done: int, total: int | None) -> Document:
    """The data of a job's progress event; done and total are bytes."""
    return {**job, "step": step, "done": done, "total": total}


def end_document(job: Document, problem: Mapping[str, Any] | None) -> Document:
    """The data of a job's last event."""
    return {**job, "problem": None if problem is None else dict(problem)}
