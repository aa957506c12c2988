"""One head among all of its kind: what it does in this text, in a few numbers, as the profile of the page has them."""

from collections.abc import Sequence
from math import ceil, isqrt
from typing import Unpack

import numpy as np

from attention_core.analysis.profile import HeadProfile
from attention_core.analysis.profile import profile as profiled
from attention_core.errors import InputError, NotAvailableError
from attention_core.figures import numbers
from attention_core.figures.figure import Figure, Measure, Measures, Style
from attention_core.figures.options import Options, demand_head, sort
from attention_core.figures.shown import Shown, show
from attention_core.figures.source import facts, head_line, model_lines, text_line, title
from attention_core.figures.words import model_name, say
from attention_core.trace import AttentionTrace, Looking

MEASURES = ("entropy", "distance", "offset_share", "special", "own", "same_word", "topic")
MOST_WEIGHTS = 30_000_000  # of all heads, up to which the page puts them into numbers (static/js/lib/asked.js)
OPEN = ("entropy", "distance")  # in bits and tokens; the others are shares, 0 to 1


def profile(trace: AttentionTrace, **options: Unpack[Options]) -> Figure:
    """A head among all heads of its kind, a row of dots for each number: profile(trace, layer=3, head=1).

    It is of the trace as the model read it: a NotAvailableError for words, hidden tokens and lengths, an InputError
    for a text that is too long for all heads.
    """
    wanted = sort(options)
    demand_head(trace, options, "profile")
    return head_profile(show(wanted.looked(trace), wanted.choice), wanted.style, wanted.link)


def head_profile(of: Shown, style: Style, link: str | None = None) -> Figure:
    """The profile of the head in focus."""
    trace = of.trace
    if trace.looking != Looking():
        raise NotAvailableError("a profile is of a text as the model read it: single tokens, none hidden, by weight")
    _demand_short(of)
    found = profiled(trace, kind=of.kind)
    own = next(one for one in found.heads if (one.layer, one.head) == (of.choice.layer, of.choice.head))
    rows, name = tuple(_measures(style, found.heads, own)), model_name(style, trace)
    caption = (
        f"{head_line(style, of)} {say(style, 'profile', head=of.named, count=found.rows)}",
        *text_line(style, trace),
        *model_lines(style, trace, link),
    )
    told = "; ".join(say(style, "alt.measure", name=row.name, text=row.text) for row in rows)
    first = say(style, "alt.profile", head=of.named, model=name, count=len(found.heads))
    place = {"kind": str(of.kind), "layer": of.choice.layer, "head": of.choice.head}
    tokens = {"queries": list(of.queries.texts), "keys": list(of.keys.texts)}
    return Figure(
        panel=Measures(rows, of.named),
        title=title(style, trace, say(style, "title.profile", head=f"{name} · {of.named}")),
        alt_text=f"{first} {told}.",
        caption=caption,
        facts=facts(trace, link, **place, rows=found.rows, tokens=tokens),
        style=style,
    )


def _demand_short(of: Shown) -> None:
    """An InputError for a text whose heads have more weights than are put into numbers."""
    heads = len(of.trace.maps_of(of.kind)) * of.map.head_count
    if heads * of.map.query_count * of.map.key_count > MOST_WEIGHTS:
        limit = isqrt(MOST_WEIGHTS // heads)
        sentence = f"this text is too long to put all {heads} heads into numbers: about {limit} tokens are the most"
        raise InputError(sentence, limit=limit)


def _measures(style: Style, heads: Sequence[HeadProfile], own: HeadProfile) -> list[Measure]:
    rows = []
    for name in MEASURES:
        values = [value for one in heads if (value := getattr(one, name)) is not None]
        if not values:
            continue
        mine = getattr(own, name)
        high = max(1.0, ceil(2 * max(values)) / 2) if name in OPEN else 1.0
        rows.append(
            Measure(
                name=say(style, f"measure.{name}"),
                values=np.array(values, dtype=np.float64),
                chosen=np.nan if mine is None else float(mine),
                text=_text(name, own),
                high=high,
            )
        )
    return rows


def _text(name: str, own: HeadProfile) -> str:
    """The head's own number as the page prints it, "–" where it has none."""
    value = getattr(own, name)
    if value is None:
        return "–"
    text = numbers.weight(value, 2 if name in OPEN else 3)
    if name != "offset_share" or own.offset is None:
        return text
    return f"{text} ({'+' if own.offset > 0 else '−' if own.offset < 0 else ''}{abs(own.offset)})"
