// The steps of one row of one head: which there are, which one a state means, what its table and its sentence say. Pure.

export const STEPS = ["input", "project", "dot", "scale", "cap", "bias", "mask", "softmax", "weigh", "sum", "join"];
/** What a trace does not hold: the model is asked once more. */
export const ENDS = ["input", "join"];

/** The steps that a head has; while nothing is known of it, those that every head has. */
export const namesOf = (steps) => STEPS.filter((name) => !(name === "cap" && !steps?.capped) && !(name === "bias" && !steps?.bias));

/** The step that is meant among those there are: the first, or for one that is not there the one before it. */
export function stepOf(wanted, names) {
  const upTo = STEPS.slice(0, STEPS.indexOf(wanted) + 1).filter((name) => names.includes(name));
  return upTo.at(-1) ?? names[0];
}

/** The step `by` further, or null at an end. */
export const beside = (step, names, by) => names[names.indexOf(step) + by] ?? null;

/** Whether scores are divided by the root of the vectors' length, as in the formula that everybody knows. */
export const isByRoot = ({ scale, dim }) => Math.abs(scale * Math.sqrt(dim) - 1) < 1e-5;

/** The formula of a step as this head has it. */
export function formulaOf(step, steps) {
  if (step === "scale") return isByRoot(steps) ? step : "scale-other";
  if (step === "bias" && steps.capped) return "bias-capped";
  if (step === "mask") return steps.bias ? "mask-biased" : steps.capped ? "mask-capped" : step;
  return step === "softmax" && steps.sink !== null ? "softmax-sink" : step;
}

/** Whose words say what a step is for: those of cross-attention and of scores that stay as they are differ. */
export function wordsOf(step, { kind, scale }) {
  if (kind === "cross" && ["input", "project"].includes(step)) return `${step}.cross`;
  return step === "scale" && scale === 1 ? "scale.none" : step;
}

/**
 * The columns of the table of keys: [{ name, symbol, values, as }], `as` "number", "bar" for a number with a bar of its
 * sign, "share" for a weight; what is blocked is null. None where a step is not about every key.
 */
export function columnsOf(step, steps, before = null) {
  const [dots, scaled] = [column("dot", steps.dots), column("score", steps.scaled)];
  const capped = column("capped", steps.capped);
  const biased = column("biased", steps.scores);
  const given = steps.bias ? biased : steps.capped ? capped : scaled;
  const masked = column("masked", steps.scores.map((score, i) => (steps.allowed[i] ? score : null)));
  const weights = { name: "weight", symbol: "weight", values: steps.weights.map((weight, i) => (steps.allowed[i] ? weight : null)), as: "share" };
  const earlier = before && { name: "before", symbol: null, values: before.weights.map((weight, i) => (before.allowed[i] ? weight : null)), as: "share" };
  const shown = {
    dot: [bar(dots)], scale: [dots, bar(scaled)], cap: [scaled, bar(capped)],
    bias: [steps.capped ? capped : scaled, column("bias", steps.bias), bar(biased)], mask: [given, bar(masked)],
    softmax: [masked, { ...column("exponential", steps.exponentials.map((one, i) => (steps.allowed[i] ? one : null))) }, ...(earlier ? [earlier] : []), weights],
    weigh: [weights],
  };
  return shown[step] ?? [];
}
const column = (name, values) => ({ name, symbol: name, values, as: "number" });
const bar = (one) => ({ ...one, as: "bar" });

/** The products of two vectors, one a place. */
export const products = (one, other) => one.map((value, i) => value * other[i]);

export const lengthOf = (vector) => Math.hypot(...vector);

/** The place of the number that is largest in size. */
export function strongestPlace(values) {
  let at = 0;
  values.forEach((value, i) => (Math.abs(value) > Math.abs(values[at]) ? (at = i) : null));
  return at;
}

/** Where row `at` of a matrix { shape: [rows, columns], data } that begins at position `from` stands; null outside of it. */
export function rowAt(matrix, from, at) {
  const [rows, columns] = matrix.shape;
  const row = at - from;
  return row >= 0 && row < rows ? Array.from(matrix.data.subarray(row * columns, (row + 1) * columns)) : null;
}

/** "−14.21", "0.0031", "2.1·10⁻⁶": a number in about four digits. */
export function spelled(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size === 0) return "0";
  if (size < 0.0005 || size >= 1e6) return sign + powered(size);
  return sign + size.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 0.01 ? 3 : 4);
}

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";
function powered(size) {
  const [digits, exponent] = size.toExponential(1).split("e");
  const power = [...String(Math.abs(Number(exponent)))].map((digit) => RAISED[digit]).join("");
  return `${digits}·10${Number(exponent) < 0 ? "⁻" : ""}${power}`;
}

/**
 * The sentence of a step with its numbers: { key, values }, the end of a message's key and what stands in its places.
 * at: the key; vectors: { query, key, value } of the pair; ends: what the model was asked once more, or null.
 */
export function sentenceOf(step, steps, at, vectors, ends) {
  return SENTENCES[step](steps, at, vectors, ends);
}

const plain = (key, values) => ({ key, values: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typeof value === "number" && !COUNTS.has(name) ? spelled(value) : value])) });
const bracketed = (value) => (value < 0 ? `(${spelled(value)})` : spelled(value));
const COUNTS = new Set(["count", "places", "blocked", "place", "heads"]);

const SENTENCES = {
  input: (_steps, _at, _vectors, ends) => ends && plain("input", { places: ends.query_input.length, query_length: lengthOf(ends.query_input), key_length: lengthOf(ends.key_input) }),
  project: ({ dim, value_dim: values }, _at, { query, key, value }) =>
    key && value && plain("project", { places: dim, count: values, query_length: lengthOf(query), key_length: lengthOf(key), value_length: lengthOf(value) }),
  dot({ dots, dim }, at, { query, key }) {
    if (!key) return plain("dot", { dot: dots[at], places: dim });
    const place = strongestPlace(products(query, key));
    return plain("dot.most", { dot: dots[at], places: dim, place, most: query[place] * key[place] });
  },
  scale(steps, at) {
    const values = { dot: steps.dots[at], score: steps.scaled[at], places: steps.dim, scale: steps.scale };
    return plain(isByRoot(steps) ? "scale" : steps.scale === 1 ? "scale.none" : "scale.other", values);
  },
  cap: ({ cap, scaled, capped }, at) => plain("cap", { cap, score: scaled[at], capped: capped[at] }),
  bias: ({ scaled, capped, bias, scores }, at) => plain("bias", { before: (capped ?? scaled)[at], bias: bracketed(bias[at]), after: scores[at] }),
  mask({ allowed }, at) {
    const blocked = allowed.filter((may) => !may).length;
    const key = blocked === 0 ? "mask.none" : blocked === allowed.length ? "mask.all" : allowed[at] ? "mask.free" : "mask.blocked";
    return plain(key, { count: allowed.length, blocked });
  },
  softmax({ allowed, scores, peak, exponentials, total, weights }, at) {
    if (peak === null) return plain("softmax.none", {});
    if (!allowed[at]) return plain("softmax.blocked", {});
    return plain("softmax", { score: scores[at], peak: bracketed(peak), exponential: exponentials[at], total, weight: weights[at] });
  },
  weigh: ({ weights, value_dim: count }, at) => plain("weigh", { weight: weights[at], count }),
  sum: ({ weights, output }) => plain("sum", { count: weights.length, places: output.length, length: lengthOf(output) }),
  join: (_steps, _at, _vectors, ends) => ends && plain("join", { heads: ends.heads.length, part: lengthOf(ends.part), joined: lengthOf(ends.joined) }),
};
