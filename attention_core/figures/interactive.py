"""A trace to walk through inside a notebook: the page that works offline, in a frame of its own.

The whole page travels in the notebook's output. It needs no kernel, no widget and no server, so it works in Jupyter,
VS Code and Colab, after a restart, and in an export to HTML; the frame lets it reach nothing around it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Unpack
from urllib.parse import urlencode

from attention_core.errors import InputError, UnknownNameError
from attention_core.figures.figure import Figure
from attention_core.figures.grid import grid
from attention_core.figures.heatmap import heatmap
from attention_core.figures.lines import lines
from attention_core.figures.notebook import SHARP, figure_bundle, image
from attention_core.figures.options import Options, demand_trace, plain, whole
from attention_core.figures.page import Opening, offline_page
from attention_core.trace import AttentionTrace

# The views that the page opens with, and the picture that stands for each.
VIEWS: Mapping[str, Callable[..., Figure]] = {"heatmap": heatmap, "lines": lines, "table": heatmap}
HEIGHTS = (200, 4000)  # CSS pixels
FRAME = "attention-atlas-frame"
# The options that the page understands, by the names that its address has for them.
_ALIKE = "kind", "layer", "head", "query", "key", "queries", "keys", "range", "words", "special", "segments", "measure"
NAMES = {"curve": "scale"} | {name: name for name in _ALIKE}
THEMES = (None, "light", "dark")


@dataclass(frozen=True, eq=False)
class Interactive:
    """A page of one trace that a notebook shows, and `save` writes as a file that opens by double click.

    `still` is the picture that stands where a notebook shows no frames; `height` is the frame's, in CSS pixels.
    """

    page: bytes
    still: Figure
    height: int

    def save(self, path: str | Path) -> None:
        """Writes the page as one HTML file."""
        Path(path).write_bytes(self.page)

    def _repr_html_(self) -> str:
        # Scripts, but no origin: what surrounds the frame is out of its reach, and nothing is left behind. Where frames
        # are taken out, as from a notebook that is not trusted, so is the style that hides the picture.
        return (
            f"<div><style>.{FRAME} + img {{ display: none }}</style>"
            f'<iframe class="{FRAME}" srcdoc="{escape(self.page.decode())}" sandbox="allow-scripts" '
            f'title="{escape(self.still.title)}" '
            f'style="display: block; width: 100%; height: {self.height}px; border: 0"></iframe>'
            f"{image(self.still, self.still.write('png', scale=SHARP))}</div>"
        )

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return figure_bundle(self.still) | {"text/html": self._repr_html_()}

    def __repr__(self) -> str:
        return f"Interactive({self.still.title!r}, {len(self.page) / 1e6:.1f} MB)"


def interactive(
    trace: AttentionTrace, *, view: str = "heatmap", height: int = 920, **options: Unpack[Options]
) -> Interactive:
    """All heads of a trace to walk through: interactive(trace, layer=3, head=1, view="lines").

    `view` is "heatmap", "lines" or "table". The options say how the page opens: kind, layer, head, query, key, queries,
    keys, words, special, segments, measure, curve, range, language, and theme "light" or "dark" (without it, the
    reader's own).
    Raises PageTooLongError over 128 tokens, and an InputError for what the trace does not have.
    """
    demand_trace(trace)
    if view not in VIEWS:
        raise UnknownNameError("view", view, tuple(VIEWS))
    if not HEIGHTS[0] <= whole("height", height) <= HEIGHTS[1]:
        raise InputError(f"a frame of {height} pixels; accepted: {HEIGHTS[0]} to {HEIGHTS[1]}", limit=HEIGHTS[1])
    unknown = [name for name in options if name not in (*NAMES, "language", "theme")]
    if unknown:
        raise InputError(f"unknown option {unknown[0][:100]!r}; accepted: {', '.join((*NAMES, 'language', 'theme'))}")
    if (theme := options.get("theme")) == "print":
        raise UnknownNameError("theme", theme, THEMES[1:])
    one = {"layer", "head"} <= set(options)
    still = VIEWS[view](trace, **options) if one else grid(trace, **options)
    page = offline_page(trace, Opening(_search(view, options), options.get("language", "en"), theme))
    return Interactive(page, still, height)


def _search(view: str, options: Options) -> str:
    """The options as the page's address has them."""
    given: dict[str, Any] = {NAMES[name]: read for name, read in plain(options).items() if name in NAMES}
    # Not "in (None, False)": position 0 is one, and equals False.
    written = {name: _written(value) for name, value in given.items() if value is not None and value is not False}
    return "?" + urlencode(written | {"view": view})


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return f"{value[0]}:{value[1]}"
    return "1" if value is True else str(value)
