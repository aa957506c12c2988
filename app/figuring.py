"""A figure from an address: what its parameters ask for, the traces that it needs, and the file that comes of them.

The route /figure.<format> and the command `figure` meet here, so that both give the same bytes.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from app.address import (
    FLAG,
    FORMS,
    Address,
    Form,
    Starts,
    between,
    demand_known,
    encoded,
    format_in_full,
    matching,
    one_of,
    pairs_of,
    read_address,
)
from app.incoming import checked
from app.packing import packed, unpacked
from app.problems import ProblemError
from app.reading import looked
from app.schemas import LookParameters, TraceRequest

if TYPE_CHECKING:
    from app.pending import Gone
    from app.service import TraceService
    from attention_core.figures.figure import Figure
    from attention_core.trace import AttentionTrace

# Said again here because the library's figures bring torch in, which takes seconds; a test holds them together.
VIEWS = ("heatmap", "grid", "lines", "strip", "picture", "difference", "profile", "generation")
FORMATS = ("png", "svg", "pdf", "html", "json", "plotly.json", "csv", "npy")
PALETTES = ("atlas", "viridis", "cividis", "greys")
WIDTHS, FONT_SIZES = (160, 4000), (8, 40)
SHORT_LINK = 300  # characters of an address that a caption carries as it is; a longer one is packed
# What makes an example, and nothing of a trace that is there already.
EXAMPLES_OWN = (
    "text", "pair", "target", "image", "off", "what_if", "written", "chat", "truncate", "versus", "versus_model",
)  # fmt: skip
TABS = {"lines": "lines", "picture": "picture", "difference": "difference"}  # the page's tabs that are figures
ANSWER = one_of("0", "1")
_SIDE = "(?:[1-9][0-9]{1,2}|[1-3][0-9]{3})"
SIZE = matching(f"{_SIDE}x{_SIDE}", "a size in pixels such as 1200x630, at most 3999 a side")

FIGURE: dict[str, tuple[Form, str]] = {
    "figure": (one_of(*VIEWS), "what is drawn; default: what `view` shows, heatmap for a table"),
    "theme": (one_of("light", "dark", "print"), "print: told apart in greyscale, on white; default: light"),
    "palette": (one_of(*PALETTES), "default: atlas, the page's own"),
    "numbers": (ANSWER, "numbers in cells; default: where they can be read"),
    "caption": (ANSWER, "0: without the lines below; default: 1"),
    "width": (between(*WIDTHS), "CSS pixels of the whole picture; default: what its content needs"),
    "font": (between(*FONT_SIZES), "CSS pixels of the letters; default: 13"),
    "transparent": (FLAG, "nothing behind the picture"),
    "x": (between(1, 3), "of a PNG, pixels for each CSS pixel; default: 1"),
    "fit": (SIZE, "of a PNG, exactly this many pixels"),
    "values": (ANSWER, "0: JSON without its numbers"),
    "download": (FLAG, "to be saved rather than shown"),
}
# Every parameter of /figure: the page's own, and how it is to look, with a theme more than the page has.
TAKEN: dict[str, Form] = {**FORMS, **{name: form for name, (form, _) in FIGURE.items()}}


@dataclass(frozen=True)
class Wanted:
    """One figure in one format, as it was asked for."""

    address: Address
    format: str
    figure: str | None = None
    theme: str = "light"
    palette: str = "atlas"
    numbers: str | None = None
    caption: str = "1"
    width: int | None = None
    font: int = 13
    transparent: bool = False
    x: int = 1
    fit: str | None = None
    values: str = "1"
    download: bool = False

    @property
    def compared(self) -> str | None:
        """The way in which this figure compares two traces, None where it is of one."""
        way = comparison_of(self.address)
        asked = self.figure == "difference"
        if asked and self.address.trace:
            sentence = "a trace from a file can be looked at, but not compared: that needs its model"
            raise ProblemError("not-available", sentence)
        if asked and way is None:
            sentence = "a difference needs something to compare with: versus, versus_model, off or what_if"
            raise ProblemError("invalid-request", sentence, errors=[sentence])
        return way if asked or (self.figure is None and self.address.view == "difference") else None

    @property
    def requests(self) -> tuple[TraceRequest, ...]:
        """The traces that it is drawn from, as POST /traces takes them: its own unless it is of a file, and that
        which it is compared with."""
        address, way = self.address, self.compared
        own = () if address.trace else (request_of(address),)
        if way is None:
            return own
        return (*own, request_of(_other(address, way)))

    @property
    def look(self) -> LookParameters:
        """How its traces are looked at. Two models cut words into other pieces: they are compared by words."""
        address = self.address
        words = "1" if address.words or self.compared == "model" else "0"
        given = {"words": words, "special": address.special, "segments": address.segments, "measure": address.measure}
        return LookParameters.model_validate(given)

    def key(self, traces: Sequence[str]) -> str:
        """The hash of everything that the file depends on; `traces` are the ids of those it is drawn from."""
        spelled = json.dumps([asdict(replace(self, download=False)), list(traces)], ensure_ascii=False)
        return hashlib.sha256(spelled.encode()).hexdigest()

    @property
    def page(self) -> Address:
        """The address of the page as it shows what is drawn: a tab that was asked for as a figure is opened."""
        tabs = ("heatmap", *TABS)
        return replace(self.address, view=self.figure) if self.figure in tabs else self.address

    @property
    def filename(self) -> str:
        """A name in ASCII: attention-atlas-L3-H1.png."""
        view = self.figure or TABS.get(self.address.view or "", "heatmap")
        place = "" if view == "grid" else f"-L{self.address.layer}-H{self.address.head}"
        return f"attention-atlas{place}{'' if view == 'heatmap' else f'-{view}'}.{self.format}"


def read_wanted(query: str, file_format: str, starts: Starts) -> Wanted:
    """What a query string asks for in a format; an unknown-name, unknown-parameter or invalid-request problem for what
    is none of those that there are."""
    demand_format(file_format)
    pairs = pairs_of(f"?{unpacked(query)}")
    demand_known(pairs, TAKEN)
    own = {name: FIGURE[name][0].read(raw) for name, raw in pairs if name in FIGURE}
    page = [(name, raw) for name, raw in pairs if name in FORMS and name != "theme"]
    for name, formats in (("fit", ("png",)), ("x", ("png",)), ("values", ("json",))):
        if name in own and file_format not in formats:
            sentence = f"{name}: only of {', '.join(formats)}, not of {file_format}"
            raise ProblemError("invalid-request", sentence, errors=[sentence])
    wanted = Wanted(read_address(encoded(page), starts, strict=True), file_format, **own)
    if wanted.compared is None:  # which says more
        demand_alone(wanted.address)
    return wanted


def demand_alone(address: Address) -> None:
    """An invalid-request problem for an address that asks a trace from a file for another example than it holds."""
    beside = [name for name in EXAMPLES_OWN if getattr(address, name)] if address.trace else []
    if beside:
        sentence = f"a trace from a file is what it is; leave out {', '.join(beside)}"
        raise ProblemError("invalid-request", sentence, errors=[sentence])


def demand_format(name: str) -> None:
    """An unknown-name problem for a format that no figure is written in."""
    if name not in FORMATS:
        listed = ", ".join(FORMATS)
        raise ProblemError(
            "unknown-name", f"there is no format {name[:40]!r}; accepted: {listed}", what="format", value=name[:40],
            accepted=list(FORMATS),
        )  # fmt: skip


def request_of(address: Address) -> TraceRequest:
    """The example of an address as POST /traces takes it; an invalid-request problem for what it would not take."""
    given = {
        "model": address.model,
        "text": address.text,
        "pair": address.pair,
        "target": address.target,
        "image": address.image,
        "options": {
            "truncate": address.truncate,
            "off": address.off.split(",") if address.off else [],
            "off_with": address.how if address.off else "zero",
            "chat": address.chat,
            "what_if": address.what_if.split(",") if address.what_if else [],
        },
        "written": [int(token) for token in address.written.split(".")] if address.written else [],
    }
    return checked(TraceRequest, given)


def comparison_of(address: Address) -> str | None:
    """What an address compares its text with: another "text", the same in another "model", or with its heads on
    ("switch") or as it is ("what-if"); None where it compares nothing, as a trace from a file cannot. As
    static/js/lib/compare.js."""
    if address.trace:
        return None
    if address.image is None and address.text is not None:
        if address.versus and address.versus != address.text:
            return "text"
        if address.versus_model and address.versus_model != address.model:
            return "model"
    if address.what_if:
        return "what-if"
    return "switch" if address.off else None


def _other(address: Address, way: str) -> Address:
    """The other side of a comparison."""
    if way == "text":
        return replace(address, text=address.versus, target=None, written=None)
    if way == "model":
        assert address.versus_model is not None
        return replace(address, model=address.versus_model, off=None, what_if=None, written=None, chat=False)
    return replace(address, off=None, what_if=None)


async def traces_of(
    service: "TraceService", wanted: Wanted, gone: "Gone"
) -> "tuple[tuple[str, AttentionTrace], ...]":
    """Ids and traces that a figure is drawn from, made where they are not held, one after the other."""
    file = wanted.address.trace
    if file and not wanted.requests:
        return ((file, service.held(file)),)
    return tuple([(await service.make(request, gone))[:2] for request in wanted.requests])


async def trace_of(service: "TraceService", address: Address, gone: "Gone") -> "tuple[str, AttentionTrace]":
    """The id and the trace of an address, as it is before it is looked at; the problems of `TraceService.make`."""
    return (await traces_of(service, Wanted(replace(address, view=None), "png"), gone))[0]


def link_of(address: Address, revision: str, base_url: str) -> str | None:
    """The permalink of an address: absolute and in full, with the model's revision; None where it would be too long."""
    begins = revision[:12]
    rev = begins if FORMS["rev"].read(begins) else None
    query = format_in_full(replace(address, rev=rev, theme=None)).removeprefix("?")
    travels = min(filter(None, (packed(query), packed(query, SHORT_LINK))), key=len, default=None)
    return None if travels is None else f"{base_url}/?{travels}"


