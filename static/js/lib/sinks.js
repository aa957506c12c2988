// Attention sinks: a row that rests on a special token or on the first one instead of saying something.

export const MUCH = 0.5;

/**
 * What a row rests on, { what: "special" | "first" | "hidden", share, key }, or null; key is the shown index of the
 * token that takes most of it. `free` is how many keys the row may look at: with one or two it has little choice.
 * Only where nobody may look ahead is the first token the one that everybody sees; elsewhere it is a word like any
 * other. In cross-attention the end of a translation belongs to the source's.
 */
export function sinkOf({ row, tokens, query, isSpecial = false, cross = false, masked = false, removed = 0, free = row.length }) {
  if (cross && isSpecial) return null;
  if (removed > MUCH) return { what: "hidden", share: removed, key: null };
  if (free <= 2) return null;
  const special = indices(tokens.special).filter((i) => tokens.special[i]);
  const mass = (keys) => keys.reduce((sum, key) => sum + row[key], 0);
  if (special.length && mass(special) > MUCH) return { what: "special", share: mass(special), key: most(row, special) };
  // What is first on show must be first in the text as well.
  const isFirst = masked && query !== 0 && !tokens.special[0] && (tokens.positions?.[0][0] ?? 0) === 0;
  return isFirst && row[0] > MUCH ? { what: "first", share: row[0], key: 0 } : null;
}

const indices = (list) => list.map((_, i) => i);
const most = (row, keys) => keys.reduce((best, key) => (row[key] > row[best] ? key : best), keys[0]);
