"""The address of a view: the page's table of parameters (static/js/state.js) in Python, held to it by a test.

A link to the page never fails: a bad value falls back there. What is drawn from an address alone (a figure, an embed)
says what is wrong with it instead, because nobody would notice: that is `strict`.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, unquote_to_bytes

from app.packing import unpacked
from app.problems import ProblemError
from attention_core import what_if
from attention_core.errors import InputError

Document = Mapping[str, Any]
Starts = Callable[[str | None], "Address"]
Pairs = list[tuple[str, str]]

LARGEST = 1_000_000
MOST_OFF = 400
MOST_POSITIONS = 16
MOST_WRITTEN = 256
# What JavaScript's trim takes away: white space and ends of lines, of which Python counts some others.
BLANK = re.compile("[\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]*")
_HEAD = re.compile(r"(?:encoder-self|decoder-self|cross)\.(?:0|[1-9][0-9]{0,2})\.(?:0|[1-9][0-9]{0,2})")
_POSITIONS = re.compile(r"(?:0|[1-9][0-9]{0,6})(?:,(?:0|[1-9][0-9]{0,6}))*")
_NUMBERS = re.compile(r"(?:0|[1-9][0-9]{0,8})(?:\.(?:0|[1-9][0-9]{0,8}))*")


@dataclass(frozen=True)
class Form:
    """How a parameter's value is read (None where it is no such value) and what is accepted, in words and as JSON
    schema."""

    read: Callable[[str], Any]
    accepted: str
    schema: Document
    write: Callable[[Any], str] = str


def matching(pattern: str, accepted: str) -> Form:
    """Words of a shape, taken as they stand."""
    shape = re.compile(pattern)
    schema = {"type": "string", "pattern": f"^{pattern}$"}
    return Form(lambda raw: raw if shape.fullmatch(raw) else None, accepted, schema)


def one_of(*accepted: str) -> Form:
    """One of some words."""
    schema = {"type": "string", "enum": list(accepted)}
    return Form(lambda raw: raw if raw in accepted else None, ", ".join(accepted), schema)


def between(least: int, most: int, digits: int = 10) -> Form:
    """A whole number in plain digits."""
    shape = re.compile(f"[0-9]{{1,{digits}}}")

    def read(raw: str) -> int | None:
        return int(raw) if shape.fullmatch(raw) and least <= int(raw) <= most else None

    schema = {"type": "integer", "minimum": least, "maximum": most}
    return Form(read, f"a whole number from {least} to {most}", schema)


def hundredths(most: int) -> Form:
    """A number above 0 with at most two decimals."""
    shape = re.compile(r"[0-9]{1,2}(\.[0-9]{1,2})?")

    def read(raw: str) -> float | None:
        return float(raw) if shape.fullmatch(raw) and 0 < float(raw) <= most else None

    schema = {"type": "number", "exclusiveMinimum": 0, "maximum": most}
    accepted = f"a number above 0 and up to {most}, with at most two decimals"
    return Form(read, accepted, schema, lambda value: f"{value:g}")


def _span(raw: str) -> tuple[int, int] | None:
    parts = re.fullmatch(r"([0-9]{1,7}):([0-9]{1,7})", raw)
    first, last = (int(parts[1]), int(parts[2])) if parts else (0, 0)
    return (first, last) if first < last <= LARGEST else None


def _heads(raw: str) -> str | None:
    names = list(dict.fromkeys(raw.split(",")))
    return ",".join(names) if len(names) <= MOST_OFF and all(map(_HEAD.fullmatch, names)) else None


def _positions(raw: str) -> str | None:
    if not _POSITIONS.fullmatch(raw):
        return None
    some = list(dict.fromkeys(raw.split(",")))
    return ",".join(some) if len(some) <= MOST_POSITIONS and all(int(at) <= LARGEST for at in some) else None


def _what_if(raw: str) -> str | None:
    try:
        return ",".join(what_if.checked(raw.split(",")))
    except InputError:
        return None


def _numbers(raw: str) -> str | None:
    return raw if _NUMBERS.fullmatch(raw) and raw.count(".") < MOST_WRITTEN else None


TEXT = Form(lambda raw: None if BLANK.fullmatch(raw) else raw, "a text that is not empty", {"type": "string"})
WORD = matching("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", "a name of letters, digits, dots and dashes")
COUNT = between(0, LARGEST, digits=7)
SPAN = Form(
    _span, "positions a:b, without b", {"type": "string", "pattern": "^[0-9]{1,7}:[0-9]{1,7}$"},
    lambda span: f"{span[0]}:{span[1]}",
)  # fmt: skip
FLAG = Form(lambda raw: True if raw == "1" else None, "1", {"type": "string", "enum": ["1"]}, lambda _: "1")
HEADS = Form(_heads, f"at most {MOST_OFF} heads such as decoder-self.0.3,cross.1.2", {"type": "string"})
POSITIONS = Form(_positions, f"at most {MOST_POSITIONS} positions with commas between", {"type": "string"})
WHAT_IF = Form(_what_if, f"each at most once: {', '.join(what_if.ACCEPTED)}", {"type": "string"})
NUMBERS = Form(_numbers, f"at most {MOST_WRITTEN} ids with dots between", {"type": "string"})


def _parameter(form: Form, help_line: str, fallback: Any = None) -> Any:
    return field(default=fallback, metadata={"form": form, "help": help_line})


@dataclass(frozen=True)
class Address:
    """What an address means: a value for every parameter of the page, None where nothing is said.

    query, key, rivals, aim and onto are positions of the tokens that the model read, whatever words and special hide
    or merge; queries and keys are windows of what is shown. `off`, `rivals` and `written` stand as the address
    writes them.
    """

    text: str | None = _parameter(TEXT, "what the model reads; without text, image and trace its first example")
    pair: str | None = _parameter(TEXT, "a second text, for encoders that read two")
    target: str | None = _parameter(TEXT, "what a translation says; default: the model's own")
    image: str | None = _parameter(WORD, "a sample's name, or an id of POST /api/v1/images")
    trace: str | None = _parameter(
        matching("file-[0-9a-f]{40}", "the id of a trace file, such as file- and 40 digits of its hash"),
        "the id of a trace file; it stands in for the text and the model",
    )
    model: str = _parameter(WORD, "a name of /api/v1/models; default: its default")
    rev: str | None = _parameter(
        matching("[0-9a-f]{12}", "12 hexadecimal digits"), "how the revision begins that the model had in a permalink"
    )
    kind: str | None = _parameter(one_of("encoder-self", "decoder-self", "cross"), "default: the model's first")
    layer: int = _parameter(COUNT, "counted from 0", 0)
    head: int = _parameter(COUNT, "counted from 0", 0)
    query: int | None = _parameter(COUNT, "the token that looks; default: of the strongest weight")
    key: int | None = _parameter(COUNT, "the token looked at; default: the query's strongest")
    tool: str | None = _parameter(one_of("link", "profile", "compare", "switch", "importance"), "the page's open tool")
    rivals: str | None = _parameter(POSITIONS, "other tokens that could be meant")
    sort: str | None = _parameter(WORD, "the measure that orders the page's table of heads")
    mark: str | None = _parameter(WORD, "the role whose heads the page marks")
    versus: str | None = _parameter(TEXT, "another text that it is compared with")
    versus_model: str | None = _parameter(WORD, "another model that it is compared in")
    versus_layer: int | None = _parameter(COUNT, "the layer in the other model; default: of the nearest head")
    versus_head: int | None = _parameter(COUNT, "the head in the other model; default: the nearest")
    aim: int | None = _parameter(COUNT, "the row whose outcome an experiment watches")
    onto: int | None = _parameter(COUNT, "the token whose weight an experiment is set against")
    scan: bool = _parameter(FLAG, "every head is switched off in turn", False)
    view: str | None = _parameter(
        one_of("heatmap", "lines", "table", "compute", "picture", "difference"),
        "the page's tab; default: what fits the trace",
    )
    step: str | None = _parameter(
        one_of("input", "project", "dot", "scale", "cap", "bias", "mask", "softmax", "weigh", "sum", "join"),
        "the step on show in the tab compute; default: the first",
    )
    measure: str = _parameter(one_of("weight", "norm"), "norm: shares of the lengths ‖αf(x)‖", "weight")
    scale: str = _parameter(one_of("linear", "sqrt", "log"), "the curve from weights to colours", "linear")
    range: str | None = _parameter(one_of("unit", "head"), "colours end at 1, or at the head's largest")
    queries: tuple[int, int] | None = _parameter(SPAN, "a window of the tokens that look")
    keys: tuple[int, int] | None = _parameter(SPAN, "a window of the tokens looked at")
    words: bool = _parameter(FLAG, "pieces are merged into whole words", False)
    special: str = _parameter(one_of("show", "hide", "renormalise"), "what becomes of special tokens", "show")
    segments: str = _parameter(one_of("all", "AA", "AB", "BA", "BB"), "of a pair, who looks at whom", "all")
    off: str | None = _parameter(HEADS, "heads that are switched off")
    how: str = _parameter(one_of("zero", "mean"), "what comes of these heads", "zero")
    what_if: str | None = _parameter(
        WHAT_IF, f"what a model of ours does otherwise: {', '.join(what_if.ACCEPTED)}, with commas between"
    )
    truncate: bool = _parameter(FLAG, "the beginning of a text that is too long", False)
    written: str | None = _parameter(NUMBERS, "ids of what the model wrote after the text")
    chat: bool = _parameter(FLAG, "the text is put into the model's chat template", False)
    tokens: int = _parameter(between(1, MOST_WRITTEN), "how many tokens the page lets it write", 64)
    method: str = _parameter(one_of("greedy", "sample"), "how the page lets it write", "greedy")
    temperature: float = _parameter(hundredths(5), "of a sample", 1.0)
    topk: int = _parameter(between(1, 1000), "of a sample", 50)
    seed: int = _parameter(between(0, 2**32 - 1), "of a sample", 0)
    theme: str | None = _parameter(one_of("light", "dark"), "default: the reader's own")
    lang: str | None = _parameter(one_of("en", "ko"), "default: the reader's own")


FORMS: dict[str, Form] = {one.name: one.metadata["form"] for one in fields(Address)}
HELP: dict[str, str] = {one.name: one.metadata["help"] for one in fields(Address)}
FALLBACKS = Address()
_NOWHERE = Address(model="", layer=-1)  # no address means this: beside it, everything is said
# What an example decides: left out together, or written together.
EXAMPLE = ("text", "pair", "target", "image", "kind", "layer", "head", "query", "key", "chat")
# What an address must name to mean an example of its own.
SUBJECT = ("text", "image", "trace")


def load_examples() -> list[dict[str, Any]]:
    """The examples that the page offers."""
    examples = Path(__file__).resolve().parent / "examples.json"
    loaded: list[dict[str, Any]] = json.loads(examples.read_text(encoding="utf-8"))
    return loaded


def create_starts(examples: Sequence[Document], usual: str) -> Starts:
    """A function from a model's name, None for the usual one, to what its address means without other parameters: the
    model's first example with its head and cell."""

    @lru_cache(maxsize=64)
    def start(model: str | None = None) -> Address:
        name = usual if model is None else model
        first = next((one for one in examples if one.get("model") == name), {"text": examples[0].get("text")})
        given: dict[str, Any] = {part: first[part] for part in EXAMPLE if first.get(part) is not None}
        return replace(FALLBACKS, **given, model=name)

    return start


