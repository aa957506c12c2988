"""The heatmap that teachers know: who looks at whom, rows look, columns are looked at."""

from collections.abc import Sequence
from typing import Any

import matplotlib.figure
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from attention_core.errors import InputError, ShapeError
from attention_core.figures.figure import Figure, label
from attention_core.figures.matplotlib_writer import to_matplotlib

Weights = torch.Tensor | ArrayLike


def heatmap(
    weights: Weights, tokens: Sequence[str], key_tokens: Sequence[str] | None = None
) -> matplotlib.figure.Figure:
    """A matplotlib figure of attention weights (query, key), with the tokens as labels.

    weights: a torch tensor, numpy array or nested lists. tokens label the queries, and the keys too unless
    key_tokens are given (cross-attention). An InputError tells ranks, sizes and numbers that make no heatmap.
    """
    return to_matplotlib(heatmap_figure(weights, tokens, key_tokens))


def heatmap_figure(
    weights: Weights,
    tokens: Sequence[str],
    key_tokens: Sequence[str] | None = None,
    *,
    largest: float | None = None,
    caption: str = "",
) -> Figure:
    """The heatmap as plain data, for any writer; colours end at `largest`, by default the largest weight."""
    matrix = _matrix(weights)
    queries = _labels(tokens)
    keys = queries if key_tokens is None else _labels(key_tokens)
    if largest is None:
        largest = float(matrix.max(initial=0)) or 1.0
    return Figure(matrix, queries, keys, largest, caption, _alt_text(matrix, queries, keys))


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


def _labels(tokens: Any) -> tuple[str, ...]:  # noqa: ANN401
    if isinstance(tokens, str) or not isinstance(tokens, Sequence):
        raise InputError(f"tokens are a list of texts, one a row, not {type(tokens).__name__}")
    return tuple(map(label, tokens))


def _alt_text(matrix: NDArray[np.float64], queries: Sequence[str], keys: Sequence[str]) -> str:
    if matrix.shape != (len(queries), len(keys)) or not matrix.size:
        return ""  # the constructor will refuse it
    query, key = divmod(int(np.nanargmax(matrix)), len(keys))
    return (
        f"Heatmap of attention weights, {len(queries)} queries by {len(keys)} keys. "
        f"The largest is {matrix[query, key]:.3f}, from {queries[query]} to {keys[key]}."
    )
