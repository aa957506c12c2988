"""The commands trace and weights: an example seen by a model, printed for people or as the API replies it."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app import documents, schemas
from app.commands.models import fetched
from app.incoming import checked
from app.settings import Settings
from app.terminal import print_json
from app.trace_ids import file_id
from attention_core import what_if
from attention_core.errors import InputError, TraceError
from attention_core.models.catalogue import CatalogueEntry, load_catalogue
from attention_core.models.directory import models_folder, with_own
from attention_core.models.sources import cache_folder

if TYPE_CHECKING:
    from app.images import HeldImage
    from app.lanes import Lane
    from app.service import TraceService
    from attention_core.predictions import Candidate, Prediction
    from attention_core.trace import AttentionTrace

LENGTHS = "shares of the lengths of what is handed on, the norm of alpha f(x), not weights (Kobayashi et al. 2020)"
SINK = "the learned sink has no value, so it takes no length"
MOST_LINES = 40  # of predictions of a long text, the last ones are printed


def add_trace(parser: argparse.ArgumentParser) -> None:
    """Gives the parser what `trace` takes."""
    add_looked_example(parser)
    add_file(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.safetensors", help="save the trace")
    parser.set_defaults(command=trace)


def add_weights(parser: argparse.ArgumentParser) -> None:
    """Gives the parser what `weights` takes."""
    add_looked_example(parser)
    add_file(parser)
    parser.add_argument("--layer", type=int, required=True, help="counted from 0")
    parser.add_argument("--head", type=int, required=True, help="counted from 0")
    parser.add_argument("--kind", help="encoder-self, decoder-self or cross (default: the model's first)")
    parser.set_defaults(command=weights)


def add_file(parser: argparse.ArgumentParser) -> None:
    """Gives the parser the choice of a trace file instead of an example."""
    parser.add_argument(
        "--file", type=Path, metavar="FILE.safetensors", help="a trace that was saved, instead of a sentence"
    )


def add_looked_example(parser: argparse.ArgumentParser) -> None:
    """Gives the parser what an example is made of and the ways to look at it, and --json."""
    add_example(parser)
    parser.add_argument("--words", action="store_true", help="merge pieces into whole words")
    parser.add_argument(
        "--special", choices=("show", "hide", "renormalise"), default="show", help="what to do with special tokens"
    )
    parser.add_argument(
        "--segments", choices=("all", "AA", "AB", "BA", "BB"), default="all",
        help="of a pair, the sentence that looks and the one looked at: AB is the first looking at the second",
    )  # fmt: skip
    add_measure(parser)


def add_measure(parser: argparse.ArgumentParser) -> None:
    """Gives the parser the choice between weights and lengths."""
    parser.add_argument(
        "--measure", choices=("weight", "norm"), default="weight",
        help="norm: shares of the lengths of what is handed on, the norm of alpha f(x) (Kobayashi et al. 2020)",
    )  # fmt: skip


def add_example(parser: argparse.ArgumentParser) -> None:
    """Gives the parser what an example is made of, and --json."""
    parser.add_argument("text", metavar="TEXT", nargs="?", help="the sentence; left out only with --image")
    parser.add_argument("--model", help="a name that `models` lists (default: the first)")
    parser.add_argument("--pair", metavar="TEXT", help="a second sentence, for encoders that read two")
    parser.add_argument("--target", metavar="TEXT", help="what the translation says (default: the model's own)")
    parser.add_argument("--image", metavar="FILE", help="a picture (PNG, JPEG, WebP), or the name of a sample")
    parser.add_argument("--off", metavar="HEADS", help="heads to switch off: decoder-self.0.3,cross.1.2")
    parser.add_argument(
        "--off-with", choices=("zero", "mean"), default="zero",
        help="what comes of these heads: zeros (default), or their mean over the text",
    )  # fmt: skip
    parser.add_argument(
        "--what-if", metavar="CHANGES",
        help=f"what a model of ours does otherwise, with commas between: {', '.join(what_if.ACCEPTED)}",
    )  # fmt: skip
    parser.add_argument("--truncate", action="store_true", help="show the beginning of a text that is too long")
    parser.add_argument("--json", action="store_true", help="print what the API replies")


def trace(arguments: argparse.Namespace) -> None:
    """Prints what a trace holds and what the model said; saves the trace as it is."""
    made, trace_id = captured(arguments)
    if arguments.output is not None:
        from attention_core.storage import save

        save(made, arguments.output)
    shown = _looked(made, arguments)
    if arguments.json:
        print_json(documents.trace_document(trace_id, shown))
        return
    for line in summary(shown):
        print(line)
    if arguments.output is not None:
        print(f"saved: {arguments.output}")


def weights(arguments: argparse.Namespace) -> None:
    """Prints one head's weights, a row for each token that looks."""
    made, _ = captured(arguments)
    shown = _looked(made, arguments)
    kind = shown.kinds[0] if arguments.kind is None else arguments.kind
    body = documents.weights_document(shown, kind, arguments.layer, arguments.head)
    if arguments.json:
        print_json(body)
        return
    if shown.looking.measure == "norm":
        print(LENGTHS + (f"; {SINK}" if made.map(kind, arguments.layer).has_sink else ""))
    keys, queries = body["tokens"]["keys"], body["tokens"]["queries"]
    width = max(6, *(len(text) for text in keys))
    left = max(len(text) for text in queries)
    print(" " * left, *(text.rjust(width) for text in keys))
    for text, row in zip(queries, body["weights"], strict=True):
        print(text.ljust(left), *(f"{weight:.3f}".rjust(width) for weight in row))


