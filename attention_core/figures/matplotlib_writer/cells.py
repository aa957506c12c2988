"""A heatmap: cells of colour, tokens beside the rows and above the columns, numbers where they are given."""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from attention_core.figures.colour import colours, contrasting
from attention_core.figures.figure import Cells, Values
from attention_core.figures.matplotlib_writer.block import Block, Setting
from attention_core.figures.matplotlib_writer.labels import Header, Side, header_of, segments, side_of
from attention_core.figures.matplotlib_writer.measuring import widest, width
from attention_core.figures.matplotlib_writer.sheet import Boxes, Sheet

# In sizes of the labels' letters: a cell, the letters of a number and the room beside them.
_CELL, _NUMBER, _NUMBER_ROOM = 2.7, 0.8, 0.5
# As many tokens as possible keep a label that can be read: cells of _LEAST until together they are _MOST wide.
_USUAL, _LEAST, _MOST = 46.0, 0.85, 72.0
_GAP = 0.7  # between labels and cells
_MOST_SHAPES = 40  # cells a side that are drawn as rectangles; more are one image
_HATCH = 5.0
_SMALLEST_NUMBER = 7.0  # pixels: smaller ones are not read


@dataclass(frozen=True)
class _Grid:
    """Where the cells stand: corner and size of a cell in pixels."""

    left: float
    top: float
    cell: float
    rows: int
    columns: int

    @property
    def box(self) -> tuple[float, float, float, float]:
        return (self.left, self.top, self.columns * self.cell, self.rows * self.cell)

    def boxes(self, gap: float) -> Boxes:
        """(cell, left top width height) of all cells in order of rows, `gap` pixels apart."""
        row, column = (index.ravel() for index in np.indices((self.rows, self.columns)))
        size = np.full(row.shape, self.cell - gap)
        return np.stack([self.left + column * self.cell, self.top + row * self.cell, size, size], axis=1)


def cells(panel: Cells, setting: Setting) -> Block:
    """The heatmap as a block."""
    gap = _GAP * setting.em
    side = side_of(panel.rows, setting)
    rest = widest(panel.rest or (), 0.85 * setting.em)
    after = rest + gap if rest else 0.0
    bars = 1.5 * setting.em if panel.rows.segments or panel.columns.segments else 0.0
    cell = _cell_of(panel, setting, side.width + gap + after + bars)
    header = header_of(panel.columns, setting, cell)
    grid = _Grid(side.width + gap, header.height + gap / 2, cell, len(panel.rows), len(panel.columns))
    _, _, wide, high = grid.box

    def draw(sheet: Sheet, left: float, top: float) -> None:
        placed = _Grid(round(left + grid.left), round(top + grid.top), cell, grid.rows, grid.columns)
        _draw_cells(sheet, panel.values, placed, setting)
        _draw_numbers(sheet, panel, placed, setting)
        _draw_labels(sheet, panel, placed, setting, (side, header))
        _draw_cross(sheet, panel.rows.chosen, panel.columns.chosen, placed, setting)

    total = grid.left + wide + after + bars
    reach = max(0.0, grid.left + header.reach - total)
    return Block(total, grid.top + high + bars, draw, reach, "beside", (grid.top, high))


def _cell_of(panel: Cells, setting: Setting, beside: float) -> float:
    """How many pixels a cell is wide and high: whole ones where they are not tiny."""
    count = max(panel.values.shape)
    natural = min(_CELL, max(_USUAL / count, min(_LEAST, _MOST / count))) * setting.em
    if panel.numbers:
        texts = tuple(text for row in panel.numbers for text in row)
        natural = max(natural, widest(texts, _NUMBER * setting.em) + _NUMBER_ROOM * setting.em)
    if setting.room is not None:
        natural = max(setting.room - beside, 2 * setting.em) / len(panel.columns)
    return float(np.floor(natural)) if natural >= 4 else max(natural, 0.25)


