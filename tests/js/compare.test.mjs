import assert from "node:assert/strict";
import { test } from "node:test";
import { contrast, inkOn } from "../../static/js/lib/color.js";
import { changeGlow, changeOf, comparedOf, cellsQuery, listedChanges, otherHead, ranksQuery, rivalModels, strongestChange } from "../../static/js/lib/compare.js";
import { createComparison, translated } from "../../static/js/lib/comparison.js";
import { cursorOf, originalCell, readingAt, shownCell, shownWindow } from "../../static/js/lib/cursor.js";
import { createDiverging, ENDS, limitOf, shortChange, signedChange } from "../../static/js/lib/diverging.js";
import { editedParts, fromDifference, labelsOf, pairAt, pairWindow, withPart, wordsOf } from "../../static/js/lib/pairs.js";

const MODELS = [
  { name: "minilm", title: "MiniLM", input: "text", kinds: ["encoder-self"], pairs: true, ready: true, layers: 6, heads: 12 },
  { name: "e5", title: "E5", input: "text", kinds: ["encoder-self"], pairs: true, ready: true, layers: 12, heads: 12 },
  { name: "gpt", title: "GPT", input: "text", kinds: ["decoder-self"], pairs: false, ready: true, layers: 12, heads: 12 },
  { name: "shapes", title: "Shapes", input: "picture", kinds: ["encoder-self"], pairs: false, ready: true, layers: 2, heads: 2 },
];
const REQUEST = { model: "minilm", text: "a b", pair: null, target: null, image: null, off: null, how: null, written: null, chat: false, words: false, special: "show", segments: "all", kind: null };
const STATE = { versus: null, versus_model: null, versus_layer: null, versus_head: null };
const pair = (first, second, same = true) => ({ first, second, same });
const plain = (...texts) => ({ texts, spans: texts.map(() => null), special: texts.map(() => false), segment: texts.map(() => "A"), text: texts.join(" ") });

test("a state compares with a text, else with a model, else with the same heads on", () => {
  const of = (state, request = {}) => comparedOf({ ...STATE, ...state }, { ...REQUEST, ...request }, MODELS);
  assert.equal(of({}), null);
  assert.equal(of({ versus: "a b" }), null); // the same text
  const text = of({ versus: "a c", versus_model: "e5" }, { written: "1.2", off: "encoder-self.0.1" });
  assert.deepEqual([text.way, text.request.text, text.request.written, text.request.off], ["text", "a c", null, "encoder-self.0.1"]);
  const model = of({ versus_model: "e5" }, { off: "encoder-self.0.1", special: "hide" });
  assert.deepEqual([model.way, model.request.model, model.request.off, model.look], ["model", "e5", null, { words: 1, special: "hide" }]);
  const on = of({}, { off: "encoder-self.0.1", how: "mean" });
  assert.deepEqual([on.way, on.request.off, on.request.how], ["switch", null, null]);
  for (const name of ["minilm", "shapes", "nobody", "gpt"]) assert.equal(of({ versus_model: name }), null);
  assert.equal(of({ versus_model: "gpt" }, { pair: "b" }), null); // reads no pairs
  assert.equal(of({ versus: "a c" }, { image: "x", text: null }), null);
  assert.deepEqual(rivalModels(MODELS, REQUEST, "encoder-self").map(({ name }) => name), ["e5"]);
});

test("the heads of a long text are not ranked, and long windows are overviews", () => {
  const map = { kind: "encoder-self", layers: 6, heads: 12, queries: 12, keys: 12 };
  const way = { way: "text", look: { words: 1 } };
  assert.deepEqual(ranksQuery(way, map, { layer: 3, head: 1 }), { kind: "encoder-self", words: 1 });
  assert.deepEqual(ranksQuery({ way: "model", look: {} }, map, { layer: 3, head: 1 }), { kind: "encoder-self", layer: 3, head: 1 });
  assert.equal(ranksQuery(way, { ...map, queries: 4096, keys: 4096 }, { layer: 0, head: 0 }).ranked, 0);
  const cells = (windows) => cellsQuery({ way: "model", look: {} }, "encoder-self", { layer: 3, head: 1 }, { layer: 5, head: 2 }, windows);
  assert.deepEqual(cells([[0, 9], [2, 12]]), { kind: "encoder-self", layer: 3, head: 1, other_layer: 5, other_head: 2, queries: "0:9", keys: "2:12" });
  assert.equal(cells([[0, 300], [0, 3]]).size, 256);
});

