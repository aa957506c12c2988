import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiProblem, createApi } from "../../static/js/api.js";
import { sameExample } from "../../static/js/lib/session.js";
import { createSpeaker, createWriting, idsOf, joins, momentOf, placesOf, roomOf, rowOf, stepOf, writtenAt } from "../../static/js/lib/writing.js";

const REQUEST = { model: "m", text: "a b", target: null, image: null, truncate: false, off: null, written: null, chat: false };
const HEAD = { layer: 1, head: 3 };

test("a step is the row that wrote a token: the one before it", () => {
  const posted = { written: 3, source: { texts: ["<s>", "a", "b", "c", "d", "e"] }, predictions: { at: [{ position: 3, actual: { text: "d", probability: 0.5 } }] } };
  const places = placesOf(posted);
  assert.deepEqual(places, { prompt: 3, written: 3 });
  assert.deepEqual([1, 2, 3].map((step) => rowOf(places, step)), [2, 3, 4]);
  assert.deepEqual([0, 1, 2, 3, 4, 5, null].map((row) => stepOf(places, row)), [null, null, 1, 2, 3, null, null]);
  assert.deepEqual([2, 3, 4, 5].map((position) => momentOf(places, 2, position)), ["before", "before", "now", "later"]);
  assert.deepEqual(writtenAt(posted, places, 2), { text: "d", probability: 0.5 });
  assert.deepEqual(writtenAt(posted, places, 3), { text: "e", probability: null });
  assert.deepEqual([placesOf({ written: 0, source: { texts: ["a"] } }), placesOf(undefined)], [null, null]);
});

test("pieces of one word are joined, words and punctuation are not", () => {
  assert.deepEqual([joins("istant", "ass"), joins(" the", "of"), joins(".", "Paris"), joins("", "a"), joins("가", "나"), joins("a", " ")], [true, false, false, false, true, false]);
});

test("what is spoken are sentences, or a dozen tokens, and the rest at the end", () => {
  const tokens = (text) => text.split(/(?= )/).map((spelled) => ({ spelled }));
  const say = createSpeaker();
  const all = tokens("The cat sat. It was tired");
  const said = all.map((_, i) => say(all.slice(0, i + 1)));
  assert.deepEqual(said, ["", "", "The cat sat.", "", "", ""]);
  assert.equal(say(all, true), "It was tired");
  assert.equal(say(all, true), "");
  const long = tokens("one two three four five six seven eight nine ten eleven twelve thirteen");
  const pieces = long.map((_, i) => createSpeaker()(long.slice(0, i + 1)));
  assert.deepEqual([pieces[10], pieces[11]], ["", "one two three four five six seven eight nine ten eleven twelve"]);
  // Who comes again is told everything from the start: then it is spoken from the start.
  assert.equal(say(all.slice(0, 3)), "The cat sat.");
});

test("a text is over where the model ended it, where its places are full, and where 256 tokens are written", () => {
  const trace = (length, written = 0, special = false, max_tokens = 128) => ({ written, model: { max_tokens }, source: { texts: Array(length).fill("a"), special: [...Array(length - 1).fill(false), special] } });
  assert.deepEqual(roomOf(trace(7)), { over: null, left: 121, limit: 128 });
  assert.deepEqual(roomOf(trace(128, 121)), { over: "room", left: 0, limit: 128 });
  assert.equal(roomOf(trace(128)).over, "room");
  assert.equal(roomOf(trace(20, 5, true)).over, "end");
  assert.equal(roomOf(trace(20, 0, true)).over, null); // its own end marker is the text's
  assert.deepEqual([roomOf(trace(300, 256, false, 8192)).over, roomOf(trace(300, 200, false, null)).left], ["most", 56]);
});

test("what stands so far is what stood before and what came since", () => {
  const tokens = [{ id: 5 }, { id: 0 }];
  assert.deepEqual([idsOf({ request: { written: null }, tokens }), idsOf({ request: { written: "7.8" }, tokens }), idsOf({ request: { written: "7" }, tokens: [] })], ["5.0", "7.8.5.0", ""]);
});

test("who waits behind others is told so until its first step", async () => {
  const api = fakeApi();
  const { writing } = create(api);
  await writing.start(REQUEST, { most: 9 }, HEAD);
  api.handlers.onWritten({ waiting: true, from: 0, tokens: [], row: null });
  assert.deepEqual([writing.now().state, writing.now().prompt], ["waiting", null]);
  api.handlers.onWritten({ prompt: ["a"], from: 0, tokens: [], row: null });
  assert.equal(writing.now().state, "running");
  writing.stop();
  api.handlers.onWritten({ waiting: true, from: 0, tokens: [], row: null });
  assert.equal(writing.now().state, "stopping");
});

function fakeApi({ delay = Promise.resolve() } = {}) {
  const log = [];
  const api = {
    log, handlers: null,
    async generate(request, wish) {
      log.push(["generate", request.text, wish]);
      await delay;
      return { id: "j" };
    },
    async cancelJob(id) { log.push(["cancel", id]); },
    watchWriting(id, head, handlers) {
      log.push(["watch", id, head]);
      api.handlers = handlers;
      return () => log.push(["close", id]);
    },
  };
  return api;
}
const token = (text) => ({ text, spelled: ` ${text}`, special: false, probability: 1, candidates: [] });
function create(api) {
  const ends = [];
  const problems = [];
  const writing = createWriting({ api, onChange: () => {}, onEnd: (data, run) => ends.push([data, run]), onProblem: (problem) => problems.push(problem) });
  return { writing, ends, problems };
}

