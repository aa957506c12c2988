"""The heatmap that teachers know: who looks at whom, rows look, columns are looked at."""

from collections.abc import Sequence
from typing import Any, Unpack, overload

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from attention_core.errors import InputError, ShapeError
from attention_core.figures.figure import Axis, Cells, Figure, Scale, Style, Values
from attention_core.figures.labels import labels
from attention_core.figures.options import CHOICE, LOOK, Options, demand_head, sort
from attention_core.figures.parts import (
    cell_lines,
    cell_texts,
    chosen_line,
    largest_line,
    of_line,
    row_rest,
    shown_axis,
    what_line,
    window_lines,
)
from attention_core.figures.shown import Shown, show
from attention_core.figures.source import (
    colour_lines,
    head_facts,
    head_line,
    head_title,
    looking_lines,
    model_lines,
    text_line,
)
from attention_core.figures.source import scale_title as titled
from attention_core.figures.words import say
from attention_core.trace import AttentionTrace

Weights = torch.Tensor | ArrayLike


@overload
def heatmap(
    weights: Weights,
    tokens: Sequence[str],
    key_tokens: Sequence[str] | None = None,
    *,
    largest: float | None = None,
    **options: Unpack[Options],
) -> Figure: ...
@overload
def heatmap(weights: AttentionTrace, **options: Unpack[Options]) -> Figure: ...
def heatmap(
    weights: Weights | AttentionTrace,
    tokens: Sequence[str] | None = None,
    key_tokens: Sequence[str] | None = None,
    *,
    largest: float | None = None,
    **options: Unpack[Options],
) -> Figure:
    """The heatmap of attention weights (query, key), with the tokens as labels.

    Of weights and tokens: a torch tensor, numpy array or nested lists (query, key); tokens label the queries, and
    the keys too unless key_tokens are given (cross-attention); colours end at `largest`, by default the largest weight.
    Or of one head of a trace: heatmap(trace, layer=3, head=1), and the kind where the trace has several. See `Options`
    for what else can be chosen. An InputError tells what makes no heatmap.
    """
    if isinstance(weights, AttentionTrace):
        if tokens is not None or key_tokens is not None or largest is not None:
            raise InputError("a trace brings its own tokens: heatmap(trace, layer=3, head=1)")
        wanted = sort(options)
        demand_head(weights, options, "heatmap")
        return head_heatmap(show(wanted.looked(weights), wanted.choice), wanted.style, wanted.link)
    wrong = [name for name in (*CHOICE, *LOOK) if name in options and name != "curve"]
    if wrong:
        raise InputError(f"{wrong[0]} chooses from a trace; weights and tokens are already one head's")
    if tokens is None:
        raise InputError("weights need the tokens that label them: heatmap(weights, tokens)")
    wanted = sort(options)
    matrix, axes = _matrix(weights), (tokens, tokens if key_tokens is None else key_tokens)
    return _plain(matrix, axes, largest, wanted.style, wanted.choice.curve)


def head_heatmap(of: Shown, style: Style, link: str | None = None) -> Figure:
    """The heatmap of one head of a trace that is looked at already."""
    values, scale = of.values, of.scale(titled(style, of.trace))
    axes = (shown_axis(of, style, 0), shown_axis(of, style, 1))
    texts = cell_texts(values, style) if of.exact else None
    rest = row_rest(of)
    caption = (
        f"{head_line(style, of)} {say(style, 'heatmap')}",
        *window_lines(style, of),
        *(() if of.exact else text_line(style, of.trace)),
        " ".join((*looking_lines(style, of.trace, rest=rest is not None), *colour_lines(style, of))),
        " ".join(cell_lines(style, values, texts)),
        *model_lines(style, of.trace, link),
    )
    return Figure(
        panel=Cells(values, *axes, numbers=texts, rest=rest),
        title=head_title(style, of),
        alt_text=_alt_text(style, of, values, axes),
        scale=scale,
        caption=tuple(filter(None, caption)),
        facts=head_facts(of, link),
        style=style,
    )


def _alt_text(style: Style, of: Shown, values: Values, axes: tuple[Axis, Axis]) -> str:
    what = what_line(style, of.trace)
    first = say(style, "alt.heatmap", what=what, of=of_line(style, of), rows=len(axes[0]), columns=len(axes[1]))
    return " ".join(filter(None, (first, largest_line(style, values, axes), chosen_line(style, of, axes))))


def _plain(matrix: Values, tokens: tuple[Any, Any], largest: float | None, style: Style, curve: Any) -> Figure:
    """The heatmap of weights from anywhere; nothing is known of a model."""
    axes = (Axis(labels(tokens[0]), say(style, "axis.queries")), Axis(labels(tokens[1]), say(style, "axis.keys")))
    if matrix.shape == (len(axes[0]), len(axes[1])):
        _demand_weights(matrix)
    if not isinstance(largest, int | float | np.number | None):
        raise InputError(f"largest is a number, where the colours end, not {largest!r:.60}")
    if largest is None:
        largest = float(matrix.max(initial=0)) or 1.0
    texts = cell_texts(matrix, style) if matrix.size else None
    panel = Cells(matrix, *axes, numbers=texts)
    what = say(style, "alt.weights")
    first = say(style, "alt.heatmap", what=what, of="", rows=len(axes[0]), columns=len(axes[1]))
    return Figure(
        panel=panel,
        title="",
        alt_text=f"{first} {largest_line(style, matrix, axes)}",
        scale=Scale(say(style, "scale.weight"), largest, curve),
        caption=tuple(filter(None, (" ".join(cell_lines(style, matrix, texts)),))),
        facts={"tokens": {"queries": list(tokens[0]), "keys": list(tokens[1])}},
        style=style,
    )


def _demand_weights(matrix: Values) -> None:
    """An InputError for cells that are no weights; it names the first."""
    for what, wrong in (("not finite", ~np.isfinite(matrix)), ("negative", matrix < 0)):
        if wrong.any():
            query, key = (int(index) for index in np.argwhere(wrong)[0])
            raise InputError(
                f"attention weights are numbers of 0 or more; {_counted(wrong)} {what}, "
                f"the first at query {query}, key {key}: {matrix[query, key]}"
            )


def _counted(wrong: NDArray[np.bool_]) -> str:
    count = int(wrong.sum())
    return "1 of these is" if count == 1 else f"{count} of these are"


def _matrix(weights: Weights) -> Values:
    """The weights (query, key) as float64, whatever they came as."""
    try:
        given = weights.detach().cpu().double().numpy() if isinstance(weights, torch.Tensor) else weights
        if np.iscomplexobj(given):
            raise TypeError("complex numbers have no order")
        matrix = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"weights are a matrix of numbers (query, key): {error}") from error
    if matrix.ndim != 2:
        raise ShapeError(
            f"weights of shape {matrix.shape} are not one matrix (query, key)"
            + ("; choose a batch and a head first, for example weights[0, 1]" if matrix.ndim > 2 else "")
        )
    return matrix