test("of two models the nearest head is meant, unless the link names one that is there", () => {
  const ranks = { heads: [{ layer: 3, head: 7 }] };
  const model = { layers: 12, heads: 12 };
  assert.deepEqual(otherHead({ versus_layer: null, versus_head: null }, model, ranks), { layer: 3, head: 7, chosen: false });
  assert.deepEqual(otherHead({ versus_layer: 0, versus_head: 11 }, model, ranks), { layer: 0, head: 11, chosen: true });
  assert.equal(otherHead({ versus_layer: 0, versus_head: 12 }, model, ranks).chosen, false);
  assert.deepEqual(otherHead({ versus_layer: null, versus_head: null }, model, { heads: [] }), { layer: 0, head: 0, chosen: false });
});

test("a change is after minus before, and the strongest goes in either direction", () => {
  const value = changeOf({ shape: [2, 2, 2], data: Float32Array.of(0.5, 0.5, 1, 0, 0.25, 0.75, 0.1, 0.9) }, { queries: "4:6", keys: "0:2" });
  assert.deepEqual([...value.change].map((one) => Number(one.toFixed(6))), [-0.25, 0.25, -0.9, 0.9]);
  assert.deepEqual([value.queries, value.keys, value.exact], [[4, 6], [0, 2], true]);
  assert.deepEqual(strongestChange(value), { row: 1, column: 0 });
  const reading = readingAt(value, { query: 5, key: 1 });
  assert.deepEqual([reading.before, Number(reading.after.toFixed(6))], [0, 0.9]);
  for (const cell of [{ query: 3, key: 0 }, { query: 6, key: 0 }, { query: 4, key: 2 }]) assert.equal(readingAt(value, cell), null);
});

test("in an overview every position reads the cell that covers it", () => {
  const value = changeOf({ shape: [2, 1, 2], data: Float32Array.of(0, 0, 0.5, 0.25) }, { queries: "0:3", keys: "0:5", size: 2 });
  assert.deepEqual([0, 1, 2, 3, 4].map((key) => readingAt(value, { query: 2, key }).after), [0.5, 0.5, 0.25, 0.25, 0.25]);
  const three = changeOf({ shape: [2, 1, 3], data: Float32Array.of(0, 0, 0, 1, 2, 3) }, { queries: "0:1", keys: "0:5", size: 3 });
  assert.deepEqual([0, 1, 2, 3, 4].map((key) => readingAt(three, { query: 0, key }).after), [1, 2, 2, 3, 3]);
});

test("heads are listed by change, and the one in focus with its rank", () => {
  const heads = Array.from({ length: 12 }, (_, head) => ({ layer: 0, head, change: 1 - head / 20 }));
  const { best, rest } = listedChanges(heads, { layer: 0, head: 10 });
  assert.deepEqual([best.length, rest[0].rank], [8, 11]);
  assert.deepEqual(listedChanges(heads, { layer: 0, head: 2 }).rest, []);
  assert.equal(changeGlow({ heads }, 0, 0), 1);
  assert.equal(changeGlow({ heads: [{ layer: 0, head: 0, change: 0 }] }, 0, 0), 0);
  assert.equal(changeGlow({ heads }, 5, 5), 0);
});

// ---- pairs
const PAIRS = [pair([0, 1], [0, 1]), pair([1, 3], [1, 2], false), pair([3, 4], null, false), pair(null, [2, 3], false), pair([4, 5], [3, 4])];

test("pairs are named by both sides, and by a sign where one side has nothing", () => {
  const first = { ...plain("[S]", "ex", "hausted", "old", "it"), text: "exhausted old it", spans: [null, [0, 2], [2, 9], [10, 13], [14, 16]], special: [true, false, false, false, false] };
  const labels = labelsOf(PAIRS, first, { ...plain("[S]", "soft", "new", "it"), special: [true, false, false, false] });
  assert.deepEqual(labels.map(({ text }) => text), ["[S]", "exhausted/soft", "−old", "+new", "it"]);
  assert.deepEqual(labels.map(({ special }) => special), [true, false, false, false, false]);
  assert.equal(labelsOf([pair([0, 1], [0, 1], true)], plain("It"), plain("it"))[0].text, "It");
});

