// Which rows of a long table are there: those in sight and some around them; of a short one all.

const ALL = 64;
const AROUND = 16;

/** [first, last + 1] of `count` rows of `row` pixels, scrolled down by `top`, in `room` pixels. */
export function rowsInSight({ count, row, top, room }) {
  if (count <= ALL) return [0, count];
  const step = AROUND / 2; // so that scrolling a little draws nothing anew
  const first = Math.floor(top / row / step) * step - AROUND;
  const from = Math.max(0, Math.min(first, count - ALL));
  return [from, Math.min(count, Math.max(from + ALL, first + Math.ceil(room / row) + 2 * AROUND + step))];
}