def _draw_cells(sheet: Sheet, values: Values, grid: _Grid, setting: Setting) -> None:
    if grid.cell < 1:
        values = _thinned(values, ceil(1 / grid.cell))
    painted = colours(values, setting.scale, setting.style)  # (row, column, 3)
    blocked = np.isnan(values)
    if max(values.shape) <= _MOST_SHAPES:
        gap = 1.0 if grid.cell >= 12 else 0.0
        kept = ~blocked.ravel()
        sheet.boxes(grid.boxes(gap)[kept], painted.reshape(-1, 3)[kept], gid="cells")
    else:
        opaque = np.where(blocked, 0, 255)[..., None]
        sheet.image(np.concatenate([np.round(255 * painted), opaque], axis=2).astype(np.uint8), grid.box, gid="cells")
    step = grid.box[3] / values.shape[0], grid.box[2] / values.shape[1]
    sheet.hatch(_runs(blocked, (grid.left, grid.top), step), setting.look.line, _HATCH)
    left, top, wide, high = grid.box
    sheet.frame((left - 0.5, top - 0.5, wide, high), setting.look.line, 1)


def _thinned(values: Values, step: int) -> Values:
    """Every `step` x `step` cells as one, the strongest of them: what is thinner than a pixel is not lost."""
    rows, columns = (ceil(count / step) for count in values.shape)
    padded = np.full((rows * step, columns * step), np.nan)
    padded[: values.shape[0], : values.shape[1]] = values
    blocks = padded.reshape(rows, step, columns, step).swapaxes(1, 2).reshape(rows, columns, step * step)
    strongest = np.nan_to_num(np.abs(blocks), nan=-1).argmax(axis=2)[..., None]
    return np.asarray(np.take_along_axis(blocks, strongest, axis=2)[..., 0])


def _runs(blocked: NDArray[np.bool_], corner: tuple[float, float], step: tuple[float, float]) -> Boxes:
    """Neighbours in a row as one rectangle each (box, left top width height); step is (height, width) of a cell."""
    edges = np.diff(np.pad(blocked, ((0, 0), (1, 1))).astype(int), axis=1)
    rows, starts = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    (x, y), (high, wide) = corner, step
    return np.stack([x + starts * wide, y + rows * high, (ends - starts) * wide, np.full(len(rows), high)], axis=1)


def _draw_numbers(sheet: Sheet, panel: Cells, grid: _Grid, setting: Setting) -> None:
    """The numbers in their cells, each in the ink that its cell asks for."""
    if panel.numbers is None:
        return
    inks = contrasting(colours(panel.values, setting.scale, setting.style))  # (row, column)
    longest = max((text for row in panel.numbers for text in row), key=lambda text: width(text, 1), default="")
    share = min(_NUMBER, 0.9 * (grid.cell - 2) / max(width(longest, setting.em), 1))
    shift = (grid.cell - 1) / 2
    if share * setting.em < _SMALLEST_NUMBER:
        return
    for row, texts in enumerate(panel.numbers):
        for column, text in enumerate(texts):
            if not text:
                continue
            type_ = setting.type(share, align="center", colour="ink").but(colour=str(inks[row, column]))
            x, y = grid.left + column * grid.cell + shift, grid.top + row * grid.cell + shift
            sheet.text(x, y, text, type_, gid=f"number-{row}-{column}")


def _draw_labels(sheet: Sheet, panel: Cells, grid: _Grid, setting: Setting, ends: tuple[Side, Header]) -> None:
    side, header = ends
    gap = _GAP * setting.em
    left, top, wide, high = grid.box
    side.draw(sheet, left - gap, top, grid.cell)
    header.draw(sheet, left, top - gap / 2, grid.cell)
    bars = segments(panel.rows, panel.columns, setting)
    bars.draw(sheet, (left, top, wide, high), grid.cell)
    x = left + wide + gap + (1.5 * setting.em if panel.rows.segments or panel.columns.segments else 0)
    for row, text in enumerate(panel.rest or ()):
        sheet.text(x, top + (row + 0.5) * grid.cell, text, setting.type(0.85, "faint"), gid=f"rest-{row}")


def _draw_cross(sheet: Sheet, row: int | None, column: int | None, grid: _Grid, setting: Setting) -> None:
    """A thin frame around the chosen row and column, a strong one where they meet."""
    left, top, wide, high = grid.box
    mark, cell = setting.look.mark, grid.cell
    if row is not None:
        sheet.frame((left - 0.5, top + row * cell - 0.5, wide, cell), mark, 1, alpha=0.45)
    if column is not None:
        sheet.frame((left + column * cell - 0.5, top - 0.5, cell, high), mark, 1, alpha=0.45)
    if row is not None and column is not None:
        sheet.frame((left + column * cell - 0.5, top + row * cell - 0.5, cell, cell), mark, 1.8)