test("tokens are found among pairs, and windows of one as windows of the other", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 9].map((at) => pairAt(PAIRS, "first", at)), [0, 1, 1, 2, 4, null]);
  assert.equal(pairAt(PAIRS, "second", 2), 3);
  assert.equal(pairAt(PAIRS, "first", null), null);
  assert.deepEqual(pairWindow(PAIRS, "first", [2, 4]), [1, 3]);
  assert.deepEqual(pairWindow(PAIRS, "first", [7, 9]), [0, 5]);
  assert.deepEqual(pairWindow(PAIRS, "first", null), [0, 5]);
  const words = { texts: ["a", "bc", "d"], positions: [[0], [1, 2], [3]] };
  assert.deepEqual(translated([2, 4], plain("a", "b", "c", "d"), words), [1, 3]);
  assert.deepEqual(translated([1, 2], words, plain("a", "b", "c", "d")), [1, 2]);
  assert.equal(translated([0, 1], plain("a"), { texts: ["b"], positions: [[7]] }), null);
});

test("the chosen cell is the state's, completed by what changes most", () => {
  const tokens = plain("a", "b");
  const both = [pair([0, 1], [0, 1]), pair(null, [1, 2], false), pair([1, 2], [2, 3])];
  const value = changeOf({ shape: [2, 2, 3], data: Float32Array.of(0.5, 0, 0.5, 0.5, 0, 0.5, 0.5, 0.3, 0.2, 0.1, 0.8, 0.1) }, { queries: "0:2", keys: "0:3" });
  const comparison = {
    side: "first", session: { queryTokens: tokens, keyTokens: tokens }, ranks: { value: { queries: [both[0], both[2]], keys: both } },
    cells: { value }, first: { queries: tokens, keys: tokens }, second: { queries: plain("a", "n", "b"), keys: plain("a", "n", "b") },
  };
  assert.deepEqual(cursorOf(comparison, { query: null, key: null }), { query: 1, key: 1 });
  assert.deepEqual(cursorOf(comparison, { query: 0, key: null }), { query: 0, key: 1 });
  assert.deepEqual(cursorOf(comparison, { query: 1, key: 1 }), { query: 1, key: 2 });
  assert.deepEqual(cursorOf(comparison, { query: 99, key: 0 }), { query: 1, key: 1 });
  assert.deepEqual(shownCell(comparison, { query: 1, key: 2 }), { query: 1, key: 1 });
  assert.deepEqual(originalCell(comparison, { query: 1, key: 1 }), { query: 1, key: null }); // only the second text has it
  assert.deepEqual(shownWindow(comparison, { queries: [0, 2], keys: [0, 1] }), { queries: null, keys: [0, 1] });
  assert.deepEqual(shownWindow(comparison, { queries: [1, 2], keys: [1, 2] }), { queries: [1, 2], keys: null });
});

// ---- a word edited in place
test("a word is written anew and the rest of the text stays as it was", () => {
  const text = "It  was tired,\nreally";
  assert.equal(wordsOf(text).map((part) => part.text).join(""), text);
  assert.equal(withPart(text, 4, "soft,"), "It  was soft,\nreally");
  assert.equal(withPart(text, 4, " so soft, "), "It  was so soft,\nreally");
  assert.equal(withPart(text, 4, ""), "It  was\nreally");
  assert.equal(withPart(text, 0, " "), "was tired,\nreally");
  assert.equal(withPart("a", 0, ""), "");
});

test("a text is told from another by what stands round their first difference", () => {
  const cat = "The cat sat on the mat because it was tired";
  assert.equal(fromDifference(cat, cat.replace("tired", "soft")), "… it was tired");
  assert.equal(fromDifference(cat.replace(" tired", ""), cat), "… it was"); // its words end where the other goes on
  assert.equal(fromDifference(cat, cat.replace("sat", "lay")), cat);
  assert.equal(fromDifference("", cat), "");
});

test("words that the first text has not are marked, wherever they stand", () => {
  const words = (text, other) => [...editedParts(text, other)].map((i) => wordsOf(text)[i].text);
  assert.deepEqual(words("the cat sat on the soft mat because it was not soft", "the cat sat on the mat because it was tired"), ["soft", "not", "soft"]);
  assert.deepEqual(words("a b a c", "a c"), ["b", "a"]);
  assert.deepEqual(words("a b", "a b"), []);
  assert.deepEqual(words("x", ""), ["x"]);
  assert.deepEqual(words("", "x"), []);
});

// ---- colours
test("changes read in few characters, with a sign that cannot be mistaken", () => {
  assert.deepEqual([0.318, -0.318, 0, -0.0001, 1].map((one) => signedChange(one)), ["+0.318", "−0.318", "0.000", "0.000", "+1.000"]);
  assert.deepEqual([0.05, -0.4, 1].map(shortChange), ["+.05", "−.40", "+1.0"]);
  assert.deepEqual([[0.001], [-0.318, 0.2], [1], []].map(limitOf), [0.05, 0.35, 1, 0.05]);
});

