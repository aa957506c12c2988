"""The command generate: a model continues a text, token by token."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from app import documents
from app.commands.models import fetched
from app.incoming import checked
from app.job_schemas import GenerateRequest
from app.metrics import Metrics
from app.service import TraceService
from app.settings import Settings
from app.terminal import print_json
from app.writing import Wish, Writing, demand_writes
from attention_core.models.catalogue import load_catalogue
from attention_core.models.sources import cache_folder

if TYPE_CHECKING:
    from attention_core.capture import Step


def add_generate(parser: argparse.ArgumentParser) -> None:
    """Gives the parser what `generate` takes."""
    parser.add_argument("text", metavar="TEXT", help="what the model goes on from")
    parser.add_argument("--model", required=True, help="a model that `models` lists and that continues texts")
    parser.add_argument("--most", type=int, default=64, metavar="N", help="tokens at most, 1 to 256 (default 64)")
    parser.add_argument("--sample", action="store_true", help="draw each token (default: the most probable one)")
    parser.add_argument("--temperature", type=float, help="above 0, up to 5; below 1 safer, above 1 wilder (default 1)")
    parser.add_argument("--top-k", type=int, metavar="K", help="draw from the K most probable, 1 to 1000 (default 50)")
    parser.add_argument("--seed", type=int, help="the same seed draws the same text (default 0)")
    parser.add_argument("--chat", action="store_true", help="TEXT is a message, put into the model's chat template")
    parser.add_argument("--json", action="store_true", help="print what the API replies for the trace of the whole")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.safetensors", help="save the trace of the whole")
    parser.set_defaults(command=generate)


def generate(arguments: argparse.Namespace) -> None:
    """Writes the text on as the model finds it; Ctrl+C ends that, and what was written is kept."""
    wanted = _wanted(arguments)
    settings, catalogue = Settings(), load_catalogue()
    entry = catalogue.entry(wanted.model)
    service = TraceService(settings, catalogue, cache_folder(settings.cache), Metrics())
    wish = Wish.of(wanted)
    demand_writes(service, entry, wish.request)
    fetched(entry)
    demand_writes(service, entry, wish.request)  # its chat template is known now
    needs_trace = arguments.json or arguments.output is not None
    writing = Writing(service, service.lane(entry), wish)
    with Echo(arguments) as echo:
        made = writing.run(echo, echo.stopped.is_set, lambda: needs_trace)
    if made is None:
        return
    if arguments.output is not None:
        from attention_core.storage import save

        save(made, arguments.output)
    if arguments.json:
        print_json(documents.trace_document(service.trace_id(wish.with_written(writing.ids), entry), made))
    elif arguments.output is not None:
        print(f"saved: {arguments.output}")


class Echo:
    """Writes the text and each token after it to stdout, to stderr when JSON is wanted there.

    From the first token on, Ctrl+C sets `stopped`; a second one ends the program.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.stopped = threading.Event()
        self._out = sys.stderr if arguments.json else sys.stdout
        self._begin = "" if arguments.chat else arguments.text
        self._before: Any = None
        self._open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._give_back()
        if self._open:
            print(file=self._out, flush=True)

    def __call__(self, _prompt: Sequence[str], step: "Step | None", spelled: str) -> None:
        """One report of the writing: the text first, then what each step adds to it."""
        if step is None:
            self._take_over()
        text = self._begin if step is None else "" if step.special else spelled
        self._open = True
        print(text, end="", file=self._out, flush=True)

    def _take_over(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._stop)

    def _stop(self, *_: object) -> None:
        self.stopped.set()
        self._give_back()

    def _give_back(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None


def _wanted(arguments: argparse.Namespace) -> GenerateRequest:
    """The arguments as the API would take them, so that they have the same limits."""
    sampling: dict[str, Any] = {"method": "sample" if arguments.sample else "greedy"}
    given = {name: getattr(arguments, name) for name in ("temperature", "top_k", "seed")}
    sampling |= {name: value for name, value in given.items() if value is not None}
    body = {"do": "generate", "model": arguments.model, "most": arguments.most, "options": {"chat": arguments.chat}}
    return checked(GenerateRequest, {**body, "text": arguments.text, "sampling": sampling})
