import assert from "node:assert/strict";
import { test } from "node:test";
import { aimOf, aimsOf, experimentsOf, ontoOf } from "../../static/js/lib/aim.js";
import { withTarget } from "../../static/js/lib/choices.js";
import { createExperiments } from "../../static/js/lib/experiment.js";
import { mayAsk } from "../../static/js/lib/running.js";

// A server whose jobs the test moves along.
function server() {
  const jobs = [];
  const api = {
    experiment: async (request, wish) => {
      const job = { id: `j${jobs.length}`, request, wish, closed: 0, cancelled: 0 };
      jobs.push(job);
      return { id: job.id };
    },
    watchJob: (id, handlers) => {
      const job = jobs.find((one) => one.id === id);
      Object.assign(job, handlers);
      return () => (job.closed += 1);
    },
    cancelJob: async (id) => (jobs.find((one) => one.id === id).cancelled += 1),
  };
  return { api, jobs };
}
const soon = () => new Promise((done) => setTimeout(done, 0));
const asked = (text, starts = true) => ({ request: { model: "m", text }, wish: { name: "scan" }, starts });

function made() {
  const { api, jobs } = server();
  let changes = 0;
  const experiments = createExperiments({ api, asProblem: ({ type }) => ({ code: type }), onChange: () => (changes += 1) });
  return { experiments, jobs, changes: () => changes };
}

test("an experiment is followed to its end, and what it found is given again without asking", async () => {
  const { experiments, jobs, changes } = made();
  experiments.want("scan", asked("a"));
  assert.deepEqual([experiments.now("scan").state, jobs.length], ["waiting", 1]);
  await soon();
  jobs[0].onProgress({ done: 3, total: 8, waiting: false });
  assert.deepEqual([experiments.now("scan").state, experiments.now("scan").done, experiments.now("scan").total], ["running", 3, 8]);
  experiments.want("scan", asked("a"));
  assert.equal(jobs.length, 1, "the same question goes on");
  jobs[0].onEnd({ state: "done", result: { heads: [] } });
  assert.deepEqual([experiments.now("scan").state, experiments.now("scan").value], ["ready", { heads: [] }]);
  experiments.want("scan", asked("b"));
  experiments.want("scan", asked("a", false));
  assert.equal(experiments.now("scan").state, "ready", "another tab may be open meanwhile");
  assert.equal(jobs.length, 2);
  assert.equal(changes(), 2);
});

test("a question that is not to start waits for its turn, and one that runs goes on behind another tool", async () => {
  const { experiments, jobs } = made();
  experiments.want("scan", asked("a", false));
  assert.deepEqual([experiments.now("scan"), jobs.length], [null, 0]);
  experiments.want("scan", asked("a"));
  await soon();
  experiments.want("scan", asked("a", false));
  assert.deepEqual([experiments.now("scan").state, jobs[0].closed], ["waiting", 0]);
});

test("a newer question overtakes an older one, whose reader goes and whose late words count no more", async () => {
  const { experiments, jobs } = made();
  experiments.want("scan", asked("a"));
  await soon();
  experiments.want("scan", asked("b"));
  await soon();
  assert.equal(jobs[0].closed, 1);
  jobs[0].onProgress({ done: 1, total: 2 });
  assert.equal(experiments.now("scan").state, "waiting");
  jobs[0].onEnd({ state: "done", result: "old" });
  assert.equal(experiments.now("scan").state, "waiting");
  experiments.want("scan", null);
  assert.deepEqual([experiments.now("scan"), jobs[1].closed], [null, 1]);
});

test("what is overtaken before it has a job is left alone: the same job may be another reader's", async () => {
  const { experiments, jobs } = made();
  experiments.want("scan", asked("a"));
  experiments.want("scan", asked("b"));
  await soon();
  assert.deepEqual(jobs.map(({ cancelled, onEnd }) => [cancelled, Boolean(onEnd)]), [[0, false], [0, true]]);
});