def summary(shown: "AttentionTrace") -> list[str]:
    """What a trace holds, in lines for people: the model, its tokens, and what it said."""
    made = shown.provenance
    heads = ", ".join(
        f"{len(shown.maps_of(kind))} x {shown.maps_of(kind)[0].head_count} {kind}" for kind in shown.kinds
    )
    count = len(shown.source) + len(shown.source_queries or ())
    lines = [
        f"{shown.model.full_title}: {count} tokens, {heads} (layers x heads), {made.seconds * 1000:.0f} ms",
        f"recomputed rows differ by at most {made.self_check_error:.1e} (tolerance {made.self_check_tolerance:.1e})"
        if made.checked
        else "from a file, not checked against the model",
    ]
    if shown.looking.measure == "norm":
        lines.append(LENGTHS)
    if shown.off:
        how = " (their mean over the text stays)" if shown.off_with == "mean" else ""
        lines.append(f"switched off: {', '.join(shown.off)}{how}")
    if shown.what_if:
        lines.append(f"changed: {', '.join(shown.what_if)}")
    if shown.source_queries is not None:
        lines.append(" ".join(shown.source_queries.texts))
    if shown.picture is None:
        lines.append(" ".join(shown.source.texts))
    else:
        height, width, _ = shown.picture.pixels.shape
        lines.append(f"{width} x {height} pixels in {shown.picture.rows} x {shown.picture.columns} patches")
    if shown.target is not None:
        lines.append(" ".join(shown.target.texts))
    return lines + _said(shown)


def _said(shown: "AttentionTrace") -> list[str]:
    """What the model said, a line a place."""
    if shown.predictions is None:
        return []
    at = shown.predictions.at[-MOST_LINES:]
    left = len(shown.predictions.at) - len(at)
    lines = [f"{shown.predictions.task}:" + (f" (the last {len(at)})" if left else "")]
    return lines + [f"  {_place(shown, one)}: {_candidates(one)}" for one in at]


def _place(shown: "AttentionTrace", one: "Prediction") -> str:
    """Where a prediction stands: the question, or the token that stands there in truth, or the place."""
    if one.label is not None:
        return one.label
    if one.actual is not None:
        return _spoken(one.actual)
    return "next" if shown.predictions is not None and shown.predictions.task == "next-token" else f"{one.position}"


