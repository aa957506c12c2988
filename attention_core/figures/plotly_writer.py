"""Figures drawn by Plotly: the same data as an interactive picture, for web pages and notebooks."""

import json as json_text
from functools import cache
from html import escape as html_escape
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attention_core.figures import plotly_parts as parts
from attention_core.figures.figure import Figure
from attention_core.figures.look import LOOKS
from attention_core.figures.plotly_panels import drawn
from attention_core.figures.plotly_parts import escape

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["escape", "html", "json", "to_plotly"]

PAD = 16
BAR = 78  # room for the colour bar with its numbers and title
LEAST_BAR, MOST_BAR = 130, 320  # its length
LEADING = 1.35
LEAST_WIDTH = 420  # of what has no width of its own: captions would be too narrow

PAGE = """<!doctype html>
<html lang="{lang}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body {{ margin: 0; background: {paper}; color: {ink}; }} #figure {{ width: {width}px; margin: 0 auto; }}</style>
<div id="figure" role="img" aria-label="{alt}"></div>
<noscript>{alt}</noscript>
<script type="application/json" id="data">{data}</script>
<script>{plotly}</script>
<script>
const {{ data, layout }} = JSON.parse(document.getElementById("data").textContent);
Plotly.newPlot("figure", data, layout, {{ displayModeBar: false, doubleClick: "reset" }});
</script>
</html>
"""


def to_plotly(figure: Figure) -> "go.Figure":
    """The figure as Plotly draws it; hovering tells query, key and the exact weight."""
    import plotly.graph_objects as go  # takes a second, and a file needs no more than the words

    return go.Figure(_spelled(figure))


def json(figure: Figure) -> bytes:
    """The figure as Plotly's own JSON, {"data", "layout"}: any Plotly can draw it."""
    return json_text.dumps(_spelled(figure), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def html(figure: Figure) -> bytes:
    """The figure as one HTML file that needs no network: Plotly itself is inside, without its bar of buttons, of which
    one sends the data to a company."""
    look = LOOKS[figure.style.theme]
    spelled = _spelled(figure)
    # Inside a script only "<" could end it; as an escape it is the same JSON.
    data = json_text.dumps(spelled, ensure_ascii=True, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    page = PAGE.format(
        lang=figure.style.language,
        title=html_escape(figure.title),
        alt=html_escape(figure.alt_text),
        paper="transparent" if figure.style.transparent else look.paper,
        ink=look.ink,
        width=spelled["layout"]["width"],
        data=data,
        plotly=_plotly(),
    )
    return page.encode("utf-8", "backslashreplace")


@cache
def _plotly() -> str:
    """The plotly.min.js that the installed package carries."""
    spec = find_spec("plotly")
    assert spec is not None
    assert spec.origin is not None
    return (Path(spec.origin).parent / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


def _spelled(figure: Figure) -> dict[str, Any]:
    """{"data", "layout"} in Plotly's words: the panel, and the frame around it."""
    panel, style = drawn(figure), figure.style
    look = LOOKS[style.theme]
    bar, below = 0.0, 0.0
    if panel.bar:
        bar = max(LEAST_BAR, min(panel.height, MOST_BAR))
        below = max(0.0, bar - panel.height - panel.bottom)  # a low picture has a bar that is higher
    width = style.width or max(panel.left + panel.width + panel.right + (BAR if bar else 0), LEAST_WIDTH)
    title = parts.wrapped(figure.title, style.font_size * 1.15, width - 2 * PAD)
    notes = [line for text in figure.caption for line in parts.wrapped(text, style.font_size * 0.88, width - 2 * PAD)]
    notes = notes if style.caption else []
    top = panel.top + PAD + len(title) * style.font_size * 1.15 * LEADING
    below += panel.bottom
    bottom = 14 + below + len(notes) * style.font_size * 0.88 * LEADING + (PAD if notes else 0)
    lines = {"align": "left", "showarrow": False, "xref": "paper", "yref": "paper", "x": 0, "xanchor": "left",
             "xshift": PAD - panel.left, "yanchor": "top"}  # fmt: skip
    heading = {**lines, "text": f"<b>{_lines(title)}</b>", "y": 1, "yshift": top - PAD / 2,
               "font": {"size": style.font_size * 1.15, "color": look.ink}}  # fmt: skip
    caption = {**lines, "text": _lines(notes), "y": 0, "yshift": -14 - below,
               "font": {"size": style.font_size * 0.88, "color": look.soft}}  # fmt: skip
    margin = {"l": panel.left, "r": width - panel.left - panel.width, "t": top, "b": bottom, "pad": 0}
    layout = {
        "width": round(width), "height": round(top + panel.height + bottom), "margin": margin,
        "font": {"family": parts.FAMILY, "size": style.font_size, "color": look.ink},
        "paper_bgcolor": parts.CLEAR if style.transparent else look.paper, "plot_bgcolor": parts.CLEAR,
        "hovermode": "closest", "showlegend": False, "meta": {"alt": figure.alt_text}, **panel.layout,
    }  # fmt: skip
    own = layout.get("annotations", [])
    layout["annotations"] = [*own, *([heading] if figure.title else []), *([caption] if notes else [])]
    return {"data": [*panel.traces, *_bar(figure, panel, bar)], "layout": layout}


def _bar(figure: Figure, panel: parts.Drawing, length: float) -> list[dict[str, Any]]:
    """The colour bar, at the right of the panel."""
    if not length:
        return []
    assert figure.scale is not None
    trace = parts.colour_bar(figure.scale, figure.style)
    trace["marker"]["colorbar"] |= {
        "x": 1 + (panel.right + 4) / panel.width, "xanchor": "left", "xpad": 0, "y": 1, "yanchor": "top", "ypad": 0,
        "lenmode": "pixels", "len": length,
    }  # fmt: skip
    return [trace]


def _lines(texts: list[str]) -> str:
    return "<br>".join(map(escape, texts))
