"""The API's keys for ideas, for what goes out."""

from typing import TYPE_CHECKING

from app.documents import Document

if TYPE_CHECKING:
    from attention_core.ideas import Idea
    from attention_core.ideas.cost import Cost, Growth
    from attention_core.ideas.masking import Masking, Trained
    from attention_core.ideas.order import Order
    from attention_core.ideas.recurrence import Curve, Recurrence
    from attention_core.ideas.scaling import Scaling, Spread
    from attention_core.ideas.sparing import Kind, Sparing


def idea_document(one: "Idea", *, allowed: bool) -> Document:
    """What GET /ideas says of an idea; `allowed`: whether a visitor may have it computed here."""
    return {
        "name": one.name,
        "title": one.title,
        "help": one.help,
        "reference": one.reference,
        "long": one.long,
        "allowed": allowed,
    }


def scaling_document(found: "Scaling", curve: "tuple[Scaling, ...]") -> Document:
    """One dim with the histograms of its scores, and what becomes of all dims."""
    return {
        "name": "scaling",
        "dim": found.dim,
        "seed": found.seed,
        "queries": found.queries,
        "keys": found.keys,
        "most_entropy": found.most_entropy,
        "uniform_gradient": found.uniform_gradient,
        "scaled": _histogram(found.scaled),
        "unscaled": _histogram(found.unscaled),
        "curve": [{"dim": one.dim, "scaled": _spread(one.scaled), "unscaled": _spread(one.unscaled)} for one in curve],
    }


def _histogram(one: "Spread") -> Document:
    return {"edges": list(one.edges), "counts": list(one.counts), **_spread(one)}


def _spread(one: "Spread") -> Document:
    return {
        "mean": one.mean,
        "variance": one.variance,
        "largest": one.largest,
        "entropy": one.entropy,
        "gradient": one.gradient,
        "median_gradient": one.median_gradient,
    }


def order_document(found: "Order") -> Document:
    """The weights (layer, head, query, key) of the words, and of the shuffled ones put back in order."""
    return {
        "name": "order",
        "positions": found.positions,
        "seed": found.seed,
        "words": list(found.words),
        "shuffled": list(found.shuffled),
        "permutation": list(found.permutation),
        "weights": found.weights.tolist(),
        "back": found.back.tolist(),
        "difference": found.difference,
    }


def sparing_document(found: "Sparing") -> Document:
    """The weights (head, query, key) by the formula, of the window, and of random features."""
    return {
        "name": "sparing",
        "seed": found.seed,
        "words": list(found.words),
        "size": found.window.size,
        "global": list(found.window.global_tokens),
        "features": found.features,
        "sharpness": found.sharpness,
        "exact": found.exact.tolist(),
        "window": _kind(found.near),
        "estimate": _kind(found.estimated),
    }


def _kind(one: "Kind") -> Document:
    return {"weights": one.weights.tolist(), "difference": one.difference}


def cost_document(found: "Cost") -> Document:
    """What was measured on which device: seconds and bytes of each way on each text, and the exponents."""
    return {
        "name": "cost",
        "dim": found.dim,
        "window": found.window,
        "global": list(found.global_tokens),
        "features": found.features,
        "device": {
            "processor": found.device.processor,
            "threads": found.device.threads,
            "torch": found.device.torch,
        },
        "seconds": found.seconds,
        "share": found.share,
        "ways": [_growth(way) for way in found.ways],
        "versus": [
            {"name": one.name, "count": one.count, "speed": one.speed, "memory": one.memory} for one in found.versus
        ],
    }


def _growth(way: "Growth") -> Document:
    return {
        "name": way.name,
        "points": [
            {"count": point.count, "seconds": point.seconds, "runs": point.runs, "bytes": point.bytes}
            for point in way.points
        ],
        "time_exponent": way.time_exponent,
        "memory_exponent": way.memory_exponent,
        "stopped": way.stopped,
    }


def recurrence_document(found: "Recurrence") -> Document:
    """Both networks: their losses while they learned, and how well they recall the word 1, 2, … steps ago."""
    return {
        "name": "recurrence",
        "length": found.length,
        "seed": found.seed,
        "chance": found.chance,
        "texts": found.texts,
        "without": _curve(found.without),
        "attending": _curve(found.attending),
    }


def _curve(one: "Curve") -> Document:
    return {
        "parameters": one.parameters,
        "steps": list(one.steps),
        "losses": list(one.losses),
        "accuracy": list(one.accuracy),
    }


def masking_document(found: "Masking") -> Document:
    """Both decoders: their losses while they learned, and what they write."""
    return {
        "name": "masking",
        "language": found.language,
        "seed": found.seed,
        "trained_on": found.trained_on,
        "tested_on": found.tested_on,
        "least": found.least,
        "guessing": found.guessing,
        "masked": _trained(found.masked),
        "unmasked": _trained(found.unmasked),
    }


def _trained(one: "Trained") -> Document:
    return {
        "steps": list(one.steps),
        "train": list(one.train),
        "test": list(one.test),
        "alone": one.alone,
        "written": [{"beginning": each.beginning, "words": list(each.words)} for each in one.written],
    }