def draw(
    wanted: Wanted, traces: "Sequence[AttentionTrace]", link: str | None, pause: Callable[[], None] | None = None
) -> bytes:
    """The file of a figure. It takes a part of a second of the processor, and of a long text minutes: not for the event
    loop. `pause` is called now and then; what it raises ends the work."""
    from attention_core.figures.pausing import pausing

    with pausing(pause):
        figure = figure_of(wanted, traces, link)
    if wanted.format == "json" and wanted.values == "0":
        from attention_core.figures import data_writer

        return data_writer.json(figure, values=False)
    written = figure.write(wanted.format, scale=wanted.x)
    if wanted.fit is None:
        return written
    from app.fitting import fitted
    from attention_core.figures.look import LOOKS

    width, height = map(int, wanted.fit.split("x"))
    paper = LOOKS[figure.style.theme].paper
    return fitted(written, width, height, _rgb(paper))


def figure_of(wanted: Wanted, traces: "Sequence[AttentionTrace]", link: str | None) -> "Figure":
    """The figure as plain data; an InputError for what these traces cannot show."""
    from attention_core.figures.make import make

    view = view_of(wanted, traces[0])
    # A profile is of what the model read, however it is looked at: as on the page.
    shown = traces if view == "profile" else [looked(trace, wanted.look) for trace in traces]
    other = shown[1] if len(shown) > 1 else None
    return make(view, shown[0], _choice(wanted), _style(wanted), other=other, link=link)


