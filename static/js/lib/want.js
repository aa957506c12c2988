// What a state means for a given map: heads and positions that it does not have fall back.

/** The head in focus. */
export function headOf({ layer, head }, map) {
  return layer < map.layers && head < map.heads ? { layer, head } : { layer: 0, head: 0 };
}

/** What the reader is asked for. */
export function wantOf(state, map) {
  const within = (position, n) => (position !== null && position < n ? position : null);
  return {
    ...headOf(state, map),
    query: within(state.query, map.queries), key: within(state.key, map.keys),
    queries: state.queries, keys: state.keys,
  };
}
