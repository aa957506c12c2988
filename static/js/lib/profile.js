// The table of heads: its columns, and the order that a state asks for.

/** Columns by the name that the server gives them; the largest comes first unless the order is turned round. */
export const COLUMNS = ["entropy", "distance", "offset_share", "special", "own", "same_word", "topic"];
const UP = ".up";
const STEEP = 3; // where every head has some of it, those with most are to stand out

/** { column, up } of "entropy" or "entropy.up", else null: the order of the model. */
export function orderOf(sort) {
  const up = Boolean(sort?.endsWith(UP));
  const column = up ? sort.slice(0, -UP.length) : sort;
  return COLUMNS.includes(column) ? { column, up } : null;
}

/** What the next press on a column means: largest first, smallest first, the model's own order. */
export function nextSort(sort, column) {
  const order = orderOf(sort);
  if (order?.column !== column) return column;
  return order.up ? null : column + UP;
}

/** The heads in that order; those without the number come last, equal ones as in the model. */
export function sorted(heads, sort) {
  const order = orderOf(sort);
  if (!order) return heads;
  const { column, up } = order;
  const known = heads.filter((head) => head[column] !== null);
  const unknown = heads.filter((head) => head[column] === null);
  return [...known.sort((one, other) => (up ? one[column] - other[column] : other[column] - one[column])), ...unknown];
}

/** The columns that say something of these heads. */
export const columnsOf = (heads) => COLUMNS.filter((column) => heads.some((head) => head[column] !== null));

/** How strongly a head shows in the grid by the column that orders the table, from 0 to 1. */
export function strengthOf({ heads, sort }, layer, head) {
  const { column, up } = orderOf(sort);
  const values = heads.map((one) => one[column]).filter((value) => value !== null);
  const value = heads.find((one) => one.layer === layer && one.head === head)?.[column] ?? null;
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (value === null || most === least) return 0;
  const share = (up ? most - value : value - least) / (most - least);
  return share ** STEEP;
}
