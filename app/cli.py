"""The command attention-atlas: serve, models, trace, weights. What a person can mend exits with 2, the rest with 1."""

import argparse
import json
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from app import schemas
from app.settings import Settings
from attention_core.errors import AtlasError, InputError, ModelAbsentError
from attention_core.models.catalogue import CatalogueEntry, load_catalogue
from attention_core.models.sources import FetchProgress, cache_folder, fetch, is_fetched

if TYPE_CHECKING:
    from app.jobs import Job
    from attention_core.trace import AttentionTrace

# What the web server takes of a request's first lines: a page's address carries its text.
LONGEST_HEAD = 128 * 1024
GRACE = 3  # seconds that open connections get when the server stops


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code."""
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], None] = arguments.command
    try:
        command(arguments)
    except (AtlasError, OSError) as error:
        _complain(str(error))
        return 2 if isinstance(error, InputError | ModelAbsentError | OSError) else 1
    except ValidationError as error:  # a setting that is not one
        first = error.errors()[0]
        _complain(f"setting {'.'.join(str(place) for place in first['loc'])}: {first['msg']}")
        return 2
    except KeyboardInterrupt:
        _complain("stopped")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="attention-atlas", description="See how attention works, exactly.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="start the web server")
    serve.add_argument("--host", help="address to listen on (default 127.0.0.1, or ATLAS_HOST)")
    serve.add_argument("--port", type=int, help="port to listen on (default 8000, or ATLAS_PORT)")
    serve.set_defaults(command=_serve)

    models = commands.add_parser("models", help="list the models, or fetch one")
    models.add_argument("--json", action="store_true", help="print what the API replies")
    models.set_defaults(command=_models)
    actions = models.add_subparsers(metavar="ACTION")
    fetching = actions.add_parser("fetch", help="download a model and check it")
    fetching.add_argument("name", help="a name that `models` lists")
    fetching.set_defaults(command=_fetch)

    trace = commands.add_parser("trace", help="see every head of a sentence")
    _add_example(trace)
    trace.add_argument("-o", "--output", type=Path, metavar="FILE.safetensors", help="save the trace")
    trace.set_defaults(command=_trace)

    weights = commands.add_parser("weights", help="print one head's weights")
    _add_example(weights)
    weights.add_argument("--layer", type=int, required=True, help="counted from 0")
    weights.add_argument("--head", type=int, required=True, help="counted from 0")
    weights.add_argument("--kind", help="encoder-self, decoder-self or cross (default: the model's first)")
    weights.set_defaults(command=_weights)
    return parser


def _add_example(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", metavar="TEXT", help="the sentence")
    parser.add_argument("--model", help="a name that `models` lists (default: the first)")
    parser.add_argument("--truncate", action="store_true", help="show the beginning of a text that is too long")
    parser.add_argument("--json", action="store_true", help="print what the API replies")


def _serve(arguments: argparse.Namespace) -> None:
    import uvicorn

    from app.factory import create_app

    given = {name: getattr(arguments, name) for name in ("host", "port") if getattr(arguments, name) is not None}
    settings = Settings(**given)
    _log_to_stderr()
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"Attention Atlas: http://{host}:{settings.port}  (stop with Ctrl+C)", flush=True)
    uvicorn.run(
        create_app(settings, watch=JobBar()),
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_level="warning",
        server_header=False,
        h11_max_incomplete_event_size=LONGEST_HEAD,
        http="h11",
        timeout_graceful_shutdown=GRACE,
    )


def _log_to_stderr() -> None:
    log = logging.getLogger("attention_atlas")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)


def _models(arguments: argparse.Namespace) -> None:
    catalogue, cache = load_catalogue(), cache_folder(Settings().cache)
    states = [(entry, "ready" if is_fetched(entry, cache) else "absent") for entry in catalogue.entries]
    if arguments.json:
        listed = [schemas.model_document(entry, state, None, None) for entry, state in states]
        _print_json(schemas.models_document(catalogue.default.card.name, listed))
        return
    for entry, state in states:
        card = entry.card
        size = f"{entry.size_bytes / 1e6:.0f} MB"
        print(f"{card.name:<18} {state:<7} {card.layers} layers x {card.heads} heads  {size:>8}  {card.full_title}")


def _fetch(arguments: argparse.Namespace) -> None:
    _fetched(load_catalogue().entry(arguments.name))


def _trace(arguments: argparse.Namespace) -> None:
    trace, trace_id = _capture(arguments)
    if arguments.output is not None:
        from attention_core.storage import save

        save(trace, arguments.output)
    if arguments.json:
        _print_json(schemas.trace_document(trace_id, trace))
        return
    made = trace.provenance
    heads = ", ".join(
        f"{len(trace.maps_of(kind))} x {trace.maps_of(kind)[0].head_count} {kind}" for kind in trace.kinds
    )
    print(
        f"{trace.model.full_title}: {len(trace.source)} tokens, {heads} (layers x heads), {made.seconds * 1000:.0f} ms"
    )
    print(f"recomputed rows differ by at most {made.self_check_error:.1e} (tolerance {made.self_check_tolerance:.1e})")
    print(" ".join(trace.source.texts))
    if arguments.output is not None:
        print(f"saved: {arguments.output}")


def _weights(arguments: argparse.Namespace) -> None:
    trace, _ = _capture(arguments)
    kind = trace.kinds[0] if arguments.kind is None else arguments.kind
    body = schemas.weights_document(trace, kind, arguments.layer, arguments.head)
    if arguments.json:
        _print_json(body)
        return
    keys, queries = body["tokens"]["keys"], body["tokens"]["queries"]
    width = max(6, *(len(text) for text in keys))
    left = max(len(text) for text in queries)
    print(" " * left, *(text.rjust(width) for text in keys))
    for text, row in zip(queries, body["weights"], strict=True):
        print(text.ljust(left), *(f"{weight:.3f}".rjust(width) for weight in row))


def _capture(arguments: argparse.Namespace) -> "tuple[AttentionTrace, str]":
    """The trace of the command's example, and the id that the API would give it."""
    from app.metrics import Metrics
    from app.service import TraceService, capture_with, make_loader

    settings, catalogue = Settings(), load_catalogue()
    entry = catalogue.default if arguments.model is None else catalogue.entry(arguments.model)
    options = schemas.Options(truncate=arguments.truncate)
    # A terminal's bytes that are no UTF-8 arrive as halves of surrogate pairs, which the id refuses.
    request = schemas.TraceRequest.model_construct(
        model=arguments.model, text=arguments.text, pair=None, target=None, options=options
    )
    service = TraceService(settings, catalogue, cache_folder(settings.cache), Metrics())
    trace_id = service.trace_id(request, entry)
    folder = _fetched(entry)
    return capture_with(make_loader(settings)(entry, folder), request), trace_id


