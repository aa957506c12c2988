// How the cells of a vector lie in a width: in one line where they fit, else in lines of the same length.

const LEAST = 4; // pixels a cell
const WIDEST = 18;
const LINE = 12; // pixels of a line where there are several

/** { columns, lines, cell, line, width, height } for `count` cells in `width` pixels; one line is `height` pixels high, no cell narrower than `least`. */
export function gridOf(count, width, height, least = LEAST) {
  const fit = Math.max(1, Math.floor(width / least));
  const lines = Math.ceil(count / fit);
  const columns = lines === 1 ? count : columnsFor(count, fit);
  const cell = Math.min(WIDEST, width / columns);
  const rows = Math.ceil(count / columns);
  const line = rows === 1 ? height : LINE;
  return { columns, lines: rows, cell, line, width: Math.max(1, cell * columns), height: line * rows, count };
}

// The longest line that fits and leaves the last one full, if it need not be much shorter for that.
function columnsFor(count, fit) {
  for (let columns = fit; columns > fit / 2; columns--) if (count % columns === 0) return columns;
  return fit;
}

/** The cell at a point, or null outside of all. */
export function placeAt({ columns, lines, cell, line, count }, x, y) {
  const [column, row] = [Math.floor(x / cell), Math.floor(y / line)];
  const at = row * columns + column;
  return column >= 0 && column < columns && row >= 0 && row < lines && at < count ? at : null;
}
