import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { blockOf, computeQuestions, createComputing, endsOf, placeOf } from "../../static/js/lib/compute/asking.js";
import { gridOf, placeAt } from "../../static/js/lib/compute/grid.js";
import { footOf, stripsColumnsOf, stripsOf } from "../../static/js/lib/compute/pictures.js";
import { bitsOf } from "../../static/js/lib/bits.js";
import { beside, columnsOf, formulaOf, isByRoot, lengthOf, namesOf, rowAt, sentenceOf, spelled, STEPS, stepOf, strongestPlace, wordsOf } from "../../static/js/lib/compute/steps.js";
import { limitOf } from "../../static/js/lib/compute/strips.js";
import { vectorsOf } from "../../static/js/lib/compute/vectors.js";
import { rowsInSight } from "../../static/js/lib/compute/window.js";
import { PARAMETERS } from "../../static/js/state.js";

// Three keys, the last one blocked; the numbers follow from one another by hand.
const exponentials = [1, Math.exp(-1), 0];
const total = 1 + Math.exp(-1);
const ROW = {
  kind: "decoder-self", query: 1, dim: 4, value_dim: 2, scale: 0.5, query_vector: [1, 0, -2, 1],
  dots: [4, 2, 9], scaled: [2, 1, 4.5], cap: null, capped: null, bias: null, scores: [2, 1, 4.5],
  allowed: [true, true, false], peak: 2, exponentials, sink: null, total, weights: exponentials.map((one) => one / total), output: [0.5, -0.5],
};
const CAPPED = { ...ROW, cap: 5, capped: [1.9, 0.99, 3.6], bias: [0.1, -0.2, 0], scores: [2, 0.79, 3.6] };

test("steps are those of the address, a cap and a bias only where there is one", () => {
  const accepted = STEPS.filter((name) => PARAMETERS.step.read(name) === name);
  assert.deepEqual(accepted, STEPS);
  assert.deepEqual(namesOf(CAPPED), STEPS);
  assert.deepEqual(namesOf(ROW), STEPS.filter((name) => !["cap", "bias"].includes(name)));
  assert.deepEqual(namesOf(null), namesOf(ROW));
});

test("a step that a head does not have is the one before it, and without one it is the first", () => {
  const names = namesOf(ROW);
  assert.deepEqual([stepOf("cap", names), stepOf("bias", names), stepOf("mask", names), stepOf(null, names)], ["scale", "scale", "mask", "input"]);
  assert.deepEqual([beside("scale", names, 1), beside("input", names, -1), beside("join", names, 1)], ["mask", null, null]);
});

test("every formula that a head can have stands in the page", () => {
  const page = readFileSync(new URL("../../templates/formulas.html", import.meta.url), "utf8");
  const heads = [ROW, CAPPED, { ...CAPPED, bias: null }, { ...CAPPED, capped: null }, { ...ROW, sink: 0.3 }, { ...ROW, scale: 1 }];
  const named = new Set(heads.flatMap((head) => namesOf(head).map((name) => formulaOf(name, head))));
  for (const name of named) assert.ok(page.includes(`'${name}'`), name);
  assert.ok(isByRoot(ROW) && !isByRoot({ ...ROW, scale: 1 }));
  assert.equal(formulaOf("scale", { ...ROW, scale: 1 }), "scale-other");
});

test("columns lead from one step to the next, and what is blocked has no number", () => {
  const named = (name, row, before) => columnsOf(name, row, before).map((column) => column.name);
  assert.deepEqual(named("mask", ROW), ["score", "masked"]);
  assert.deepEqual(named("mask", CAPPED), ["biased", "masked"]);
  assert.deepEqual(named("bias", CAPPED), ["capped", "bias", "biased"]);
  assert.deepEqual(named("softmax", ROW, ROW), ["masked", "exponential", "before", "weight"]);
  assert.deepEqual(named("sum", ROW), []);
  const [masked, exponential, weight] = columnsOf("softmax", ROW);
  assert.deepEqual([masked.values, exponential.values[2], weight.values[2]], [[2, 1, null], null, null]);
});

