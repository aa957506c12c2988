"""A picture, and over it where one of its patches, or the class token, looks."""

from typing import Unpack

import numpy as np

from attention_core.errors import NotAvailableError
from attention_core.figures import numbers
from attention_core.figures.figure import Figure, Overlay, Style, Values
from attention_core.figures.options import Options, demand_head, sort
from attention_core.figures.parts import of_line
from attention_core.figures.shown import CLASS_TOKEN, Shown, show
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
from attention_core.pictures import Picture
from attention_core.trace import AttentionTrace


def overlay(trace: AttentionTrace, **options: Unpack[Options]) -> Figure:
    """The picture of a trace, coloured by where a patch looks: overlay(trace, layer=3, head=1, query=12).

    Position 0 is the class token, by default the one that looks; patches follow row by row. A NotAvailableError for a
    trace of a text. See `Options` for what else can be chosen.
    """
    wanted = sort(options)
    demand_head(trace, options, "overlay")
    return head_overlay(show(wanted.looked(trace), wanted.choice), wanted.style, wanted.link)


def head_overlay(of: Shown, style: Style, link: str | None = None) -> Figure:
    """The picture under the chosen row of the head in focus."""
    picture = of.trace.picture
    if picture is None:
        raise NotAvailableError("this trace is of a text; there is no picture in it")
    weights = _weights(of, picture)  # (position), NaN where hidden
    values = weights[1:].reshape(picture.rows, picture.columns)
    positions = of.queries.positions
    query = of.cell[0] if positions is None else positions[of.cell[0]][0]
    chosen = None if query == CLASS_TOKEN else divmod(query - 1, picture.columns)
    token = next((text for text, special in zip(of.keys.texts, of.keys.special, strict=True) if special), "[CLS]")
    who = (
        say(style, "picture.class", token=token)
        if chosen is None
        else say(style, "picture.patch", row=chosen[0] + 1, column=chosen[1] + 1)
    )
    norm = "picture.norm" if of.trace.looking.measure == "norm" else "picture"
    caption = (
        f"{head_line(style, of)} {say(style, norm, patch=who)}",
        *_token_lines(style, weights, token),
        " ".join((*looking_lines(style, of.trace), *colour_lines(style, of))),
        *model_lines(style, of.trace, link),
    )
    return Figure(
        panel=Overlay(picture.pixels.cpu().numpy(), values, chosen),
        title=head_title(style, of),
        alt_text=_alt_text(style, of, values, who),
        scale=of.scale(scale_title(style, of.trace)),
        caption=tuple(filter(None, caption)),
        facts=head_facts(of, link, query=query, rows=picture.rows, columns=picture.columns),
        style=style,
    )


def _weights(of: Shown, picture: Picture) -> Values:
    """The chosen row, one number for each position of the model's tokens, NaN where it is hidden."""
    found = np.full(picture.rows * picture.columns + 1, np.nan)
    groups = of.keys.positions or tuple((at,) for at in range(len(of.keys)))
    for group, weight in zip(groups, of.row.tolist(), strict=True):
        found[list(group)] = weight
    return found


def _token_lines(style: Style, weights: Values, token: str) -> tuple[str, ...]:
    share = weights[CLASS_TOKEN]
    if np.isnan(share):
        return ()
    patches = numbers.weight(float(np.nansum(weights[1:])))
    return (say(style, "picture.token", token=token, share=numbers.weight(share), patches=patches),)


def _alt_text(style: Style, of: Shown, values: Values, who: str) -> str:
    rows, columns = values.shape
    norm = ".norm" if of.trace.looking.measure == "norm" else ""
    first = say(style, f"alt.picture{norm}", rows=rows, columns=columns, query=who, of=of_line(style, of))
    if not np.nan_to_num(values).any():
        return f"{first} {say(style, 'alt.nothing')}"
    row, column = divmod(int(np.nanargmax(values)), columns)
    weight = numbers.weight(values[row, column])
    return f"{first} {say(style, f'alt.largest.picture{norm}', row=row + 1, column=column + 1, weight=weight)}"
