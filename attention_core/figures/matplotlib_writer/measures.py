"""One head among all of its kind: a row of dots for each measure, the head in focus filled and written out."""

import numpy as np
from matplotlib.path import Path

from attention_core.figures.figure import Measure, Measures
from attention_core.figures.matplotlib_writer.block import Block, Setting
from attention_core.figures.matplotlib_writer.measuring import fitted, widest
from attention_core.figures.matplotlib_writer.sheet import Sheet
from attention_core.figures.numbers import tick

# In sizes of the labels' letters.
_ROW, _SPAN, _GAP, _DOT, _CHOSEN = 3.1, 26.0, 1.1, 0.26, 0.44
_SPREAD = 0.6  # how far dots stand from the middle of their row, so that equal ones are told apart
_GOLDEN = 0.6180339887498949  # multiples of it, modulo 1, are spread evenly whatever their number


def measures(panel: Measures, setting: Setting) -> Block:
    """The rows of dots as a block."""
    em, room = setting.em, setting.room
    longest = None if room is None else 0.3 * room
    names = tuple(row.name if longest is None else fitted(row.name, em, longest) for row in panel.rows)
    before = widest(names, em) + _GAP * em
    texts = tuple(row.text if longest is None else fitted(row.text, em, longest) for row in panel.rows)
    after = widest(texts, em) + _GAP * em
    span = _SPAN * em if room is None else max(em, room - before - after)

    def draw(sheet: Sheet, left: float, top: float) -> None:
        start = left + before
        for number, (name, row) in enumerate(zip(names, panel.rows, strict=True)):
            middle = top + (number + 0.5) * _ROW * em
            sheet.text(start - _GAP * em, middle, name, setting.type(align="right"), gid=f"measure-{number}")
            _draw_row(sheet, row, (start, middle, span), setting)
            x = start + span + _GAP * em
            sheet.text(x, middle, texts[number], setting.type(colour="mark"), gid=f"value-{number}")

    return Block(before + span + after, len(panel.rows) * _ROW * em, draw)


def _draw_row(sheet: Sheet, row: Measure, place: tuple[float, float, float], setting: Setting) -> None:
    """The line from 0 to the largest, a pale dot for every head, a strong one for the head in focus."""
    start, middle, span = place
    em, look = setting.em, setting.look
    sheet.line((start, middle), (start + span, middle), look.line, 1)
    spread = (np.arange(1, len(row.values) + 1) * _GOLDEN % 1 - 0.5) * 2 * _SPREAD * em
    dots = [
        _dot(start + min(value / row.high, 1) * span, middle + away, _DOT * em)
        for value, away in zip(row.values, spread, strict=True)
    ]
    if dots:
        sheet.paths(dots, fills=[_clear(look.edge)])
    for at, align in ((0.0, "left"), (row.high, "right")):
        x = start + at / row.high * span
        sheet.text(x, middle + 1.3 * em, tick(at), setting.type(0.7, "faint", align=align))
    if np.isfinite(row.chosen):
        x = start + min(row.chosen / row.high, 1) * span
        sheet.path(_dot(x, middle, (_CHOSEN + 0.12) * em), fill=look.paper)
        sheet.path(_dot(x, middle, _CHOSEN * em), fill=look.mark)


def _dot(x: float, y: float, radius: float) -> Path:
    return Path.circle((x, y), radius)


def _clear(colour: str) -> tuple[float, float, float, float]:
    """The colour at half its strength, so that dots that meet are darker."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return (red, green, blue, 0.45)
