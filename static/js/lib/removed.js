// A reader whose views also say how much of each row was hidden: `removed`, one number a shown query.

/** The same interface as a reader's; load(layer) answers { shape: [heads, queries], data }. */
export function withRemoved(reader, load) {
  const layers = new Map();
  const flying = new Map();

  function fetch(layer) {
    if (layers.has(layer)) return undefined;
    if (!flying.has(layer)) flying.set(layer, load(layer).then((found) => layers.set(layer, found)).finally(() => flying.delete(layer)));
    return flying.get(layer);
  }
  function add(view, { layer, head }) {
    const found = layers.get(layer);
    if (!view || !found) return null;
    const queries = found.shape[1];
    return { ...view, removed: found.data.subarray(head * queries, (head + 1) * queries) };
  }
  return {
    ...reader,
    async view(want) {
      const [view] = await Promise.all([reader.view(want), fetch(want.layer)]);
      return add(view, want);
    },
    ready: (want) => add(reader.ready(want), want),
    prefetch: (want) => Promise.all([reader.prefetch(want), fetch(want.layer + 1 < reader.layers ? want.layer + 1 : want.layer)]),
  };
}
