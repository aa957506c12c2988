"""The text as tokens in a flow of lines, each in the colour of its weight, the number below it."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from attention_core.figures.colour import colours, contrasting
from attention_core.figures.figure import Strip
from attention_core.figures.matplotlib_writer.block import Block, Setting
from attention_core.figures.matplotlib_writer.labels import label_type
from attention_core.figures.matplotlib_writer.measuring import fitted, width
from attention_core.figures.matplotlib_writer.sheet import Sheet, rounded

# In sizes of the labels' letters.
_TEXT, _NUMBER, _INSIDE, _HIGH, _GAP, _CLOSE, _LINE, _LINE_LENGTH = 1.2, 0.75, 0.7, 3.1, 0.45, 0.12, 0.6, 58.0


@dataclass(frozen=True)
class _Placed:
    """A token's box: left and top in pixels from the corner of the panel."""

    token: int
    text: str
    left: float
    top: float
    width: float


def strip(panel: Strip, setting: Setting) -> Block:
    """The flow of tokens as a block; a text that is written from right to left flows from there."""
    em = setting.em
    line = _LINE_LENGTH * em if setting.room is None else setting.room
    placed = list(_flow(panel, setting, line))
    used = max(one.left + one.width for one in placed)
    wide = used if setting.room is None else line
    if is_from_right("".join(panel.tokens.labels)):
        placed = [_Placed(one.token, one.text, wide - one.left - one.width, one.top, one.width) for one in placed]

    def draw(sheet: Sheet, left: float, top: float) -> None:
        painted = colours(panel.values, setting.scale, setting.style)
        boxes = [(round(left + one.left), round(top + one.top), round(one.width), _HIGH * em) for one in placed]
        blank = np.isnan(panel.values)
        opaque = np.where(blank, 0.0, 1.0)[:, None]
        fills = np.concatenate([painted, opaque], axis=1)
        shapes = [rounded((x + 0.5, y + 0.5, w - 1, h - 1), 0.4 * em) for x, y, w, h in boxes]
        sheet.paths(shapes, fills=fills, edges=setting.look.line, widths=(1,), gid="cells")
        inks = contrasting(painted)
        for one, box in zip(placed, boxes, strict=True):
            _draw_token(sheet, panel, one, box, None if blank[one.token] else str(inks[one.token]), setting)

    return Block(wide, placed[-1].top + _HIGH * em, draw, bar="below")


def is_from_right(text: str) -> bool:
    """Whether most letters of a text belong to a script that runs from right to left."""
    sides = [unicodedata.bidirectional(one) for one in text]
    return sum(side in ("R", "AL") for side in sides) > sum(side == "L" for side in sides)


def _flow(panel: Strip, setting: Setting, line: float) -> Iterator[_Placed]:
    em = setting.em
    x, y = 0.0, 0.0
    for token, label in enumerate(panel.tokens.labels):
        text = fitted(label, _TEXT * em, line - 2 * _INSIDE * em)
        wide = max(width(text, _TEXT * em), width(panel.numbers[token], _NUMBER * em), 0.9 * em) + 2 * _INSIDE * em
        follows = bool(panel.starts) and not panel.starts[token]
        gap = (_CLOSE if follows else _GAP) * em if x else 0.0
        if x and x + gap + wide > line:
            x, y, gap = 0.0, y + (_HIGH + _LINE) * em, 0.0
        yield _Placed(token, text, x + gap, y, wide)
        x += gap + wide


def _draw_token(
    sheet: Sheet, panel: Strip, one: _Placed, box: tuple[float, float, float, float], ink: str | None, setting: Setting
) -> None:
    em = setting.em
    x, y, wide, high = box
    type_ = label_type(panel.tokens, one.token, setting, _TEXT * em).but(align="center")
    colour = ink or setting.look.faint
    sheet.text(x + wide / 2, y + 1.15 * em, one.text, type_.but(colour=colour), gid=f"token-{one.token}")
    number = setting.type(_NUMBER, align="center").but(colour=colour)
    sheet.text(x + wide / 2, y + 2.4 * em, panel.numbers[one.token], number, gid=f"number-{one.token}")
    if one.token == panel.tokens.chosen:
        sheet.frame((x - 0.5, y - 0.5, wide + 1, high + 1), setting.look.mark, 2, radius=0.45 * em)
