// How widely the head in focus looks on both sides of a comparison: its mean over the rows, and of the chosen row.

import { bitsOf } from "./bits.js";
import { isRanked } from "./compare.js";
import { cursorOf } from "./cursor.js";
import { spanAt } from "./looked.js";

/**
 * { query, before, after } of a comparison whose cells are there: each side { mean, row } in bits, null where it is not
 * known, or not yet; `query` is the pair whose rows they are. Whatever is hidden or merged, they are of the whole rows of
 * weights. asked.profile(side, query) and asked.row(side, query) give { state, value }, side 0 what comes first.
 */
export function entropiesOf({ first, second, ranks, cells, side }, { state, layer, head }, asked) {
  const { query } = cursorOf({ first, second, ranks, cells, side }, state);
  const pair = ranks.value.queries[query];
  const of = (which, tokens, range) => {
    const { kind } = tokens.map;
    const profile = isRanked(tokens.map) ? asked.profile(which, { kind }) : null;
    const at = rowOf(tokens.queries, range);
    const row = at === null ? null : asked.row(which, { kind, layer, head, queries: `${at}:${at + 1}` });
    const its = profile?.value?.heads.find((one) => one.layer === layer && one.head === head);
    return { mean: its?.entropy ?? null, row: row?.value ? bitsOf(row.value) : null };
  };
  return { query, before: of(0, first, pair.first), after: of(1, second, pair.second) };
}

// The one token that the model read for a range of shown ones; null where there are several, or none.
function rowOf(tokens, range) {
  if (!range || range[1] - range[0] !== 1) return null;
  const [from, to] = spanAt(tokens, range[0]);
  return from === to ? from : null;
}
