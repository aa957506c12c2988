"""Figures drawn by Plotly: the same data as an interactive picture, for web pages and notebooks."""

from math import ceil
from typing import Any

import numpy as np
import plotly.graph_objects as go

from attention_core.figures.colour import contrasting, viridis
from attention_core.figures.figure import Figure

MOST_LABELS = 64


def escape(text: str) -> str:
    """The text as Plotly has to be given it, so that it draws what was typed.

    Plotly reads a little HTML in every label (a token `<br>` would vanish, `<a href=…>` become a link), its
    entities, and TeX between dollars where a page has MathJax.
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("$", "&#36;")


def to_plotly(figure: Figure) -> go.Figure:
    """The figure as Plotly draws it; hovering tells query, key and the exact weight."""
    cells = go.Heatmap(
        z=figure.shown,
        hoverongaps=False,
        zmin=0,
        zmax=figure.largest,
        colorscale="Viridis",
        colorbar={"title": {"text": "weight"}, "outlinewidth": 0, "thickness": 12},
        hovertemplate="%{y} → %{x}: %{z:.3f}<extra></extra>",
        xgap=0.5,
        ygap=0.5,
    )
    drawing = go.Figure(cells)
    if numbers := figure.numbers:
        drawing.add_trace(_numbers(figure, numbers))
    drawing.update_layout(
        title={"text": escape(figure.caption)},
        meta={"alt": figure.alt_text},
        plot_bgcolor="white",
        xaxis=_axis("key: is looked at", figure.key_labels) | {"side": "top", "tickangle": -45},
        yaxis=_axis("query: looks", figure.query_labels) | {"range": [figure.matrix.shape[0] - 0.5, -0.5]},
    )
    return drawing


def _numbers(figure: Figure, numbers: list[list[str]]) -> go.Scatter:
    """The numbers in their cells, in black or white: the grey that Plotly chooses by itself is too pale."""
    rows, columns = np.indices(figure.matrix.shape)
    return go.Scatter(
        x=columns.ravel(),
        y=rows.ravel(),
        text=[text for row in numbers for text in row],
        mode="text",
        textfont={"color": contrasting(viridis(figure.matrix, figure.largest)).ravel(), "size": 11},
        hoverinfo="skip",
        showlegend=False,
    )


def _axis(title: str, labels: tuple[str, ...]) -> dict[str, Any]:
    """An axis of positions that wear tokens: if tokens were the positions, two equal ones would be one."""
    step = ceil(len(labels) / MOST_LABELS)
    return {
        "title": {"text": title},
        "range": [-0.5, len(labels) - 0.5],
        "tickvals": list(range(0, len(labels), step)),
        "ticktext": [escape(label) for label in labels[::step]],
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
    }
