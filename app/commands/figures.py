"""The command figure: a picture of attention as a file, or many of them into a folder."""

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.address import HELP, create_starts, encoded, load_examples
from app.commands.models import fetched
from app.figuring import FIGURE, FORMATS, TAKEN, Wanted, demand_format, draw, link_of, read_wanted
from app.problems import ProblemError
from app.settings import Settings
from app.terminal import Bar, complain
from attention_core.errors import AtlasError, InputError, TextError
from attention_core.models.catalogue import load_catalogue
from attention_core.models.directory import models_folder, with_own
from attention_core.models.sources import FetchProgress, cache_folder

if TYPE_CHECKING:
    from app.schemas import TraceRequest
    from attention_core.trace import AttentionTrace

# What of an address a command line says, beside the text: the names of the page's parameters.
VALUES = (
    "model", "pair", "target", "image", "kind", "layer", "head", "query", "key", "queries", "keys", "special",
    "segments", "measure", "scale", "range", "versus", "versus_model", "versus_layer", "versus_head", "off", "lang",
    "theme", "palette", "width", "font", "fit", "x",
)  # fmt: skip
FLAGS = ("words", "truncate", "chat", "transparent")
NAMED = {"image": "a picture (PNG, JPEG, WebP), or the name of a sample", "lang": "of the words: en or ko; default: en"}
USUAL = "png"  # the format of a batch


def add_figure(parser: argparse.ArgumentParser) -> None:
    """Gives the parser what `figure` takes."""
    parser.add_argument("text", metavar="TEXT", nargs="?", help="the sentence; left out only with --image or --batch")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE",
        help=f"the file, whose ending is the format: {', '.join(FORMATS)}; with --batch a folder",
    )  # fmt: skip
    parser.add_argument(
        "--batch", type=Path, metavar="FILE",
        help='a figure for each line: a text, or JSON, {"text": "...", "layer": 3, "head": 1, "output": "a.svg"}',
    )  # fmt: skip
    parser.add_argument("--format", default=USUAL, help=f"of a batch's figures (default: {USUAL})")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--all-heads", action="store_true", help="every head, small; so it is without --layer and --head")
    what.add_argument("--view", dest="figure", metavar="VIEW", help=f"{FIGURE['figure'][0].accepted}")
    helped = {**HELP, **{name: line for name, (_, line) in FIGURE.items()}, **NAMED}
    for name in VALUES:
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="VALUE", help=helped[name].replace("%", "%%"))
    for name in FLAGS:
        parser.add_argument(f"--{name}", action="store_true", help=helped[name])
    parser.add_argument("--off-with", dest="how", metavar="VALUE", help="zero, or mean over the text")
    parser.add_argument("--numbers", action=argparse.BooleanOptionalAction, help="in cells; default: where they fit")
    parser.add_argument("--caption", action=argparse.BooleanOptionalAction, help="the lines below; default: with them")
    parser.set_defaults(command=figure)


def figure(arguments: argparse.Namespace) -> None:
    """Draws one figure into a file, or those of a batch into a folder."""
    asked = _asked(arguments)
    if arguments.batch is None:
        if arguments.text is None and arguments.image is None:
            raise InputError("write a sentence, name a picture with --image, or a file of sentences with --batch")
        drawer = Drawer()
        wanted = drawer.wanted(asked, _format(arguments.output))
        arguments.output.write_bytes(drawer.file(wanted))
        print(f"saved: {arguments.output}")
        return
    if arguments.text is not None or arguments.image is not None:
        raise InputError("--batch brings the texts; leave TEXT and --image out")
    demand_format(arguments.format)
    _draw_all(_lines(arguments.batch), asked, arguments.output, arguments.format)