def _candidates(one: "Prediction") -> str:
    return ", ".join(_spoken(candidate) for candidate in one.candidates)


def _spoken(candidate: "Candidate") -> str:
    return f"{candidate.text} {candidate.probability:.3f}"


def _looked(made: "AttentionTrace", arguments: argparse.Namespace) -> "AttentionTrace":
    from attention_core.looking import look

    words, special, segments = arguments.words, arguments.special, arguments.segments
    return look(made, words=words, special=special, segments=segments, measure=arguments.measure)


def captured(arguments: argparse.Namespace) -> "tuple[AttentionTrace, str]":
    """The trace of the command's example or its file, and the id that the API would give it."""
    if arguments.file is not None:
        return _opened(arguments)
    ready = prepared(arguments)
    return ready.service.capture(ready.lane, ready.request, ready.image), ready.trace_id


def _opened(arguments: argparse.Namespace) -> "tuple[AttentionTrace, str]":
    """The trace in the command's file."""
    from attention_core.storage import from_bytes

    asked = ("text", "model", "pair", "target", "image", "off", "what_if")
    beside = [name for name in asked if getattr(arguments, name) is not None]
    if beside:
        raise InputError(f"a trace file is what it is; leave out {', '.join(beside)}")
    data = arguments.file.read_bytes()
    try:
        return from_bytes(data), file_id(data)
    except TraceError as error:
        raise InputError(str(error)) from None


@dataclass(frozen=True)
class Prepared:
    """A command's example and model, fetched; the request says it as the API would take it, with the trace's id."""

    service: "TraceService"
    lane: "Lane"
    request: schemas.TraceRequest
    image: "HeldImage | None"
    trace_id: str


def prepared(arguments: argparse.Namespace) -> Prepared:
    """What the arguments of `add_example` describe; an error before anything is fetched for what the model does not
    take."""
    from app.making import demand_fit, revised
    from app.metrics import Metrics
    from app.service import TraceService

    if arguments.text is None and arguments.image is None:
        raise InputError("write a sentence, or name a picture with --image")
    settings = Settings()
    catalogue, own = with_own(load_catalogue(), models_folder(settings.models_dir))
    entry = catalogue.default if arguments.model is None else catalogue.entry(arguments.model)
    off = [] if arguments.off is None else [name.strip() for name in arguments.off.split(",")]
    changes = [] if arguments.what_if is None else [name.strip() for name in arguments.what_if.split(",")]
    given = {"truncate": arguments.truncate, "off": off, "off_with": arguments.off_with, "what_if": changes}
    options = checked(schemas.Options, given)
    # A terminal's bytes that are no UTF-8 arrive as halves of surrogate pairs, which the id refuses.
    request = schemas.TraceRequest.model_construct(
        model=arguments.model, text=arguments.text, pair=arguments.pair, target=arguments.target, image=arguments.image,
        options=options, written=[],
    )  # fmt: skip
    service = TraceService(settings, catalogue, cache_folder(settings.cache), Metrics(), own.failed)
    demand_fit(entry, request, service.abilities(entry))
    image = None if arguments.image is None else _image(entry, arguments.image)
    picture = None if image is None else image.id
    service.trace_id(request, entry, picture)  # what no id can be made of fetches nothing
    fetched(entry)
    trace_id = service.trace_id(request, revised(entry, service.cache), picture)
    return Prepared(service, service.lane(entry), request, image, trace_id)


def _image(entry: CatalogueEntry, wanted: str) -> "HeldImage":
    """The picture in a file, or the model's sample of that name when there is no such file."""
    from app.images import decoded

    path = Path(wanted)
    if not path.exists() and wanted in entry.samples:
        path = entry.samples[wanted]
    return decoded(path.read_bytes())
