"""The options of the public functions: what of a trace is shown, how it is looked at, and how the figure looks."""

from dataclasses import dataclass, fields
from operator import index
from typing import Any, Literal, TypedDict

import numpy as np

from attention_core.errors import InputError
from attention_core.figures.figure import Curve, Style, Theme
from attention_core.figures.shown import Choice, Span
from attention_core.looking import look
from attention_core.trace import AttentionTrace


class Options(TypedDict, total=False):
    """What the functions of this package take beside a trace, all by name.

    What is shown: `kind`, `layer` and `head`, counted from 0; `query` and `key`, positions of tokens, whose cell wears
    a mark (with `mark` the strongest one does without them); `queries` and `keys`, windows (a, b) from a up to b;
    `other_layer` and `other_head` of a difference. How it is looked at: `words`, `special` ("show", "hide",
    "renormalise"), `segments` of a pair ("all", "AA", "AB", "BA", "BB"), `measure` ("weight", "norm"); `curve` of the
    colours ("linear", "sqrt", "log") and their `range` ("unit", "head"). How it looks: the fields of `Style`. `link` is
    an address that the caption ends with.
    """

    kind: str | None
    layer: int
    head: int
    query: int | None
    key: int | None
    queries: Span | None
    keys: Span | None
    curve: Curve
    range: Literal["unit", "head"] | None
    other_layer: int | None
    other_head: int | None
    mark: bool
    words: bool
    special: str
    segments: str
    measure: str
    theme: Theme
    palette: str
    language: Literal["en", "ko"]
    numbers: bool | None
    caption: bool
    width: int | None
    font_size: float
    transparent: bool
    link: str | None


CHOICE = tuple(one.name for one in fields(Choice))
STYLE = tuple(one.name for one in fields(Style))
LOOK = ("words", "special", "segments", "measure")
WHOLE = ("layer", "head", "query", "key", "other_layer", "other_head", "width")
SPANS = ("queries", "keys")
FLAGS = ("mark", "words", "numbers", "caption", "transparent")
# None stands for a default of these.
OPTIONAL = ("query", "key", "other_layer", "other_head", "width", "queries", "keys", "numbers", "link")


@dataclass(frozen=True)
class Sorted:
    """Options by whom they concern."""

    choice: Choice
    style: Style
    link: str | None
    look: dict[str, Any]

    def looked(self, trace: AttentionTrace) -> AttentionTrace:
        """The trace as it is to be shown."""
        return look(trace, **self.look) if self.look else trace


def sort(options: Options) -> Sorted:
    """The options in their groups; an InputError names one that does not exist, or is of another sort."""
    known = (*CHOICE, *LOOK, *STYLE, "link")
    unknown = [name for name in options if name not in known]
    if unknown:
        raise InputError(f"unknown option {unknown[0][:100]!r}; accepted: {', '.join(known)}")
    given = plain(options)
    groups = [{name: given[name] for name in names if name in given} for names in (CHOICE, STYLE, LOOK)]
    groups[0].setdefault("mark", False)
    return Sorted(Choice(**groups[0]), Style(**groups[1]), given.get("link"), groups[2])


def plain(options: Options) -> dict[str, Any]:
    """The options in plain Python, whichever library's numbers they were; an InputError for another sort of value."""
    return {name: _read(name, value) for name, value in options.items()}


def _read(name: str, value: Any) -> Any:
    if value is None and name in OPTIONAL:
        return None
    if name in WHOLE:
        return whole(name, value)
    if name in SPANS:
        if not isinstance(value, tuple | list) or len(value) != 2:
            raise InputError(f"{name} is a window of two positions, as in {name}=(2, 7), not {value!r:.60}")
        return whole(name, value[0]), whole(name, value[1])
    if name in FLAGS:
        if not isinstance(value, bool | np.bool_):
            raise InputError(f"{name} is True or False, not {value!r:.60}")
        return bool(value)
    if name == "font_size" and not isinstance(value, int | float | np.number):
        raise InputError(f"font_size is a number of pixels, not {value!r:.60}")
    if name == "link" and not isinstance(value, str):
        raise InputError(f"link is an address, a text, not {value!r:.60}")
    return value


def whole(name: str, value: Any) -> int:
    """A whole number of any library as one of Python; an InputError for anything else."""
    try:
        return int(index(value))
    except TypeError:
        raise InputError(f"{name} is a whole number, not {value!r:.60}") from None


def demand_trace(trace: object) -> None:
    """An InputError for what is no trace."""
    if not isinstance(trace, AttentionTrace):
        sentence = 'a trace is needed, as capture("minilm", "The cat sat") gives it'
        raise InputError(f"{sentence}, not {type(trace).__name__}; of weights and tokens there is heatmap")


def demand_head(trace: AttentionTrace, options: Options, name: str) -> None:
    """An InputError for what is no trace, and where a figure of one head does not say which, or of which kind."""
    demand_trace(trace)
    if "layer" not in options or "head" not in options:
        raise InputError(f"a trace has many heads; name one: {name}(trace, layer=3, head=1)")
    if options.get("kind") is None and len(trace.kinds) > 1:
        raise InputError(f"this trace has several kinds of attention; choose one: {', '.join(trace.kinds)}")