def view_of(wanted: Wanted, trace: "AttentionTrace") -> str:
    """What is drawn: what was asked for, else what the page would show (static/js/lib/choices.js), a table as a
    heatmap."""
    if wanted.figure is not None:
        return wanted.figure
    if wanted.compared:
        return "difference"
    view = wanted.address.view
    if trace.picture is not None:
        return "picture" if view in (None, "picture", "difference") else TABS.get(view, "heatmap")
    return "lines" if view == "lines" else "heatmap"


def _choice(wanted: Wanted) -> Any:
    from attention_core.figures.shown import Choice

    at = wanted.address
    there = (at.versus_layer, at.versus_head) if wanted.compared == "model" else (None, None)
    named: Any = {"curve": at.scale, "range": at.range}
    return Choice(
        kind=at.kind, layer=at.layer, head=at.head, query=at.query, key=at.key, queries=at.queries, keys=at.keys,
        other_layer=there[0] if None not in there else None, other_head=there[1] if None not in there else None,
        **named,
    )  # fmt: skip


def _style(wanted: Wanted) -> Any:
    from attention_core.figures.figure import Style

    named: Any = {"theme": wanted.theme, "language": wanted.address.lang or "en"}
    return Style(
        palette=wanted.palette, numbers=None if wanted.numbers is None else wanted.numbers == "1",
        caption=wanted.caption == "1", width=wanted.width, font_size=float(wanted.font),
        transparent=wanted.transparent, **named,
    )  # fmt: skip


def _rgb(colour: str) -> tuple[int, int, int]:
    """ "#rrggbb" as three numbers."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
