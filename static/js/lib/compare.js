// "Compare": what the text on show is compared with, as the state says it, and what is asked of the server for that.

import { mostRanked } from "./asked.js";
import { lookQuery } from "./looked.js";
import { asItIs } from "./off.js";

const WHOLE = 256; // tokens up to which a side is read exactly
export const BEST = 8; // heads that are listed

/** Ways to compare that a state could mean. */
export const WAYS = ["text", "model", "switch", "what-if"];

/**
 * What is compared: { way, request, look }, or null. `request` is the other side's; heads that are off are compared with
 * the same heads on, and a model that was changed with itself as it is, in which case the other side is the first.
 */
export function comparedOf(state, request, models) {
  const look = lookQuery(request);
  const isText = !request.image && request.text !== null;
  if (isText && state.versus && state.versus.trim() && state.versus !== request.text) {
    return { way: "text", request: { ...request, text: state.versus, target: null, written: null }, look };
  }
  if (isText && state.versus_model && state.versus_model !== request.model) {
    const kind = request.kind ?? models.find(({ name }) => name === request.model)?.kinds[0];
    if (models.length && !rivalModels(models, request, kind).some(({ name }) => name === state.versus_model)) return null;
    const whole = { ...request, words: true };
    return { way: "model", request: { ...whole, model: state.versus_model, off: null, how: null, what_if: null, written: null, chat: false }, look: lookQuery(whole) };
  }
  if (request.off || request.what_if) return { way: request.what_if ? "what-if" : "switch", request: asItIs(request), look };
  return null;
}

// A model that reads the same plain text; a pair only where it reads two.
const readsAlike = ({ input, pairs }, { target, pair, chat, written }) => input === "text" && !target && !chat && !written && (!pair || pairs);

/** The models that a text can be compared in: [{ name, title, ready }]. */
export function rivalModels(models, request, kind) {
  return models.filter((one) => one.name !== request.model && one.kinds.includes(kind) && readsAlike(one, request));
}

/** Whether the comparison is to be worked out: while somebody looks at it. */
export const isLookedAt = ({ tool, view }) => tool === "compare" || view === "difference";

/** Whether the other side is what comes before: of a model that was changed, the same as it is. */
export const isChange = (way) => way === "switch" || way === "what-if";

/** Whether a text is short enough for numbers of every head at once. */
export const isRanked = ({ layers, heads, queries, keys }) => queries * keys <= mostRanked({ layers, heads }) ** 2;

/** What is asked about all heads; of a long text only which tokens stand for which. */
export function ranksQuery({ way, look }, map, { layer, head }) {
  const { kind } = map;
  const isShort = isRanked(map);
  return { kind, ...look, ...(way === "model" && isShort && { layer, head }), ...(!isShort && { ranked: 0 }) };
}

/** The head of the other model that is set against the one in focus: the chosen one, or the nearest. */
export function otherHead(state, model, ranks) {
  const { versus_layer: layer, versus_head: head } = state;
  if (layer !== null && head !== null && layer < model.layers && head < model.heads) return { layer, head, chosen: true };
  const nearest = ranks.heads[0];
  return nearest ? { layer: nearest.layer, head: nearest.head, chosen: false } : { layer: 0, head: 0, chosen: false };
}

/** What is asked about one head of each, on a window of pairs; an overview where that is long. */
export function cellsQuery({ way, look }, kind, { layer, head }, other, [q, k]) {
  const long = q[1] - q[0] > WHOLE || k[1] - k[0] > WHOLE;
  return {
    kind, layer, head, ...(way === "model" && { other_layer: other.layer, other_head: other.head }),
    queries: q.join(":"), keys: k.join(":"), ...(long && { size: WHOLE }), ...look,
  };
}

/** The two matrices of a reply { shape: [2, rows, columns], data }, what changes, and the window of pairs that they are of. */
export function changeOf({ shape: [, rows, columns], data }, query) {
  const size = rows * columns;
  const [before, after] = [data.subarray(0, size), data.subarray(size)];
  const [queries, keys] = [query.queries, query.keys].map((span) => span.split(":").map(Number));
  const exact = query.size === undefined;
  return { before, after, change: Float32Array.from(after, (value, i) => value - before[i]), rows, columns, queries, keys, exact };
}

/** The cell that changed most: { row, column }. */
export function strongestChange({ change, columns }) {
  let best = 0;
  for (let i = 1; i < change.length; i++) if (Math.abs(change[i]) > Math.abs(change[best])) best = i;
  return { row: Math.floor(best / columns), column: best % columns };
}

/** The heads that are listed, each with its rank: the first ones, and the one in focus where it is not among them. */
export function listedChanges(heads, focus) {
  const ranked = heads.map((one, i) => ({ ...one, rank: i + 1 }));
  const best = ranked.slice(0, BEST);
  const its = ranked.find(({ layer, head }) => layer === focus.layer && head === focus.head);
  return { best, rest: its && !best.includes(its) ? [its] : [] };
}

/** How strongly a head's frame shows in the grid, from 0 to 1. */
export function changeGlow({ heads }, layer, head) {
  const most = Math.max(0.05, heads[0]?.change ?? 0);
  return (heads.find((one) => one.layer === layer && one.head === head)?.change ?? 0) / most;
}

/** The largest weight of both sides: they are coloured alike. */
export function largestIn({ before, after }) {
  let largest = 0;
  for (let i = 0; i < before.length; i++) largest = Math.max(largest, before[i], after[i]);
  return largest;
}