test("to stop closes the reader first, cancels once, and does not begin again by itself", async () => {
  const { experiments, jobs } = made();
  experiments.want("scan", asked("a"));
  await soon();
  experiments.stop("scan");
  experiments.stop("scan");
  assert.deepEqual([experiments.now("scan").state, jobs[0].closed, jobs[0].cancelled], ["stopped", 1, 1]);
  experiments.want("scan", asked("a"));
  assert.equal(jobs.length, 1);
  experiments.again("scan");
  await soon();
  jobs[1].onEnd({ state: "done", result: 5 });
  assert.equal(experiments.now("scan").value, 5);
  experiments.again("scan");
  assert.equal(jobs.length, 2, "what is there is not asked for again");
});

test("to stop before the server has answered cancels as soon as it does", async () => {
  const { experiments, jobs } = made();
  experiments.want("scan", asked("a"));
  experiments.stop("scan");
  await soon();
  assert.deepEqual([jobs[0].cancelled, jobs[0].onEnd, experiments.now("scan").state], [1, undefined, "stopped"]);
});

test("failures say why: a job's, the server's, and a line that is lost", async () => {
  const { experiments, jobs } = made();
  experiments.want("scan", asked("a"));
  await soon();
  jobs[0].onEnd({ state: "failed", problem: { type: "out-of-memory" } });
  assert.deepEqual([experiments.now("scan").state, experiments.now("scan").problem.code], ["failed", "out-of-memory"]);
  experiments.again("scan");
  await soon();
  jobs[1].onLost();
  assert.equal(experiments.now("scan").problem.code, "/problems/unreachable");
  experiments.again("scan");
  await soon();
  jobs[2].onEnd({ state: "cancelled" });
  assert.equal(experiments.now("scan").state, "stopped");
  const refusing = createExperiments({ api: { experiment: async () => { throw { code: "busy" }; } }, asProblem: (one) => one, onChange: () => {} });
  refusing.want("scan", asked("a"));
  await soon();
  assert.deepEqual([refusing.now("scan").state, refusing.now("scan").problem], ["failed", { code: "busy" }]);
});

const said = (task, at) => ({ task, at });
const candidate = (text) => ({ candidates: [{ text, probability: 0.5 }], actual: null });
const ENCODER = { source: { texts: ["[CLS]", "it", "[SEP]"] }, predictions: null, maps: [{ kind: "encoder-self", keys: 3 }] };
const DECODER = { source: { texts: ["a", "b", "c"] }, predictions: said("next-token", []), maps: [{ kind: "decoder-self", keys: 3 }] };
const TRANSLATOR = {
  source: { texts: ["나는"] }, decoder_input: { texts: ["<s>", "I"] }, predictions: said("translation", [{ position: 0, ...candidate("I") }, { position: 1, ...candidate("went") }]),
  maps: [{ kind: "encoder-self", keys: 1 }, { kind: "cross", keys: 1 }],
};
const MASKED = { ...ENCODER, predictions: said("masked-token", [{ position: 1, ...candidate("cat") }, { position: 2, ...candidate("dog") }]) };

test("what asking again cannot mend is not offered again", () => {
  const failed = (code) => ({ state: "failed", problem: { code } });
  assert.deepEqual([failed("busy"), failed("unreachable"), { state: "stopped" }].map(mayAsk), [true, true, true]);
  assert.deepEqual([failed("too-many-tokens"), failed("not-available"), { state: "running" }, { state: "ready" }].map(mayAsk), [false, false, false, false]);
});

test("what can be watched follows from what the model says", () => {
  assert.deepEqual(aimsOf(ENCODER).map(({ row }) => row), [null, 0, 1, 2]);
  assert.deepEqual(aimsOf(DECODER), [{ row: null, text: "c" }, { row: 0, text: "a" }, { row: 1, text: "b" }]);
  assert.deepEqual(aimsOf(TRANSLATOR), [{ row: null, text: null }, { row: 0, text: "I" }, { row: 1, text: "went" }]);
  assert.deepEqual(aimsOf(MASKED).map(({ row }) => row), [null, 2], "the first gap is the usual aim");
  assert.deepEqual(aimsOf({ ...ENCODER, predictions: said("classes", []), picture: {} }), []);
  assert.deepEqual([aimOf({ aim: 2 }, ENCODER), aimOf({ aim: 3 }, ENCODER), aimOf({ aim: null }, ENCODER), aimOf({ aim: 2 }, TRANSLATOR)], [2, null, null, null]);
});

