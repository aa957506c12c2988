"""The API's keys, for what goes out; attention_core/documents.py has those of a trace, analyses.py those of analyses,
schemas.py those of what comes in."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.abilities import Abilities
from attention_core.documents import Document, candidate_document, trace_document

if TYPE_CHECKING:
    from app.images import HeldImage
    from attention_core.capture import Step
    from attention_core.models.catalogue import CatalogueEntry, Hub, Training
    from attention_core.models.sources import Pin
    from attention_core.trace import AttentionTrace

__all__ = ["Document", "candidate_document", "trace_document"]

Standing = tuple[str, str | None, Document | None]  # a model's state, the job that brings it, why the last try failed


def models_document(default: str, models: list[Document]) -> Document:
    """What GET /models replies."""
    return {"default": default, "models": models}


def model_document(
    entry: "CatalogueEntry",
    abilities: Abilities,
    standing: Standing,
    pin: "Pin | None" = None,
    may_fetch: bool = True,
) -> Document:
    """One model of the catalogue, what it can do, and what has become of it here; `pin` is what its first download
    recorded."""
    state, job, problem = standing
    card, hub = entry.card, entry.hub if entry.origin == "hub" else None
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
        "input": card.input,
        "bundled": entry.bundled is not None,
        "origin": entry.origin,
        "hub": None if hub is None else _hub(hub, pin),
        "fetchable": may_fetch and bool(entry.sources),
        "switchable": abilities.switches,
        "rewirable": abilities.rewires,
        "pairs": card.reads_pairs,
        "writes": abilities.writes,
        "chat": abilities.chat,
        "samples": list(entry.samples),
        "size_bytes": entry.size_bytes,
        "download_bytes": entry.download_bytes,
        "approximate": entry.approximate,
        "ready": state == "ready",
        "state": state,
        "job": job,
        "problem": problem,
        "look_for": [
            {"kind": one.kind, "layer": one.layer, "head": one.head, "en": one.en, "ko": one.ko, "pairs": one.pairs}
            for one in entry.look_for
        ],
        "cautions": [{"kind": one.kind, "en": one.en, "ko": one.ko} for one in entry.cautions],
        "training": None if entry.training is None else _training(entry.training),
    }


def _hub(hub: "Hub", pin: "Pin | None") -> Document:
    return {
        "repo": hub.repo,
        "commit": pin.revision if pin else hub.revision or None,
        "recorded": pin is not None,
        "gated": hub.gated,
        "sha256": dict(pin.sha256) if pin else dict(hub.sha256),
    }


def _training(made: "Training") -> Document:
    return {
        "data": {"en": made.data_en, "ko": made.data_ko},
        "steps": {"en": made.steps_en, "ko": made.steps_ko},
        "score": {"en": made.score_en, "ko": made.score_ko},
    }


def image_document(image: "HeldImage") -> Document:
    """A picture as POST /images replies it."""
    return {"id": image.id, "width": image.width, "height": image.height}


def weights_document(trace: "AttentionTrace", kind: str, layer: int, head: int) -> Document:
    """One head as the command line prints it: the tokens of both axes and the matrix (query, key)."""
    weights = trace.map(kind, layer).weights(head)[0].tolist()
    tokens = {"queries": list(trace.queries(kind).texts), "keys": list(trace.keys(kind).texts)}
    place = {"kind": str(kind), "layer": layer, "head": head, "measure": trace.looking.measure}
    return {**place, "tokens": tokens, "weights": weights}


def job_document(job_id: str, do: str, model: str, state: str) -> Document:
    """A job as POST /jobs replies it."""
    return {"id": job_id, "do": do, "model": model, "state": state}


def progress_document(job: Document, step: str, done: int, total: int | None) -> Document:
    """The data of a job's progress event; done and total are bytes."""
    return {**job, "step": step, "done": done, "total": total}


def experiment_document(job: Document, done: int, total: int | None, *, waiting: bool = False) -> Document:
    """The data of an experiment's progress event; `waiting`: others are before it, and it has not begun."""
    return {**job, "done": done, "total": total, "waiting": waiting}


def result_end_document(end: Document, result: Document | None) -> Document:
    """The data of the last event of a job that finds something; null unless it has come to its end."""
    return {**end, "result": result}


def end_document(job: Document, problem: Mapping[str, Any] | None) -> Document:
    """The data of a job's last event."""
    return {**job, "problem": None if problem is None else dict(problem)}


def step_document(step: "Step", spelled: str) -> Document:
    """One token that a model wrote, and what it held probable in its place, before temperature and top-k.

    `spelled` is what it adds to the text: with the space before a word, and nothing for half a character.
    """
    return {
        "id": step.id,
        "text": step.text,
        "spelled": spelled,
        "special": step.special,
        "probability": step.probability,
        "candidates": [candidate_document(candidate) for candidate in step.candidates],
    }


def written_document(
    job: Document,
    prompt: Sequence[str] | None,
    start: int,
    tokens: Sequence[Document],
    row: Document | None,
    *,
    waiting: bool = False,
) -> Document:
    """The data of a "written" event: tokens from the `start`-th on, and where the newest one's step looked.

    `waiting`: others are before it, and it has not begun.
    """
    began: Document = {"waiting": True} if waiting else {} if prompt is None else {"prompt": list(prompt)}
    return {**job, **began, "from": start, "tokens": list(tokens), "row": row}


def row_document(step: int, layer: int, head: int, weights: Sequence[float]) -> Document:
    """Where one head looked in one step: a weight for each token read so far, to six decimals."""
    return {"step": step, "layer": layer, "head": head, "weights": [round(weight, 6) for weight in weights]}


def writing_end_document(end: Document, trace_id: str | None, written: Sequence[int], reason: str) -> Document:
    """The data of the last event of a job that generates: all that stands after the text, and its trace's id."""
    return {**end, "trace": trace_id, "written": list(written), "reason": reason}
