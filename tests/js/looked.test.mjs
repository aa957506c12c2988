import assert from "node:assert/strict";
import { test } from "node:test";
import { createBlocked } from "../../static/js/lib/allowed.js";
import { lookQuery, originalAt, shownAt } from "../../static/js/lib/looked.js";
import { withRemoved } from "../../static/js/lib/removed.js";
import { rowsOf } from "../../static/js/lib/rows.js";
import { runsOf, sharesOf, spoken } from "../../static/js/lib/segments.js";
import { sinkOf } from "../../static/js/lib/sinks.js";
import { describeTokens, wordGroups } from "../../static/js/lib/tokens.js";
import { headOf, wantOf } from "../../static/js/lib/want.js";

const PLAIN = { texts: ["[CLS]", "un", "real", "cat", "[SEP]"], positions: null };
const LOOKED = { texts: ["unreal", "cat"], positions: [[1, 2], [3]] };
const map = { layers: 6, heads: 12, queries: 5, keys: 5 };

test("an original position is found where it is shown, and a hidden one nowhere", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 9, null].map((at) => shownAt(LOOKED, at)), [null, 0, 0, 1, null, null, null]);
  assert.deepEqual([0, 4, 5, null].map((at) => shownAt(PLAIN, at)), [0, 4, null, null]);
});

test("choosing what is shown and looking in another way keeps the choice", () => {
  for (const tokens of [PLAIN, LOOKED]) tokens.texts.forEach((_, shown) => assert.equal(shownAt(tokens, originalAt(tokens, shown)), shown));
  assert.equal(originalAt(LOOKED, 0), 1);
  assert.equal(originalAt(LOOKED, null), null);
  assert.equal(shownAt(PLAIN, originalAt(LOOKED, 1)), 3);
});

test("only what differs from the trace itself is asked for", () => {
  assert.deepEqual(lookQuery({ words: false, special: "show" }), {});
  assert.deepEqual(lookQuery({ words: true, special: "renormalise" }), { words: 1, special: "renormalise" });
  assert.deepEqual([lookQuery({ segments: "all" }), lookQuery({ segments: "AB" })], [{}, { segments: "AB" }]);
});

test("heads and positions that a text does not have fall back", () => {
  assert.deepEqual(headOf({ layer: 9, head: 1 }, map), { layer: 0, head: 0 });
  assert.deepEqual(headOf({ layer: 5, head: 11 }, map), { layer: 5, head: 11 });
  const state = { layer: 3, head: 1, query: 5, key: 4, queries: null, keys: null };
  const want = wantOf(state, { map, queryTokens: PLAIN, keyTokens: PLAIN });
  assert.deepEqual([want.query, want.key], [null, 4]);
  const hidden = wantOf({ ...state, query: 3, key: 4 }, { map, queryTokens: LOOKED, keyTokens: LOOKED });
  assert.deepEqual([hidden.query, hidden.key], [1, null]);
});

test("of a picture the class token looks first, unless it is hidden", () => {
  const state = { layer: 0, head: 0, query: null, key: null, queries: null, keys: null };
  const trace = { picture: {} };
  assert.equal(wantOf(state, { map, trace, queryTokens: PLAIN, keyTokens: PLAIN }).query, 0);
  assert.equal(wantOf(state, { map, trace, queryTokens: LOOKED, keyTokens: LOOKED }).query, null);
});

test("what was hidden comes with the view, one request a layer", async () => {
  const asked = [];
  const reader = { layers: 2, view: async (want) => ({ of: want.head }), ready: (want) => ({ of: want.head }), prefetch: async () => {} };
  const both = withRemoved(reader, async (layer) => (asked.push(layer), { shape: [2, 3], data: Float32Array.from([1, 2, 3, 4, 5, 6]) }));
  assert.equal(both.ready({ layer: 0, head: 1 }), null);
  const view = await both.view({ layer: 0, head: 1 });
  assert.deepEqual([view.of, [...view.removed]], [1, [4, 5, 6]]);
  assert.deepEqual([...both.ready({ layer: 0, head: 0 }).removed], [1, 2, 3]);
  await both.prefetch({ layer: 0, head: 0 });
  assert.deepEqual(asked, [0, 1]);
});

