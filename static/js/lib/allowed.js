// Which cells are blank because a query may not look at a key: from the mask's description, layer by layer.
// A mask that no rule describes is read from the weights: what may not be looked at weighs exactly 0.

import { spanAt } from "./looked.js";

const FREE = new Set(["full"]);

/**
 * { pair(query, key, weight), cell([q0, q1], [k0, k1], weight) } in shown positions; null when nothing is blocked.
 * A cell is blocked only when every pair in it is. `rough` weights are rounded, so that a 0 proves nothing.
 */
export function createBlocked(mask, kind, queryTokens, keyTokens) {
  const test = testOf(mask, kind);
  if (!test) return null;
  const span = (tokens, [from, to]) => [spanAt(tokens, from)[0], spanAt(tokens, to - 1)[1]];
  const cell = (queries, keys, weight, rough = false) => weight === 0 && test(span(queryTokens, queries), span(keyTokens, keys), rough);
  return { cell, pair: (query, key, weight) => cell([query, query + 1], [key, key + 1], weight) };
}

// A test of whole spans: (queries, keys, rough) with both ends included; null where everything is allowed.
function testOf(mask, kind) {
  const { mask: name } = mask ?? { mask: "full" };
  if (FREE.has(name)) return null;
  if (name === "causal") return causal(mask.offset ?? 0);
  if (name === "sliding-window") return sliding(mask.size, mask.offset ?? 0);
  if (name === "all-of") return allOf(mask.parts, kind);
  if (kind === "decoder-self") return causal(0);
  if (name === "words") return testOf(mask.of, kind);
  return (_queries, _keys, rough) => !rough;
}

const causal = (offset) => ([, lastQuery], [firstKey]) => firstKey > lastQuery + offset;

// |query + offset - key| is at least `size` for every pair: the spans lie that far apart.
const sliding = (size, offset) => ([q0, q1], [k0, k1]) => k0 - (q1 + offset) >= size || q0 + offset - k1 >= size;

// Blocked by one part; or pair by pair, some by one part and some by another.
function allOf(parts, kind) {
  const tests = parts.map((part) => testOf(part, kind)).filter(Boolean);
  if (!tests.length) return null;
  const some = (queries, keys, rough) => tests.some((test) => test(queries, keys, rough));
  return (queries, keys, rough) => some(queries, keys, rough) || (tests.length > 1 && everyPair(queries, keys, (q, k) => some([q, q], [k, k], rough)));
}

function everyPair([q0, q1], [k0, k1], test) {
  for (let q = q0; q <= q1; q++) for (let k = k0; k <= k1; k++) if (!test(q, k)) return false;
  return true;
}
