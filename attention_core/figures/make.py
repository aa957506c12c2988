"""One way from a view's name to its figure: what the address of a picture, the command line and the page share."""

from collections.abc import Callable

from attention_core.errors import InputError, UnknownNameError
from attention_core.figures.difference import head_difference
from attention_core.figures.figure import Figure, Style
from attention_core.figures.generation import head_generation
from attention_core.figures.grid import heads_grid
from attention_core.figures.heatmap import head_heatmap
from attention_core.figures.lines import head_lines
from attention_core.figures.overlay import head_overlay
from attention_core.figures.profile import head_profile
from attention_core.figures.shown import Choice, Shown, show
from attention_core.figures.strip import head_strip
from attention_core.trace import AttentionTrace

VIEWS = ("heatmap", "grid", "lines", "strip", "picture", "difference", "profile", "generation")
Maker = Callable[[Shown, Style, str | None], Figure]

MAKERS: dict[str, Maker] = {
    "heatmap": head_heatmap,
    "grid": heads_grid,
    "lines": head_lines,
    "strip": head_strip,
    "picture": head_overlay,
    "profile": head_profile,
    "generation": head_generation,
}


def make(
    view: str,
    trace: AttentionTrace,
    choice: Choice,
    style: Style | None = None,
    *,
    other: AttentionTrace | None = None,
    link: str | None = None,
) -> Figure:
    """The figure of one of VIEWS of a trace that is looked at already; "profile" is of the trace as it was read.

    `other` is the second trace of a difference, looked at in the same way. An InputError tells what cannot be shown.
    A grid of a long text may take minutes, and pauses between its heads (pausing.py).
    """
    style = Style() if style is None else style
    if view not in VIEWS:
        raise UnknownNameError("figure", view, VIEWS)
    if view == "difference":
        if other is None:
            raise InputError("a difference needs a second trace: of another text, another model, or with heads off")
        return head_difference(trace, other, choice, style, link)
    return MAKERS[view](show(trace, choice), style, link)
