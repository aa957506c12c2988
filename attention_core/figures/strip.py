"""The text as tokens, coloured by how much one of them looks at each: the token strip of the page."""

from typing import Unpack

import numpy as np

from attention_core.errors import InputError
from attention_core.figures import numbers
from attention_core.figures.figure import Axis, Figure, Strip, Style, Values
from attention_core.figures.labels import label
from attention_core.figures.options import Options, demand_head, sort
from attention_core.figures.parts import of_line
from attention_core.figures.shown import Shown, show
from attention_core.figures.source import (
    colour_lines,
    head_facts,
    head_line,
    head_title,
    looking_lines,
    model_lines,
    scale_title,
)
from attention_core.figures.words import say
from attention_core.maps import Kind
from attention_core.tokens import Tokens
from attention_core.trace import AttentionTrace

MOST = 1024  # tokens


def strip(trace: AttentionTrace, **options: Unpack[Options]) -> Figure:
    """The text coloured by one row of a head: strip(trace, layer=3, head=1, query=8) shows where token 8 looks.

    Without a query the row with the strongest weight. An InputError for more than 1,024 tokens without a window `keys`.
    """
    wanted = sort(options)
    demand_head(trace, options, "strip")
    return head_strip(show(wanted.looked(trace), wanted.choice), wanted.style, wanted.link)


def head_strip(of: Shown, style: Style, link: str | None = None) -> Figure:
    """The tokens that the head in focus looks at, in the colours of the chosen row."""
    start, stop = of.windows[1] if len(of.keys) > MOST else (0, len(of.keys))
    if stop - start > MOST:
        sentence = f"{stop - start} tokens; a strip shows at most {MOST}: choose a window of keys"
        raise InputError(sentence, limit=MOST)
    query = of.cell[0]
    values = of.row[start:stop]
    between = of.queries is not of.keys
    chosen = query - start if not between and start <= query < stop else None
    tokens = Axis(
        labels=tuple(map(label, of.keys.texts[start:stop])),
        special=of.keys.special[start:stop],
        chosen=chosen,
        segments=_segments(of.keys, start, stop),
    )
    texts = tuple("" if np.isnan(value) else numbers.weight(value, 2) for value in values.tolist())
    who = label(of.queries.texts[query])
    caption = (
        f"{head_line(style, of)} {_what(style, of, who)}",
        *_removed(style, of, query),
        " ".join((*looking_lines(style, of.trace), *colour_lines(style, of))),
        *model_lines(style, of.trace, link),
    )
    return Figure(
        panel=Strip(values, tokens, texts, starts=_starts(of.keys)[start:stop]),
        title=f"{head_title(style, of)} · {who}",
        alt_text=_alt_text(style, of, values, tokens, who),
        scale=of.scale(scale_title(style, of.trace)),
        caption=tuple(filter(None, caption)),
        facts=head_facts(of, link, query=query, token=of.queries.texts[query]),
        style=style,
    )


def _what(style: Style, of: Shown, who: str) -> str:
    segments = of.trace.looking.segments
    if of.trace.looking.measure == "norm":
        return say(style, "strip.norm", token=who)
    if segments != "all" and of.kind == Kind.ENCODER_SELF:
        return say(style, "strip.pair", token=who, segment=segments[1])
    return say(style, f"strip.{of.kind}", token=who)


def _removed(style: Style, of: Shown, query: int) -> tuple[str, ...]:
    removed = of.removed
    return () if removed is None else (say(style, "strip.removed", share=numbers.weight(removed[query])),)


def _segments(tokens: Tokens, start: int, stop: int) -> tuple[str, ...]:
    return tuple(tokens.segment[start:stop]) if tokens.pair is not None or "B" in tokens.segment else ()


def _starts(tokens: Tokens) -> tuple[bool, ...]:
    """Which tokens begin a word; as static/js/lib/tokens.js tells them."""
    known = list(zip(tokens.words, tokens.segment, strict=True))
    return tuple(at == 0 or word[0] is None or word != known[at - 1] for at, word in enumerate(known))


def _alt_text(style: Style, of: Shown, values: Values, tokens: Axis, who: str) -> str:
    looking, named = of.trace.looking, {"columns": len(tokens), "query": who, "of": of_line(style, of)}
    norm = looking.measure == "norm"
    if norm:
        first = say(style, "alt.strip.norm", **named)
    elif looking.segments != "all" and of.kind == Kind.ENCODER_SELF:
        first = say(style, "alt.strip.pair", segment=looking.segments[1], **named)
    else:
        of_what = ".picture" if of.trace.picture is not None else ".cross" if of.kind == Kind.CROSS else ""
        first = say(style, f"alt.strip{of_what}", **named)
    if not np.nan_to_num(values).any():
        return f"{first} {say(style, 'alt.nothing')}"
    at = int(np.nanargmax(values))
    name = "alt.largest.strip.norm" if norm else "alt.largest.strip"
    largest = say(style, name, key=tokens.labels[at], weight=numbers.weight(values[at]))
    return f"{first} {largest}"