test("a sink is named with its share, and only where a row had a choice", () => {
  const tokens = { special: [true, false, false, true], positions: null };
  const close = (a, b) => assert.ok(Math.abs(a - b) < 1e-6);
  const special = sinkOf({ row: [0.2, 0.2, 0.1, 0.5], tokens, query: 1 });
  assert.deepEqual([special.what, special.key], ["special", 3]);
  close(special.share, 0.7);
  assert.equal(sinkOf({ row: [0.2, 0.4, 0.3, 0.1], tokens, query: 1 }), null);
  const words = { special: [false, false, false], positions: null };
  assert.deepEqual(sinkOf({ row: [0.8, 0.1, 0.1], tokens: words, query: 2, masked: true }), { what: "first", share: 0.8, key: 0 });
  assert.equal(sinkOf({ row: [0.8, 0.1, 0.1], tokens: words, query: 0, masked: true }), null);
  // Where everybody sees everybody, the first word is a word: a particle may look at its noun.
  assert.equal(sinkOf({ row: [0.8, 0.1, 0.1], tokens: words, query: 2 }), null);
  assert.equal(sinkOf({ row: [0.9, 0.1, 0], tokens: words, query: 1, free: 2, masked: true }), null);
  const looked = { special: [false, false, false], positions: [[1], [2], [3]] };
  assert.deepEqual(sinkOf({ row: [0.1, 0.1, 0], tokens: looked, query: 1, removed: 0.8 }), { what: "hidden", share: 0.8, key: null });
  assert.equal(sinkOf({ row: [0.9, 0.1, 0], tokens: looked, query: 1 }), null);
});

test("in cross-attention a word on the first word is no sink, and neither is the end on the end", () => {
  const tokens = { special: [false, false, true], positions: null };
  assert.equal(sinkOf({ row: [0.9, 0.1, 0], tokens, query: 1, cross: true }), null);
  assert.equal(sinkOf({ row: [0.1, 0.1, 0.8], tokens, query: 1, isSpecial: true, cross: true }), null);
  assert.equal(sinkOf({ row: [0.1, 0.1, 0.8], tokens, query: 1, cross: true }).what, "special");
});

test("a strip has one row where tokens look at their own, and the chosen one is among them", () => {
  const blocked = createBlocked({ mask: "causal", offset: 0 }, "decoder-self", { positions: null }, { positions: null });
  const view = { query: 1, key: 0, row: Float32Array.from([0.75, 0.25, 0]) };
  const { tokens, queries } = rowsOf({ map: { kind: "decoder-self", query_axis: "source", key_axis: "source" }, view, blocked, queryCount: 3 });
  assert.deepEqual(queries, []);
  assert.deepEqual(tokens.map(({ weight, chosen, key, pressed }) => [weight, chosen, key, pressed]), [[0.75, false, true, false], [0.25, true, false, true], [null, false, false, false]]);
});

test("for cross-attention a row of its own chooses the word that looks, and the source is coloured", () => {
  const view = { query: 1, key: 2, row: Float32Array.from([0, 0.25, 0.75, 0]) };
  const { tokens, queries } = rowsOf({ map: { kind: "cross", query_axis: "target", key_axis: "source" }, view, blocked: null, queryCount: 3 });
  assert.deepEqual(queries.map(({ chosen }) => chosen), [false, true, false]);
  assert.deepEqual(tokens.map(({ weight }) => weight), [0, 0.25, 0.75, 0]);
  assert.deepEqual(tokens.map(({ chosen, key, pressed }) => [chosen, key, pressed]), [[false, false, false], [false, false, false], [false, true, true], [false, false, false]]);
});

const PAIR = { texts: ["a", "b", "c", "d"], pieces: ["a", "b", "c", "d"], special: [false, false, false, true], words: [0, 1, 1, null], segment: ["A", "A", "B", "B"], pair: "c" };

