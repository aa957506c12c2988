"""What a notebook shows: pictures with their alternative text, inside the notebook's own file.

Nothing here asks a kernel, a server or the internet afterwards, so a saved notebook shows the same after a restart and
in an export. Each answer is what IPython calls a mime bundle: the same thing as HTML, as a PNG where HTML is not
trusted, and as plain text.
"""

import base64
import struct
from html import escape

from attention_core.figures.figure import Figure
from attention_core.figures.grid import grid
from attention_core.trace import AttentionTrace

SHARP = 2  # pixels of a PNG for a CSS pixel


def figure_bundle(figure: Figure) -> dict[str, str]:
    """A figure: its picture and what stands for it where it cannot be seen."""
    png = figure.write("png", scale=SHARP)
    return {
        "text/html": image(figure, png),
        "image/png": base64.b64encode(png).decode(),
        "text/plain": f"{figure.title}\n{figure.alt_text}",
    }


def trace_bundle(trace: AttentionTrace) -> dict[str, str]:
    """A trace: all heads of each of its kinds."""
    figures = [grid(trace, kind=kind) for kind in trace.kinds]
    pictures = [figure.write("png", scale=SHARP) for figure in figures]
    shown = [image(figure, png) for figure, png in zip(figures, pictures, strict=True)]
    return {
        "text/html": f'<div style="display: flex; flex-wrap: wrap; align-items: flex-start">{"".join(shown)}</div>',
        "image/png": base64.b64encode(pictures[0]).decode(),
        "text/plain": "\n".join([repr(trace), *(figure.alt_text for figure in figures)]),
    }


def image(figure: Figure, png: bytes) -> str:
    """The element of a picture that was drawn at SHARP; it is as wide as the figure, or as there is room."""
    width = struct.unpack(">I", png[16:20])[0] // SHARP
    data = base64.b64encode(png).decode()
    return (
        f'<img src="data:image/png;base64,{data}" alt="{escape(figure.alt_text)}" width="{width}" '
        'style="max-width: 100%; height: auto">'
    )
