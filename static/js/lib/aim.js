// What an experiment is about: which outcome of the model is watched while something is taken away.

import { asItIs } from "./off.js";

/** The trace with all heads on: what heads are taken away from is what the whole model says. */
export const wholeOf = ({ whole, posted }) => whole ?? posted;

/** "next-token", "masked-token", "translation", "classes", or "embedding" where the model predicts nothing. */
export const taskOf = (posted) => posted.predictions?.task ?? "embedding";

/** The rows of a posted trace that can be watched: [{ row, text }], row null for all of them together; one entry or none is no choice. */
export function aimsOf(posted) {
  const task = taskOf(posted);
  const said = posted.predictions?.at ?? [];
  const written = said.map(({ position, actual, candidates }) => ({ row: position, text: (actual ?? candidates[0])?.text ?? "" }));
  const tokens = posted.source.texts.map((text, row) => ({ row, text }));
  if (posted.picture) return [];
  if (task === "translation") return [{ row: null, text: null }, ...written];
  if (task === "next-token") return [{ row: null, text: posted.source.texts.at(-1) }, ...tokens.slice(0, -1)];
  if (task === "masked-token") return said.map(({ position }, at) => ({ row: at ? position : null, text: posted.source.texts[position] }));
  return task === "embedding" ? [{ row: null, text: null }, ...tokens] : [];
}

/** The row that a state means, or null for the model's usual aim: a link may name a row that is not there. */
export function aimOf({ aim }, posted) {
  return aim !== null && aimsOf(posted).some(({ row }) => row === aim) ? aim : null;
}

/** Whether a head's weight on one chosen key can stand beside its effect: a row of the one kind of attention there is. */
export function takesKey(state, posted) {
  return posted.maps.length === 1 && !posted.picture && aimOf(state, posted) !== null;
}

/** The key that a state means, or null: one that the row may look at. */
export function ontoOf(state, posted) {
  if (!takesKey(state, posted) || state.onto === null) return null;
  const [{ kind, keys }] = posted.maps;
  const last = kind === "decoder-self" ? aimOf(state, posted) : keys - 1;
  return state.onto <= last ? state.onto : null;
}

const some = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== false));

/**
 * What is asked of the server: { slot: { request, wish, starts } or null }. The scan takes every head away alone, so it
 * begins with all of them on, and only when it was asked for.
 */
export function experimentsOf(state, session) {
  const { request } = session;
  if (request.trace) return { scan: null, switched: null, importance: null }; // there is no model to run again
  const row = aimOf(state, wholeOf(session));
  const key = ontoOf(state, wholeOf(session));
  const opens = (tool) => state.tool === tool;
  const scan = some({ name: "scan", row, key, how: state.how === "mean" ? "mean" : null });
  const importance = session.trace.picture ? null : some({ name: "importance", row: aimOf(state, session.posted), words: state.words });
  return {
    scan: state.scan ? { request: asItIs(request), wish: scan, starts: opens("switch") } : null,
    switched: request.off ? { request: { ...request, what_if: null }, wish: some({ name: "switch-off", row }), starts: opens("switch") } : null,
    importance: importance && { request: { ...request, what_if: null }, wish: importance, starts: opens("importance") },
  };
}

export const EXPERIMENT_SLOTS = ["scan", "switched", "importance"];
