"""What a panel asks of the page that it stands on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from attention_core.figures.figure import Figure, Scale, Style
from attention_core.figures.look import LOOKS, Look
from attention_core.figures.matplotlib_writer.sheet import Sheet, Type


@dataclass(frozen=True)
class Block:
    """A panel that knows its size in pixels before it is drawn at (sheet, left, top).

    `reach` is how far labels stand out to the right of `width`. The colour bar stands `beside` it, along the `span`
    (top, height) of its cells, or `below`.
    """

    width: float
    height: float
    draw: Callable[[Sheet, float, float], None]
    reach: float = 0.0
    bar: Literal["beside", "below"] | None = None
    span: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Setting:
    """How panels of a figure are drawn: sizes in pixels grow with the letters."""

    style: Style
    scale: Scale
    room: float | None  # how wide a panel may be, None for what it needs

    @property
    def look(self) -> Look:
        """The colours around the data."""
        return LOOKS[self.style.theme]

    @property
    def em(self) -> float:
        """The size of the letters of labels."""
        return self.style.font_size

    def type(self, share: float = 1.0, colour: str = "ink", **changes: object) -> Type:
        """Letters of a share of the labels' size in one of the look's colours."""
        return Type(share * self.em, getattr(self.look, colour)).but(**changes)


def setting_of(figure: Figure, room: float | None) -> Setting:
    """How the panel of a figure is drawn."""
    return Setting(figure.style, figure.scale or Scale(""), room)
