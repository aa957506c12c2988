"""All heads of a kind at once: layers down, heads across, each head a small heatmap."""

from collections.abc import Iterator
from math import isqrt
from typing import Unpack

import numpy as np
import torch

from attention_core.errors import InputError
from attention_core.figures import numbers
from attention_core.figures.figure import Figure, Heads, Scale, Style, Values
from attention_core.figures.options import Options, demand_trace, sort
from attention_core.figures.parts import what_line
from attention_core.figures.pausing import pause
from attention_core.figures.shown import Shown, allowed_cells, show
from attention_core.figures.source import facts, looking_lines, model_lines, scale_title, text_line, title
from attention_core.figures.words import model_name, say
from attention_core.maps import AttentionMap
from attention_core.trace import AttentionTrace

SIZE = 32  # cells a side of a head, as on the page
AT_ONCE = 2**22  # weights of a layer that are reduced without a pause: milliseconds
MOST_WEIGHTS = 2**31  # of all heads together: minutes of a processor


def grid(trace: AttentionTrace, **options: Unpack[Options]) -> Figure:
    """Every head of a kind of a trace, small: grid(trace), grid(trace, kind="cross"); by default of the first kind.

    Where layer and head are given that head wears a frame. See `Options` for what else can be chosen.
    """
    demand_trace(trace)
    wanted = sort(options)
    return _grid(
        show(wanted.looked(trace), wanted.choice), wanted.style, wanted.link, framed={"layer", "head"} <= set(options)
    )


def heads_grid(of: Shown, style: Style, link: str | None = None) -> Figure:
    """All heads of the kind of the head in focus, which wears a frame."""
    return _grid(of, style, link, framed=True)


def _demand_few(of: Shown) -> None:
    """An InputError for a text whose heads have more weights than one picture is computed from."""
    heads = len(of.trace.maps_of(of.kind)) * of.map.head_count
    if heads * of.map.query_count * of.map.key_count > MOST_WEIGHTS:
        limit = isqrt(MOST_WEIGHTS // heads)
        sentence = f"this text is too long to draw all {heads} heads: about {limit} tokens are the most"
        raise InputError(sentence, limit=limit)


def _grid(of: Shown, style: Style, link: str | None, *, framed: bool) -> Figure:
    _demand_few(of)
    trace, maps = of.trace, of.trace.maps_of(of.kind)
    values = _values(of)
    layers, heads = values.shape[:2]
    each = of.range == "head"
    highs = np.nan_to_num(values).max(axis=(2, 3)) if each else None
    panel = Heads(
        values,
        chosen=(of.choice.layer, of.choice.head) if framed else None,
        highs=None if highs is None else np.where(highs > 0, highs, 1.0),
        off=_off(of),
    )
    name = f"scale.each.{trace.looking.measure}"
    lines = (
        f"{_heads_line(style, of, layers, heads)} {say(style, 'grid')}",
        " ".join((*looking_lines(style, trace), *_colour_lines(style, of, each))),
        *_cell_lines(style, of, values),
        *text_line(style, trace),
        *model_lines(style, trace, link),
    )
    tokens = {"queries": list(of.queries.texts), "keys": list(of.keys.texts)}
    return Figure(
        panel=panel,
        title=title(style, trace, say(style, "title.all", model=model_name(style, trace))),
        alt_text=_alt_text(style, of, values),
        scale=Scale(say(style, name) if each else scale_title(style, trace), 1.0, of.choice.curve),
        caption=tuple(filter(None, lines)),
        facts=facts(trace, link, kind=str(of.kind), layers=len(maps), heads=heads, tokens=tokens),
        style=style,
    )


def _values(of: Shown) -> Values:
    """Every head's largest weight in each cell (layer, head, row, column), NaN where nothing may be looked at."""
    lines = []
    for one in of.trace.maps_of(of.kind):
        found = torch.cat(list(_overviews(one))).double()  # (head, row, column)
        rows, columns = (
            [at * count // min(SIZE, count) for at in range(min(SIZE, count) + 1)]
            for count in (one.query_count, one.key_count)
        )
        blocked = torch.from_numpy(~allowed_cells(one, rows, columns)).to(found.device)
        lines.append(found.masked_fill((found == 0) & blocked, torch.nan))
    return np.asarray(torch.stack(lines).cpu().numpy())


def _overviews(one: AttentionMap) -> Iterator[torch.Tensor]:
    """The overviews (head, row, column) of a layer: of a long text head by head, with a pause before each."""
    whole = one.head_count * one.query_count * one.key_count <= AT_ONCE
    for heads in (None,) if whole else range(one.head_count):
        pause()
        yield one.overview(heads, SIZE)


def _off(of: Shown) -> tuple[tuple[int, int], ...]:
    split = (name.split(".") for name in of.trace.off)
    return tuple((int(layer), int(head)) for kind, layer, head in split if kind == of.kind)


def _heads_line(style: Style, of: Shown, layers: int, heads: int) -> str:
    kind = say(style, f"kind.{of.kind}")
    return say(style, "heads", count=layers * heads, layers=layers, heads=heads, kind=kind)


def _colour_lines(style: Style, of: Shown, each: bool) -> tuple[str, ...]:
    curve = () if of.choice.curve == "linear" else (say(style, f"curve.{of.choice.curve}"),)
    return (*curve, *((say(style, "range.each"),) if each else ()))


def _cell_lines(style: Style, of: Shown, values: Values) -> tuple[str, ...]:
    most = [-(-count // size) for count, size in zip((len(of.queries), len(of.keys)), values.shape[2:], strict=True)]
    said = [say(style, "overview", rows=most[0], columns=most[1])] if max(most) > 1 else []
    if np.isnan(values).any():
        said.append(say(style, "blocked.grid"))
    return (" ".join(said),) if said else ()


def _alt_text(style: Style, of: Shown, values: Values) -> str:
    layers, heads = values.shape[:2]
    what = what_line(style, of.trace)
    first = say(style, "alt.grid", model=model_name(style, of.trace), layers=layers, heads=heads, what=what)
    highs = np.nan_to_num(values).max(axis=(2, 3))
    if not highs.any():
        return f"{first} {say(style, 'alt.nothing')}"
    layer, head = divmod(int(highs.argmax()), heads)
    weight = numbers.weight(highs[layer, head])
    return f"{first} {say(style, 'alt.largest.grid', weight=weight, head=f'L{layer} H{head}')}"
