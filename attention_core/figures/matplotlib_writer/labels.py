"""Tokens beside the rows and above the columns of a heatmap: as many as can be read, the chosen one marked."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, cos, radians, sin

from attention_core.figures.figure import Axis
from attention_core.figures.matplotlib_writer.block import Setting
from attention_core.figures.matplotlib_writer.measuring import fitted, width
from attention_core.figures.matplotlib_writer.sheet import Sheet, Type

_SMALLEST = 0.72  # letters, in sizes of the labels' letters
_LINE = 1.12  # from line to line
_TITLE, _TITLE_LINE = 0.85, 1.7
_WIDEST = 0.28  # of the room, for one label


@dataclass(frozen=True)
class Shown:
    """A label that is drawn: its place on the axis, its text and how it is set."""

    place: int
    text: str
    type: Type

    @property
    def width(self) -> float:
        """In pixels."""
        return width(self.text, self.type.size, italic=self.type.italic)


@dataclass(frozen=True)
class Side:
    """The labels of rows, right beside them, and the title of the axis above them."""

    axis: Axis
    setting: Setting
    width: float

    def draw(self, sheet: Sheet, right: float, top: float, cell: float) -> None:
        """The labels end at `right`; the first row begins at `top`."""
        for shown in _shown(self.axis, self.setting, cell):
            type_ = shown.type.but(align="right")
            sheet.text(right, top + (shown.place + 0.5) * cell, shown.text, type_, gid=f"row-{shown.place}")
        if _title_width(self.axis, self.setting):
            type_ = self.setting.type(_TITLE, "faint", align="right")
            sheet.text(right, top - 0.9 * self.setting.em, self.axis.title, type_, gid="rows")


@dataclass(frozen=True)
class Header:
    """The labels of columns above them, level or turned, and the title of the axis on top.

    `reach` is how far the last of them stands out, from the left edge of the first column.
    """

    axis: Axis
    setting: Setting
    turned: float
    height: float
    reach: float

    def draw(self, sheet: Sheet, left: float, bottom: float, cell: float) -> None:
        """The labels stand on `bottom`; the first column begins at `left`."""
        em = self.setting.em
        for shown in _shown(self.axis, self.setting, cell):
            x = left + (shown.place + 0.5) * cell
            if self.turned:
                type_ = shown.type.but(turned=self.turned)
                x -= 0 if self.turned == 90 else 0.25 * em
                sheet.text(x, bottom - 0.3 * em, shown.text, type_, gid=f"column-{shown.place}")
            else:
                type_ = shown.type.but(align="center")
                sheet.text(x, bottom - 0.6 * em, shown.text, type_, gid=f"column-{shown.place}")
        if _title_width(self.axis, self.setting):
            y = bottom - self.height + 0.5 * _TITLE_LINE * em
            sheet.text(left, y, self.axis.title, self.setting.type(_TITLE, "faint"), gid="columns")


def side_of(axis: Axis, setting: Setting) -> Side:
    """The labels of rows, as wide as the widest of them."""
    widths = [shown.width for shown in _all(axis, setting, setting.em)]
    return Side(axis, setting, max([*widths, _title_width(axis, setting)]))


def header_of(axis: Axis, setting: Setting, cell: float) -> Header:
    """The labels of columns that are `cell` pixels wide: level if all have room, else turned."""
    em = setting.em
    shown = list(_shown(axis, setting, cell))
    wide_title = _title_width(axis, setting)
    title = _TITLE_LINE * em if wide_title else 0.0
    widths = [one.width for one in shown]
    if max(widths) <= cell - 0.5 * em and len(shown) == len(axis):
        return Header(axis, setting, 0.0, title + 1.2 * em, wide_title)
    turned = 45.0 if cell >= 1.3 * em else 90.0
    high, wide = sin(radians(turned)), cos(radians(turned))
    height = title + 0.4 * em + max(widths) * high + (0.7 * em * wide)
    ends = [(one.place + 0.5) * cell + one.width * wide + 0.5 * em for one in shown]
    return Header(axis, setting, turned, height, max([*ends, wide_title]))


@dataclass(frozen=True)
class Segments:
    """The two texts of a pair: a bar with its letter along each side, and a line where one ends."""

    rows: Axis
    columns: Axis
    setting: Setting

    def draw(self, sheet: Sheet, box: tuple[float, float, float, float], cell: float) -> None:
        """Below and to the right of the cells in `box` (left, top, width, height)."""
        left, top, wide, high = box
        em, look = self.setting.em, self.setting.look
        type_ = self.setting.type(0.8, "soft", align="center")
        for letter, start, stop in _stretches(self.rows.segments):
            y, x, middle = top + start * cell, left + wide + 0.75 * em, top + (start + stop) / 2 * cell
            for ends in ((y + 2, middle - 0.7 * em), (middle + 0.7 * em, top + stop * cell - 3)):
                if ends[0] < ends[1]:
                    sheet.line((x, ends[0]), (x, ends[1]), look.edge, 1)
            sheet.text(x, middle, letter, type_, gid=f"row-text-{start}")
            if start:
                sheet.line((left, y - 0.5), (left + wide, y - 0.5), look.ink, 1.2)
        for letter, start, stop in _stretches(self.columns.segments):
            x, y, middle = left + start * cell, top + high + 0.75 * em, left + (start + stop) / 2 * cell
            for ends in ((x + 2, middle - 0.7 * em), (middle + 0.7 * em, left + stop * cell - 3)):
                if ends[0] < ends[1]:
                    sheet.line((ends[0], y), (ends[1], y), look.edge, 1)
            sheet.text(middle, y, letter, type_, gid=f"column-text-{start}")
            if start:
                sheet.line((x - 0.5, top), (x - 0.5, top + high), look.ink, 1.2)


def segments(rows: Axis, columns: Axis, setting: Setting) -> Segments:
    """The bars of the two texts; nothing where there is one text."""
    return Segments(rows, columns, setting)


def label_type(axis: Axis, place: int, setting: Setting, size: float) -> Type:
    """How a token's label is set: special tokens slanted and soft, the chosen one in the colour of the mark."""
    look = setting.look
    special = bool(axis.special) and axis.special[place]
    colour = look.mark if axis.chosen == place else look.soft if special else look.ink
    return Type(size, colour, italic=special)


