"""Lines from the tokens that look to those that they look at: the stronger a line, the larger its weight."""

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.path import Path

from attention_core.figures.colour import positions
from attention_core.figures.figure import Axis, Links
from attention_core.figures.matplotlib_writer.block import Block, Setting
from attention_core.figures.matplotlib_writer.labels import label_type
from attention_core.figures.matplotlib_writer.measuring import fitted, widest, width
from attention_core.figures.matplotlib_writer.sheet import Sheet, rounded

# In sizes of the labels' letters.
_ROW, _SPAN, _NARROWEST, _GAP, _HEAD, _ROOM_FOR_NUMBERS = 1.9, 22.0, 2.0, 0.7, 2.0, 16.0
_WIDEST = 0.25  # of the room, for a label
_NUMBER, _TITLE = 0.85, 0.85
_FAINT = 0.02  # lines paler than this are not seen, and not drawn
_REST = 0.55  # of the opacity of lines that do not start at the chosen token
_THIN, _THICK = 1.0, 2.5


def links(panel: Links, setting: Setting) -> Block:
    """The lines and their tokens as a block."""
    em, room = setting.em, setting.room
    longest = None if room is None else max(2 * em, _WIDEST * room)
    ends = (panel.left, panel.right)
    texts = [tuple(fitted(label, em, longest) if longest else label for label in axis.labels) for axis in ends]
    titles = [width(axis.title, _TITLE * em) for axis in ends]
    if room is not None and max(titles) > max(2 * em, _WIDEST * room):
        titles = [0.0, 0.0]
    left_width, right_width = max(widest(texts[0], em), titles[0]), widest(texts[1], em)
    written = panel.numbers if room is None or room >= _ROOM_FOR_NUMBERS * em else ()
    numbers = widest(written, _NUMBER * em)
    after = max(right_width + (_GAP * em + numbers if numbers else 0), titles[1]) + _GAP * em
    before = left_width + _GAP * em
    span = _SPAN * em if room is None else max(_NARROWEST * em, room - before - after)
    head = _HEAD * em if any(titles) else 0.0
    high = max(panel.values.shape) * _ROW * em

    def draw(sheet: Sheet, left: float, top: float) -> None:
        start, end, first = left + before, left + before + span, top + head
        _draw_lines(sheet, panel, (start, end, first), setting)
        _draw_tokens(sheet, panel.left, texts[0], (start - _GAP * em, first, "right"), setting)
        _draw_tokens(sheet, panel.right, texts[1], (end + _GAP * em, first, "left"), setting)
        type_ = setting.type(_NUMBER, "soft")
        for place, text in enumerate(written):
            x = end + _GAP * em + right_width + _GAP * em
            sheet.text(x, first + (place + 0.5) * _ROW * em, text, type_, gid=f"number-{place}")
        for axis, x, align in ((panel.left, start - _GAP * em, "right"), (panel.right, end + _GAP * em, "left")):
            if axis.title and head:
                gid = "rows" if align == "right" else "columns"
                sheet.text(x, top + 0.5 * em, axis.title, setting.type(_TITLE, "faint", align=align), gid=gid)

    return Block(before + span + after, head + high, draw, bar="beside", span=(head, high))


def _draw_lines(sheet: Sheet, panel: Links, place: tuple[float, float, float], setting: Setting) -> None:
    """Curves from left to right, pale ones first, those of the chosen token in the colour of the mark on top."""
    start, end, top = place
    row = _ROW * setting.em
    strength = np.nan_to_num(positions(panel.values, setting.scale))  # (query, key)
    queries, keys = np.nonzero(strength >= _FAINT)
    chosen = panel.left.chosen
    order = np.lexsort((strength[queries, keys], queries == chosen if chosen is not None else np.zeros(len(queries))))
    paths, colours, widths = [], [], []
    for query, key in zip(queries[order], keys[order], strict=True):
        y0, y1, bend = top + (query + 0.5) * row, top + (key + 0.5) * row, 0.4 * (end - start)
        curve = [(start, y0), (start + bend, y0), (end - bend, y1), (end, y1)]
        paths.append(Path(curve, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]))
        opacity = strength[query, key]
        ink = setting.look.mark if query == chosen else setting.look.accent
        colours.append((*to_rgb(ink), opacity * (1 if chosen is None or query == chosen else _REST)))
        widths.append(_THIN + _THICK * opacity)
    if paths:
        sheet.paths(paths, edges=colours, widths=widths, gid="lines")


def _draw_tokens(
    sheet: Sheet, axis: Axis, texts: tuple[str, ...], place: tuple[float, float, str], setting: Setting
) -> None:
    x, top, align = place
    em, row = setting.em, _ROW * setting.em
    for number, text in enumerate(texts):
        y = top + (number + 0.5) * row
        type_ = label_type(axis, number, setting, em)
        if align == "left" and number == axis.chosen:  # red is who looks
            type_ = type_.but(colour=setting.look.ink)
        if number == axis.chosen:
            wide = width(text, em, italic=type_.italic)
            box = (x - (wide if align == "right" else 0) - 0.4 * em, y - 0.8 * em, wide + 0.8 * em, 1.6 * em)
            sheet.path(rounded(box, 0.3 * em), fill=setting.look.line, alpha=0.6)
        gid = f"{'row' if align == 'right' else 'column'}-{number}"
        sheet.text(x, y, text, type_.but(align=align), gid=gid)
