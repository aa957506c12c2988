// What the tab "Compute" asks of the server: the steps of a row, the vectors behind them, the code; of the model itself
// what a trace does not hold, and only when that is on show.

import { originalAt } from "../looked.js";
import { mapOf } from "../session.js";
import { headOf } from "../want.js";
import { ENDS, STEPS } from "./steps.js";

const BLOCK = 512; // positions whose vectors are read at once
const NOTHING = { steps: null, before: null, code: null, keys: null, values: null };

/** The head, the query and the key whose row is computed, as the model counts its tokens, whatever is hidden or merged. */
export function placeOf(state, session, view) {
  const { queries, keys, kind } = mapOf(session.posted, session.map.kind);
  const at = (given, shown, axis, count) => (given !== null && given < count ? given : originalAt(axis, shown));
  return {
    kind, ...headOf(state, session.map),
    query: at(state.query, view.query, session.queryTokens, queries), key: at(state.key, view.key, session.keyTokens, keys),
  };
}

/** The positions of keys that are read with one of them: all of a short text. */
export function blockOf(key, keys) {
  const from = keys <= BLOCK ? 0 : Math.floor(key / BLOCK) * BLOCK;
  return [from, Math.min(keys, from + BLOCK)];
}

/** By slot, [name, parameters]; parameters null where nothing is asked. */
export function computeQuestions(state, session, view) {
  if (state.view !== "compute") return Object.fromEntries(Object.keys(NOTHING).map((slot) => [slot, [slot, null]]));
  const { query, key, ...head } = placeOf(state, session, view);
  const positions = blockOf(key, mapOf(session.posted, head.kind).keys).join(":");
  const isAsBefore = session.whole && sameTokens(session, head.kind);
  return {
    steps: ["steps", { ...head, query }],
    before: ["steps", isAsBefore ? { ...head, query } : null],
    code: ["code", { ...head, query, key }],
    keys: ["vectors", { ...head, of: "key", positions }],
    values: ["vectors", { ...head, of: "value", positions }],
  };
}

// What was changed may have changed the tokens: then there is no row to set beside this one.
function sameTokens({ whole, posted }, kind) {
  const [one, other] = [mapOf(posted, kind), mapOf(whole, kind)];
  const texts = (trace, axis) => trace[axis].texts.join("\n");
  return ["query_axis", "key_axis"].every((axis) => texts(posted, one[axis]) === texts(whole, other[axis]));
}

/** The experiment that sees the two ends of the attention; null for what no model can be asked. */
export function endsOf(state, session, view) {
  if (state.view !== "compute" || session.request.trace) return null;
  return { request: session.request, wish: { name: "sublayer", ...placeOf(state, session, view) }, starts: ENDS.includes(state.step ?? STEPS[0]) };
}

/** want(state, session, view) asks; now(): the place, and by slot what is known of it, as analyses and experiments say it. */
export function createComputing({ analyses, experiments }) {
  const name = (slot) => `compute ${slot}`;
  let place = null;
  return {
    want(state, session, view) {
      place = placeOf(state, session, view);
      for (const [slot, [what, query]] of Object.entries(computeQuestions(state, session, view))) {
        analyses.want(name(slot), slot === "before" && query ? session.untouched : session, what, query);
      }
      experiments.want("ends", endsOf(state, session, view));
    },
    now: () => ({ place, ...Object.fromEntries(Object.keys(NOTHING).map((slot) => [slot, analyses.now(name(slot))])), ends: experiments.now("ends") }),
  };
}
