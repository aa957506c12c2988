"""A trace as plain data: what the API replies and what a page that works offline holds. No matrices."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attention_core.pictures import Picture
    from attention_core.predictions import Candidate, Predictions
    from attention_core.tokens import Tokens
    from attention_core.trace import AttentionTrace

Document = dict[str, Any]


def trace_document(trace_id: str, trace: "AttentionTrace") -> Document:
    """What POST /traces and GET /traces/{id} reply: everything of a trace but its matrices."""
    return {
        "id": trace_id,
        "model": _card(trace),
        "source": tokens_document(trace.source),
        "source_queries": None if trace.source_queries is None else tokens_document(trace.source_queries),
        "written": trace.written,
        "target": None if trace.target is None else tokens_document(trace.target),
        "decoder_input": None if trace.decoder_input is None else tokens_document(trace.decoder_input),
        "picture": None if trace.picture is None else _picture(trace.picture),
        "maps": [_kind(trace, kind) for kind in trace.kinds],
        "predictions": None if trace.predictions is None else predictions_document(trace.predictions),
        "predictions_note": trace.predictions_note,
        "looking": {
            "words": trace.looking.words, "special": trace.looking.special, "segments": trace.looking.segments,
            "measure": trace.looking.measure,
        },
        "off": list(trace.off),
        "off_with": trace.off_with,
        "what_if": list(trace.what_if),
        "places": _places(trace),
        "provenance": _provenance(trace),
        "checked": trace.provenance.checked,
        "notices": [{"code": notice.code, **notice.facts} for notice in trace.notices],
    }


def _places(trace: "AttentionTrace") -> list[int] | None:
    """Where each token of the source stood when the model read its words in another order; None where it did not, and
    where words are merged or tokens left out."""
    from attention_core.what_if import places_of, seed_of

    seed = seed_of(trace.what_if)
    return None if seed is None or trace.source.positions is not None else places_of(trace.source, seed)


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
    """One sequence: its text or its two, and a list with an entry a token for everything known of them."""
    return {
        "text": tokens.text,
        "pair": tokens.pair,
        "ids": list(tokens.ids),
        "pieces": list(tokens.pieces),
        "texts": list(tokens.texts),
        "spans": [None if span is None else list(span) for span in tokens.spans],
        "special": list(tokens.special),
        "words": list(tokens.words),
        "segment": list(tokens.segment),
        "cut": tokens.cut,
        "positions": None if tokens.positions is None else [list(group) for group in tokens.positions],
    }


def predictions_document(predictions: "Predictions") -> Document:
    """What the model said: the candidates at each place, the best first."""
    return {
        "task": predictions.task,
        "at": [
            {
                "position": one.position,
                "label": one.label,
                "actual": None if one.actual is None else candidate_document(one.actual),
                "candidates": [candidate_document(candidate) for candidate in one.candidates],
            }
            for one in predictions.at
        ],
    }


def candidate_document(candidate: "Candidate") -> Document:
    """One thing that a model could say, and how probable it holds it."""
    return {"text": candidate.text, "probability": candidate.probability}


def _picture(picture: "Picture") -> Document:
    height, width, _ = picture.pixels.shape
    return {"rows": picture.rows, "columns": picture.columns, "width": width, "height": height}


def _kind(trace: "AttentionTrace", kind: str) -> Document:
    maps = trace.maps_of(kind)
    first = maps[0]
    return {
        "kind": str(kind),
        "layers": len(maps),
        "heads": first.head_count,
        "queries": first.query_count,
        "keys": first.key_count,
        "query_axis": _axis(trace, trace.queries(kind)),
        "key_axis": _axis(trace, trace.keys(kind)),
        "scores": all(one.has_scores for one in maps),
        "sink": any(one.has_sink for one in maps),
        "norms_note": next((one.norms_note for one in maps if one.norms_note is not None), None),
        "masks": [one.mask.describe() for one in maps],
    }


def _axis(trace: "AttentionTrace", tokens: "Tokens") -> str:
    """Which sequence of the trace these tokens are."""
    if tokens is trace.source:
        return "source"
    if tokens is trace.source_queries:
        return "source_queries"
    return "target" if tokens is trace.target else "decoder_input"


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
