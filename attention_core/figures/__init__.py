"""Figures: plain data first, then a writer for each library.

from attention_core.capture import capture
from attention_core.figures import heatmap
heatmap(capture("minilm", "The cat sat on the mat"), layer=3, head=1).save("attention.svg")
"""

from attention_core.figures.difference import difference
from attention_core.figures.figure import Figure, Style
from attention_core.figures.generation import generation
from attention_core.figures.grid import grid
from attention_core.figures.heatmap import heatmap
from attention_core.figures.interactive import Interactive, interactive
from attention_core.figures.lines import lines
from attention_core.figures.make import VIEWS, make
from attention_core.figures.options import Options
from attention_core.figures.overlay import overlay
from attention_core.figures.profile import profile
from attention_core.figures.shown import Choice
from attention_core.figures.strip import strip

__all__ = [
    "VIEWS",
    "Choice",
    "Figure",
    "Interactive",
    "Options",
    "Style",
    "difference",
    "generation",
    "grid",
    "heatmap",
    "interactive",
    "lines",
    "make",
    "overlay",
    "profile",
    "strip",
]
