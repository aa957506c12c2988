"""The panels of figures as Plotly draws them: traces and axes for each, and how much room they need."""

from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_core.figures import plotly_parts as parts
from attention_core.figures.colour import blended, colours, contrasting, positions
from attention_core.figures.data_writer import listed
from attention_core.figures.figure import Cells, Figure, Heads, Links, Measures, Overlay, Scale, Strip, Style
from attention_core.figures.look import LOOKS
from attention_core.figures.matplotlib_writer.strip import is_from_right
from attention_core.figures.plotly_cells import cells
from attention_core.figures.plotly_parts import Drawing, widest

FAINT = 0.02  # lines below this opacity cannot be seen
REST = 0.55  # of the opacity of lines that do not start at the chosen token
SHADES = 24  # opacities of lines: each is a trace
TILE, FEW = 44, 340  # pixels of a head in the picture of all heads, and of all heads where they are few
ROW = 28  # pixels of a line of tokens, or of a measure


def drawn(figure: Figure) -> Drawing:
    """The panel of a figure, as wide as its style wishes, or as it needs."""
    panel, scale, style = figure.panel, figure.scale, figure.style
    if isinstance(panel, Measures):
        return _measures(panel, style)
    assert scale is not None
    match panel:
        case Cells():
            return cells(panel, scale, style)
        case Heads():
            return _heads(panel, scale, style)
        case Links():
            return _links(panel, scale, style)
        case Strip():
            return _strip(panel, scale, style)
        case Overlay():
            return _overlay(panel, scale, style)


def _heads(panel: Heads, scale: Scale, style: Style) -> Drawing:
    layers, heads, rows, columns = panel.values.shape
    shares = panel.values if panel.highs is None else panel.values / panel.highs[:, :, None, None] * scale.high
    # One matrix of all heads, with a blank line between them, is one trace.
    tiled = np.full((layers, rows + 1, heads, columns + 1), np.nan)
    tiled[:, :rows, :, :columns] = shares.transpose(0, 2, 1, 3)
    tiled = tiled.reshape(layers * (rows + 1), heads * (columns + 1))[:-1, :-1]
    left = parts.room(f"L{layers}", style.font_size) + 20
    tile = max(4.0, (style.width - left - 90) / heads) if style.width else max(TILE, FEW / max(layers, heads, 4))
    across, down = np.arange(heads) * (columns + 1) + (columns - 1) / 2, np.arange(layers) * (rows + 1) + (rows - 1) / 2
    grid = {
        "type": "heatmap", "z": listed(tiled), "zmin": scale.low, "zmax": scale.high, "showscale": False,
        "colorscale": parts.colorscale(scale, style), "hoverinfo": "skip", "hoverongaps": False,
    }  # fmt: skip
    named = [(layer, head) for layer in range(layers) for head in range(heads)]
    points = {
        "type": "scatter", "mode": "markers", "marker": {"opacity": 0, "size": tile * 0.7, "color": "#888"},
        "x": [float(across[head]) for _, head in named], "y": [float(down[layer]) for layer, _ in named],
        "text": [f"L{layer} H{head}: {_largest(panel.values[layer, head])}" for layer, head in named],
        "hovertemplate": "%{text}<extra></extra>", "showlegend": False,
    }  # fmt: skip
    axis = {**parts.bare_axis(), "showticklabels": True, "ticks": "outside", "ticklen": 4, "tickcolor": parts.CLEAR}
    layout = {
        "xaxis": {**axis, "side": "top", "range": [-1.1, heads * (columns + 1) - 0.9], "tickvals": across.tolist(),
                  "ticktext": [f"H{head}" for head in range(heads)]},
        "yaxis": {**axis, "range": [layers * (rows + 1) - 0.9, -1.1], "tickvals": down.tolist(),
                  "ticktext": [f"L{layer}" for layer in range(layers)]},
        "shapes": _frames(panel, LOOKS[style.theme].mark, LOOKS[style.theme].soft),
    }  # fmt: skip
    traces = [grid, points, _outlines(panel, LOOKS[style.theme].line)]
    return Drawing(tile * heads, tile * layers, left, 2 * style.font_size + 10, traces=traces, layout=layout)


