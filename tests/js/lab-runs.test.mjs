import assert from "node:assert/strict";
import { test } from "node:test";
import { createKept, createRuns, createVisitor } from "../../static/js/lib/lab/runs.js";
import { writeNpy } from "../../static/js/lib/npy.js";

const choices = { task: "reverse", steps: 60, seed: 0 };
const other = { ...choices, seed: 1 };
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

/** A server that waits to be told what its jobs do. */
function stage() {
  const [asked, cancelled, left, watched] = [[], [], [], new Map()];
  const stored = new Map();
  const preferences = { get: (name) => stored.get(name) ?? null, set: (name, value) => stored.set(name, value) };
  let refuse = null;
  const api = {
    async train(wanted, visitor) {
      if (refuse) throw refuse;
      asked.push({ wanted, visitor });
      return { id: String(asked.length).padStart(16, "0"), probe: { tokens: ["a"], answers: ["a"], kind: "encoder-self" } };
    },
    checkpoint: async (job, number) => writeNpy({ shape: [1, 1, 1, 1], data: Float32Array.of(number) }),
    watchJob(id, handlers) {
      watched.set(id, handlers);
      return () => watched.delete(id);
    },
    cancelJob: async (id) => cancelled.push(id),
    leaveJob: (id) => left.push(id),
  };
  const make = () => createRuns({ api, asProblem: ({ type }) => ({ code: type }), visitor: () => "me", kept: createKept(preferences), onChange() {} });
  const point = (step) => ({ step, loss: 1, accuracy: 0.5 });
  const result = (wanted) => ({ curve: [0, 30, 60].map(point), checkpoints: [0, 60].map((step) => ({ step, scores: {} })), probe: { tokens: ["a"] }, steps: 60, choices: wanted, jumps: [] });
  const tell = (id, name, data) => watched.get(id.padStart(16, "0"))?.[name](data);
  return { make, asked, cancelled, left, watched, tell, point, result, setRefusal: (problem) => (refuse = problem), finish: (id, wanted) => tell(id, "onEnd", { state: "done", result: result(wanted) }) };
}

test("a run grows by what is new, and both are trained one after the other", async () => {
  const { make, asked, tell, point, finish } = stage();
  const runs = make();
  runs.train([{ place: 0, choices }, { place: 1, choices: other }]);
  await settled();
  tell("1", "onProgress", { done: 0, from: { points: 0, checkpoints: 0 }, points: [point(0)], checkpoints: [{ step: 0, scores: {} }] });
  tell("1", "onProgress", { done: 30, from: { points: 1, checkpoints: 1 }, points: [point(30)], checkpoints: [] });
  // A reader that comes back hears everything again.
  tell("1", "onProgress", { done: 30, from: { points: 0, checkpoints: 0 }, points: [point(0), point(30)], checkpoints: [{ step: 0, scores: {} }] });
  assert.deepEqual([runs.now(0).state, runs.now(0).points.map(({ step }) => step), runs.now(1), asked.length], ["running", [0, 30], null, 1]);
  finish("1", choices);
  await settled();
  assert.deepEqual([runs.now(0).state, runs.now(0).maps.map(({ data }) => data[0]), runs.now(1).state], ["done", [0, 1], "waiting"]);
  assert.deepEqual(asked.map(({ wanted, visitor }) => [wanted.seed, visitor]), [[0, "me"], [1, "me"]]);
  finish("2", other);
  assert.equal(runs.now(1).state, "done");
  assert.equal(runs.going(), null);
});

test("a run that is cancelled asks the server to stop, hears no more, and starts nothing after it", async () => {
  const { make, asked, cancelled, watched, tell, point } = stage();
  const runs = make();
  runs.train([{ place: 0, choices }, { place: 1, choices: other }]);
  await settled();
  tell("1", "onProgress", { done: 3, from: { points: 0, checkpoints: 0 }, points: [point(0)], checkpoints: [] });
  runs.cancel();
  assert.deepEqual([runs.now(0).state, runs.now(0).points.length, cancelled, watched.size], ["stopped", 1, ["0000000000000001"], 0]);
  await settled();
  assert.equal(asked.length, 1);
});

