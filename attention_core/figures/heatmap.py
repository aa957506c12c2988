"""The heatmap that teachers know: who looks at whom, rows look, columns are looked at."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, overload

import matplotlib.figure
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from attention_core.errors import InputError, ShapeError, UnknownNameError
from attention_core.figures.figure import Figure, label
from attention_core.figures.matplotlib_writer import to_matplotlib
from attention_core.trace import AttentionTrace

Weights = torch.Tensor | ArrayLike
# What a cell says, by the measure that a trace is seen by: in the alternative text, and in the caption.
WHAT = {"weight": "attention weights", "norm": "shares of the length of what is handed on"}
NAMED = {"weight": "", "norm": "length ‖αf(x)‖"}


@overload
def heatmap(
    weights: Weights, tokens: Sequence[str], key_tokens: Sequence[str] | None = None
) -> matplotlib.figure.Figure: ...
@overload
def heatmap(
    weights: AttentionTrace, *, layer: int, head: int, kind: str | None = None
) -> matplotlib.figure.Figure: ...
def heatmap(
    weights: Weights | AttentionTrace,
    tokens: Sequence[str] | None = None,
    key_tokens: Sequence[str] | None = None,
    layer: int | None = None,
    head: int | None = None,
    kind: str | None = None,
) -> matplotlib.figure.Figure:
    """A matplotlib figure of attention weights (query, key), with the tokens as labels.

    Of weights and tokens: a torch tensor, numpy array or nested lists (query, key); tokens label the queries, and
    the keys too unless key_tokens are given (cross-attention). Or of one head of a trace: layer and head, and the
    kind where the trace has several. An InputError tells what makes no heatmap.
    """
    if isinstance(weights, AttentionTrace):
        if tokens is not None or key_tokens is not None:
            raise InputError("a trace brings its own tokens: heatmap(trace, layer=3, head=1)")
        if layer is None or head is None:
            raise InputError("a trace has many heads; name one: heatmap(trace, layer=3, head=1)")
        return to_matplotlib(head_figure(weights, layer, head, kind))
    if (layer, head, kind) != (None, None, None):
        raise InputError(
            "layer, head and kind choose from a trace; weights and tokens are already one head's"
        )
    if tokens is None:
        raise InputError("weights need the tokens that label them: heatmap(weights, tokens)")
    return to_matplotlib(heatmap_figure(weights, tokens, key_tokens))


def head_figure(trace: AttentionTrace, layer: int, head: int, kind: str | None = None) -> Figure:
    """The heatmap of one head of a trace, as plain data."""
    kinds = list(dict.fromkeys(attention.kind for attention in trace.maps))
    if kind is None and len(kinds) > 1:
        raise InputError(f"this trace has several kinds of attention; choose one: {', '.join(kinds)}")
    kind = kinds[0] if kind is None else kind
    attention = trace.map(kind, layer)
    if not 0 <= head < attention.head_count:
        raise UnknownNameError("head", head, range(attention.head_count))
    queries, keys = trace.queries(kind).texts, trace.keys(kind).texts
    window = attention.weights(head)[0]  # (query, key)
    # A quantised model is another model than the published one, and a figure travels without its page.
    quantised, measure = trace.model.precision == "quantised", trace.looking.measure
    parts = [trace.model.title, f"L{layer} H{head}", NAMED[measure], "quantised" if quantised else ""]
    figure = heatmap_figure(window, queries, keys, caption=" · ".join(filter(None, parts)), what=WHAT[measure])
    allowed = attention.allowed().cpu().numpy()  # (query, key)
    return figure if allowed.all() else replace(figure, blocked=~allowed)


def heatmap_figure(
    weights: Weights,
    tokens: Sequence[str],
    key_tokens: Sequence[str] | None = None,
    *,
    largest: float | None = None,
    caption: str = "",
    what: str = WHAT["weight"],
) -> Figure:
    """The heatmap as plain data, for any writer; colours end at `largest`, by default the largest weight. `what` the
    cells are is said in its alternative text."""
    matrix = _matrix(weights)
    queries = _labels(tokens)
    keys = queries if key_tokens is None else _labels(key_tokens)
    if largest is None:
        largest = float(matrix.max(initial=0)) or 1.0
    return Figure(matrix, queries, keys, largest, caption, _alt_text(matrix, queries, keys, what))


def _matrix(weights: Weights) -> NDArray[np.float64]:
    """The weights (query, key) as float64, whatever they came as."""
    try:
        given = weights.detach().cpu().double().numpy() if isinstance(weights, torch.Tensor) else weights
        matrix = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"weights are a matrix of numbers (query, key): {error}") from error
    if matrix.ndim != 2:
        raise ShapeError(
            f"weights of shape {matrix.shape} are not one matrix (query, key)"
            + ("; choose a batch and a head first, for example weights[0, 1]" if matrix.ndim > 2 else "")
        )
    return matrix


def _labels(tokens: Any) -> tuple[str, ...]:
    if isinstance(tokens, str) or not isinstance(tokens, Sequence):
        raise InputError(f"tokens are a list of texts, one a row, not {type(tokens).__name__}")
    return tuple(map(label, tokens))


def _alt_text(matrix: NDArray[np.float64], queries: Sequence[str], keys: Sequence[str], what: str) -> str:
    if matrix.shape != (len(queries), len(keys)) or not matrix.size:
        return ""  # the constructor will refuse it
    query, key = divmod(int(np.nanargmax(matrix)), len(keys))
    return (
        f"Heatmap of {what}, {len(queries)} queries by {len(keys)} keys. "
        f"The largest is {matrix[query, key]:.3f}, from {queries[query]} to {keys[key]}."
    )