def pairs_of(query: str) -> Pairs:
    """Names and values of a query string, as a browser's URLSearchParams reads it."""
    pairs = []
    for part in query.removeprefix("?").split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((_decoded(name), _decoded(value)))
    return pairs


def _decoded(part: str) -> str:
    whole = part.replace("+", " ").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return unquote_to_bytes(whole).decode("utf-8", "replace")


def read_address(query: str, starts: Starts, *, strict: bool = False) -> Address:
    """What a query string means, with or without its question mark; without a text, an image or a trace the model's
    first example is meant.

    A packed address (packing.py) is unpacked. As on the page a bad value falls back, of a name given twice the first
    good value counts, and unknown names are passed over. A strict reading raises an unknown-parameter or
    invalid-request problem instead, all faults at once.
    """
    try:
        pairs = pairs_of(f"?{unpacked(query)}")
    except ProblemError:
        if strict:
            raise
        pairs = []
    if strict:
        demand_known(pairs, FORMS)
    given: dict[str, Any] = {}
    for name, raw in pairs:
        value = FORMS[name].read(raw) if name in FORMS and name not in given else None
        if value is not None:
            given[name] = value
    start = starts(given.get("model"))
    base = replace(FALLBACKS, model=start.model) if any(name in given for name in SUBJECT) else start
    return replace(base, **given)