def _outlines(panel: Heads, colour: str) -> dict[str, Any]:
    """A thin line around every head: pale ones would run together."""
    layers, heads, rows, columns = panel.values.shape
    x: list[float | None] = []
    y: list[float | None] = []
    for layer in range(layers):
        for head in range(heads):
            left, top = head * (columns + 1) - 0.5, layer * (rows + 1) - 0.5
            x += [left, left + columns, left + columns, left, left, None]
            y += [top, top, top + rows, top + rows, top, None]
    return {
        "type": "scatter", "mode": "lines", "x": x, "y": y, "line": {"color": colour, "width": 1}, "cliponaxis": False,
        "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip


def _largest(head: NDArray[np.float64]) -> str:
    return "–" if np.isnan(head).all() else f"{np.nanmax(head):.3f}"


def _frames(panel: Heads, mark: str, soft: str) -> list[dict[str, Any]]:
    """A frame around the chosen head, and a stroke through those that are off."""
    _, _, rows, columns = panel.values.shape

    def box(layer: int, head: int) -> dict[str, float]:
        left, top = head * (columns + 1) - 1, layer * (rows + 1) - 1
        return {"x0": left, "x1": left + columns + 1, "y0": top, "y1": top + rows + 1}

    shapes = [{"type": "line", **box(*at), "line": {"color": soft, "width": 1.5}} for at in panel.off]
    if panel.chosen is not None:
        shapes.append({"type": "rect", **box(*panel.chosen), "line": {"color": mark, "width": 2}})
    return shapes


def _links(panel: Links, scale: Scale, style: Style) -> Drawing:
    size, look = style.font_size, LOOKS[style.theme]
    left, right = (widest(axis, size) + 22 for axis in (panel.left, panel.right))
    right += 3 * size if panel.numbers else 0
    lines = max(panel.values.shape)
    high = min(ROW, max(640 / lines, 12))
    width = max(40.0, style.width - left - right - 90) if style.width else 260.0
    end = 1 + right / width  # where the tokens that are looked at end
    traces = _strokes(panel, scale, style)
    for axis, x, side in ((panel.left, 0.0, "middle left"), (panel.right, 1.0, "middle right")):
        places = [(x, float(at)) for at in range(len(axis))]
        labels = parts.texts_at(places, axis.labels, {"size": size, "color": look.ink}, side)
        labels["text"] = [f" {text} " for text in parts.tick_labels(axis, style)]
        traces.append(labels)
    if panel.numbers:
        font = {"size": size * 0.85, "color": look.soft, "family": parts.MONO}
        places = [(end, float(at)) for at in range(len(panel.right))]
        traces.append(parts.texts_at(places, panel.numbers, font, "middle left"))
    layout = {
        "xaxis": {**parts.bare_axis(), "range": [0, end], "fixedrange": True},
        "yaxis": {**parts.bare_axis(), "range": [lines - 0.5, -0.5], "fixedrange": True},
        "annotations": [
            {"text": parts.escape(axis.title), "x": x, "y": -0.5, "yanchor": "bottom", "xanchor": "center",
             "showarrow": False, "font": {"size": size, "color": look.soft}}
            for axis, x in ((panel.left, 0), (panel.right, 1)) if axis.title
        ],
    }  # fmt: skip
    titled = bool(panel.left.title or panel.right.title)
    return Drawing(width + right, high * lines, left, 12 + (1.6 * size if titled else 0), traces=traces, layout=layout)


def _strokes(panel: Links, scale: Scale, style: Style) -> list[dict[str, Any]]:
    """The lines, a trace for each shade; those of the chosen token in the colour of the mark, above the others."""
    look = LOOKS[style.theme]
    opacity = np.nan_to_num(positions(panel.values, scale))
    chosen = np.zeros(panel.values.shape, dtype=bool)
    if panel.left.chosen is not None:
        chosen[panel.left.chosen] = True
    traces = []
    for mine, colour in ((False, look.accent), (True, look.mark)):
        for shade in range(SHADES):
            low, high = shade / SHADES, (shade + 1) / SHADES
            within = (opacity >= max(low, FAINT)) & ((opacity < high) | (shade == SHADES - 1)) & (chosen == mine)
            rows, columns = np.nonzero(within)
            if not len(rows):
                continue
            opacity_of = (low + high) / 2 * (1 if mine or not chosen.any() else REST)
            traces.append({
                "type": "scatter", "mode": "lines", "x": [0, 1, None] * len(rows),
                "y": [place for ends in zip(rows.tolist(), columns.tolist(), strict=True) for place in (*ends, None)],
                "line": {"color": colour, "width": 1 + 2.5 * (low + high) / 2},
                "opacity": round(opacity_of, 3), "hoverinfo": "skip", "showlegend": False,
            })  # fmt: skip
    return traces


def _strip(panel: Strip, scale: Scale, style: Style) -> Drawing:
    size, look = style.font_size, LOOKS[style.theme]
    width, high = (max(60.0, style.width - 110) if style.width else 640.0), 3.1 * size
    boxes = _flow(panel, size, width)
    painted = colours(panel.values, scale, style)
    inks = contrasting(painted)
    shapes = []
    for at, (x, y, wide) in enumerate(boxes):
        blank, chosen = np.isnan(panel.values[at]), at == panel.tokens.chosen
        line = {"color": look.mark if chosen else look.line, "width": 2 if chosen else 1}
        shapes.append({
            "type": "rect", "layer": "below", "x0": x, "x1": x + wide, "y0": y * high, "y1": y * high + 1.7 * size,
            "fillcolor": parts.CLEAR if blank else parts.css(painted[at]), "line": line,
        })  # fmt: skip
    middles = [(x + wide / 2, y * high + 0.85 * size) for x, y, wide in boxes]
    colour = [look.ink if np.isnan(value) else str(ink) for value, ink in zip(panel.values, inks, strict=True)]
    words = parts.texts_at(middles, panel.tokens.labels, {"size": size, "color": colour})
    below = [(x, y + 1.4 * size) for x, y in middles]
    numbers = parts.texts_at(below, panel.numbers, {"size": size * 0.8, "color": look.soft, "family": parts.MONO})
    height = (max(y for _, y, _ in boxes) + 1) * high
    layout = {
        "xaxis": {**parts.bare_axis(), "range": [0, width], "fixedrange": True},
        "yaxis": {**parts.bare_axis(), "range": [height, -2], "fixedrange": True},
        "shapes": shapes,
    }
    return Drawing(width, height + 2, traces=[words, numbers], layout=layout)


def _flow(panel: Strip, size: float, width: float) -> list[tuple[float, int, float]]:
    """Where each token stands: (left edge, line, width). A word stays together unless it is longer than a line; a text
    that is written from right to left flows from there."""
    wide = [max(parts.room(text, size) + 0.9 * size, 2.6 * size) for text in panel.tokens.labels]
    starts = panel.starts or (True,) * len(wide)
    boxes: list[tuple[float, int, float]] = []
    x, line, at = 0.0, 0, 0
    while at < len(wide):
        end = at + 1
        while end < len(wide) and not starts[end]:
            end += 1
        if x and x + sum(wide[at:end]) > width:
            x, line = 0.0, line + 1
        for one in range(at, end):
            if x and x + wide[one] > width:
                x, line = 0.0, line + 1
            boxes.append((x, line, min(wide[one], width)))
            x += wide[one] + 1
        x, at = x + 0.4 * size, end
    if is_from_right("".join(panel.tokens.labels)):
        return [(width - x - wide, line, wide) for x, line, wide in boxes]
    return boxes


def _measures(panel: Measures, style: Style) -> Drawing:
    size, look = style.font_size, LOOKS[style.theme]
    left = max(parts.room(row.name, size) for row in panel.rows) + 20
    right = max(parts.room(row.text, size) for row in panel.rows) + 24
    width = max(40.0, style.width - left - right) if style.width else 360.0
    traces: list[dict[str, Any]] = []
    for at, row in enumerate(panel.rows):
        shares = np.clip(row.values / row.high, 0, 1).tolist()
        traces.append({
            "type": "scatter", "mode": "markers", "x": shares, "y": [at] * len(shares), "showlegend": False,
            "customdata": row.values.tolist(), "hovertemplate": "%{customdata:.3f}<extra></extra>",
            "marker": {"size": 8, "color": parts.CLEAR, "line": {"color": look.edge, "width": 1}},
        })  # fmt: skip
        if not np.isnan(row.chosen):
            traces.append({
                "type": "scatter", "mode": "markers", "x": [min(1, max(0, row.chosen / row.high))], "y": [at],
                "hovertemplate": f"{parts.escape(panel.name)}: {row.chosen:.3f}<extra></extra>", "showlegend": False,
                "marker": {"size": 12, "color": look.mark}, "cliponaxis": False,
            })  # fmt: skip
    font = {"size": size, "color": look.ink}
    places, texts = [(1.02, float(at)) for at in range(len(panel.rows))], [row.text for row in panel.rows]
    traces.append(parts.texts_at(places, texts, font, "middle right"))
    names = [parts.escape(row.name) for row in panel.rows]
    layout = {
        "xaxis": {**parts.bare_axis(), "range": [-0.02, 1.02], "fixedrange": True},
        "yaxis": {**parts.bare_axis(), "range": [len(names) - 0.5, -0.5], "tickvals": list(range(len(names))),
                  "ticktext": names, "showticklabels": True, "showgrid": False, "fixedrange": True, "automargin": True},
    }  # fmt: skip
    return Drawing(width, 1.2 * ROW * len(names), left, 12, right, 0, traces, layout, bar=False)


def _overlay(panel: Overlay, scale: Scale, style: Style) -> Drawing:
    rows, columns = panel.values.shape
    high, wide, _ = panel.pixels.shape
    width = max(40.0, style.width - 110) if style.width else 360.0
    patches = {
        "type": "heatmap", "z": listed(panel.values), "opacity": 0, "showscale": False, "hoverongaps": False,
        "hovertemplate": "%{y}, %{x}: %{z:.3f}<extra></extra>", "x0": 1, "y0": 1,
    }  # fmt: skip
    shapes = []
    if panel.chosen is not None:
        row, column = panel.chosen
        box = {"x0": column + 0.5, "x1": column + 1.5, "y0": row + 0.5, "y1": row + 1.5}
        shapes.append({"type": "rect", **box, "line": {"color": LOOKS[style.theme].mark, "width": 2}})
    # A picture smaller than the room for it stays as coarse as it is: no colour between two patches is made up.
    times = max(1, ceil(width / wide))
    pixels = blended(panel, scale, style).repeat(times, axis=0).repeat(times, axis=1)
    picture = {
        "source": parts.png(pixels), "xref": "x", "yref": "y", "x": 0.5, "y": 0.5, "sizex": columns, "sizey": rows,
        "sizing": "stretch", "layer": "below",
    }  # fmt: skip
    layout = {
        "xaxis": {**parts.bare_axis(), "range": [0.5, columns + 0.5]},
        "yaxis": {**parts.bare_axis(), "range": [rows + 0.5, 0.5]},
        "images": [picture],
        "shapes": shapes,
    }
    return Drawing(width, width * high / wide, traces=[patches], layout=layout)
