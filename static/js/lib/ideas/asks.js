// What the pages of ideas ask the server for: answers at once, and what is measured or trained when somebody starts it.

import { readNpy } from "../npy.js";
import { CAT, POSITIONS } from "./state.js";

const MODEL = "minilm";
export const SECONDS = 10; // that costs are measured for
export const STEPS = 400; // that both recurrent networks are trained

async function headsOf(api, text, signal, what = null) {
  const trace = await api.trace({ model: MODEL, text, what_if: what }, signal);
  const [{ kind, layers: count, heads }] = trace.maps;
  const layers = await Promise.all(Array.from({ length: count }, (_, layer) => api.weights(trace.id, { kind, layer }, signal)));
  return { trace, kind, heads: layers.flatMap((buffer, layer) => splitLayer(readNpy(buffer), layer, heads)) };
}

function splitLayer({ shape: [, queries, keys], data }, layer, heads) {
  const row = (head, i) => [...data.subarray((head * queries + i) * keys, (head * queries + i + 1) * keys)];
  return Array.from({ length: heads }, (_, head) => ({ layer, head, rows: Array.from({ length: queries }, (_, i) => row(head, i)) }));
}

/** The questions of a page's state: [{ slot, key, ask(signal) }]. */
export function questionsOf(name, state, api) {
  const idea = (slot, path, query) => ({ slot, key: JSON.stringify(query), ask: (signal) => api.idea(path, query, signal) });
  switch (name) {
    case "scaling": return [idea("scaling", "scaling", { dim: state.dim, seed: state.seed })];
    case "order": return POSITIONS.map((positions) => idea(positions, "order", { positions, text: state.text, seed: state.seed }));
    case "cost": return [idea("sparing", "sparing", { text: CAT, window: state.window, features: state.features, seed: state.seed })];
    case "heads": return [null, ...(state.switch ? [state.switch] : [])].map((what) => (
      { slot: what ? "switch" : "heads", key: JSON.stringify([state.text, what]), ask: (signal) => headsOf(api, state.text, signal, what) }));
    default: return [];
  }
}

/** What is started on a page of a state, or null for a page where nothing is. */
export function wishOf(name, state) {
  if (name === "cost") return { name, seed: state.seed, seconds: SECONDS };
  if (name === "recurrence") return { name, seed: state.seed, length: state.length, steps: STEPS };
  return name === "masking" ? { name, seed: state.seed, language: state.language } : null;
}