test("one that is cancelled before the server has answered is cancelled when it does", async () => {
  const { make, cancelled, watched } = stage();
  const runs = make();
  runs.train([{ place: 0, choices }]);
  runs.cancel();
  await settled();
  assert.deepEqual([cancelled, watched.size, runs.now(0).state], [["0000000000000001"], 0, "stopped"]);
});

test("a page that goes tells the server, and only while something trains", async () => {
  const { make, left, finish, tell } = stage();
  const runs = make();
  runs.leave();
  runs.train([{ place: 0, choices }]);
  await settled();
  runs.leave();
  assert.deepEqual(left, ["0000000000000001"]);
  runs.train([{ place: 0, choices }]);
  await settled();
  finish("2", choices);
  runs.leave();
  assert.equal(left.length, 1);
  runs.train([{ place: 0, choices }]);
  await settled();
  tell("3", "onLost"); // as a browser does that leaves
  runs.leave();
  assert.deepEqual(left.slice(1), ["0000000000000003"]);
});

test("a refusal is kept with its run, and a failure ends what was to come", async () => {
  const { make, asked, tell, setRefusal } = stage();
  const runs = make();
  setRefusal({ code: "busy" });
  runs.train([{ place: 0, choices }]);
  await settled();
  assert.deepEqual([runs.now(0).state, runs.now(0).problem], ["failed", { code: "busy" }]);
  setRefusal(null);
  runs.train([{ place: 0, choices }, { place: 1, choices: other }]);
  await settled();
  tell("1", "onEnd", { state: "failed", problem: { type: "lab-diverged" }, result: null });
  await settled();
  assert.deepEqual([runs.now(0).problem.code, runs.now(1), asked.length], ["lab-diverged", null, 1]);
});

test("what came of choices is shown again when one goes back to them, and after a reload", async () => {
  const { make, finish, asked, tell } = stage();
  const runs = make();
  for (const [place, wanted] of [[0, choices], [0, other]]) {
    runs.train([{ place, choices: wanted }]);
    await settled();
    finish(String(asked.length), wanted);
    await settled();
  }
  runs.sync([choices, null]);
  assert.equal(runs.now(0).choices.seed, 0);
  runs.sync([{ ...choices, steps: 7 }, null]);
  assert.equal(runs.now(0).choices.seed, 0); // nothing is taken away while one chooses
  const reloaded = make();
  reloaded.sync([choices, other]);
  assert.equal(reloaded.now(0), null);
  finish("1", choices);
  finish("2", other);
  assert.deepEqual([reloaded.now(0).state, reloaded.now(1).choices.seed, asked.length], ["done", 1, 2]);
  reloaded.sync([choices, null]);
  assert.equal(reloaded.now(1), null);
  const late = make();
  late.sync([choices, null]);
  tell("1", "onLost"); // the server has forgotten it
  const later = make();
  later.sync([choices, null]);
  assert.equal(later.now(0), null);
});

test("a visitor stays the same, and what is stored is not trusted", () => {
  const stored = new Map([["atlas-visitor", "<b>"], ["atlas-lab", '[{"job": "../x", "choices": {}}, null, 3]']]);
  const preferences = { get: (name) => stored.get(name) ?? null, set: (name, value) => stored.set(name, value) };
  const visitor = createVisitor(preferences);
  assert.match(visitor(), /^[0-9a-f]{32}$/);
  assert.equal(visitor(), visitor());
  assert.notEqual(visitor(), createVisitor({ get: () => null, set() {} })());
  assert.equal(createKept(preferences).find({}), null);
  stored.set("atlas-lab", "{");
  assert.equal(createKept(preferences).find(choices), null);
});
