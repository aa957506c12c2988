// The HTTP API as functions. Everything here speaks in plain data; what goes wrong is an ApiProblem.

export class ApiProblem extends Error {
  constructor(code, { status = 0, detail = "", facts = {} } = {}) {
    super(detail || code);
    this.name = "ApiProblem";
    Object.assign(this, { code, status, detail, facts });
  }
}

/** An ApiProblem of a problem document (RFC 9457), wherever it came in. */
export function asProblem({ type, title, status, detail, ...facts } = {}) {
  const code = String(type ?? "").split("/").pop() || "internal";
  return new ApiProblem(code, { status, detail: detail ?? title, facts });
}

async function problemOf(response) {
  try {
    return asProblem({ ...(await response.json()), status: response.status });
  } catch {
    return new ApiProblem("internal", { status: response.status });
  }
}

export function createApi({ base = "/api/v1", fetch = globalThis.fetch, EventSource = globalThis.EventSource } = {}) {
  async function ask(path, options = {}, root = base) {
    let response;
    try {
      response = await fetch(root + path, options);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiProblem("unreachable");
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  }
  // Not only of the interface: a picture or a page that the server makes, with the name it is to have as a file.
  const file = async (path, signal) => saved(await ask(path, { signal }, ""));
  async function saved(response) {
    const named = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "");
    return { blob: await response.blob(), name: named?.[1] ?? "attention-atlas" };
  }
  const json = async (path, options) => (await ask(path, options)).json();
  const bytes = async (path, options) => (await ask(path, options)).arrayBuffer();
  const send = (body, signal) => ({
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal,
  });

  return {
    file,
    /** All models that are listed, and a model of the lab for whoever names it. */
    models: (named) => json(`/models${named?.startsWith("lab-") ? `?with=${encodeURIComponent(named)}` : ""}`, { cache: "no-store" }),
    atlas: (model) => json(`/models/${encodeURIComponent(model)}/atlas`),
    // A trace of a file is there or not: nobody but its owner can make it again.
    trace: (request, signal) => (request.trace ? json(`/traces/${request.trace}`, { signal }) : json("/traces", send(traceBody(request), signal))),
    postTraceFile: (file, signal) => json("/trace-files", { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file, signal }),
    seen: (id, look, signal) => json(`/traces/${id}?${new URLSearchParams(look)}`, { signal }),
    thumbnails: (id, query, signal) => bytes(`/traces/${id}/thumbnails?${new URLSearchParams(query)}`, { signal }),
    weights: (id, query, signal) => bytes(`/traces/${id}/weights?${new URLSearchParams(query)}`, { signal }),
    analysis: (id, name, query, signal) => json(`/traces/${id}/analyses/${name}?${new URLSearchParams(query)}`, { signal }),
    vectors: (id, query, signal) => bytes(`/traces/${id}/vectors?${new URLSearchParams(query)}`, { signal }),
    code: (id, query, signal) => json(`/traces/${id}/code?${new URLSearchParams(query)}`, { signal }),
    difference: (id, query, signal) => bytes(`/traces/${id}/difference?${new URLSearchParams(query)}`, { signal }),
    valueNorms: (id, query) => bytes(`/traces/${id}/value-norms?${new URLSearchParams(query)}`),
    removed: (id, query, signal) => bytes(`/traces/${id}/removed?${new URLSearchParams(query)}`, { signal }),
    postImage: (file, signal) => json("/images", { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file, signal }),
    // A lesson that somebody writes: read, shown as its readers will see it, made into a file.
    checkLesson: (file) => json("/lessons/check", { method: "POST", headers: { "Content-Type": "application/json" }, body: file }),
    previewLesson: (lesson, lang) => json(`/lessons/preview?${new URLSearchParams({ lang })}`, send(lesson)),
    exportLesson: async (lesson, format) => saved(await ask(`/lessons/export?${new URLSearchParams({ format })}`, send(lesson))),
    imageUrl: (id) => `${base}/images/${encodeURIComponent(id)}`,
    pictureUrl: (id) => `${base}/traces/${id}/picture`,
    fetchModel: (model) => json("/jobs", send({ do: "fetch", model })),
    generate: (request, wish) => json("/jobs", send({ do: "generate", ...traceBody(request), ...wish })),
    experiment: (request, wish) => json("/jobs", send({ do: "experiment", ...traceBody(request), ...given(wish) })),
    evaluate: (model, wish = {}) => json("/jobs", send({ do: "evaluate", model, ...given(wish) })),
    // The lab: what can be trained, a training, every head's map at one of its checkpoints, and the model that came of it.
    lab: () => json("/lab", { cache: "no-store" }),
    train: (choices, visitor) => json("/jobs", send({ do: "train", choices, visitor })),
    checkpoint: (job, number) => bytes(`/jobs/${job}/checkpoints/${number}`),
    modelFileUrl: (model) => `${base}/models/${encodeURIComponent(model)}/file`,
    // For a page that goes: nobody is there to hear the reply.
    leaveJob: (id) => void fetch(`${base}/jobs/${id}`, { method: "DELETE", keepalive: true }).catch(() => {}),
    idea: (name, query, signal) => json(`/ideas/${name}?${new URLSearchParams(query)}`, { signal }),
    runIdea: (wish) => json("/jobs", send({ do: "idea", ...wish })),
    cancelJob: (id) => json(`/jobs/${id}`, { method: "DELETE" }),
    watchWriting: (id, { layer, head }, handlers) => watch(new EventSource(`${base}/jobs/${id}/events?${new URLSearchParams({ layer, head })}`), handlers),
    watchJob: (id, handlers) => watch(new EventSource(`${base}/jobs/${id}/events`), handlers),
  };
}

// Only what was said is sent: the server knows its own defaults.
function traceBody({ model, text, pair, target, image, truncate, off, how, what_if, written, chat }) {
  const options = { ...(truncate && { truncate: true }), ...(off && { off: off.split(",") }), ...(off && how && { off_with: how }), ...(what_if && { what_if: what_if.split(",") }), ...(chat && { chat: true }) };
  return {
    model, ...(text != null && { text }), ...(pair && { pair }), ...(target && { target }), ...(image && { image }),
    ...(Object.keys(options).length && { options }), ...(written && { written: written.split(".").map(Number) }),
  };
}

// What was left open is not sent either.
const given = (wish) => Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== null && value !== undefined));

const TRIES = 4; // in vain and one after the other: about ten seconds. By itself a browser would try for ever, and say nothing.

// A reader only watches: closing it stops nothing on the server.
function watch(source, { onProgress, onWritten, onEnd, onLost }) {
  let missed = 0;
  source.addEventListener("open", () => (missed = 0));
  if (onProgress) source.addEventListener("progress", (event) => onProgress(JSON.parse(event.data)));
  if (onWritten) source.addEventListener("written", (event) => onWritten(JSON.parse(event.data)));
  source.addEventListener("end", (event) => {
    source.close();
    onEnd(JSON.parse(event.data));
  });
  source.addEventListener("error", () => {
    missed += 1;
    if (source.readyState !== 2 && missed < TRIES) return;
    source.close();
    onLost();
  });
  return () => source.close();
}
