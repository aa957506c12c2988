import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiProblem, createApi } from "../../static/js/api.js";
import { moveInGrid } from "../../static/js/lib/keys.js";
import { rove } from "../../static/js/lib/roving.js";
import { answers, createSessions, peak } from "../../static/js/lib/session.js";
import { createPreferences } from "../../static/js/lib/storage.js";
import { createWaiting } from "../../static/js/lib/waiting.js";
import { headOf, wantOf } from "../../static/js/lib/want.js";

const map = { kind: "encoder-self", layers: 6, heads: 12, queries: 12, keys: 12, query_axis: "source", key_axis: "source" };

test("arrow keys stay inside the grid, Home and End reach its ends", () => {
  const go = (key, at, extra = {}) => moveInGrid({ key, ...extra }, at, [6, 12]);
  assert.deepEqual(go("ArrowRight", [3, 1]), [3, 2]);
  assert.deepEqual(go("ArrowRight", [3, 11]), [3, 11]);
  assert.deepEqual(go("ArrowUp", [0, 4]), [0, 4]);
  assert.deepEqual(go("Home", [3, 5]), [3, 0]);
  assert.deepEqual(go("End", [3, 5], { ctrlKey: true }), [5, 11]);
  assert.equal(go("a", [3, 5]), null);
  assert.equal(go("ArrowLeft", [3, 5], { altKey: true }), null);
  assert.deepEqual([rove("ArrowRight", 2, 3), rove("Home", 2, 3), rove("x", 1, 3)], [2, 0, null]);
});

test("heads and positions that a text does not have fall back", () => {
  assert.deepEqual(headOf({ layer: 9, head: 1 }, map), { layer: 0, head: 0 });
  assert.deepEqual(headOf({ layer: 5, head: 11 }, map), { layer: 5, head: 11 });
  const want = wantOf({ layer: 3, head: 1, query: 12, key: 11, queries: null, keys: null }, map);
  assert.deepEqual([want.query, want.key], [null, 11]);
});

test("preferences last as long as the page when storage is closed", () => {
  const closed = createPreferences(() => {
    throw new Error("SecurityError");
  });
  assert.equal(closed.get("theme"), null);
  closed.set("theme", "dark");
  assert.equal(closed.get("theme"), "dark");
  const full = createPreferences(() => ({ getItem: () => null, setItem: () => { throw new Error("QuotaExceededError"); } }));
  full.set("theme", "light");
  assert.equal(full.get("theme"), "light");
});

test("a problem document becomes a problem with its code and facts", async () => {
  const body = { type: "/problems/too-many-tokens", title: "t", status: 422, detail: "d", count: 700, limit: 512 };
  const api = createApi({ fetch: async () => new Response(JSON.stringify(body), { status: 422 }) });
  await assert.rejects(api.trace({ model: "m", text: "t" }), (error) => {
    assert.ok(error instanceof ApiProblem);
    assert.deepEqual([error.code, error.status, error.facts], ["too-many-tokens", 422, { count: 700, limit: 512 }]);
    return true;
  });
});

test("a reply that is no problem document, and no reply at all, are problems too", async () => {
  const broken = createApi({ fetch: async () => new Response("<html>", { status: 502 }) });
  await assert.rejects(broken.models(), { code: "internal", status: 502 });
  const away = createApi({ fetch: async () => { throw new TypeError("failed"); } });
  await assert.rejects(away.models(), { code: "unreachable" });
  const aborted = createApi({ fetch: async () => { throw new DOMException("", "AbortError"); } });
  await assert.rejects(aborted.models(), { name: "AbortError" });
});

test("options are sent only when they say something", async () => {
  const sent = [];
  const api = createApi({ fetch: async (_, { body }) => { sent.push(JSON.parse(body)); return new Response("{}"); } });
  await api.trace({ model: "m", text: "t", truncate: false });
  await api.trace({ model: "m", text: "t", truncate: true });
  assert.deepEqual(sent, [{ model: "m", text: "t" }, { model: "m", text: "t", options: { truncate: true } }]);
});

