import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiProblem, createApi } from "../../static/js/api.js";
import { moveInGrid } from "../../static/js/lib/keys.js";
import { rove } from "../../static/js/lib/roving.js";
import { answers, createSessions, peak } from "../../static/js/lib/session.js";
import { createPreferences } from "../../static/js/lib/storage.js";
import { createWaiting } from "../../static/js/lib/waiting.js";

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
  // A row that runs from right to left: the next token stands on the left.
  assert.deepEqual([rove("ArrowLeft", 1, 3, "rtl"), rove("ArrowRight", 1, 3, "rtl"), rove("ArrowDown", 1, 3, "rtl")], [2, 0, 2]);
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

test("a model of the lab is asked for by its name, and no other one is", async () => {
  const asked = [];
  const api = createApi({ fetch: async (path) => { asked.push(path); return new Response('{"models": []}'); } });
  await api.models();
  await api.models("minilm");
  await api.models("lab-0123");
  assert.deepEqual(asked, ["/api/v1/models", "/api/v1/models", "/api/v1/models?with=lab-0123"]);
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
  await api.trace({ model: "m", text: "t", truncate: true, target: "u", off: "cross.0.1,cross.1.0" });
  await api.trace({ model: "m", text: null, image: "star" });
  await api.trace({ model: "m", text: "t", pair: "u", segments: "AB", words: true });
  assert.deepEqual(sent, [
    { model: "m", text: "t" },
    { model: "m", text: "t", target: "u", options: { truncate: true, off: ["cross.0.1", "cross.1.0"] } },
    { model: "m", image: "star" },
    { model: "m", text: "t", pair: "u" },
  ]);
});

function npy(shape, data) {
  let header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  header = `${header.padEnd(117)}\n`;
  const bytes = new Uint8Array(128 + data.length);
  bytes.set([0x93, ...[..."NUMPY"].map((c) => c.charCodeAt(0)), 1, 0, 118, 0, ...[...header].map((c) => c.charCodeAt(0))]);
  bytes.set(data, 128);
  return bytes.buffer;
}
const other = { ...map, kind: "cross", layers: 2, heads: 3, query_axis: "target" };
const tokens = (n, positions = null) => ({ texts: Array(n).fill("x"), special: Array(n).fill(false), positions });
function fakeApi({ delay = () => 0, onThumbnails = () => {} } = {}) {
  const posted = [];
  const asked = [];
  const wait = (ms, signal) => new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); });
  });
  return {
    posted, asked,
    async trace({ text, off }, signal) {
      posted.push(off ? `${text} without ${off}` : text);
      await wait(delay(text), signal);
      return { id: off ? `${text}-off` : text, maps: [map, other], source: tokens(12), target: tokens(12), predictions: { of: off ?? "all" } };
    },
    async seen(id, look) {
      asked.push(`seen ${id} ${JSON.stringify(look)}`);
      return { id, maps: [{ ...map, queries: 2, keys: 2 }, other], source: tokens(2, [[0, 1], [2]]), target: tokens(12) };
    },
    async thumbnails(id, { kind, ...query }) {
      onThumbnails(id);
      asked.push(`thumbnails ${kind} ${JSON.stringify(query)}`);
      const of = kind === "cross" ? other : map;
      return npy([of.layers, of.heads, 1, 2], new Uint8Array(of.layers * of.heads * 2).fill(255, 1, 2));
    },
    async weights() { throw new ApiProblem("trace-not-held"); },
  };
}
const request = (text, more = {}) => ({ model: "minilm", text, target: null, image: null, truncate: false, off: null, kind: null, words: false, special: "show", ...more });

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
  assert.equal(answers(session, { ...request("a"), kind: "decoder-self" }), true);
  for (const more of [{ words: true }, { special: "hide" }, { off: "cross.0.1" }, { target: "b" }, { image: "c" }, { pair: "d" }, { segments: "AB" }]) assert.equal(answers(session, request("a", more)), false);
  assert.equal(answers(session, { ...request("a"), truncate: true }), false);
  assert.equal(answers(session, request("b")), false);
  assert.equal(answers(null, request("a")), false);
});

test("another kind of the same text is the same trace, with thumbnails of its own", async () => {
  const api = fakeApi();
  const sessions = createSessions(api);
  const first = await sessions.open(request("a"));
  const cross = await sessions.open(request("a", { kind: "cross" }));
  assert.deepEqual([first.map.kind, cross.map.kind, cross.queryTokens === cross.trace.target], ["encoder-self", "cross", true]);
  assert.deepEqual(api.posted, ["a"]);
  assert.deepEqual(api.asked, ['thumbnails encoder-self {"size":32}', 'thumbnails cross {"size":32}']);
  assert.equal(await sessions.open(request("a")), first);
  assert.equal(api.asked.length, 2);
});