test("sentences carry the numbers of the chosen key", () => {
  const vectors = { query: [1, 0, -2, 1], key: [1, 5, -1, 1], value: [1, 2] };
  assert.deepEqual(sentenceOf("dot", ROW, 0, vectors), { key: "dot.most", values: { dot: "4.000", places: 4, place: 2, most: "2.000" } });
  assert.equal(sentenceOf("dot", ROW, 0, { query: [1], key: null }).key, "dot");
  assert.deepEqual(sentenceOf("mask", ROW, 2, vectors), { key: "mask.blocked", values: { count: 3, blocked: 1 } });
  assert.equal(sentenceOf("mask", ROW, 0, vectors).key, "mask.free");
  assert.equal(sentenceOf("mask", { ...ROW, allowed: [true, true, true] }, 0, vectors).key, "mask.none");
  assert.equal(sentenceOf("mask", { ...ROW, allowed: [false, false, false] }, 0, vectors).key, "mask.all");
  assert.equal(sentenceOf("softmax", { ...ROW, peak: null }, 0, vectors).key, "softmax.none");
  assert.equal(sentenceOf("softmax", ROW, 2, vectors).key, "softmax.blocked");
  assert.equal(sentenceOf("softmax", { ...ROW, peak: -2 }, 0, vectors).values.peak, "(−2.000)");
  assert.equal(sentenceOf("scale", { ...ROW, scale: 1 }, 0, vectors).key, "scale.none");
  assert.equal(sentenceOf("join", ROW, 0, vectors, null), null);
  assert.equal(sentenceOf("input", ROW, 0, vectors, { query_input: [3, 4], key_input: [0, 2] }).values.query_length, "5.000");
});

test("below the weights stand sums that are whole, a sink's share among them", () => {
  const i18n = { t: (key) => key };
  const cells = (row, before = null) => footOf("softmax", row, before, i18n).map(({ label, cells: [, , ...last] }) => [label, ...last]);
  assert.deepEqual(cells(ROW), [["compute.total", "1.000"], ["compute.entropy", spelled(bitsOf(ROW.weights))]]);
  const sunk = { ...ROW, sink: 1, total: total + 1, weights: exponentials.map((one) => one / (total + 1)) };
  assert.deepEqual(cells(sunk).map(([label]) => label), ["compute.sink", "compute.total", "compute.entropy"]);
  assert.deepEqual(cells(sunk)[1], ["compute.total", "1.000"]);
  assert.deepEqual(cells(ROW, ROW)[0], ["compute.total", "1.000", "1.000"]);
  assert.deepEqual(footOf("softmax", { ...ROW, peak: null }, null, i18n), []);
  assert.equal(bitsOf([0.25, 0.25, 0.25, 0.25, 0]), 2);
});

test("the words of a step are those of what this head does", () => {
  const en = JSON.parse(readFileSync(new URL("../../app/messages/en.json", import.meta.url)));
  const said = (step, steps) => en[`compute.words.${wordsOf(step, steps)}`];
  for (const kind of ["encoder-self", "cross"]) for (const scale of [1, 0.125]) for (const step of STEPS) assert.ok(said(step, { kind, scale }), step);
  assert.match(said("scale", { kind: "encoder-self", scale: 0.125 }), /made smaller first/);
  assert.doesNotMatch(said("scale", { kind: "encoder-self", scale: 1 }), /made smaller first/);
});

test("strips add up: a part and the rest make the whole", () => {
  const about = { i18n: { t: (key) => key }, texts: {}, message: () => [], tokens: {}, steps: ROW, at: 0, asks: true };
  const { strips: [own, rest, whole] } = stripsOf("sum", { ...about, vectors: { value: [2, 1] }, ends: null });
  own.values.forEach((value, i) => assert.ok(Math.abs(value + rest.values[i] - whole.values[i]) < 1e-12));
  const ends = { part: [1, 2], joined: [0.5, 3], heads: [[1], [2]] };
  const joined = stripsOf("join", { ...about, vectors: {}, ends }).strips;
  joined[0].values.forEach((value, i) => assert.equal(value + joined[1].values[i], joined[2].values[i]));
  assert.deepEqual(stripsOf("join", { ...about, vectors: {}, ends: null, asks: false }).strips, []); // a file's model is not here
  assert.deepEqual(stripsOf("mask", about).strips, []);
});

test("the weighed values are the values times their weights, of those that are here", () => {
  const matrix = { shape: [2, 2], data: Float32Array.from([1, 2, 3, 4]) };
  const vectors = vectorsOf({ keys: null, values: { state: "ready", value: matrix } }, ROW, 0);
  const [value, weighted] = stripsColumnsOf(ROW, vectors);
  assert.deepEqual(value.valuesAt(1), [3, 4]);
  assert.deepEqual(weighted.valuesAt(1), [3 * ROW.weights[1], 4 * ROW.weights[1]]);
  assert.deepEqual([value.valuesAt(2), weighted.valuesAt(2), vectors.key], [null, null, null]);
  assert.deepEqual(rowAt(matrix, 512, 513), [3, 4]);
  assert.equal(rowAt(matrix, 512, 511), null);
});

test("numbers are spelled in about four digits", () => {
  const written = [[0, "0"], [0.487, "0.487"], [-14.213, "−14.21"], [123.456, "123.5"], [12345.6, "12346"], [0.0031, "0.0031"], [2.1e-6, "2.1·10⁻⁶"], [-3e9, "−3.0·10⁹"], [null, "–"]];
  for (const [value, text] of written) assert.equal(spelled(value), text);
  assert.equal(strongestPlace([1, -3, 2]), 1);
  assert.equal(lengthOf([3, 4]), 5);
});