def _fetched(entry: CatalogueEntry) -> Path:
    """The folder of the model's files; fetched with a bar when they are not there."""
    bar = Bar()
    try:
        return fetch(entry, cache_folder(Settings().cache), progress=bar.show)
    finally:
        bar.close()


class Bar:
    """A progress bar on stderr, a new one for each step."""

    def __init__(self) -> None:
        self._step = ""
        self._bar: Any = None

    def show(self, progress: FetchProgress) -> None:
        """Draws how far the step is."""
        from tqdm import tqdm

        if progress.step != self._step:
            self.close()
            self._step = progress.step
            self._bar = tqdm(desc=progress.step, total=progress.total, unit="B", unit_scale=True, file=sys.stderr)
        self._bar.total = progress.total
        self._bar.update(max(0, progress.done - self._bar.n))

    def close(self) -> None:
        """Ends the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class JobBar:
    """The bar of the job that fetches a model while the server runs."""

    def __init__(self) -> None:
        self._bar = Bar()

    def __call__(self, job: "Job") -> None:
        """Draws where the job stands; says why when it failed."""
        if job.state == "running" and job.step != "load":
            self._bar.show(FetchProgress(job.step, job.done, job.total))
            return
        self._bar.close()
        if job.problem is not None:
            _complain(str(job.problem["detail"]))


def _print_json(body: schemas.Document) -> None:
    print(json.dumps(body, ensure_ascii=False, allow_nan=False))


def _complain(sentence: str) -> None:
    """One line on stderr, whatever the sentence quotes."""
    line = " ".join(sentence.split()).encode("utf-8", "backslashreplace").decode("utf-8")
    print(f"attention-atlas: {line}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
