// What a state means for a given map: heads and positions that it does not have fall back.

import { shownAt } from "./looked.js";

const CLASS_TOKEN = 0;

/** The head in focus. */
export function headOf({ layer, head }, map) {
  return layer < map.layers && head < map.heads ? { layer, head } : { layer: 0, head: 0 };
}

/** What the reader is asked for, in shown positions. */
export function wantOf(state, { map, trace, queryTokens, keyTokens }) {
  // Of a picture, the class token looks unless another one was chosen.
  const query = state.query === null && trace?.picture ? CLASS_TOKEN : state.query;
  return {
    ...headOf(state, map),
    query: shownAt(queryTokens, query), key: shownAt(keyTokens, state.key),
    queries: state.queries, keys: state.keys,
  };
}
