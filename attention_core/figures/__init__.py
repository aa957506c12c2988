"""Figures: plain data first, then a writer for each library.

heatmap(weights, tokens).savefig("attention.png")
"""

from attention_core.figures.figure import Figure
from attention_core.figures.heatmap import heatmap, heatmap_figure
from attention_core.figures.matplotlib_writer import to_matplotlib
from attention_core.figures.plotly_writer import to_plotly

__all__ = ["Figure", "heatmap", "heatmap_figure", "to_matplotlib", "to_plotly"]
