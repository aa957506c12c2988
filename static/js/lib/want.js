// What a state means for a given map: heads and positions that it does not have fall back.

import { windowHolding } from "./cells.js";
import { originalAt, shownAt } from "./looked.js";

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

/** Views speak of what is shown, the state of the tokens that the model read: a cell { query, key }, or part of it, in those. */
export function cellOf({ queryTokens, keyTokens }, cell) {
  const axes = { query: queryTokens, key: keyTokens };
  return Object.fromEntries(Object.entries(cell).map(([axis, shown]) => [axis, originalAt(axes[axis], shown)]));
}

/** The windows of a state, moved so that they hold a cell; without a key the keys stay. */
export function windowsWith(state, { queries, keys }, query, key) {
  return { queries: windowHolding(state.queries, query, queries), keys: key === null ? state.keys : windowHolding(state.keys, key, keys) };
}

/** Windows { queries, keys } as the state has them: null where one is the whole axis. */
export function orWhole(map, windows) {
  const isWhole = (span, axis) => span && span[0] === 0 && span[1] >= map[axis];
  return Object.fromEntries(Object.entries(windows).map(([axis, span]) => [axis, isWhole(span, axis) ? null : span]));
}
