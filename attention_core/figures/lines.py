"""Lines: tokens that look on the left, tokens looked at on the right; a line's opacity is its weight."""

from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from attention_core.figures import numbers
from attention_core.figures.figure import Axis, Figure, Links, Style, Values
from attention_core.figures.labels import label
from attention_core.figures.options import Options, demand_head, sort
from attention_core.figures.parts import largest_line, of_line, what_line, window_lines
from attention_core.figures.shown import Shown, show
from attention_core.figures.source import (
    colour_lines,
    head_facts,
    head_line,
    head_title,
    looking_lines,
    model_lines,
    scale_title,
    text_line,
)
from attention_core.figures.words import say
from attention_core.tokens import Tokens
from attention_core.trace import AttentionTrace

ALL = 40  # tokens a side up to which every pair has its line
STRONGEST = 24  # lines of the chosen token alone where there are more
AROUND = 3  # tokens beside it


def lines(trace: AttentionTrace, **options: Unpack[Options]) -> Figure:
    """The lines of one head of a trace: lines(trace, layer=3, head=1, query=8) lets the lines of token 8 stand out.

    Of a long text only the strongest of the chosen token. See `Options` for what else can be chosen.
    """
    wanted = sort(options)
    demand_head(trace, options, "lines")
    return head_lines(show(wanted.looked(trace), wanted.choice), wanted.style, wanted.link)


def head_lines(of: Shown, style: Style, link: str | None = None) -> Figure:
    """The lines of the head in focus, as static/js/lib/links.js chooses them."""
    (first, last), (start, stop) = of.windows
    whole = last - first <= ALL and stop - start <= ALL
    if whole:
        rows, columns, values = np.arange(first, last), np.arange(start, stop), of.values
    else:
        rows, columns, values = _strongest(of)
    query, key = of.marked if whole else of.cell  # of a long text the chosen token alone has lines
    axes = (
        _axis(of.queries, rows, say(style, "axis.queries"), query),
        _axis(of.keys, columns, say(style, "axis.keys"), key),
    )
    at = axes[0].chosen
    texts = () if at is None else tuple("" if np.isnan(w) else numbers.weight(w, 2) for w in values[at].tolist())
    norm = "lines.norm" if of.trace.looking.measure == "norm" else "lines"
    note = say(style, norm) if whole else _partial(style, of, len(columns))
    caption = (
        f"{head_line(style, of)} {note}",
        *(window_lines(style, of) if whole else text_line(style, of.trace)),
        " ".join((*looking_lines(style, of.trace), *colour_lines(style, of))),
        *model_lines(style, of.trace, link),
    )
    return Figure(
        panel=Links(values, *axes, numbers=texts),
        title=head_title(style, of),
        alt_text=_alt_text(style, of, values, axes),
        scale=of.scale(scale_title(style, of.trace)),
        caption=tuple(filter(None, caption)),
        facts=head_facts(of, link),
        style=style,
    )


def _strongest(of: Shown) -> tuple[NDArray[np.int64], NDArray[np.int64], Values]:
    """The chosen token's strongest keys, the tokens around it, and their lines: its own alone."""
    query, row = of.cell[0], of.row
    count = min(STRONGEST, len(row))
    order = np.argsort(-np.nan_to_num(row, nan=-1.0), kind="stable")[:count]
    columns = np.sort(order[~np.isnan(row[order])])
    last = max(of.windows[0][1], query + 1)
    rows = np.arange(max(0, query - AROUND), min(query + AROUND + 1, last))
    values = np.full((len(rows), len(columns)), np.nan)
    values[query - rows[0]] = row[columns]
    return rows, columns, values


def _axis(tokens: Tokens, places: NDArray[np.int64], title: str, chosen: int | None) -> Axis:
    at = np.flatnonzero(places == (-1 if chosen is None else chosen))
    pair = tokens.pair is not None or "B" in tokens.segment
    return Axis(
        labels=tuple(label(tokens.texts[place]) for place in places),
        title=title,
        special=tuple(tokens.special[place] for place in places),
        chosen=int(at[0]) if at.size else None,
        segments=tuple(tokens.segment[place] for place in places) if pair else (),
    )


def _partial(style: Style, of: Shown, count: int) -> str:
    return say(style, "lines.partial", count=count, token=label(of.queries.texts[of.cell[0]]))


def _alt_text(style: Style, of: Shown, values: Values, axes: tuple[Axis, Axis]) -> str:
    what = what_line(style, of.trace)
    rows = int((~np.isnan(values)).any(axis=1).sum())  # of a long text one has lines, and stands among others
    first = say(style, "alt.lines", what=what, of=of_line(style, of), rows=rows, columns=len(axes[1]))
    return f"{first} {largest_line(style, values, axes)}"
