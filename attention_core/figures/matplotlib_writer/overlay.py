"""A picture under the weights of its patches: the stronger the colour, the more a patch is looked at."""

from attention_core.figures.colour import blended
from attention_core.figures.figure import Overlay
from attention_core.figures.matplotlib_writer.block import Block, Setting
from attention_core.figures.matplotlib_writer.sheet import Sheet

_LARGE = 26.0  # sizes of the labels' letters, the longer side


def overlay(panel: Overlay, setting: Setting) -> Block:
    """The picture as a block; patches are as large as whole pixels allow."""
    rows, columns = panel.values.shape
    high_pixels, wide_pixels = panel.pixels.shape[:2]
    large = _LARGE * setting.em
    zoom = large / max(high_pixels, wide_pixels) if setting.room is None else setting.room / wide_pixels
    patch_wide = max(1, int(zoom * wide_pixels / columns))
    patch_high = max(1, int(zoom * high_pixels / rows))
    wide, high = columns * patch_wide, rows * patch_high

    def draw(sheet: Sheet, left: float, top: float) -> None:
        sheet.image(blended(panel, setting.scale, setting.style), (left, top, wide, high), gid="cells")
        sheet.frame((left - 0.5, top - 0.5, wide + 1, high + 1), setting.look.line, 1)
        if panel.chosen is not None:
            row, column = panel.chosen
            box = (left + column * patch_wide, top + row * patch_high, patch_wide, patch_high)
            sheet.frame(box, setting.look.paper, 4)
            sheet.frame(box, setting.look.mark, 2)

    return Block(wide, high, draw, bar="beside", span=(0.0, high))
