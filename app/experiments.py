"""Experiments for the API and the command line: what each takes, and the keys of what it finds."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from app.analyses import number, numbers
from app.documents import Document, candidate_document
from app.images import HeldImage
from app.job_schemas import ExperimentRequest, ImportanceRequest, ScanRequest, SublayerRequest, SwitchOffRequest
from app.making import encoded_needs, example_of
from attention_core.models import memory

if TYPE_CHECKING:
    from attention_core.experiments.aims import Aim
    from attention_core.experiments.importance import Importance
    from attention_core.experiments.running import Progress
    from attention_core.experiments.sublayer import Sublayer
    from attention_core.experiments.switching import HeadEffect, Scan, Switched
    from attention_core.models.examples import Example
    from attention_core.models.loading import LoadedModel

    Pieces = Generator[Progress, None, Document]


@dataclass(frozen=True)
class Offered:
    """How an experiment is run with what was asked for.

    `most_tokens` is how long a text may be, since the time grows with it faster than a look's; `passes` how many times
    the memory of one pass it holds beside the variants that go through the model together.
    """

    run: "Callable[[LoadedModel, Example, Any], Pieces]"
    most_tokens: int
    passes: int


def example_for(model: "LoadedModel", wanted: ExperimentRequest, image: HeldImage | None) -> "Example":
    """The example of an experiment: where it may be cut and is too long, its beginning, as a trace shows it."""
    example = example_of(wanted, image)
    if not wanted.options.truncate:
        return example
    encoded = model.encode(example, truncate=True)
    if encoded.source.cut is not None:
        example = replace(example, text=encoded.source.text[: encoded.source.cut])
    if encoded.target is not None and encoded.target.cut is not None:
        example = replace(example, target=encoded.target.text[: encoded.target.cut])
    return example


def memory_needs(model: "LoadedModel", example: "Example", offered: Offered) -> tuple[str, int]:
    """An experiment on this example in words, and the bytes that it takes at most."""
    from attention_core.experiments.running import DEVICE_TOKENS, PIECE_BYTES, PIECE_TOKENS

    encoded = model.encode(example)
    count = len(encoded.source) + len(encoded.decoder_input or ())
    _, needed = encoded_needs(model, encoded)
    one = needed - memory.PASS_BASE
    together = max(1, (PIECE_TOKENS if model.device.type == "cpu" else DEVICE_TOKENS) // count)
    pieces = max(one, min(PIECE_BYTES, together * one))
    return f"an experiment on {count} tokens in {model.card.title}", needed + offered.passes * one + pieces


def run_scan(model: "LoadedModel", example: "Example", wanted: ScanRequest) -> "Pieces":
    """Every head switched off alone; the document of what that changes."""
    from attention_core.experiments.switching import scan

    found = yield from scan(model, example, kind=wanted.kind, row=wanted.row, key=wanted.key, how=wanted.how)
    return scan_document(found)


def scan_document(found: "Scan") -> Document:
    """All heads by what switching each off changes, the largest effect first."""
    return {
        "name": "scan",
        "aim": _aim(found.aim),
        "how": found.how,
        "base": [candidate_document(one) for one in found.base],
        "heads": [_effect(head) for head in found.heads],
        "agreement": found.agreement,
    }


def _effect(head: "HeadEffect") -> Document:
    return {
        "kind": str(head.kind),
        "layer": head.layer,
        "head": head.head,
        "effect": head.effect,
        "attention": head.attention,
        "after": None if head.after is None else candidate_document(head.after),
        "probability": head.probability,
    }


def run_switch_off(model: "LoadedModel", example: "Example", wanted: SwitchOffRequest) -> "Pieces":
    """The heads of the example switched off together; the document of what that changes."""
    from attention_core.experiments.switching import switch_off

    found = yield from switch_off(model, example, row=wanted.row)
    return switched_document(found, example.off)


def switched_document(found: "Switched", off: Sequence[str]) -> Document:
    """What the model says with all heads, and without those that are off; `written` is the text that an encoder-decoder
    writes by itself."""
    return {
        "name": "switch-off",
        "aim": _aim(found.aim),
        "how": found.how,
        "off": list(off),
        "effect": found.effect,
        "before": [candidate_document(one) for one in found.before],
        "after": [candidate_document(one) for one in found.after],
        "probability": found.probability,
        "written": {"before": found.written[0], "after": found.written[1]},
    }


def run_importance(model: "LoadedModel", example: "Example", wanted: ImportanceRequest) -> "Pieces":
    """How much each token matters, by several methods; the document of it."""
    from attention_core.experiments.importance import importance

    found = yield from importance(model, example, kind=wanted.kind, row=wanted.row, words=wanted.words)
    return importance_document(found)


def importance_document(found: "Importance") -> Document:
    """A score for each token and method, and how far each method agrees with leaving tokens out."""
    return {
        "name": "importance",
        "aim": _aim(found.aim),
        "kind": str(found.kind),
        "tokens": list(found.tokens),
        "special": list(found.special),
        "compared": list(found.compared),
        "methods": [
            {
                "name": one.name,
                "scores": None if one.scores is None else list(one.scores),
                "note": one.note,
                "agreement": one.agreement,
            }
            for one in found.methods
        ],
    }


def run_sublayer(model: "LoadedModel", example: "Example", wanted: SublayerRequest) -> "Pieces":
    """What goes into one attention and comes out of it; the document of it."""
    from attention_core.experiments.sublayer import sublayer

    kind = next(iter(model.there)) if wanted.kind is None else wanted.kind
    place = (str(kind), wanted.layer, wanted.head)
    found = yield from sublayer(model, example, place, wanted.query, wanted.key)
    return sublayer_document(found)


def sublayer_document(found: "Sublayer") -> Document:
    """What an attention's projections get at two places, what its heads hand on, and what one adds to the whole."""
    return {
        "name": "sublayer",
        "kind": str(found.kind),
        "layer": found.layer,
        "head": found.head,
        "query": found.query,
        "key": found.key,
        "query_input": numbers(found.query_input),
        "key_input": numbers(found.key_input),
        "heads": [numbers(head) for head in found.heads],
        "part": numbers(found.part),
        "bias": None if found.bias is None else numbers(found.bias),
        "joined": numbers(found.joined),
        "given": numbers(found.given),
        "error": number(found.error),
    }


def _aim(aim: "Aim") -> Document:
    return {"task": aim.task, "row": aim.row}


OFFERED: Mapping[str, Offered] = {
    "scan": Offered(run_scan, most_tokens=1024, passes=1),
    "switch-off": Offered(run_switch_off, most_tokens=1 << 20, passes=2),
    # What gradients are taken through stays in memory.
    "importance": Offered(run_importance, most_tokens=512, passes=6),
    "sublayer": Offered(run_sublayer, most_tokens=1 << 20, passes=1),
}
