// Choices that touch several parameters at once, as patches of the state.

import { offHeads } from "./off.js";
import { segmentsOf } from "./tokens.js";
import { canChange } from "./whatif.js";

const NO_CELL = { query: null, key: null, rivals: null, queries: null, keys: null };
const FRESH = {
  trace: null, rev: null,
  pair: null, target: null, truncate: false, off: null, what_if: null, written: null, segments: "all", aim: null, onto: null, scan: false,
  versus: null, versus_model: null, versus_layer: null, versus_head: null,
};

/** What a text, its second text or its target and its example say; the head stays in focus, a cell is named only by examples. */
export function forText(state, text, target, examples, pair = null) {
  const same = text === state.text && target === state.target && pair === state.pair;
  if (same) return { text, target, pair };
  const known = examples.find((one) => one.model === state.model && one.text === text && (one.target ?? null) === target && (one.pair ?? null) === pair);
  return { ...FRESH, off: state.off, what_if: state.what_if, segments: state.segments, image: null, text, target, pair, ...NO_CELL, query: known?.query ?? null, key: known?.key ?? null };
}

/** The trace of a file: whatever else stood there is left. */
export function forFile(id, name) {
  return { ...FRESH, ...NO_CELL, trace: id, text: null, image: null, chat: false, kind: null, ...(name && { model: name }) };
}

/** The example { text, pair, target } of a state; of a trace of a file, the one that the file is about. */
export function exampleOf(state, posted) {
  if (!state.trace || !posted) return { text: state.text, pair: state.pair, target: state.target };
  return { text: posted.source.text, pair: posted.source.pair ?? null, target: posted.target?.text ?? null };
}

/** Everything that an example decides. */
export function forExample(state, { text = null, pair = null, target = null, image = null, kind, layer, head, query = null, key = null, chat = false }) {
  return {
    ...FRESH, text, pair, target, image, ...NO_CELL, query, key, chat,
    kind: kind ?? null, layer: layer ?? state.layer, head: head ?? state.head,
  };
}

/** Another model: its own first example, unless the reader's own text or pair stands and is read in the same way. */
export function forModel(state, draft, from, to, examples, startOf) {
  const text = draft ?? state.text;
  const { segments } = state;
  const pair = state.pair ?? null;
  const isOwn = Boolean(text?.trim()) && !examples.some((example) => example.text === text && (pair === null || example.pair === pair));
  const same = (from?.input ?? "text") === (to?.input ?? "text") && (to?.input ?? "text") !== "picture";
  const { kind, layer, head, query, key, target, image, chat, text: first, pair: second } = startOf(to.name);
  if (isOwn && same) return { ...FRESH, ...NO_CELL, model: to.name, text, pair, segments, image: null, chat: false, kind, layer, head };
  return { ...FRESH, ...NO_CELL, model: to.name, text: first, pair: second, target, image, chat, kind, layer, head, query, key };
}

/**
 * The model that is offered for a language: the first in the list that reads it as plain text, ready ones before
 * others. Where a text is to be continued, only one that writes; of some of those nobody lists the languages, and an
 * example in this one says that they know it.
 */
export function readerOf(models, language, { writes = false, examples = [] } = {}) {
  const shown = (model) => writes && !model.languages.length && examples.some((one) => one.model === model.name && one.lang === language);
  const knows = (model) => model.languages.includes(language) || shown(model);
  const able = (model) => !writes || (model.writes && (model.ready || model.fetchable !== false));
  const reads = (model) => model.input === "text" && knows(model) && able(model) && !model.training;
  const rank = (model) => (model.ready ? 0 : model.state === "failed" ? 2 : 1);
  return models.filter(reads).sort((one, other) => rank(one) - rank(other))[0] ?? null;
}

/** The same text, or pair, in a model that knows its language, as whole words, or as the tokens that it is to continue. */
export function forReader(state, name, startOf, words = true) {
  const { kind, layer, head } = startOf(name);
  return { ...FRESH, ...NO_CELL, model: name, text: state.text, pair: state.pair ?? null, segments: state.segments, image: null, chat: false, kind, layer, head, words };
}

/** Another kind of attention: layer and head stay in its range; decoders' kinds share their rows. */
export function forKind(state, map, from) {
  const clamp = (value, n) => Math.max(0, Math.min(value, n - 1));
  const sharesRows = from !== "encoder-self" && map.kind !== "encoder-self";
  return {
    kind: map.kind, layer: clamp(state.layer, map.layers), head: clamp(state.head, map.heads),
    ...NO_CELL, query: sharesRows ? state.query : null,
  };
}

