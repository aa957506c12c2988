"""A panel in its frame: the title above, the colour bar beside or below, the caption in small soft letters."""

from dataclasses import dataclass, replace
from math import ceil

from attention_core.errors import InputError
from attention_core.figures import fonts
from attention_core.figures.figure import Cells, Figure, Heads, Links, Measures, Overlay, Strip
from attention_core.figures.matplotlib_writer.bar import Bar
from attention_core.figures.matplotlib_writer.block import Block, setting_of
from attention_core.figures.matplotlib_writer.cells import cells
from attention_core.figures.matplotlib_writer.heads import heads
from attention_core.figures.matplotlib_writer.links import links
from attention_core.figures.matplotlib_writer.measures import measures
from attention_core.figures.matplotlib_writer.measuring import widest, wrapped
from attention_core.figures.matplotlib_writer.overlay import overlay
from attention_core.figures.matplotlib_writer.sheet import Sheet
from attention_core.figures.matplotlib_writer.strip import strip
from attention_core.figures.words import say

# In sizes of the labels' letters.
_PAD, _TITLE, _TITLE_LINE, _CAPTION, _CAPTION_LINE, _GAP = 1.5, 1.25, 1.7, 0.85, 1.35, 1.1
_NARROWEST, _LEAST = 30.0, 12.0  # a picture of two tokens still has room for its caption; and what is asked for
_MOST_LINES = {"title": 3, "caption": 5}


@dataclass(frozen=True)
class _Layout:
    """What stands where, in pixels."""

    block: Block
    bar: Bar
    room: float  # between the margins
    title: tuple[str, ...]
    caption: tuple[str, ...]


def sheet_of(figure: Figure) -> Sheet:
    """The figure drawn on a sheet of just the size that it needs."""
    em = figure.style.font_size
    layout = _lay_out(figure)
    block, bar = layout.block, layout.bar
    head = len(layout.title) * _TITLE_LINE * em + (0.6 * em if layout.title else 0)
    span_top, span_height = block.span
    # A bar that is longer than a small panel begins above it, beside the labels of the columns.
    long = bar.long(span_height)
    above = max(0.0, long - span_height)
    lifted = max(0.0, above - span_top) if block.bar == "beside" else 0.0
    top = round(_PAD * em + head + lifted)
    bottom = top + block.height + (_GAP * em + bar.height if block.bar == "below" else 0)
    foot = len(layout.caption) * _CAPTION * _CAPTION_LINE * em + (_GAP * em if layout.caption else 0)
    setting = setting_of(figure, None)
    width, height = round(layout.room + 2 * _PAD * em), round(bottom + foot + _PAD * em)
    sheet = Sheet(width, height, setting.look, language=_language(figure))
    left = round(_PAD * em)
    for line, text in enumerate(layout.title):
        y = (_PAD + (line + 0.5) * _TITLE_LINE - 0.2) * em
        sheet.text(left, y, text, setting.type(_TITLE), gid=f"title-{line}")
    block.draw(sheet, left, top)
    if block.bar == "beside":
        away = block.width + (block.reach if above else 0)  # past labels that it would meet
        bar.draw_beside(sheet, left + away, round(top + span_top - above), long)
    elif block.bar == "below":
        bar.draw_below(sheet, left, top + block.height + _GAP * em, layout.room)
    for line, text in enumerate(layout.caption):
        y = bottom + (_GAP + (line + 0.5) * _CAPTION * _CAPTION_LINE) * em
        sheet.text(left, y, text, setting.type(_CAPTION, "faint"), gid=f"caption-{line}")
    if figure.style.transparent:
        sheet.drawing.patch.set_alpha(0)
    return sheet


def _lay_out(figure: Figure) -> _Layout:
    em, told = figure.style.font_size, figure.style.width
    if told is not None and told < _LEAST * em:
        least = ceil(_LEAST * em)
        sentence = f"a picture {told} pixels wide has no room for letters of {em:g} pixels; accepted: {least} or more"
        raise InputError(f"{sentence}, or smaller letters", limit=least)
    bar = Bar(setting_of(figure, None))
    wanted = None if told is None else told - 2 * _PAD * em
    level = wanted is not None and wanted < _NARROWEST * em
    beside = bar.width if isinstance(figure.panel, Cells | Heads | Links | Overlay) and not level else 0.0
    block = _block(figure, None if wanted is None else wanted - beside)
    if wanted is not None and block.reach > beside:  # labels that stand out need the room too
        block = _block(figure, wanted - block.reach)
    apart = block.reach if beside and bar.long(block.span[1]) > block.span[1] else 0.0
    if level and block.bar:
        block = replace(block, bar="below")
    taken = block.width + max(beside + apart, block.reach)
    room = max(taken, _NARROWEST * em) if wanted is None else wanted
    title = wrapped(figure.title, _TITLE * em, room, _MOST_LINES["title"])
    lines = _caption(figure) if figure.style.caption else ()
    caption = tuple(part for line in lines for part in wrapped(line, _CAPTION * em, room, _MOST_LINES["caption"]))
    if wanted is None:  # no wider than what stands there
        room = max(taken, widest(caption, _CAPTION * em), widest(title, _TITLE * em))
    return _Layout(block, bar, room, title, caption)


def _block(figure: Figure, room: float | None) -> Block:
    setting = setting_of(figure, room)
    panel = figure.panel
    if isinstance(panel, Cells):
        return cells(panel, setting)
    if isinstance(panel, Heads):
        return heads(panel, setting)
    if isinstance(panel, Links):
        return links(panel, setting)
    if isinstance(panel, Strip):
        return strip(panel, setting)
    if isinstance(panel, Measures):
        return measures(panel, setting)
    assert isinstance(panel, Overlay)
    return overlay(panel, setting)


def _caption(figure: Figure) -> tuple[str, ...]:
    texts = (figure.title, *figure.caption, *_labels(figure))
    if fonts.missing(texts):
        return (*figure.caption, say(figure.style, "missing"))
    return figure.caption


def _labels(figure: Figure) -> tuple[str, ...]:
    """The tokens of a panel."""
    panel = figure.panel
    if isinstance(panel, Cells):
        return (*panel.rows.labels, *panel.columns.labels)
    if isinstance(panel, Links):
        return (*panel.left.labels, *panel.right.labels)
    return panel.tokens.labels if isinstance(panel, Strip) else ()


def _language(figure: Figure) -> str:
    """By which habits Chinese characters are drawn: the shapes of one and the same character differ."""
    text = "".join(_labels(figure)) or figure.title
    if any("\uac00" <= one <= "\ud7a3" for one in text):
        return "ko"
    if any("\u3040" <= one <= "\u30ff" for one in text):
        return "ja"
    return "zh-Hans" if any("\u4e00" <= one <= "\u9fff" for one in text) else ""
