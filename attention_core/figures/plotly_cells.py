"""A heatmap as Plotly draws it: the cells, what each says when pointed at, and what lies over them."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np

from attention_core.figures import plotly_parts as parts
from attention_core.figures.colour import colours, contrasting
from attention_core.figures.data_writer import listed
from attention_core.figures.figure import Axis, Cells, Scale, Style
from attention_core.figures.look import LOOKS
from attention_core.figures.plotly_parts import Drawing, widest

SMALLEST = 6.0  # pixels of a number's letters
SPACE = "\u00a0"
MOST_HATCHED = 1600  # pixels a side of the strokes over what is blocked
STROKE = 6  # pixels from one to the next
MOST_HOVERED = 128  # cells a side of which each carries its tokens; of more the positions are told


def cells(panel: Cells, scale: Scale, style: Style) -> Drawing:
    """The heatmap."""
    size = style.font_size
    rows, columns = panel.values.shape
    left = widest(panel.rows, size) + 12 + (12 + 1.6 * size if panel.rows.title else 0)
    top = widest(panel.columns, size) * 0.71 + size + 10 + (12 + 1.6 * size if panel.columns.title else 0)
    lettered = bool(panel.rows.segments)
    right = max((parts.room(text, size) for text in panel.rest or ()), default=0) + 16 + (2 * size if lettered else 0)
    cell = _cell(style, columns, left + right, numbered=panel.numbers is not None)
    high = min(cell, max(640 / rows, 2))
    heatmap = {
        "type": "heatmap", "z": listed(panel.values), "zmin": scale.low, "zmax": scale.high, "showscale": False,
        "colorscale": parts.colorscale(scale, style), "hoverongaps": False,
        "xgap": 1 if cell >= 9 else 0, "ygap": 1 if high >= 9 else 0, **_hover(panel),
    }  # fmt: skip
    bottom = 1.3 * size if panel.columns.segments else 0
    drawing = Drawing(cell * columns, high * rows, left, top, right, bottom, [heatmap])
    if panel.numbers is not None:
        drawing.traces += _numbers(panel, panel.numbers, (scale, style), cell)
    if panel.rest is not None:
        places = [(columns - 0.5, float(row)) for row in range(rows)]
        font = {"size": size * 0.85, "color": LOOKS[style.theme].faint, "family": parts.MONO}
        rest = [f"{SPACE * (5 if lettered else 1)}{text}" for text in panel.rest]
        drawing.traces.append(parts.texts_at(places, rest, font, "middle right"))
    letters = [*_letters(panel.rows, "y", style), *_letters(panel.columns, "x", style)]
    drawing.layout = {
        "xaxis": {**parts.token_axis(panel.columns, style, cell), "side": "top", "tickangle": -45},
        "yaxis": {**parts.token_axis(panel.rows, style, high), "range": [rows - 0.5, -0.5]},
        "annotations": letters,
        "images": _hatched(panel, cell, style),
        "shapes": [*_turns(panel, LOOKS[style.theme].ink), *_cross(panel, LOOKS[style.theme].mark)],
    }
    return drawing


def _hatched(panel: Cells, cell: float, style: Style) -> list[dict[str, Any]]:
    """The cells that a mask blocks, under fine strokes: they are no cells of weight 0."""
    blocked = np.isnan(panel.values)
    if not blocked.any():
        return []
    size = int(np.clip(round(cell), 2, MOST_HATCHED // max(blocked.shape) or 2))
    where = blocked.repeat(size, axis=0).repeat(size, axis=1)
    row, column = np.indices(where.shape)
    pixels = np.zeros((*where.shape, 4), dtype=np.uint8)
    pixels[where & ((row + column) % STROKE == 0)] = (*parts.rgb(LOOKS[style.theme].edge), 160)
    rows, columns = blocked.shape
    place = {"x": -0.5, "y": -0.5, "sizex": columns, "sizey": rows, "xref": "x", "yref": "y"}
    return [{"source": parts.png(pixels), **place, "sizing": "stretch", "layer": "below"}]


def _hover(panel: Cells) -> dict[str, Any]:
    """What a cell says: its tokens and the number; of a very large matrix its positions."""
    rows, columns = panel.rows.labels, panel.columns.labels
    if max(len(rows), len(columns)) > MOST_HOVERED:
        return {"hovertemplate": "%{y} → %{x}: %{z:.3f}<extra></extra>"}
    right = [parts.isolated(text) for text in columns]
    named = [[f"{parts.isolated(row)} → {column}" for column in right] for row in rows]
    return {"text": named, "hovertemplate": "%{text}: %{z:.3f}<extra></extra>"}


def _numbers(
    panel: Cells, numbers: tuple[tuple[str, ...], ...], look: tuple[Scale, Style], cell: float
) -> list[dict[str, Any]]:
    """The numbers in their cells, in black or white: the grey that Plotly chooses by itself is too pale. None where
    they would be too small to be read."""
    filled = [(i, j) for i, row in enumerate(numbers) for j, text in enumerate(row) if text]
    longest = max((parts.room(numbers[i][j], 1) for i, j in filled), default=1.0)
    size = min(0.85 * look[1].font_size, 1.1 * cell / longest)
    if size < SMALLEST:
        return []
    inks = contrasting(colours(panel.values, *look))
    font = {"size": size, "family": parts.MONO, "color": [str(inks[at]) for at in filled]}
    return [parts.texts_at([(j, i) for i, j in filled], [numbers[i][j] for i, j in filled], font)]


def _turns(panel: Cells, ink: str) -> list[dict[str, Any]]:
    """Lines where one text of a pair ends and the other begins."""
    lines = []
    for axis, along, across in ((panel.columns, "x", "y"), (panel.rows, "y", "x")):
        for _, at, _ in list(_runs(axis))[1:]:
            ends = {f"{across}ref": "paper", f"{across}0": 0, f"{across}1": 1, f"{along}0": at - 0.5}
            lines.append({"type": "line", **ends, f"{along}1": at - 0.5, "line": {"color": ink, "width": 1.5}})
    return lines


def _runs(axis: Axis) -> Iterator[tuple[str, int, int]]:
    """The texts of a pair along an axis: letter, first and last position."""
    for letter, group in groupby(range(len(axis.segments)), key=lambda at: axis.segments[at]):
        places = list(group)
        yield letter, places[0], places[-1]


def _letters(axis: Axis, along: str, style: Style) -> list[dict[str, Any]]:
    """The letters of a pair's texts, beside the rows or below the columns."""
    end = {"yref": "y", "xref": "paper", "x": 1, "xshift": 6, "xanchor": "left", "yanchor": "middle"}
    if along == "x":
        end = {"xref": "x", "yref": "paper", "y": 0, "yshift": -2, "xanchor": "center", "yanchor": "top"}
    font = {"size": style.font_size * 0.85, "color": LOOKS[style.theme].soft}
    return [
        {**end, along: (first + last) / 2, "text": f"<b>{parts.escape(letter)}</b>", "showarrow": False, "font": font}
        for letter, first, last in _runs(axis)
    ]