test("tokens of a pair know their sentence, and no word reaches from one into the other", () => {
  const described = describeTokens(PAIR);
  assert.deepEqual(described.map(({ segment }) => segment), ["A", "A", "B", "B"]);
  assert.deepEqual(wordGroups(described), [[0], [1], [2], [3]]);
  const single = describeTokens({ ...PAIR, segment: ["A", "A", "A", "A"], pair: null });
  assert.deepEqual([single[0].segment, wordGroups(single)], [null, [[0], [1, 2], [3]]]);
  // One sentence of a pair alone is still a sentence of a pair.
  assert.equal(describeTokens({ ...PAIR, segment: ["A", "A", "A", "A"] })[0].segment, "A");
  assert.deepEqual(described.map(spoken).slice(1, 3), ["b (A)", "c (B)"]);
  assert.equal(spoken(single[0]), "a");
});

test("the sentences of a window are its runs", () => {
  const described = describeTokens(PAIR);
  assert.deepEqual(runsOf(described, [0, 4]), [{ segment: "A", from: 0, to: 2 }, { segment: "B", from: 2, to: 4 }]);
  assert.deepEqual(runsOf(described, [1, 2]), [{ segment: "A", from: 1, to: 2 }]);
  assert.deepEqual(runsOf(describeTokens({ ...PAIR, segment: ["A", "A", "A", "A"], pair: null }), [0, 4]), []);
});

test("a pair's row says what of it lies where, in percent that add up", () => {
  const row = Float32Array.from([0.335, 0.335, 0.165, 0.165]);
  const all = sharesOf({ row, keyTokens: PAIR });
  assert.deepEqual([all.name, all.A + all.B, all.A], ["all.show", 100, 67]);
  const hidden = sharesOf({ row: [0.205, 0.205], keyTokens: { ...PAIR, segment: ["A", "B"] }, removed: 0.59, special: "hide" });
  assert.deepEqual([hidden.name, hidden.A + hidden.B + hidden.hidden, hidden.hidden], ["all.hide", 100, 59]);
  const cut = sharesOf({ row: [0.1, 0.2], keyTokens: { ...PAIR, segment: ["B", "B"] }, segments: "AB" });
  assert.deepEqual([cut.name, cut.share, cut.segment, cut.hidden], ["cut.show", 70, "A", 0]);
  const both = sharesOf({ row: [0.1, 0.2], keyTokens: { ...PAIR, segment: ["A", "A"] }, segments: "BA", removed: 0.5, special: "hide" });
  assert.deepEqual([both.share, both.segment, both.hidden], [20, "B", 50]);
  assert.equal(sharesOf({ row, keyTokens: { ...PAIR, segment: ["A", "A", "A", "A"], pair: null } }), null);
});

test("scaled up, what is not shown is the rest of 1, or nothing where all was hidden", () => {
  const of = (row, removed) => sharesOf({ row, keyTokens: { ...PAIR, segment: ["B", "B"] }, segments: "AB", special: "renormalise", removed }).share;
  assert.equal(of([0.25, 0.5], 0.9), 25);
  assert.equal(of([0, 0], 1), 0);
  const { hidden } = sharesOf({ row: [0.25, 0.5], keyTokens: { ...PAIR, segment: ["B", "B"] }, segments: "AB", special: "renormalise", removed: 0.847 });
  assert.equal(hidden, 85);
  assert.equal(of([0, 0], 0.9), 100);
});

test("from sentence to sentence the ones that look have a row of their own", () => {
  const view = { query: 0, key: 1, row: Float32Array.from([0.25, 0.75]) };
  const between = rowsOf({ map: { kind: "encoder-self", query_axis: "source_queries", key_axis: "source" }, view, blocked: null, queryCount: 3 });
  assert.deepEqual([between.queries.length, between.tokens.map(({ pressed }) => pressed)], [3, [false, true]]);
  assert.deepEqual(rowsOf({ map: { kind: "encoder-self", query_axis: "source", key_axis: "source" }, view, blocked: null, queryCount: 2 }).queries, []);
});
