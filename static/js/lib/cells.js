// Overviews: n positions drawn as min(size, n) cells; cell i covers floor(i·n/s) up to floor((i+1)·n/s).

/** The s + 1 edges of the cells, relative to the window's start. */
export function cellEdges(n, size) {
  const s = Math.min(size, n);
  return Array.from({ length: s + 1 }, (_, i) => Math.floor((i * n) / s));
}

/** The cell that covers a position, by bisection. */
export function cellOf(edges, position) {
  let low = 0;
  let high = edges.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (edges[middle] <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function clamp(value, low, high) {
  return Math.max(low, Math.min(high, value));
}

/** A stored window that fits n positions, or the whole axis. */
export function windowWithin(span, n) {
  if (!span || span[0] >= n) return [0, n];
  return [span[0], Math.min(span[1], n)];
}

/** A window half or twice as long around a position, inside n; null when it is the whole axis. */
export function zoomed([from, to], n, around, factor) {
  const length = clamp(Math.round((to - from) * factor), Math.min(4, n), n);
  if (length >= n) return null;
  const start = clamp(Math.round(around - length / 2), 0, n - length);
  return [start, start + length];
}

/** A window of the same length that holds the position; null stays null. */
export function windowHolding(span, position, n) {
  if (!span || (position >= span[0] && position < span[1])) return span;
  const length = span[1] - span[0];
  const start = clamp(position < span[0] ? position : position - length + 1, 0, Math.max(0, n - length));
  return [start, Math.min(n, start + length)];
}

/** Every how many labels one is drawn, so that two keep at least `room` pixels between them. */
export function everyNth(pixelsPerPosition, room) {
  return Math.max(1, Math.ceil(room / pixelsPerPosition));
}
