"""Figures drawn by matplotlib: PNG, SVG and PDF for slides, papers and web pages."""

from attention_core.figures.matplotlib_writer.files import pdf, png, svg
from attention_core.figures.matplotlib_writer.files import to_matplotlib as to_matplotlib

__all__ = ["pdf", "png", "svg", "to_matplotlib"]
