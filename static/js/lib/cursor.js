// The cell of a comparison that is spoken of: by pairs on the shared axes, and as tokens of the text on show.

import { cellEdges, cellOf } from "./cells.js";
import { strongestChange } from "./compare.js";
import { originalAt, shownAt } from "./looked.js";
import { pairAt, tokenAt } from "./pairs.js";

/** { query, key } as pairs: what the state chose, completed by what changes most in the window that was read. */
export function cursorOf({ side, ranks, cells, ...sides }, { query, key }) {
  const at = (axis, original) => pairAt(ranks.value[axis], side, shownAt(sides[side][axis], original));
  const chosen = { query: at("queries", query), key: at("keys", key) };
  if (chosen.query !== null && chosen.key !== null) return chosen;
  const { value } = cells;
  const row = chosen.query === null || !value.exact ? null : chosen.query - value.queries[0];
  const isIn = row !== null && row >= 0 && row < value.rows;
  const part = isIn ? { change: value.change.subarray(row * value.columns, (row + 1) * value.columns), columns: value.columns } : value;
  const most = strongestChange(part);
  const place = ([from, to], i, count) => from + Math.floor((i * (to - from)) / count);
  return { query: chosen.query ?? place(value.queries, most.row, value.rows), key: place(value.keys, most.column, value.columns) };
}

/** The tokens of the text on show that a pair stands for: { query, key } as they are shown; null where it has none. */
export function shownCell(comparison, cell) {
  const { queryTokens, keyTokens } = comparison.session;
  const { query, key } = originalCell(comparison, cell);
  return { query: shownAt(queryTokens, query), key: shownAt(keyTokens, key) };
}

/** A window of pairs as one of shown tokens, { queries, keys }; null for a whole axis, and where the text on show has no such token. */
export function shownWindow(comparison, { queries, keys }) {
  const { value } = comparison.ranks;
  const [first, last] = [0, 1].map((end) => shownCell(comparison, { query: queries[end] - end, key: keys[end] - end }));
  const of = ([from, to], pairs, name) => (from === 0 && to >= pairs.length) || first[name] === null || last[name] === null ? null : [first[name], last[name] + 1];
  return { queries: of(queries, value.queries, "query"), keys: of(keys, value.keys, "key") };
}

/** The tokens that the model read for a pair: { query, key } as the state has them; null where the text on show has none. */
export function originalCell({ side, ranks, ...sides }, { query, key }) {
  const of = (axis, number) => originalAt(sides[side][axis], tokenAt(ranks.value[axis], side, number));
  return { query: of("queries", query), key: of("keys", key) };
}

/** The two weights and the change of a pair of pairs; null outside the window that was read. */
export function readingAt({ queries, keys, rows, columns, before, after, change, exact }, { query, key }) {
  const cell = (value, [from, to], count) => (value >= from && value < to ? cellOf(cellEdges(to - from, count), value - from) : null);
  const [row, column] = [cell(query, queries, rows), cell(key, keys, columns)];
  if (row === null || column === null) return null;
  const at = row * columns + column;
  return { before: before[at], after: after[at], change: change[at], exact };
}
