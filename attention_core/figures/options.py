"""The options of the public functions: what of a trace is shown, how it is looked at, and how the figure looks."""

from dataclasses import dataclass, fields
from typing import Any, Literal, TypedDict

from attention_core.errors import InputError
from attention_core.figures.figure import Curve, Style, Theme
from attention_core.figures.shown import Choice, Span
from attention_core.looking import look
from attention_core.trace import AttentionTrace


class Options(TypedDict, total=False):
    """Of `Choice`, of `looking.look`, of `Style`, and `link`, which the caption ends with.

    Here `mark` is False by default: a cell wears a mark where a query or key is given.
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
    """The options in their groups; an InputError names one that does not exist."""
    given: dict[str, Any] = dict(options)
    known = (*CHOICE, *LOOK, *STYLE, "link")
    unknown = [name for name in given if name not in known]
    if unknown:
        raise InputError(f"unknown option {unknown[0][:100]!r}; accepted: {', '.join(known)}")
    groups = [{name: given[name] for name in names if name in given} for names in (CHOICE, STYLE, LOOK)]
    groups[0].setdefault("mark", False)
    return Sorted(Choice(**groups[0]), Style(**groups[1]), given.get("link"), groups[2])


def demand_head(trace: AttentionTrace, options: Options, name: str) -> None:
    """An InputError where a figure of one head does not say which, or of which kind."""
    if "layer" not in options or "head" not in options:
        raise InputError(f"a trace has many heads; name one: {name}(trace, layer=3, head=1)")
    if options.get("kind") is None and len(trace.kinds) > 1:
        raise InputError(f"this trace has several kinds of attention; choose one: {', '.join(trace.kinds)}")