def demand_known(pairs: Pairs, forms: Mapping[str, Form]) -> None:
    """A problem for what is not in a table of parameters, for a name that stands twice, and for a bad value."""
    names = [name for name, _ in pairs]
    for name in names:
        if name not in forms:
            listed = ", ".join(forms)
            raise ProblemError(
                "unknown-parameter", f"unknown parameter {name[:100]!r}; accepted: {listed}", value=name[:100],
                accepted=list(forms),
            )  # fmt: skip
    faults = [f"{name}: is given twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    faults += [
        f"{name}: {raw[:60]!r} is none; accepted: {forms[name].accepted}"
        for name, raw in pairs
        if forms[name].read(raw) is None
    ]
    if faults:
        raise ProblemError("invalid-request", "; ".join(faults), errors=faults)


def format_address(address: Address, starts: Starts) -> str:
    """The query string of an address with its question mark, "" for the page as it opens."""
    start = starts(address.model)
    as_start = all(getattr(address, name) == getattr(start, name) for name in EXAMPLE)
    said = []
    for name in FORMS:
        value = getattr(address, name)
        usual = starts(None).model if name == "model" else getattr(FALLBACKS, name)
        silent = (as_start and name in EXAMPLE) or value is None or value == usual
        if not silent:
            said.append((name, FORMS[name].write(value)))
    return f"?{encoded(said)}" if said else ""


def format_in_full(address: Address) -> str:
    """The query string that means this address even where other examples, or another model, come first."""
    return format_address(address, lambda _: _NOWHERE)


def encoded(pairs: Iterable[tuple[str, str]]) -> str:
    """Pairs as a query string, as a browser's URLSearchParams writes it."""
    quoted = partial(quote_plus, safe="*", errors="replace")
    return "&".join(f"{quoted(name)}={quoted(value)}".replace("~", "%7E") for name, value in pairs)