const linear = (rgb) => rgb.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
// Machado, Oliveira and Fernandes 2009, severity 1: what people see whose cones of one kind are missing.
const SEEN = {
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
  most: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
};
function lab(rgb) {
  const [r, g, b] = rgb.map((value) => Math.min(1, Math.max(0, value)));
  const [x, y, z] = [0.4124 * r + 0.3576 * g + 0.1805 * b, 0.2126 * r + 0.7152 * g + 0.0722 * b, 0.0193 * r + 0.1192 * g + 0.9505 * b];
  const f = (t) => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 / 116) * t + 16 / 116);
  const [fx, fy, fz] = [f(x / 0.9505), f(y), f(z / 1.089)];
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

test("less, more and no change are told apart by everybody, and numbers on them can be read", () => {
  for (const theme of ["light", "dark"]) {
    const palette = createDiverging({ theme, limit: 0.4 });
    assert.deepEqual([-0.4, 0, 0.4].map((change) => palette.rgb(change)), [ENDS[theme].less, ENDS[theme].none, ENDS[theme].more]);
    assert.deepEqual(palette.rgb(-9), ENDS[theme].less);
    for (const [name, matrix] of Object.entries(SEEN)) {
      const see = (rgb) => lab(matrix.map((row) => row.reduce((sum, part, i) => sum + part * linear(rgb)[i], 0)));
      const apart = (one, other) => Math.hypot(...see(one).map((value, i) => value - see(other)[i]));
      for (const share of [0.4, 1]) assert.ok(apart(palette.rgb(0.4 * share), palette.rgb(-0.4 * share)) > 25, `${theme} ${name} ${share}`);
      for (const change of [-0.4, 0.4]) assert.ok(apart(palette.rgb(change), palette.rgb(0)) > 40, `${theme} ${name} ${change}`);
    }
    for (let change = -0.4; change <= 0.4; change += 0.01) {
      const rgb = palette.rgb(change);
      assert.ok(contrast(rgb, inkOn(rgb) === "#000" ? [0, 0, 0] : [255, 255, 255]) >= 4.5);
    }
  }
});

// ---- what is asked, and when
const npy = (shape, values) => {
  let header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  header = `${header.padEnd(117)}\n`;
  const bytes = new Uint8Array(10 + header.length + 4 * values.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes.set(new Uint8Array(Float32Array.from(values).buffer), 10 + header.length);
  return bytes.buffer;
};
const traceOf = (id, ...texts) => ({
  id, model: { name: "minilm", title: "MiniLM" }, source: plain(...texts),
  maps: [{ kind: "encoder-self", layers: 2, heads: 2, queries: texts.length, keys: texts.length, query_axis: "source", key_axis: "source" }],
});

function fakeServer() {
  const asked = [];
  const gone = new Set();
  const held = (...ids) => {
    const lost = ids.find((id) => gone.has(id));
    if (lost) throw Object.assign(new Error("gone"), { code: "trace-not-held", facts: { trace: lost } });
  };
  const api = {
    trace: async ({ text }) => {
      asked.push(`trace ${text}`);
      gone.delete(text);
      return traceOf(text, ...text.split(" "));
    },
    seen: async (id) => traceOf(id, ...id.split(" ")),
    weights: async (id, { layer, head, queries }) => {
      asked.push(`row ${id} L${layer} H${head} ${queries}`);
      held(id);
      return npy([1, 2], id === "a b" ? [0.5, 0.5] : [0, 1]);
    },
    analysis: async (id, name, query) => {
      if (name === "profile") {
        asked.push(`profile ${id}`);
        held(id);
        return { heads: [{ layer: 0, head: 0, entropy: id === "a b" ? 0.75 : 0.25 }] };
      }
      asked.push(`${name} ${id} ${query.with}`);
      held(id, query.with);
      const both = [pair([0, 1], [0, 1]), pair([1, 2], [1, 2], false)];
      return { queries: both, keys: both, heads: [{ layer: 1, head: 0, change: 0.5 }] };
    },
    difference: async (id, query) => {
      asked.push(`cells L${query.layer} H${query.head}`);
      held(id, query.with);
      return npy([2, 2, 2], [1, 0, 0.5, 0.5, 1, 0, query.layer, 0]);
    },
  };
  return { api, asked, gone };
}

const SESSION = { request: { ...REQUEST }, posted: traceOf("a b", "a", "b"), trace: traceOf("a b", "a", "b"), map: traceOf("a b", "a", "b").maps[0], queryTokens: plain("a", "b"), keyTokens: plain("a", "b") };
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));
const AT = { state: { ...STATE, query: null, key: null, queries: null, keys: null }, layer: 0, head: 0 };
const versus = (text) => ({ way: "text", request: { ...REQUEST, text }, look: {} });

