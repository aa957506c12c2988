// One text in one model: the trace, its thumbnails and a reader of its heads. A newer text overtakes an older
// one, and a trace that the server no longer holds is asked for again.

import { readNpy } from "./npy.js";
import { createReader } from "./reader.js";

const THUMBNAIL = 32;

export function createSessions(api) {
  let newest = null;

  /** A session for a request { model, text, truncate, kind }; rejects with AbortError when overtaken. */
  async function open(request) {
    newest?.abort();
    const abort = new AbortController();
    newest = abort;
    const started = performance.now();
    const trace = await api.trace(request, abort.signal);
    const again = renewer(api, request);
    const map = trace.maps.find(({ kind }) => kind === request.kind) ?? trace.maps[0];
    const milliseconds = performance.now() - started;
    const thumbnails = await again(() => api.thumbnails(trace.id, map.kind, THUMBNAIL, abort.signal));
    abort.signal.throwIfAborted();
    const [queryTokens, keyTokens] = [trace[map.query_axis], trace[map.key_axis]];
    const reader = createReader({
      map,
      special: { queries: queryTokens.special, keys: keyTokens.special },
      load: async (query) => readNpy(await again(() => api.weights(trace.id, query))),
    });
    return { request, trace, map, queryTokens, keyTokens, thumbnails: readNpy(thumbnails), reader, milliseconds };
  }

  return { open, stop: () => newest?.abort() };
}

// Runs work; when the server has let the trace go, posts the text once more and runs it again.
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

/** Whether a session already answers a request. */
export function answers(session, { model, text, truncate, kind }) {
  if (!session) return false;
  const held = session.request;
  return held.text === text && held.model === model && held.truncate === truncate && (kind === null || kind === session.map.kind);
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