def _title_width(axis: Axis, setting: Setting) -> float:
    """How wide the title of an axis is; 0 where it has no room and is left out."""
    wide = width(axis.title, _TITLE * setting.em)
    return wide if setting.room is None or wide <= 0.4 * setting.room else 0.0


def _shown(axis: Axis, setting: Setting, cell: float) -> Iterator[Shown]:
    """The labels that have room where each has `cell` pixels; the chosen one is always among them."""
    size = min(setting.em, max(_SMALLEST * setting.em, cell / _LINE))
    step = max(1, ceil(_LINE * size / cell))
    for shown in _all(axis, setting, size):
        near = axis.chosen is not None and shown.place != axis.chosen and abs(shown.place - axis.chosen) < step
        if shown.place == axis.chosen or (shown.place % step == 0 and not near):
            yield shown


def _all(axis: Axis, setting: Setting, size: float) -> Iterator[Shown]:
    room = None if setting.room is None else max(2 * size, _WIDEST * setting.room)
    for place, label in enumerate(axis.labels):
        text = label if room is None else fitted(label, size, room)
        yield Shown(place, text, label_type(axis, place, setting, size))


def _stretches(letters: tuple[str, ...]) -> Iterator[tuple[str, int, int]]:
    """(letter, start, stop) of each stretch of the same letter; where a token has none, nothing."""
    start = 0
    for place in range(1, len(letters) + 1):
        if place == len(letters) or letters[place] != letters[start]:
            if letters[start]:
                yield letters[start], start, place
            start = place