function npy(shape, data) {
  let header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  header = `${header.padEnd(117)}\n`;
  const bytes = new Uint8Array(128 + data.length);
  bytes.set([0x93, ...[..."NUMPY"].map((c) => c.charCodeAt(0)), 1, 0, 118, 0, ...[...header].map((c) => c.charCodeAt(0))]);
  bytes.set(data, 128);
  return bytes.buffer;
}
function fakeApi({ delay = () => 0, onThumbnails = () => {} } = {}) {
  const posted = [];
  const wait = (ms, signal) => new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); });
  });
  return {
    posted,
    async trace({ text }, signal) {
      posted.push(text);
      await wait(delay(text), signal);
      return { id: text, maps: [map], source: { special: Array(12).fill(false) }, target: null };
    },
    async thumbnails(id) {
      onThumbnails(id);
      return npy([6, 12, 1, 2], new Uint8Array(144).fill(255, 1, 2));
    },
    async weights() { throw new ApiProblem("trace-not-held"); },
  };
}
const request = (text) => ({ model: "minilm", text, truncate: false, kind: null });

test("a newer text overtakes an older, slower one", async () => {
  const sessions = createSessions(fakeApi({ delay: (text) => (text === "slow" ? 50 : 0) }));
  const slow = sessions.open(request("slow"));
  const fast = sessions.open(request("fast"));
  await assert.rejects(slow, { name: "AbortError" });
  assert.equal((await fast).trace.id, "fast");
});

test("a trace that the server let go is posted again, once", async () => {
  let lost = true;
  const api = fakeApi({ onThumbnails: () => { if (lost) { lost = false; throw new ApiProblem("trace-not-held"); } } });
  const session = await createSessions(api).open(request("a"));
  assert.deepEqual(api.posted, ["a", "a"]);
  await assert.rejects(session.reader.view({ layer: 0, head: 0, query: null, key: null, queries: null, keys: null }), { code: "trace-not-held" });
  assert.equal(api.posted.length, 3);
});

test("a session answers its own request only", async () => {
  const session = await createSessions(fakeApi()).open(request("a"));
  assert.equal(answers(session, request("a")), true);
  assert.equal(answers(session, { ...request("a"), kind: "encoder-self" }), true);
  assert.equal(answers(session, { ...request("a"), kind: "cross" }), false);
  assert.equal(answers(session, { ...request("a"), truncate: true }), false);
  assert.equal(answers(session, request("b")), false);
  assert.equal(answers(null, request("a")), false);
});

test("a head's peak is known from its thumbnail, and said to be about right", async () => {
  const session = await createSessions(fakeApi()).open(request("a"));
  assert.deepEqual(peak(session, 0, 0), { query: null, key: null, weight: 1, exact: false });
  assert.equal(peak(session, 5, 11).weight, 0);
});

test("a model is followed from its download until it is ready", async () => {
  const states = ["fetching", "loading", "ready"];
  const seen = [];
  let handlers;
  const api = {
    models: async () => ({ models: [{ name: "m", title: "M", size_bytes: 9, state: states.shift(), job: states.length === 2 ? "j" : null }] }),
    watchJob: (id, given) => { handlers = given; return () => {}; },
  };
  await new Promise((resolve, reject) => {
    const waiting = createWaiting({ api, onChange: () => seen.push(waiting.now()?.step), onReady: resolve, onModels: () => {}, onProblem: reject });
    waiting.begin("m").then(() => {
      handlers.onProgress({ step: "download", done: 5, total: 9 });
      assert.deepEqual([waiting.now().done, waiting.now().total], [5, 9]);
      handlers.onEnd({ state: "done", problem: null });
    });
  });
  assert.deepEqual(seen, ["download", "download", "load"]);
});

test("a model that is not in the catalogue, and a job that failed, are said so", async () => {
  const said = [];
  const api = { models: async () => ({ models: [{ name: "m", state: "fetching", job: "j" }] }), watchJob: (id, { onEnd }) => { onEnd({ state: "failed", problem: { type: "/problems/fetch-failed" } }); return () => {}; } };
  const waiting = createWaiting({ api, onChange: () => {}, onReady: () => {}, onModels: () => {}, onProblem: (problem) => said.push(problem.type) });
  await waiting.begin("other");
  await waiting.begin("m");
  assert.deepEqual(said, ["/problems/unknown-name", "/problems/fetch-failed"]);
});