test("a key stands beside a row of the only kind of attention, and only where that row may look", () => {
  assert.equal(ontoOf({ aim: 1, onto: 2 }, ENCODER), 2);
  assert.equal(ontoOf({ aim: null, onto: 2 }, ENCODER), null);
  assert.equal(ontoOf({ aim: 1, onto: 3 }, ENCODER), null);
  assert.deepEqual([ontoOf({ aim: 1, onto: 1 }, DECODER), ontoOf({ aim: 1, onto: 2 }, DECODER)], [1, null]);
  assert.equal(ontoOf({ aim: 0, onto: 0 }, TRANSLATOR), null);
});

test("a scan takes heads away from the whole model, and starts only where it was asked for", () => {
  const request = { model: "m", text: "t", off: "encoder-self.0.1", how: "mean", what_if: null };
  const session = { posted: ENCODER, whole: null, trace: {}, request };
  const state = { tool: "switch", scan: true, aim: 1, onto: null, how: "mean", words: true };
  const { scan, switched, importance } = experimentsOf(state, session);
  assert.deepEqual(scan, { request: { ...request, off: null, how: null }, wish: { name: "scan", row: 1, how: "mean" }, starts: true });
  assert.deepEqual(switched, { request, wish: { name: "switch-off", row: 1 }, starts: true });
  assert.deepEqual(importance, { request, wish: { name: "importance", row: 1, words: true }, starts: false });
  const changed = experimentsOf(state, { ...session, request: { ...request, what_if: "unscaled" } });
  assert.deepEqual([changed.scan, changed.switched, changed.importance], [scan, switched, importance], "experiments take the model as it is");
  const elsewhere = experimentsOf({ ...state, tool: "importance" }, session);
  assert.deepEqual(Object.values(elsewhere).map(({ starts }) => starts), [false, false, true]);
  assert.equal(experimentsOf({ ...state, scan: false }, session).scan, null);
  assert.equal(experimentsOf(state, { ...session, request: { ...request, off: null } }).switched, null);
  assert.equal(experimentsOf(state, { ...session, trace: { picture: {} } }).importance, null);
});

test("rows of a translation are those of what the whole model says, whatever it says without some heads", () => {
  const shorter = { ...TRANSLATOR, predictions: said("translation", TRANSLATOR.predictions.at.slice(0, 1)) };
  const session = { posted: shorter, whole: TRANSLATOR, trace: {}, request: { off: "cross.0.0" } };
  const asks = experimentsOf({ tool: "switch", scan: true, aim: 1, onto: null, how: "zero", words: false }, session);
  assert.equal(asks.switched.wish.row, 1);
  assert.equal("row" in asks.importance.wish, false);
});

test("heads at their mean need the whole text: what a translator wrote becomes its target", () => {
  const session = { whole: { decoder_input: {}, target: { text: "I went" } }, posted: { decoder_input: {}, target: { text: "I go" } } };
  const state = { off: "cross.0.0", how: "zero", target: null };
  assert.deepEqual(withTarget({ how: "mean" }, state, session), { how: "mean", target: "I went" });
  assert.deepEqual(withTarget({ off: "cross.0.0" }, { ...state, off: null, how: "mean" }, { ...session, whole: null }), { off: "cross.0.0", target: "I go" });
  assert.deepEqual(withTarget({ off: null }, { ...state, how: "mean" }, session), { off: null });
  assert.deepEqual(withTarget({ how: "mean" }, { ...state, target: "He left" }, session), { how: "mean" });
  assert.deepEqual(withTarget({ how: "mean" }, state, { whole: null, posted: { decoder_input: null, target: null } }), { how: "mean" });
});