test("every cell of a strip is found where it lies, in any width", () => {
  for (const count of [1, 32, 64, 384, 577, 2048]) for (const width of [90, 327, 460.5, 900]) {
    const grid = gridOf(count, width, 24);
    assert.ok(grid.width <= width + 1e-9 && grid.columns * grid.lines >= count && grid.columns * (grid.lines - 1) < count, `${count} in ${width}`);
    for (const at of [0, count - 1, count >> 1]) {
      const [x, y] = [((at % grid.columns) + 0.5) * grid.cell, (Math.floor(at / grid.columns) + 0.5) * grid.line];
      assert.equal(placeAt(grid, x, y), at);
    }
    assert.equal(placeAt(grid, -1, 2), null);
    assert.equal(placeAt(grid, 2, grid.height + 1), null);
  }
});

test("one number far beyond the others does not make a long vector look empty", () => {
  const long = [...Array(300).fill(0.1), 40];
  assert.ok(limitOf(long) < 20 && limitOf(long) > 1);
  assert.equal(limitOf([0.1, 40]), 40);
  assert.equal(limitOf([]), 0);
});

test("wherever a long table is scrolled to, the rows in sight are there", () => {
  for (const count of [1, 64, 65, 512, 4096]) for (const row of [32, 44]) for (let top = 0; top <= count * row; top += 37 * row) {
    const [from, to] = rowsInSight({ count, row, top, room: 340 });
    assert.ok(from >= 0 && to <= count && to - from <= 100, `${count} rows at ${top}`);
    assert.ok(from * row <= Math.min(top, (count - 1) * row) && to * row >= Math.min(count * row, top + 340), `${count} rows at ${top}`);
  }
});

// ---- what is asked of the server
const axis = (texts, positions = null) => ({ texts, positions });
function sessionOf({ whole = null, request = { model: "m" }, shown = axis(["ab", "c"], [[0, 1], [2]]) } = {}) {
  const maps = [{ kind: "decoder-self", layers: 2, heads: 2, queries: 3, keys: 3, query_axis: "source", key_axis: "source" }];
  return { request, whole, untouched: whole && { posted: whole }, posted: { maps, source: axis(["a", "b", "c"]) }, map: maps[0], queryTokens: shown, keyTokens: shown };
}
const STATE = { view: "compute", layer: 1, head: 0, query: null, key: null, step: null };

test("a row is asked for by the tokens that the model read, whatever is merged", () => {
  const view = { query: 1, key: 0 };
  assert.deepEqual(placeOf(STATE, sessionOf(), view), { kind: "decoder-self", layer: 1, head: 0, query: 2, key: 0 });
  assert.equal(placeOf({ ...STATE, key: 1 }, sessionOf(), view).key, 1);
  assert.equal(placeOf({ ...STATE, query: 99 }, sessionOf(), view).query, 2); // a link may say anything
});

test("nothing is asked while another tab is on show, and the model only for its own steps", () => {
  const view = { query: 0, key: 0 };
  const asked = (state, session) => Object.entries(computeQuestions(state, session, view)).filter(([, [, query]]) => query).map(([slot]) => slot);
  assert.deepEqual(asked({ ...STATE, view: null }, sessionOf()), []);
  assert.deepEqual(asked(STATE, sessionOf()), ["steps", "code", "keys", "values"]);
  const same = { maps: sessionOf().posted.maps, source: axis(["a", "b", "c"]) };
  assert.deepEqual(asked(STATE, sessionOf({ whole: same })), ["steps", "before", "code", "keys", "values"]);
  assert.deepEqual(asked(STATE, sessionOf({ whole: { ...same, source: axis(["c", "a", "b"]) } })), ["steps", "code", "keys", "values"]);
  const starts = (step) => endsOf({ ...STATE, step }, sessionOf(), view).starts;
  assert.deepEqual([null, "input", "dot", "join"].map(starts), [true, true, false, true]);
  assert.equal(endsOf(STATE, sessionOf({ request: { trace: "file-1" } }), view), null);
  assert.deepEqual([blockOf(3, 512), blockOf(600, 1000), blockOf(511, 513)], [[0, 512], [512, 1000], [0, 512]]);
});

test("the untouched model is asked with its own trace", () => {
  const asked = [];
  const computing = createComputing({ analyses: { want: (slot, session, name, query) => query && asked.push([slot, session.posted]), now: () => null }, experiments: { want() {}, now: () => null } });
  const whole = { maps: sessionOf().posted.maps, source: axis(["a", "b", "c"]) };
  const session = sessionOf({ whole });
  computing.want(STATE, session, { query: 0, key: 0 });
  for (const [slot, posted] of asked) assert.equal(posted, slot === "compute before" ? whole : session.posted, slot);
  assert.equal(computing.now().place.layer, 1);
});
