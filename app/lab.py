"""The API's keys of the lab: what can be chosen, what was measured of it, and what a training tells."""

from typing import TYPE_CHECKING

from app.documents import Document

if TYPE_CHECKING:
    from attention_core.lab import Checkpoint, LabChoices, Point, Trained


def lab_document(*, allowed: bool, seconds: float) -> Document:
    """What GET /lab replies: the tasks with their defaults and an example, the bounds of every choice, what was
    measured, and whether visitors may train here, and how long."""
    from attention_core.lab import BOUNDS, DEFAULTS, RATES, TASKS, LabChoices, measured
    from attention_core.nn.config import POSITIONS

    return {
        "allowed": allowed,
        "seconds": seconds,
        "tasks": [
            {
                "name": name,
                "roles": list(task.roles),
                "defaults": dict(DEFAULTS[name]),
                "probe": probe_document(LabChoices.of(name)),
            }
            for name, task in TASKS.items()
        ],
        "bounds": {**{name: list(ends) for name, ends in BOUNDS.items()}, "learning_rate": list(RATES)},
        "positions": list(POSITIONS),
        "measured": dict(measured()),
    }


def probe_document(choices: "LabChoices") -> Document:
    """The sequence whose maps are shown: its text, its tokens (both axes of a map), what is to be said at each place,
    and the kind of attention that looks at it."""
    from attention_core.lab import kind_of, probe_of, text_of

    probe = probe_of(choices)
    tokens = text_of(choices, probe.ids).split(" ")
    answers = text_of(choices, probe.answers).split(" ")
    return {"text": " ".join(tokens), "tokens": tokens, "answers": answers, "kind": kind_of(choices)}


def point_document(point: "Point") -> Document:
    """One place of the curve."""
    return {"step": point.step, "loss": round(point.loss, 6), "accuracy": round(point.accuracy, 6)}


def checkpoint_document(checkpoint: "Checkpoint") -> Document:
    """A checkpoint but for its maps: each head's score of each role (layer, head)."""
    scores = {
        role: [[round(score, 4) for score in row] for row in found.tolist()]
        for role, found in checkpoint.scores.items()
    }
    return {"step": checkpoint.step, "scores": scores}


def result_document(trained: "Trained", model: str) -> Document:
    """What a training ends in. `ended` is "steps", or "time" when that was up before; `measured` is what was measured
    of these choices over several seeds, null where they were not."""
    from attention_core.lab import jumps, measured_like

    known = measured_like(trained.choices)
    return {
        "model": model,
        "choices": trained.choices.to_document(),
        "accuracy": trained.accuracy,
        "steps": trained.steps,
        "ended": "steps" if trained.steps == trained.choices.steps else "time",
        "seconds": round(trained.seconds, 2),
        "curve": [point_document(one) for one in trained.curve],
        "checkpoints": [checkpoint_document(one) for one in trained.checkpoints],
        "jumps": [
            {
                "role": one.role, "layer": one.layer, "head": one.head, "step": one.step, "start": one.start,
                "end": one.end, "low": round(one.low, 4), "high": round(one.high, 4),
            }
            for one in jumps(trained.checkpoints)
        ],
        "probe": probe_document(trained.choices),
        "measured": None if known is None else dict(known),
    }  # fmt: skip