test("another way to look asks for the document and the thumbnails of that way", async () => {
  const api = fakeApi();
  const sessions = createSessions(api);
  const session = await sessions.open(request("a", { words: true, special: "hide" }));
  assert.deepEqual(api.asked, ['seen a {"words":1,"special":"hide"}', 'thumbnails encoder-self {"size":32,"words":1,"special":"hide"}']);
  assert.deepEqual([session.map.queries, session.queryTokens.positions, session.posted.source.texts.length], [2, [[0, 1], [2]], 12]);
});

test("a filter of a pair reads both axes from the document of that filter, and posts nothing again", async () => {
  const api = fakeApi();
  const seen = api.seen;
  api.seen = async (id, look) => ({ ...(await seen(id, look)), maps: [{ ...map, queries: 2, keys: 3, query_axis: "source_queries" }], source: tokens(3, [[2], [3], [4]]), source_queries: tokens(2, [[0], [1]]) });
  const sessions = createSessions(api);
  const whole = await sessions.open(request("a", { pair: "b", segments: "all" }));
  const cut = await sessions.open(request("a", { pair: "b", segments: "AB" }));
  assert.deepEqual([cut.queryTokens.positions, cut.keyTokens.positions], [[[0], [1]], [[2], [3], [4]]]);
  assert.deepEqual(api.asked.at(-1), 'thumbnails encoder-self {"size":32,"segments":"AB"}');
  assert.deepEqual([api.posted, whole.posted === cut.posted], [["a"], true]);
  await sessions.open(request("a", { pair: "c" }));
  assert.deepEqual(api.posted, ["a", "a"]);
});

test("with a head switched off, what was said with all heads on comes along", async () => {
  const api = fakeApi();
  const session = await createSessions(api).open(request("a", { off: "cross.0.1" }));
  assert.deepEqual([...api.posted].sort(), ["a", "a without cross.0.1"]);
  assert.deepEqual([session.posted.predictions.of, session.whole.predictions.of], ["cross.0.1", "all"]);
  assert.equal((await createSessions(fakeApi()).open(request("a"))).whole, null);
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

test("a model that is not in the catalogue, and a model that does not load, are said so", async () => {
  const said = [];
  const api = { models: async () => ({ models: [{ name: "m", state: "fetching", job: "j" }] }), watchJob: (id, { onEnd }) => { onEnd({ state: "failed", problem: { type: "/problems/checkpoint" } }); return () => {}; } };
  const waiting = createWaiting({ api, onChange: () => {}, onReady: () => {}, onModels: () => {}, onProblem: (problem) => said.push(problem.type) });
  await waiting.begin("other");
  await waiting.begin("m");
  await waiting.begin("lab-0123");
  assert.deepEqual(said, ["/problems/unknown-name", "/problems/checkpoint", "/problems/lab-model-not-held"]);
  assert.equal(waiting.now(), null);
});

test("a download that failed stays on offer with why, also on the next visit, and can be tried again", async () => {
  const problem = { type: "/problems/fetch-failed", reason: "offline" };
  const model = { name: "m", state: "absent" };
  const lists = [];
  let handlers;
  const api = {
    models: async () => ({ models: [{ ...model }] }),
    fetchModel: async () => ({ id: "j" }),
    watchJob: (id, given) => { handlers = given; return () => {}; },
  };
  const made = () => createWaiting({ api, onChange: () => {}, onReady: () => {}, onModels: (list) => lists.push(list[0].state), onProblem: assert.fail });
  const waiting = made();
  await waiting.begin("m");
  assert.deepEqual([waiting.now().step, waiting.now().problem], ["absent", undefined]);
  await waiting.fetch("m");
  Object.assign(model, { state: "failed", problem });
  handlers.onEnd({ state: "failed", problem });
  assert.deepEqual([waiting.now().step, waiting.now().problem], ["absent", problem]);
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(lists, ["absent", "failed"]);
  const later = made();
  await later.begin("m");
  assert.deepEqual([later.now().step, later.now().problem], ["absent", problem]);
  await later.fetch("m");
  assert.deepEqual([later.now().step, later.now().problem], ["download", undefined]);
});
