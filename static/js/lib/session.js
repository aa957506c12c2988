// One example in one model, one kind of it, seen in one way: the trace, its thumbnails and a reader of its heads.
// A newer request overtakes an older one; a trace that the server no longer holds is asked for again; the last
// few sessions are kept, so that going back and forth between kinds and ways to look costs nothing.

import { createBlocked } from "./allowed.js";
import { segmentsFor } from "./choices.js";
import { createKeep } from "./keep.js";
import { lookQuery, whyNoLengths } from "./looked.js";
import { createNumbers } from "./numbers.js";
import { readNpy } from "./npy.js";
import { asItIs } from "./off.js";
import { createReader } from "./reader.js";
import { withRemoved } from "./removed.js";
import { isShuffled } from "./whatif.js";

const THUMBNAIL = 32;
const KEPT = { traces: 12, sessions: 5 };
const BUDGET = 12_000_000; // bytes of weights that each session keeps
const CONTENT = ["trace", "model", "text", "pair", "target", "image", "truncate", "off", "how", "what_if", "written", "chat"];

export function createSessions(api) {
  const traces = createKeep(KEPT.traces);
  const sessions = createKeep(KEPT.sessions);
  let newest = null;

  async function post(request, signal) {
    const key = contentOf(request);
    const posted = traces.get(key) ?? await api.trace(request, signal);
    traces.put(key, posted);
    return posted;
  }

  /** A session for a request { trace } or { model, text, pair, target, image, truncate, off, how, what_if, written, chat }, with { kind, words, special, segments, measure }; rejects with AbortError when overtaken. */
  async function open(request) {
    newest?.abort();
    const abort = new AbortController();
    newest = abort;
    const whole = request.off || request.what_if ? post(asItIs(request), abort.signal).catch(() => null) : null;
    const posted = await post(request, abort.signal);
    abort.signal.throwIfAborted();
    const key = JSON.stringify([contentOf(request), lookQuery(request), mapOf(posted, request.kind).kind]);
    const session = sessions.get(key) ?? await make(api, request, posted, abort.signal);
    session.whole = await whole;
    session.untouched = session.whole && { posted: session.whole, analysis: (...asked) => analysed(api, session.whole.id, ...asked) };
    abort.signal.throwIfAborted();
    sessions.put(key, session);
    return session;
  }

  return { open, stop: () => newest?.abort() };
}

async function make(api, request, posted, signal) {
  // A link may ask for the lengths of a model that has none, or for one of two texts in the file of one: then its
  // weights are shown, and the whole.
  const measure = whyNoLengths(posted) ? "weight" : request.measure;
  const asked = { ...request, segments: segmentsFor(request, posted) };
  const look = lookQuery({ ...asked, measure });
  const again = renewer(api, request);
  const isPlain = Object.keys(look).length === 0;
  const { kind } = mapOf(posted, request.kind);
  const [trace, thumbnails] = await Promise.all([
    isPlain ? posted : again(() => api.seen(posted.id, look, signal)),
    again(() => api.thumbnails(posted.id, { kind, size: THUMBNAIL, ...look }, signal)),
  ]);
  const map = mapOf(trace, kind);
  const [queryTokens, keyTokens] = [trace[map.query_axis], trace[map.key_axis]];
  const load = async (query) => readNpy(await again(() => api.weights(trace.id, { ...query, ...look })));
  const reader = createReader({ map, special: { queries: queryTokens.special, keys: keyTokens.special }, load, budget: BUDGET });
  const removed = async (layer) => readNpy(await again(() => api.removed(trace.id, { kind, layer, ...look })));
  const analysis = (name, query, signal) => again(() => analysed(api, posted.id, name, query, signal));
  const numbers = createNumbers({
    weights: async (query) => readNpy(await again(() => api.weights(posted.id, { kind, ...query }))),
    norms: async () => readNpy(await again(() => api.valueNorms(posted.id, { kind }))),
  });
  return {
    analysis, numbers,
    request: asked, trace, posted, map, queryTokens, keyTokens, thumbnails: readNpy(thumbnails), whole: null, untouched: null,
    reader: look.special ? withRemoved(reader, removed) : reader,
    blocked: byLayer((layer) => createBlocked(map.masks?.[layer], isShuffled(posted) ? null : kind, queryTokens, keyTokens)),
  };
}

// What a trace is asked: an analysis by its name, or the vectors and the code behind a head.
const OTHERS = {
  code: (api, ...asked) => api.code(...asked),
  vectors: async (api, ...asked) => readNpy(await api.vectors(...asked)),
};
const analysed = (api, id, name, query, signal) => OTHERS[name]?.(api, id, query, signal) ?? api.analysis(id, name, query, signal);

function byLayer(work) {
  const held = new Map();
  return (layer) => {
    if (!held.has(layer)) held.set(layer, work(layer));
    return held.get(layer);
  };
}

// Runs work; when the server has let the trace go, posts the example once more and runs it again.
function renewer(api, request) {
  let renewal = null;
  return async (work) => {
    try {
      return await work();
    } catch (error) {
      if (error.code !== "trace-not-held") throw error;
      renewal ??= api.trace(request).finally(() => (renewal = null));
      await renewal;
      return work();
    }
  };
}

/** A request's example as one string, however it is looked at. */
export const contentOf = (request) => JSON.stringify(CONTENT.map((name) => request[name] || null));

/** Whether two requests are about the same example, however it is looked at. */
export const sameExample = (one, other) => contentOf(one) === contentOf(other);

/** How the revision of the model on show begins, as a link says it; null where it has none. */
export const revisionOf = (session) => /^[0-9a-f]{12}/.exec(session?.trace.model.revision ?? "")?.[0] ?? null;

/** The map of a kind, or the trace's first one. */
export const mapOf = ({ maps }, kind) => maps.find((map) => map.kind === kind) ?? maps[0];

/** Whether a session already answers a request. */
export function answers(session, request) {
  if (!session) return false;
  const sameLook = JSON.stringify(lookQuery(session.request)) === JSON.stringify(lookQuery(request));
  return contentOf(session.request) === contentOf(request) && sameLook && mapOf(session.trace, request.kind).kind === session.map.kind;
}

/** The largest weight of one head as its thumbnail knows it: { weight, exact } and where, if cells are tokens. */
export function peak(session, layer, head) {
  const whole = session.reader.whole(layer, head);
  if (whole) return { ...largestCell(whole.data, whole.columns), exact: true };
  const { shape, data } = session.thumbnails;
  const size = shape[2] * shape[3];
  const cell = largestCell(data.subarray((layer * shape[1] + head) * size, (layer * shape[1] + head + 1) * size), shape[3]);
  const isToken = shape[2] === session.map.queries && shape[3] === session.map.keys;
  return { query: isToken ? cell.query : null, key: isToken ? cell.key : null, weight: (cell.weight / 255) ** 2, exact: false };
}

function largestCell(data, columns) {
  let best = 0;
  for (let i = 1; i < data.length; i++) if (data[i] > data[best]) best = i;
  return { query: Math.floor(best / columns), key: best % columns, weight: data[best] };
}
