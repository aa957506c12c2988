import assert from "node:assert/strict";
import { test } from "node:test";
import { barsOf, placeOf, probabilityOf, sameIn } from "../../static/js/lib/said.js";

const one = (text, probability) => ({ text, probability });
const next = {
  task: "next-token",
  at: [
    { position: 0, label: null, actual: one("cat", 0.01), candidates: [one("dog", 0.5), one("cow", 0.2)] },
    { position: 1, label: null, actual: one("sat", 0.6), candidates: [one("sat", 0.6), one("ran", 0.1)] },
    { position: 2, label: null, actual: null, candidates: [one(".", 0.9)] },
  ],
};

test("what does stand there is always among the bars, and marked", () => {
  assert.deepEqual(barsOf(next.at[0]).map(({ text, actual }) => [text, actual]), [["dog", false], ["cow", false], ["cat", true]]);
  assert.deepEqual(barsOf(next.at[1]).map(({ text, actual }) => [text, actual]), [["sat", true], ["ran", false]]);
  assert.deepEqual(barsOf(next.at[2]).map(({ actual }) => actual), [false]);
  assert.equal(barsOf({ candidates: Array.from({ length: 9 }, (_, i) => one(String(i), 0.1)), actual: null }).length, 5);
});

test("a row says what its last piece says; of a word that is written, its first", () => {
  assert.equal(placeOf(next, "decoder-self", [1, 2]), 2);
  assert.equal(placeOf({ ...next, task: "translation" }, "cross", [1, 2]), 1);
  assert.equal(placeOf({ ...next, task: "translation" }, "encoder-self", [1]), -1);
  assert.equal(placeOf({ ...next, task: "answer" }, "encoder-self", [1]), 1);
  assert.equal(placeOf({ ...next, task: "classes" }, "encoder-self", [0]), -1);
  assert.equal(placeOf(next, "decoder-self", [7]), -1);
  assert.equal(placeOf(next, "decoder-self", null), -1);
});

test("what was said with all heads on stands beside it, where it is known", () => {
  const before = { task: "next-token", at: [{ position: 0, label: null, actual: one("cat", 0.8), candidates: [one("cat", 0.8), one("dog", 0.05)] }] };
  const same = sameIn(before, next, 0);
  assert.deepEqual(barsOf(next.at[0], same).map(({ was }) => was), [0.05, null, 0.8]);
  assert.equal(sameIn(before, next, 1), null);
  assert.equal(sameIn(null, next, 0), null);
  assert.equal(probabilityOf(before.at[0], "sat"), null);
});

test("questions are matched by their name, and translations only as far as they agree", () => {
  const classes = (red) => ({ task: "classes", at: [{ position: null, label: "colour", actual: null, candidates: [one("red", red)] }, { position: null, label: "shape", actual: null, candidates: [] }] });
  assert.equal(sameIn(classes(0.9), classes(0.2), 0).candidates[0].probability, 0.9);
  const said = (...words) => ({ task: "translation", at: words.map((text, position) => ({ position, label: null, actual: one(text, 0.5), candidates: [] })) });
  assert.ok(sameIn(said("I", "went"), said("I", "ran"), 1));
  assert.equal(sameIn(said("I", "went", "to"), said("I", "ran", "to"), 2), null);
});