class Drawer:
    """Draws figures one after the other; models and traces stay for the next one."""

    def __init__(self) -> None:
        from app.metrics import Metrics
        from app.service import TraceService

        settings = Settings()
        catalogue, own = with_own(load_catalogue(), models_folder(settings.models_dir))
        self._service = TraceService(settings, catalogue, cache_folder(settings.cache), Metrics(), own.failed)
        self._starts = create_starts(load_examples(), catalogue.default.card.name)

    def wanted(self, asked: Mapping[str, str], file_format: str) -> Wanted:
        """What the parameters ask for; a problem for what is none of them."""
        for name, value in asked.items():
            try:
                value.encode()
            except UnicodeEncodeError:
                sentence = f"{name} holds half of a surrogate pair, which is no character; remove it"
                raise TextError(sentence) from None
        given = dict(asked)
        if "image" in given:
            given["image"] = self._image(given["image"], given.get("model"))
        if "figure" not in given and "view" not in given:
            given |= _usual(given)
        return read_wanted(encoded(given.items()), file_format, self._starts)

    def file(self, wanted: Wanted) -> bytes:
        """The figure as a file: the bytes that /figure would reply."""
        traces = [self._trace(request) for request in wanted.requests]
        revision, base = traces[0].model.revision, self._service.settings.base_url
        return draw(wanted, traces, link_of(wanted.page, revision, base))

    def _trace(self, request: "TraceRequest") -> "AttentionTrace":
        from app.making import demand_fit, revised

        service = self._service
        entry = service.catalogue.entry(request.model or service.catalogue.default.card.name)
        demand_fit(entry, request, service.abilities(entry))
        image = None if request.image is None else service.images.find(request.image, entry.card.name)
        fetched(entry)
        name = service.trace_id(request, revised(entry, service.cache), image.id if image else None)
        held = service.traces.get(name)
        if held is None:
            held = service.capture(service.lane(entry), request, image)
            service.keep(name, held)
        return held

    def _image(self, wanted: str, model: str | None) -> str:
        """What the address calls a picture: a sample's name, or the id of a file's bytes."""
        from app.images import decoded

        path, catalogue = Path(wanted), self._service.catalogue
        entry = catalogue.default if model is None else catalogue.entry(model)
        if not path.exists() and wanted in entry.samples:
            return wanted
        image = decoded(path.read_bytes())
        self._service.images.put(image)
        return image.id


def _asked(arguments: argparse.Namespace) -> dict[str, str]:
    """The parameters that the options say."""
    named = {name: getattr(arguments, name) for name in ("text", "figure", "how", *VALUES)}
    asked = {name: value for name, value in named.items() if value is not None}
    asked |= {name: "1" for name in FLAGS if getattr(arguments, name)}
    for name in ("numbers", "caption"):
        if getattr(arguments, name) is not None:
            asked[name] = str(int(getattr(arguments, name)))
    return asked | ({"figure": "grid"} if arguments.all_heads else {})


def _usual(given: Mapping[str, str]) -> dict[str, str]:
    """What is drawn where nobody says it: a head where one is named, else all of them."""
    if ("layer" in given) != ("head" in given):
        raise InputError("layer and head name one head together; give both or neither")
    compares = {"versus", "versus_model"} & given.keys()
    if "layer" not in given:
        return {"figure": "grid"}
    return {"figure": "difference"} if compares else {}


def _format(path: Path) -> str:
    """The format of a file by its ending; a problem for another one."""
    name = next((name for name in sorted(FORMATS, key=len, reverse=True) if path.name.lower().endswith(f".{name}")), "")
    demand_format(name or path.suffix.removeprefix("."))
    return name


def _lines(path: Path) -> list[tuple[int, str]]:
    """The lines of a batch that hold something, with their numbers."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is no text in UTF-8") from None
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1)]
    return [(number, line) for number, line in lines if line]


def _draw_all(lines: list[tuple[int, str]], asked: Mapping[str, str], folder: Path, usual: str) -> None:
    """Draws a figure for each line; one that cannot be drawn is named, and the rest goes on."""
    if not lines:
        raise InputError("the batch holds no line")
    folder.mkdir(parents=True, exist_ok=True)
    drawer, bar, failed = Drawer(), Bar(unit="figure"), 0
    taken: set[str] = set()
    try:
        for done, (number, line) in enumerate(lines):
            bar.show(FetchProgress("figures", done, len(lines)))
            try:
                given, name = _of_line(line, f"{number:04d}.{usual}")
                if name.lower() in taken:
                    raise InputError(f"another line is drawn into {name!r} already")
                path = folder / name
                path.write_bytes(drawer.file(drawer.wanted({**asked, **given}, _format(path))))
                taken.add(name.lower())
            except (AtlasError, ProblemError, OSError) as error:
                failed += 1
                complain(f"line {number}: {error}")
        bar.show(FetchProgress("figures", len(lines), len(lines)))
    finally:
        bar.close()
    print(f"saved: {len(lines) - failed} figures in {folder}")
    if failed:
        raise InputError(f"{failed} of {len(lines)} lines could not be drawn")


def _of_line(line: str, usual: str) -> tuple[dict[str, str], str]:
    """A line's parameters and the name of its file."""
    if not line.startswith("{"):
        return {"text": line}, usual
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        raise InputError("this begins like JSON and is none") from None
    name = read.pop("output", usual)
    if not isinstance(name, str) or Path(name).name != name or "\\" in name or "\0" in name:
        raise InputError(f"output {str(name)[:80]!r} is no plain name of a file")
    return dict(_spelled(read.items())), name


def _spelled(given: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    """JSON values as an address writes them; null and false are left out."""
    for name, value in given:
        if name not in TAKEN:
            raise InputError(f"unknown key {name[:40]!r}; accepted: {', '.join(TAKEN)}, output")
        if isinstance(value, list | dict):
            raise InputError(f"{name}: lists and objects are no values here")
        if value is not None and value is not False:
            yield name, "1" if value is True else str(value)
