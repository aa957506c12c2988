"""The colour bar: slim, beside the panel or below it, with the numbers of the scale."""

from dataclasses import dataclass

import numpy as np

from attention_core.figures.colour import ramp, ticks
from attention_core.figures.matplotlib_writer.block import Setting
from attention_core.figures.matplotlib_writer.measuring import widest, width
from attention_core.figures.matplotlib_writer.sheet import Sheet

_THICK, _GAP, _SHORTEST, _LONGEST, _LONG = 0.75, 1.3, 9.0, 34.0, 14.0
_TYPE = 0.8


@dataclass(frozen=True)
class Bar:
    """The bar of a figure's scale; sizes in pixels."""

    setting: Setting

    @property
    def width(self) -> float:
        """How much room it takes beside a panel, with the gap before it."""
        em = self.setting.em
        numbers = widest(tuple(text for _, text in ticks(self.setting.scale)), _TYPE * em)
        title = 1.5 * em if self.setting.scale.title else 0.0
        return (_GAP + _THICK + 0.4) * em + numbers + title

    @property
    def height(self) -> float:
        """How much room it takes below a panel."""
        return 2.1 * self.setting.em

    def long(self, span: float) -> float:
        """How long it is beside cells that are `span` high: its numbers do not touch, and it is no pole."""
        return min(max(span, _SHORTEST * self.setting.em), _LONGEST * self.setting.em)

    def draw_beside(self, sheet: Sheet, left: float, top: float, high: float) -> None:
        """Upright, the largest on top, from `top` down."""
        em, scale = self.setting.em, self.setting.scale
        x, thick = round(left + _GAP * em), round(_THICK * em)
        sheet.image(self._colours()[::-1, None], (x, top, thick, high), gid="bar")
        type_ = self.setting.type(_TYPE, "faint")
        numbers = ticks(scale)
        for index, (at, text) in enumerate(numbers):
            y = top + (1 - at) * high
            inside = min(max(y, top + 0.35 * em), top + high - 0.35 * em)
            sheet.text(x + thick + 0.4 * em, inside, text, type_, gid=f"bar-{index}")
        if scale.title:
            room = widest(tuple(text for _, text in numbers), _TYPE * em)
            turned = type_.but(turned=90.0, align="center")
            sheet.text(x + thick + 1.35 * em + room, top + high / 2, scale.title, turned, gid="scale")

    def draw_below(self, sheet: Sheet, left: float, top: float, room: float) -> None:
        """Level, the largest on the right, its title before it unless that leaves too little of the room."""
        em, scale = self.setting.em, self.setting.scale
        type_ = self.setting.type(_TYPE, "faint")
        title = width(scale.title, _TYPE * em) + 0.8 * em if scale.title else 0.0
        if room - title < _SHORTEST * em:
            title = 0.0
        thick, long = round(_THICK * em), min(_LONG * em, room - title)
        if title:
            sheet.text(left, top + thick / 2, scale.title, type_, gid="scale")
            left += title
        sheet.image(self._colours()[None], (round(left), top, long, thick), gid="bar")
        for index, (at, text) in enumerate(ticks(scale)):
            align = "left" if at < 0.02 else "right" if at > 0.98 else "center"
            x = round(left) + at * long
            sheet.text(x, top + thick + 0.75 * em, text, type_.but(align=align), gid=f"bar-{index}")

    def _colours(self) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        steps = ramp(self.setting.style, diverging=self.setting.scale.diverging)
        return np.round(255 * steps).astype(np.uint8)
