// Which lines are drawn: every pair of a short window; for longer ones only the chosen token's strongest.

export const ALL = 40;
export const STRONGEST = 24;
const AROUND = 3;

/** { queries, keys, lines: [{from, to, weight}], partial }; from and to count within queries and keys. Blocked pairs have no line. */
export function linesOf({ window, query, row }, blocked = null) {
  const isFree = (from, to, weight) => !blocked?.pair(from, to, weight);
  const [q, k] = [range(window.queries), range(window.keys)];
  if (window.exact && q.length <= ALL && k.length <= ALL) {
    const lines = q.flatMap((_, from) => k.map((_, to) => ({ from, to, weight: window.data[from * window.columns + to] })))
      .filter(({ from, to, weight }) => isFree(q[from], k[to], weight));
    return { queries: q, keys: k, lines, partial: false };
  }
  const keys = strongestOf(row, STRONGEST).filter((key) => isFree(query, key, row[key]));
  const queries = range([Math.max(0, query - AROUND), Math.min(query + AROUND + 1, rowsOf(window, query))]);
  const from = queries.indexOf(query);
  return { queries, keys, lines: keys.map((key, to) => ({ from, to, weight: row[key] })), partial: true };
}

/** The positions of the n largest values, in their order of place. */
export function strongestOf(values, n) {
  return [...values.keys()].sort((a, b) => values[b] - values[a] || a - b).slice(0, n).sort((a, b) => a - b);
}

const range = ([from, to]) => Array.from({ length: to - from }, (_, i) => from + i);
const rowsOf = (window, query) => Math.max(window.queries[1], query + 1);
