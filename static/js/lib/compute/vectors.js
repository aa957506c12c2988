// The vectors behind a row, of those that are here: the keys' and values' of a block of positions. Pure.

import { blockOf } from "./asking.js";
import { rowAt } from "./steps.js";

/** { query, key, value, valueAt(key) }: null, or an answer of null, for what is not here (yet). */
export function vectorsOf({ keys, values }, steps, at) {
  const [from] = blockOf(at, steps.dots.length);
  const of = (slot, key) => (slot?.state === "ready" ? rowAt(slot.value, from, key) : null);
  const cached = new Map();
  const valueAt = (key) => {
    if (!cached.has(key)) cached.set(key, of(values, key));
    return cached.get(key);
  };
  return { query: steps.query_vector, key: of(keys, at), value: valueAt(at), valueAt, matrix: values?.state === "ready" ? values.value : null };
}
