"""All heads of a kind, small: layers down, heads across."""

import numpy as np
from numpy.typing import NDArray

from attention_core.figures.colour import colours
from attention_core.figures.figure import Heads
from attention_core.figures.matplotlib_writer.block import Block, Setting
from attention_core.figures.matplotlib_writer.measuring import width
from attention_core.figures.matplotlib_writer.sheet import Sheet

# In sizes of the labels' letters.
_SIDE, _GAP, _MOST = 3.2, 0.55, 60.0
_FEW = 26.0  # of few heads each has more room: together they are as wide as a caption
_LABEL = 0.75
_SHARP = 2  # dots of the picture a pixel


def heads(panel: Heads, setting: Setting) -> Block:
    """All heads as a block."""
    layers, count = panel.values.shape[:2]
    em = setting.em
    before = width(f"L{layers - 1}", _LABEL * em) + 0.6 * em
    room = _MOST * em if setting.room is None else setting.room - before
    step = room / count  # of a head with its gap
    gap = max(1, round(min(_GAP * em, 0.2 * step)))
    usual = max(_SIDE, _FEW / max(layers, count, 4) - _GAP) * em
    side = max(1, int(min(usual if setting.room is None else room, step - gap + gap / count)))
    above = 1.5 * em
    wide, high = count * (side + gap) - gap, layers * (side + gap) - gap

    def draw(sheet: Sheet, left: float, top: float) -> None:
        x, y = round(left + before), round(top + above)
        picture = _picture(panel, setting, side * _SHARP, gap * _SHARP)
        sheet.image(picture, (x, y, wide, high), gid="cells")
        _draw_frames(sheet, panel, (x, y), (side, gap), setting)
        _draw_names(sheet, (x, y), (side, gap), panel.values.shape[:2], setting)

    return Block(before + wide, above + high, draw, bar="beside", span=(above, high))


def _picture(panel: Heads, setting: Setting, side: int, gap: int) -> NDArray[np.uint8]:
    """All heads in one image (row, column, red green blue opacity) with clear gaps between them."""
    layers, count, rows, columns = panel.values.shape
    shares = panel.values if panel.highs is None else panel.values / panel.highs[..., None, None] * setting.scale.high
    painted = 255 * colours(shares, setting.scale, setting.style)
    opaque = np.where(np.isnan(shares), 0, 255)[..., None]  # what a mask blocks stays blank
    dots = np.concatenate([np.round(painted), opaque], axis=-1).astype(np.uint8)  # (layer, head, row, column, 4)
    down, across = (np.arange(side) * size // side for size in (rows, columns))
    step = side + gap
    picture = np.zeros((layers * step, count * step, 4), np.uint8)
    cut = picture.reshape(layers, step, count, step, 4).transpose(0, 2, 1, 3, 4)  # (layer, head, step, step, 4), a view
    cut[:, :, :side, :side] = dots[:, :, down][:, :, :, across]
    return picture[: layers * step - gap, : count * step - gap]


def _draw_frames(
    sheet: Sheet, panel: Heads, corner: tuple[float, float], sizes: tuple[int, int], setting: Setting
) -> None:
    """A thin outline around every head, a strong one around the chosen head, a stroke through those that are off."""
    (x, y), (side, gap), look = corner, sizes, setting.look
    layer, head = (index.ravel() for index in np.indices(panel.values.shape[:2]))
    size = np.full(layer.shape, side + 1)
    boxes = np.stack([x + head * (side + gap) - 0.5, y + layer * (side + gap) - 0.5, size, size], axis=1)
    sheet.frames(boxes, look.line, 1)
    for off_layer, off_head in panel.off:
        left, top = x + off_head * (side + gap), y + off_layer * (side + gap)
        sheet.line((left, top + side), (left + side, top), look.mark, 1.5)
    if panel.chosen is not None:
        left, top = x + panel.chosen[1] * (side + gap), y + panel.chosen[0] * (side + gap)
        sheet.frame((left - 2, top - 2, side + 4, side + 4), look.mark, 2, radius=2)


def _draw_names(
    sheet: Sheet, corner: tuple[float, float], sizes: tuple[int, int], shape: tuple[int, ...], setting: Setting
) -> None:
    """L0, L1 … at the left, H0, H1 … above; where they would touch, every second or third."""
    (x, y), (side, gap) = corner, sizes
    step = side + gap
    em, type_ = setting.em, setting.type(_LABEL, "faint")
    middle = side / 2
    across = width(f"H{shape[1] - 1} ", _LABEL * em)
    for name, count, room in (("L", shape[0], _LABEL * em * 1.1), ("H", shape[1], across)):
        every = max(1, int(np.ceil(room / step)))
        for number in range(0, count, every):
            at = number * step + middle
            if name == "L":
                sheet.text(x - 0.6 * em, y + at, f"L{number}", type_.but(align="right"), gid=f"layer-{number}")
            else:
                sheet.text(x + at, y - 0.8 * em, f"H{number}", type_.but(align="center"), gid=f"head-{number}")
