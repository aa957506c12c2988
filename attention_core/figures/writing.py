"""A figure as a file of any of its formats: who writes which."""

from attention_core.errors import UnknownNameError
from attention_core.figures.figure import FORMATS, Figure


def written(figure: Figure, kind: str, *, scale: float = 1.0) -> bytes:
    """The figure as a file of one of FORMATS; the same figure gives the same bytes.

    scale is the number of dots a CSS pixel of a PNG, 1 to 3, and nothing to the other formats. An UnknownNameError
    names the formats, an InputError a scale that no PNG has. The writers are looked up here, so that whoever wants
    numbers alone waits for no drawing library.
    """
    if kind in ("png", "svg", "pdf"):
        from attention_core.figures import matplotlib_writer

        if kind == "png":
            return matplotlib_writer.png(figure, scale)
        return matplotlib_writer.svg(figure) if kind == "svg" else matplotlib_writer.pdf(figure)
    if kind in ("html", "plotly.json"):
        from attention_core.figures import plotly_writer

        return plotly_writer.html(figure) if kind == "html" else plotly_writer.json(figure)
    if kind in ("csv", "json", "npy"):
        from attention_core.figures import data_writer

        return {"csv": data_writer.csv, "json": data_writer.json, "npy": data_writer.npy}[kind](figure)
    raise UnknownNameError("format", kind, FORMATS)
