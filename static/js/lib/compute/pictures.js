// What each step shows: the strips of its vectors, and what stands below its table of keys. Pure but for the messages.

import { bitsOf } from "../bits.js";
import { products, spelled } from "./steps.js";
import { largestSize, limitOf } from "./strips.js";

/** { strips, joins } for createStrips: the vectors of a step; values null where they are still read. */
export function stripsOf(name, about) {
  return { strips: [], ...STRIPS[name]?.(about) };
}

// A strip of its own scale, or of that of others.
function strip({ i18n, texts, message, tokens }, symbol, values, { sign = null, limit = null } = {}) {
  return {
    symbol, sign, values, limit: limit ?? limitOf(values ?? []),
    name: () => message(`compute.strip.${symbol}`, {}, tokens), said: i18n.t(`compute.strip.${symbol}`, texts),
  };
}

const STRIPS = {
  input(about) {
    if (!about.ends && !about.asks) return {};
    return { strips: [strip(about, "query-input", about.ends?.query_input ?? null), strip(about, "key-input", about.ends?.key_input ?? null)] };
  },
  project: (about) => ({ strips: ["query", "key", "value"].map((one) => strip(about, one, about.vectors[one])) }),
  dot(about) {
    const { query, key } = about.vectors;
    return { strips: [strip(about, "query", query), strip(about, "key", key, { sign: "×" }), strip(about, "product", key && products(query, key), { sign: "=" })], joins: " " };
  },
  sum(about) {
    const { steps, at, vectors: { value } } = about;
    const own = value && value.map((one) => one * steps.weights[at]);
    const rest = own && steps.output.map((one, i) => one - own[i]);
    const limit = largestSize(own, rest, steps.output);
    return { strips: [strip(about, "weighted", own, { limit }), strip(about, "rest", rest, { sign: "+", limit }), strip(about, "output", steps.output, { sign: "=", limit })], joins: " " };
  },
  join(about) {
    const { ends, asks } = about;
    if (!ends && !asks) return {};
    const rest = ends && ends.joined.map((one, i) => one - ends.part[i]);
    const limit = ends ? limitOf(ends.joined) : 1;
    return { strips: [strip(about, "part", ends?.part ?? null), strip(about, "others", rest, { sign: "+", limit }), strip(about, "joined", ends?.joined ?? null, { sign: "=", limit })], joins: " " };
  },
};

/** Two last columns of a table: every key's value, and the same times its weight. */
export function stripsColumnsOf({ weights }, { matrix, valueAt }) {
  const limit = matrix ? largestSize(matrix.data) : 1;
  const most = Math.max(...weights);
  return [
    { name: "value", symbol: "value", limit, valuesAt: valueAt },
    { name: "weighted", symbol: "weighted", limit: limit * (most || 1), valuesAt: (key) => valueAt(key)?.map((one) => one * weights[key]) ?? null },
  ];
}

/** The lines below the table of keys: [{ label, symbol, cells }], cells by column. */
export function footOf(name, steps, before, i18n) {
  if (name !== "softmax" || steps.peak === null) return [];
  const earlier = before ? 1 : 0;
  const line = (label, exponential, then, now) => ({ label: i18n.t(label), cells: [null, exponential, ...(earlier ? [then] : []), now] });
  const shareOf = (one) => (one.sink === null ? null : one.sink / one.total);
  const lines = [];
  if (steps.sink !== null) lines.push({ ...line("compute.sink", spelled(steps.sink), before && spelled(shareOf(before)), spelled(shareOf(steps))), symbol: "sink" });
  lines.push({ ...line("compute.total", spelled(steps.total), before && sumOf(before), sumOf(steps)), symbol: "total" });
  lines.push(line("compute.entropy", null, before && spelled(bitsOf(before.weights)), spelled(bitsOf(steps.weights))));
  return lines;
}

// Weights add up to 1 but for rounding, with what a sink took.
const sumOf = ({ weights, sink, total }) => (weights.reduce((sum, weight) => sum + weight, 0) + (sink === null ? 0 : sink / total)).toFixed(3);
