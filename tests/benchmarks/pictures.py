"""The times of drawn figures against a plain seaborn heatmap of the same data, in the same run.

python tests/benchmarks/pictures.py     (or all of run.py)
"""

import io
from collections.abc import Callable
from functools import partial

import matplotlib.figure
import numpy as np
import seaborn
from matplotlib.backends.backend_agg import FigureCanvasAgg

from attention_core.capture import capture
from attention_core.figures import heatmap, matplotlib_writer

TEXT = "The cat sat on the mat because it was tired"  # 12 tokens
LIMITS = {False: 150, True: 400}  # milliseconds, without and with numbers


def plain(weights: np.ndarray, tokens: tuple[str, ...], numbers: bool) -> bytes:
    """What seaborn draws with its own defaults, as PNG."""
    figure = matplotlib.figure.Figure(figsize=(6, 6), dpi=96)
    axes = figure.add_axes((0.15, 0.1, 0.75, 0.75))
    seaborn.heatmap(weights, annot=numbers, fmt=".2f", xticklabels=tokens, yticklabels=tokens, ax=axes, vmin=0, vmax=1)
    file = io.BytesIO()
    FigureCanvasAgg(figure).print_png(file)
    return file.getvalue()


def pictures(interleaved: Callable[..., tuple[float, float]]) -> list[tuple[str, str, str, str]]:
    """A 12-token heatmap as PNG at one dot a pixel, warm, without and with numbers; interleaved is run.py's."""
    trace = capture("minilm", TEXT)
    weights = trace.map("encoder-self", 3).weights(1)[0].numpy()
    rows = []
    for numbers, limit in LIMITS.items():
        figure = heatmap(trace, layer=3, head=1, numbers=numbers)
        ours = partial(matplotlib_writer.png, figure)
        ratio, seconds = interleaved(ours, partial(plain, weights, trace.source.texts, numbers), 15)
        kept = "within" if 1000 * seconds <= limit else "OVER"
        what = f"a 12-token heatmap as PNG, warm, {'with' if numbers else 'without'} numbers"
        rows.append((what, "plain seaborn heatmap", f"<= {limit} ms",
                     f"{1000 * seconds:.0f} ms, {ratio:.2f} x its time, {kept}"))  # fmt: skip
    return rows


if __name__ == "__main__":
    from run import interleaved

    for row in pictures(interleaved):
        print(" | ".join(row))