/**
 * What is asked of the server. A state that does not fit its model (a link may say anything) falls back on the
 * model's own example: a picture for models of pictures, a text for the others.
 */
export function requestOf(state, model, startOf) {
  if (state.trace) return requestOfFile(state);
  const start = startOf(state.model);
  const input = model?.input ?? (start.image ? "picture" : "text");
  const { truncate, kind, words, special, measure = "weight" } = state;
  const pair = input === "text" && (model?.pairs ?? true) ? (state.pair ?? null) : null;
  const segments = pair === null ? "all" : state.segments;
  const off = onlyOf(state.off, model);
  const rest = { model: state.model, truncate, kind, off, how: off && state.how === "mean" ? "mean" : null, what_if: changedOf(state.what_if, model), words, special, measure, pair, segments };
  if (input === "picture") return { ...rest, words: false, text: null, target: null, image: imageOf(state, model, start), written: null, chat: false };
  const target = input === "translation" ? (state.target ?? null) : null;
  return { ...rest, text: state.text ?? start.text, target, image: null, ...writtenOf(state, model) };
}

// What is known of a file's trace is in the file: no model here is asked anything about it.
const OF_NO_FILE = { text: null, pair: null, target: null, image: null, truncate: false, off: null, what_if: null, written: null, chat: false };

function requestOfFile({ trace, kind, words, special, segments, measure = "weight" }) {
  return { trace, ...OF_NO_FILE, model: null, how: null, kind, words, special, segments, measure };
}

/** What is read, where no model says so: "picture", "translation" or "text". */
export function inputOf({ trace, image }, posted) {
  if (trace && posted) return posted.picture ? "picture" : posted.target ? "translation" : "text";
  return image ? "picture" : "text";
}

/** The state without what its model, or the trace of its file, does not have; of a text the same state while the model is not known. */
export function fitted(state, model, startOf, posted = null) {
  if (state.trace) return { ...state, ...OF_NO_FILE, versus: null, versus_model: null, segments: segmentsFor(state, posted) };
  if (!model) return state;
  const { text, pair, target, image, off, what_if, segments, written, chat } = requestOf(state, model, startOf);
  return { ...state, text, pair, target, image, off, what_if, segments, written, chat };
}

/** Who of a pair looks at whom: of a file, once it is read, with one text alone, everything. */
export const segmentsFor = ({ trace, segments = "all" }, posted) => (trace && posted && !segmentsOf(posted.source) ? "all" : segments);

// Only a model that writes has written; whether it has a chat template is known once it is here.
function writtenOf({ written, chat }, model) {
  const hasChat = !model || model.chat || (model.writes && !model.ready);
  return { written: model && !model.writes ? null : written, chat: hasChat && chat };
}

/**
 * A patch that switches heads off: a mean is known only of a whole text, so where a model writes its own translation
 * and heads give their mean, what it wrote with all of them on is taken as the target.
 */
export function withTarget(patch, state, session) {
  const { off, how, target } = { ...state, ...patch };
  const { decoder_input, target: wrote } = session.whole ?? session.posted;
  return off && how === "mean" && decoder_input && !target && wrote ? { ...patch, target: wrote.text } : patch;
}

function changedOf(names, model) {
  if (!names || !model) return names;
  return names.split(",").filter((name) => canChange(model, name)).join(",") || null;
}

// Heads that the model does not have cannot be off.
function onlyOf(off, model) {
  if (!off || !model) return off;
  const has = ({ kind, layer, head }) => model.switchable && model.kinds.includes(kind) && layer < model.layers && head < model.heads;
  return offHeads(off).filter(has).map(({ name }) => name).join(",") || null;
}

// An example names a sample that should be there; where it is not, the first one is shown.
function imageOf(state, model, start) {
  if (state.image && state.image !== start.image) return state.image;
  const samples = model?.samples ?? [];
  return !samples.length || samples.includes(start.image) ? start.image : samples[0];
}

/** The range of the colours: what was chosen, or the one that shows most. Patches share the weight thinly; of a pair's
 * row most may lie in the sentence that is cut away. */
export const rangeOf = ({ range }, trace) => range ?? (trace?.picture || isCut(trace) ? "head" : "unit");
const isCut = (trace) => (trace?.looking?.segments ?? "all") !== "all";

/** The tab on show: what was chosen, or the one that a trace is read best in; a difference only where one is there. */
export function tabOf({ view }, trace, isCompared = false) {
  if ((view === "picture" && !trace?.picture) || (view === "difference" && !isCompared)) return trace?.picture ? "picture" : "heatmap";
  return view ?? (trace?.picture ? "picture" : "heatmap");
}