test("the other side is read, then the heads, then the cells of the one in focus and of its neighbours", async () => {
  const { api, asked } = fakeServer();
  let changes = 0;
  const comparison = createComparison({ api, onChange: () => (changes += 1) });
  assert.equal(comparison.now(), null);
  comparison.want(SESSION, versus("a c"), AT);
  assert.deepEqual([comparison.now().way, comparison.now().cells, comparison.now().stays], ["text", null, null]);
  await settled();
  assert.equal(comparison.now().cells.state, "ready");
  assert.deepEqual([...comparison.now().cells.value.after], [1, 0, 0, 0]);
  assert.deepEqual(asked.slice(0, 3), ["trace a c", "difference a b a c", "cells L0 H0"]);
  assert.deepEqual(asked.slice(3).sort(), ["cells L0 H1", "cells L1 H0", "profile a b", "profile a c", "row a b L0 H0 1:2", "row a c L0 H0 1:2"]);
  assert.deepEqual(comparison.now().entropies, { query: 1, before: { mean: 0.75, row: 1 }, after: { mean: 0.25, row: 0 } });
  const [before, drawn] = [asked.length, changes];
  comparison.want(SESSION, versus("a c"), { ...AT, layer: 1 }); // read ahead: nothing is asked, and it is there at once
  assert.deepEqual([comparison.now().cells.state, comparison.now().cells.value.after[2]], ["ready", 1]);
  await settled();
  assert.deepEqual(asked.slice(before).sort(), ["cells L1 H1", "row a b L1 H0 1:2", "row a c L1 H0 1:2"]);
  assert.equal(changes, drawn + 2); // the two rows
  comparison.want(SESSION, null, AT);
  assert.equal(comparison.now(), null);
});

test("what was ready stays until something else is, and an answer that nobody waits for changes nothing", async () => {
  const { api } = fakeServer();
  let changes = 0;
  const comparison = createComparison({ api, onChange: () => (changes += 1) });
  comparison.want(SESSION, versus("a c"), AT);
  await settled();
  comparison.want(SESSION, versus("a d"), AT);
  assert.equal(comparison.now().cells, null);
  assert.equal(comparison.now().stays.cells.state, "ready");
  comparison.want(SESSION, null, AT);
  const before = changes;
  await settled();
  assert.equal(changes, before);
  assert.equal(comparison.now(), null);
});

test("what was changed comes after: the other side is first", async () => {
  for (const way of ["switch", "what-if"]) {
    const { api, asked } = fakeServer();
    const comparison = createComparison({ api, onChange: () => {} });
    comparison.want(SESSION, { way, request: { ...REQUEST, text: "a on" }, look: {} }, AT);
    await settled();
    assert.equal(asked[1], "difference a on a b");
    assert.equal(comparison.now().side, "second");
    assert.deepEqual([comparison.now().entropies.before.mean, comparison.now().entropies.after.mean], [0.25, 0.75]);
  }
});

test("a trace that the server let go is posted again, once", async () => {
  for (const lost of ["a b", "a c"]) {
    const { api, asked, gone } = fakeServer();
    const comparison = createComparison({ api, onChange: () => {} });
    const { trace } = api;
    api.trace = async (request) => {
      const made = await trace(request);
      if (asked.filter((line) => line.startsWith("trace")).length === 1) gone.add(lost);
      return made;
    };
    comparison.want(SESSION, versus("a c"), AT);
    await settled();
    assert.equal(comparison.now().cells.state, "ready", lost);
    assert.deepEqual(asked.slice(0, 5), ["trace a c", "difference a b a c", "trace a b", "trace a c", "difference a b a c"]);
  }
});

test("what failed says why, is not asked again by itself, and is asked again when it is wanted anew", async () => {
  const { api, asked } = fakeServer();
  const comparison = createComparison({ api, onChange: () => {} });
  const { trace } = api;
  api.trace = async ({ text }) => {
    asked.push(text);
    throw Object.assign(new Error("no"), { code: "too-many-tokens" });
  };
  comparison.want(SESSION, versus("a c"), AT);
  await settled();
  assert.equal(comparison.now().problem.code, "too-many-tokens");
  assert.deepEqual(asked, ["a c"]);
  api.trace = trace;
  comparison.want(SESSION, versus("a c"), AT);
  await settled();
  assert.equal(comparison.now().problem, null);
  assert.equal(comparison.now().cells.state, "ready");
});
