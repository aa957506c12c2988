"""What a model wrote, step by step: each row is a written token, and what the model looked at when it chose it."""

from dataclasses import replace
from typing import Unpack

from attention_core.errors import NotAvailableError
from attention_core.figures.figure import Axis, Cells, Figure, Style, Values
from attention_core.figures.labels import label
from attention_core.figures.options import Options, demand_head, sort
from attention_core.figures.parts import cell_lines, cell_texts, chosen_line, largest_line, of_line, token_axis
from attention_core.figures.shown import Shown, show
from attention_core.figures.source import colour_lines, head_facts, head_line, head_title, looking_lines, model_lines
from attention_core.figures.source import scale_title as titled
from attention_core.figures.words import say
from attention_core.trace import AttentionTrace, Looking


def generation(trace: AttentionTrace, **options: Unpack[Options]) -> Figure:
    """What a head looked at for every token that the model wrote itself: generation(trace, layer=3, head=1).

    A NotAvailableError for a trace in which the model wrote nothing, and for merged words or hidden tokens. See
    `Options` for what else can be chosen.
    """
    wanted = sort(options)
    demand_head(trace, options, "generation")
    return head_generation(show(wanted.looked(trace), wanted.choice), wanted.style, wanted.link)


def head_generation(of: Shown, style: Style, link: str | None = None) -> Figure:
    """The rows that wrote a token, each under the token that it wrote."""
    of = _steps(of)
    values = of.values
    (first, last), (start, stop) = of.windows
    asked = of.choice.query is not None or of.choice.key is not None
    query, key = of.cell if asked else (None, None)
    rows = Axis(
        labels=tuple(label(text) for text in of.keys.texts[first + 1 : last + 1]),
        title=say(style, "axis.written"),
        special=of.keys.special[first + 1 : last + 1],
        chosen=query - first if query is not None and first <= query < last else None,
    )
    columns = token_axis(of.keys, range(start, stop + 1), say(style, "axis.keys"), key)
    texts = cell_texts(values, style)
    caption = (
        f"{head_line(style, of)} {say(style, 'generation')}",
        " ".join((*looking_lines(style, of.trace), *colour_lines(style, of))),
        " ".join(cell_lines(style, values, texts)),
        *model_lines(style, of.trace, link),
    )
    return Figure(
        panel=Cells(values, rows, columns, numbers=texts),
        title=head_title(style, of),
        alt_text=_alt_text(style, of, values, (rows, columns)),
        scale=of.scale(titled(style, of.trace)),
        caption=tuple(filter(None, caption)),
        facts=head_facts(of, link, written=list(of.keys.texts[first + 1 : last + 1])),
        style=style,
    )


def _steps(of: Shown) -> Shown:
    """The same head, of which the rows that wrote a token are on show."""
    if of.trace.looking != Looking(measure=of.trace.looking.measure):
        raise NotAvailableError("steps of writing are of single tokens: show pieces and special tokens")
    if not of.trace.written:
        reason = "the model wrote nothing in this trace; let it continue the text, and look again"
        if of.trace.target is not None:
            reason = "in a translation every row is a word as it is written: take the heatmap"
        raise NotAvailableError(reason)
    # The token before it looked when a token was written.
    count = len(of.keys)
    queries = count - of.trace.written - 1, count - 1
    return replace(of, choice=replace(of.choice, queries=queries, keys=of.choice.keys or (0, count - 1)))


def _alt_text(style: Style, of: Shown, values: Values, axes: tuple[Axis, Axis]) -> str:
    first = say(style, "alt.generation", rows=len(axes[0]), of=of_line(style, of))
    largest = largest_line(style, values, axes, "alt.largest.generation")
    return " ".join(filter(None, (first, largest, chosen_line(style, of, axes, "alt.chosen.generation"))))