test("tokens are gathered as they come, and again from the start after a lost connection", async () => {
  const api = fakeApi();
  const { writing, ends } = create(api);
  await writing.start(REQUEST, { most: 9 }, HEAD);
  assert.equal(writing.now().state, "starting");
  api.handlers.onWritten({ prompt: ["a", "b"], from: 0, tokens: [token("c")], row: null });
  api.handlers.onWritten({ from: 1, tokens: [token("d"), token("e")], row: { step: 2, weights: [1] } });
  assert.deepEqual([writing.now().state, writing.now().prompt, writing.now().tokens.map(({ text }) => text)], ["running", ["a", "b"], ["c", "d", "e"]]);
  api.handlers.onWritten({ prompt: ["a", "b"], from: 0, tokens: [token("c"), token("d")], row: null });
  assert.deepEqual(writing.now().tokens.map(({ text }) => text), ["c", "d"]);
  assert.deepEqual(writing.now().row, { step: 2, weights: [1] });
  api.handlers.onEnd({ state: "done", trace: "t" });
  assert.deepEqual([writing.now(), ends.length, ends[0][0].trace, ends[0][1].request], [null, 1, "t", REQUEST]);
});

test("another head in focus is another reader of the same job", async () => {
  const api = fakeApi();
  const { writing } = create(api);
  await writing.start(REQUEST, { most: 9 }, HEAD);
  const first = api.handlers;
  writing.look({ ...HEAD });
  writing.look({ layer: 0, head: 0 });
  assert.deepEqual(api.log.slice(1), [["watch", "j", HEAD], ["close", "j"], ["watch", "j", { layer: 0, head: 0 }]]);
  api.handlers.onWritten({ prompt: ["a"], from: 0, tokens: [], row: null });
  assert.equal(writing.now().state, "running");
  assert.notEqual(first, api.handlers);
});

test("a stop is asked for once, also before the server has answered", async () => {
  let answer;
  const api = fakeApi({ delay: new Promise((resolve) => (answer = resolve)) });
  const { writing } = create(api);
  const started = writing.start(REQUEST, { most: 9 }, HEAD);
  writing.stop();
  writing.stop();
  assert.equal(writing.now().state, "stopping");
  answer();
  await started;
  assert.deepEqual(api.log.filter(([what]) => what === "cancel"), [["cancel", "j"]]);
  api.handlers.onWritten({ prompt: ["a"], from: 0, tokens: [], row: null });
  assert.equal(writing.now().state, "stopping");
});

test("who leaves closes the stream and hears no more", async () => {
  const api = fakeApi();
  const { writing, ends, problems } = create(api);
  await writing.start(REQUEST, { most: 9 }, HEAD);
  writing.leave();
  assert.deepEqual(api.log.at(-1), ["close", "j"]);
  api.handlers.onWritten({ prompt: ["a"], from: 0, tokens: [], row: null });
  api.handlers.onEnd({ state: "cancelled" });
  api.handlers.onLost();
  assert.deepEqual([writing.now(), ends, problems], [null, [], []]);
  writing.stop();
  writing.look(HEAD);
});

test("what cannot begin, and a connection that does not come back, are problems", async () => {
  const api = fakeApi();
  const { writing, problems } = create(api);
  await writing.start(REQUEST, { most: 9 }, HEAD);
  api.handlers.onLost();
  assert.deepEqual([problems[0].type, writing.now()], ["/problems/unreachable", null]);
  api.generate = async () => { throw new ApiProblem("busy"); };
  await writing.start(REQUEST, { most: 9 }, HEAD);
  assert.deepEqual([problems[1].code, writing.now()], ["busy", null]);
});

test("the wish is sent beside the example, and the stream names the head", async () => {
  const sent = [];
  const opened = [];
  class Source {
    constructor(url) { opened.push(url); }
    addEventListener() {}
    close() {}
  }
  const api = createApi({ fetch: async (url, options) => { sent.push([url, options.method, options.body && JSON.parse(options.body)]); return new Response('{"id":"j"}'); }, EventSource: Source });
  await api.generate({ ...REQUEST, written: "5.0.6", chat: true }, { most: 8, sampling: { method: "greedy" } });
  await api.trace({ ...REQUEST, written: "5" });
  await api.cancelJob("j");
  api.watchWriting("j", HEAD, {});
  assert.deepEqual(sent, [
    ["/api/v1/jobs", "POST", { do: "generate", model: "m", text: "a b", options: { chat: true }, written: [5, 0, 6], most: 8, sampling: { method: "greedy" } }],
    ["/api/v1/traces", "POST", { model: "m", text: "a b", written: [5] }],
    ["/api/v1/jobs/j", "DELETE", undefined],
  ]);
  assert.deepEqual(opened, ["/api/v1/jobs/j/events?layer=1&head=3"]);
});

test("an example is another one with other written tokens or as a chat, and the same however it is looked at", () => {
  assert.equal(sameExample(REQUEST, { ...REQUEST, kind: "cross", words: true, special: "hide" }), true);
  assert.equal(sameExample(REQUEST, { ...REQUEST, written: "0" }), false);
  assert.equal(sameExample(REQUEST, { ...REQUEST, chat: true }), false);
});