def _cross(panel: Cells, mark: str) -> list[dict[str, Any]]:
    """A thin frame around the chosen row and column, a strong one where they meet."""
    row, column = panel.rows.chosen, panel.columns.chosen
    rows, columns = panel.values.shape
    across = {"x0": -0.5, "x1": columns - 0.5} if column is None else {"x0": column - 0.5, "x1": column + 0.5}
    down = {"y0": -0.5, "y1": rows - 0.5} if row is None else {"y0": row - 0.5, "y1": row + 0.5}
    boxes = []
    if row is not None:
        boxes.append(({"x0": -0.5, "x1": columns - 0.5, **down}, 1.0, 0.45))
    if column is not None:
        boxes.append(({"y0": -0.5, "y1": rows - 0.5, **across}, 1.0, 0.45))
    if row is not None and column is not None:
        boxes.append(({**across, **down}, 1.8, 1.0))
    return [
        {"type": "rect", **box, "opacity": opacity, "line": {"color": mark, "width": width}}
        for box, width, opacity in boxes
    ]


def _cell(style: Style, columns: int, around: float, *, numbered: bool) -> float:
    """Pixels of a cell: what the style's width leaves, or what is comfortable."""
    if style.width:
        return max(1.0, (style.width - around - 90) / columns)
    if numbered:
        return max(2.7 * style.font_size, 26)
    return max(1.5, min(26, 720 / columns))
