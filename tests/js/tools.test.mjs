import assert from "node:assert/strict";
import { test } from "node:test";
import { createChoices } from "../../static/js/lib/acts.js";
import { createAddress } from "../../static/js/lib/address.js";
import { questionsOf } from "../../static/js/lib/asked.js";
import { createBusy } from "../../static/js/lib/busy.js";
import { glowOf } from "../../static/js/lib/glow.js";
import { rowsOf, sharesOf } from "../../static/js/lib/importance.js";
import { columnsOf, nextSort, sorted } from "../../static/js/lib/profile.js";
import { scaleOf, tickText } from "../../static/js/lib/scatter.js";
import { answerOf, compared, kindsOf, MOST_ROWS, pointsOf } from "../../static/js/lib/switched.js";
import { cellOf, orWhole, windowsWith } from "../../static/js/lib/want.js";
import { lastStep, wishOf } from "../../static/js/lib/writing.js";

function page(href = "/") {
  const places = [href];
  const history = { pushState: (a, b, to) => places.push(to), replaceState: (a, b, to) => (places[places.length - 1] = to) };
  let time = 1000;
  return { places, pass: (ms) => (time += ms), address: createAddress({ history, here: () => places.at(-1), now: () => time }) };
}

test("every choice is a place of its own; keys held down are one, and so is what stays the same", () => {
  const { places, pass, address } = page();
  address.remember("/?head=1", "click");
  address.remember("/?head=1", "click");
  address.remember("/?head=2", "key");
  pass(500);
  address.remember("/?head=3", "key");
  pass(700);
  address.remember("/?head=4", "key");
  address.remember("/?query=5", "same");
  assert.deepEqual(places, ["/", "/?head=1", "/?head=3", "/?query=5"]);
});

test("what a run reaches is one place, written down now and then", () => {
  const { places, pass, address } = page();
  const run = {};
  assert.equal(address.isKept(run), false);
  address.keep(run, "/?written=1", 400);
  pass(100);
  address.keep(run, "/?written=1.2", 400);
  assert.deepEqual([places, address.isKept(run)], [["/", "/?written=1"], true]);
  pass(400);
  address.keep(run, "/?written=1.2.3", 400);
  address.keep({}, "/?written=9");
  assert.deepEqual(places, ["/", "/?written=1.2.3", "/?written=9"]);
});

test("what comes soon, or is wanted no more, is never shown as busy", () => {
  let wait = null;
  let changes = 0;
  const busy = createBusy({ onChange: () => (changes += 1), wait: (work) => ((wait = work), 1), stop: () => (wait = null) });
  busy.soon(() => true);
  busy.over();
  assert.deepEqual([wait, busy.now()], [null, false]);
  busy.soon(() => false);
  wait();
  assert.deepEqual([busy.now(), changes], [false, 0]);
  busy.soon(() => true);
  wait();
  assert.deepEqual([busy.now(), changes], [true, 1]);
});

const tokens = (positions) => ({ texts: positions.map(String), positions });

test("a cell of what is shown is a cell of the tokens that were read", () => {
  const session = { queryTokens: tokens([[0], [1, 2], [3]]), keyTokens: tokens([[1, 2], [3]]) };
  assert.deepEqual(cellOf(session, { query: 2, key: 0 }), { query: 3, key: 1 });
  assert.deepEqual(cellOf(session, { query: 1, key: null }), { query: 1, key: null });
  assert.deepEqual(cellOf(session, { query: 0 }), { query: 0 });
});

test("a window follows the cell, and the whole of an axis is no window", () => {
  const map = { queries: 100, keys: 100 };
  const state = { queries: [0, 10], keys: [20, 30] };
  const { queries, keys } = windowsWith(state, map, 50, 25);
  assert.ok(queries[0] <= 50 && 50 < queries[1] && queries[1] - queries[0] === 10);
  assert.deepEqual(keys, [20, 30]);
  assert.deepEqual(windowsWith(state, map, 5, null).keys, [20, 30]);
  assert.deepEqual(orWhole(map, { queries: [0, 100], keys: [1, 100] }), { queries: null, keys: [1, 100] });
  assert.deepEqual(orWhole(map, { queries: null }), { queries: null });
});

test("only a model that draws is told how to, and the last step is the row that wrote the last token", () => {
  const state = { tokens: 64, method: "greedy", temperature: 0.5, topk: 5, seed: 7 };
  assert.deepEqual(wishOf(state), { most: 64, sampling: { method: "greedy" } });
  assert.deepEqual(wishOf({ ...state, method: "sample" }).sampling, { method: "sample", temperature: 0.5, top_k: 5, seed: 7 });
  const posted = { source: { texts: ["a", "b", "c", "d"] } };
  assert.equal(lastStep(posted, { written: null }, [1, 2]), 4); // a b c d 1 2: d+1 wrote 2
  assert.equal(lastStep(posted, { written: "8.9" }, [8, 9, 3]), 3); // a b 8 9 3: 9 wrote 3
});

const HEADS = [
  { layer: 0, head: 0, entropy: 2, distance: null, special: 0.2, own: null },
  { layer: 0, head: 1, entropy: 3, distance: 1, special: 0.2, own: null },
  { layer: 1, head: 0, entropy: 1, distance: 4, special: 0.5, own: null },
];
const names = (heads) => heads.map(({ layer, head }) => `${layer}.${head}`);

test("the table of heads stands in the order of a column, what has no number last", () => {
  assert.deepEqual(names(sorted(HEADS, "entropy")), ["0.1", "0.0", "1.0"]);
  assert.deepEqual(names(sorted(HEADS, "entropy.up")), ["1.0", "0.0", "0.1"]);
  assert.deepEqual(names(sorted(HEADS, "distance")), ["1.0", "0.1", "0.0"]);
  assert.deepEqual(names(sorted(HEADS, "distance.up")), ["0.1", "1.0", "0.0"]);
  for (const nonsense of [null, "price", "layer", "entropy.down", "constructor"]) assert.deepEqual(names(sorted(HEADS, nonsense)), names(HEADS));
  assert.deepEqual(columnsOf(HEADS.map((head) => ({ offset_share: null, same_word: null, topic: null, ...head }))), ["entropy", "distance", "special"]);
});

test("a column is pressed for the largest first, again for the smallest, again for the model's own order", () => {
  assert.deepEqual(["special", "entropy", "entropy.up"].map((sort) => nextSort(sort, "entropy")), ["entropy", "entropy.up", null]);
});

const scan = {
  heads: [
    { kind: "cross", layer: 1, head: 0, effect: 0.4, attention: 0.1 },
    { kind: "encoder-self", layer: 0, head: 1, effect: 0.2, attention: 0.9 },
    { kind: "encoder-self", layer: 0, head: 0, effect: 0, attention: 0.3 },
  ],
};

test("the grid lights up by what the open tool ranks, and by nothing else", () => {
  const ready = (value) => ({ state: "ready", value });
  const scene = { kind: "encoder-self", state: { tool: "switch" }, scan: ready(scan) };
  const glow = glowOf(scene);
  assert.deepEqual([glow.of(0, 1), glow.of(0, 0), glow.of(1, 0)], [0.5, 0, 0], "heads of the kind on show, against the largest of all");
  assert.equal(glowOf(scene).by, glow.by, "the same ranking is the same object");
  assert.notEqual(glowOf({ ...scene, kind: "cross" }).by, glow.by);
  assert.equal(glowOf({ ...scene, kind: "cross" }).of(1, 0), 1);
  for (const tool of [null, "importance", "constructor"]) assert.equal(glowOf({ ...scene, state: { tool } }), null);
  assert.equal(glowOf({ ...scene, scan: { state: "running" } }), null);
  const profile = ready({ heads: HEADS });
  assert.equal(glowOf({ state: { tool: "profile", sort: null }, profile }), null);
  const up = glowOf({ state: { tool: "profile", sort: "entropy.up" }, profile });
  assert.deepEqual([up.of(1, 0), up.of(0, 1)], [1, 0]);
  assert.equal(glowOf({ state: { tool: "profile", sort: "distance" }, profile }).of(0, 0), 0);
});

test("a head of a scan is named where it stands out, or is in focus", () => {
  const points = pointsOf(scan, "encoder-self.0.0");
  assert.deepEqual(points.map(({ id, named, chosen }) => [id, named, chosen]), [["cross.1.0", true, false], ["encoder-self.0.1", true, false], ["encoder-self.0.0", true, true]]);
  assert.equal(pointsOf(scan, "cross.0.0").at(-1).named, false);
  assert.deepEqual(kindsOf(scan), ["encoder-self", "cross"]);
});

const list = (...texts) => texts.map((text, i) => ({ text, probability: 0.5 / (i + 1) }));

test("candidates stand beside one another by word, a translation's by place, answers by question", () => {
  const rows = compared({ aim: { task: "next-token", row: 3 }, before: list("cat", "dog"), after: list("dog", "fox") });
  assert.deepEqual(rows.map(({ text, before, after }) => [text, before?.probability, after?.probability]), [["cat", 0.5, undefined], ["dog", 0.25, 0.5], ["fox", undefined, 0.25]]);
  const many = compared({ aim: { task: "next-token", row: 3 }, before: list("a", "b", "c", "d", "e"), after: list("v", "w", "x", "y", "z") });
  assert.deepEqual([many.length, many.at(-1).text], [MOST_ROWS, "w"]);
  const whole = compared({ aim: { task: "translation", row: null }, before: list("I", "I"), after: list("I", "saw") });
  assert.deepEqual(whole.map(({ before, after }) => [before.text, after.text]), [["I", "I"], ["I", "saw"]]);
  const classes = compared({ aim: { task: "classes", row: null }, before: list("colour/red", "shape/star"), after: list("colour/blue", "shape/star") });
  assert.deepEqual(classes.map(({ question, after }) => [question, answerOf(after.text).answer]), [["colour", "blue"], ["shape", "star"]]);
  assert.deepEqual([answerOf("/"), answerOf("a/b/c"), answerOf("and/or")], [null, null, { question: "and", answer: "or" }]);
});

test("axes begin at 0, end at a round number that holds everything, and say no digit too many", () => {
  for (const most of [0.0004, 0.007, 0.13, 0.5, 0.99, 1, 1.7]) {
    const scale = scaleOf(most);
    assert.ok(scale[0] === 0 && scale.at(-1) >= most && scale.at(-2) < most && scale.length <= 6, `${most}: ${scale}`);
    assert.equal(new Set(scale.map((value) => tickText(value, scale))).size, scale.length, `${most}: ticks differ`);
  }
  assert.deepEqual(scaleOf(0.13).map((value) => tickText(value, scaleOf(0.13))), ["0.00", "0.05", "0.10", "0.15"]);
  assert.deepEqual([scaleOf(0), scaleOf(NaN)], [[0, 1], [0, 1]]);
});

test("each method's column is read against its own largest score; what a method cannot say stays open", () => {
  const found = {
    tokens: ["[CLS]", "a", "b"], special: [true, false, false],
    methods: [{ name: "weight", scores: [0.6, 0.1, 0.3] }, { name: "gradient", scores: null }, { name: "leave-one-out", scores: [-0.1, 0, 0] }],
  };
  assert.deepEqual(rowsOf(found)[2], { text: "b", special: false, scores: [0.3, null, 0] });
  assert.deepEqual(sharesOf(found).map((shares) => shares.map((share) => Number(share.toFixed(3)))), [[1, 0.167, 0.5], [], [0, 0, 0]]);
});

test("analyses are asked for what is open: the profile of a long text only with its tool, of a picture never", () => {
  const map = { kind: "encoder-self", layers: 6, heads: 12, queries: 300, keys: 300 };
  const session = { map, trace: { picture: null }, posted: { maps: [map] }, queryTokens: { texts: [] }, keyTokens: { texts: [] } };
  const asks = (tool, more = {}) => Object.fromEntries(Object.entries(questionsOf({ tool, query: null, key: null, rivals: null }, { ...session, ...more })).map(([slot, [, query]]) => [slot, query]));
  assert.deepEqual([asks(null).profile, asks("profile").profile, asks("link").mentions, asks("profile").mentions], [null, { kind: "encoder-self" }, { kind: "encoder-self" }, null]);
  assert.equal(asks("profile", { map: { ...map, queries: 3000, keys: 3000 } }).profile, null);
  assert.equal(asks("profile", { trace: { picture: {} } }).profile, null);
});

test("choices are patches: what needs another trace says so, what is chosen twice is undone", () => {
  const done = [];
  const map = { kind: "encoder-self", layers: 6, heads: 12, queries: 12, keys: 12 };
  const state = { tool: "link", query: 8, key: 2, rivals: "6", off: null, how: "zero", queries: null, keys: [0, 5], view: null, range: null };
  const session = { map, trace: { maps: [map, { ...map, kind: "cross", layers: 2, heads: 2 }] }, posted: {}, queryTokens: tokens(Array.from({ length: 12 }, (_, i) => [i])), keyTokens: tokens(Array.from({ length: 12 }, (_, i) => [i])) };
  const act = createChoices({ now: () => ({ state, session, draft: null }), choose: (...all) => done.push(all), examples: [], startOf: () => ({}), modelOf: () => null });
  const last = (work) => (work(), done.at(-1));
  assert.deepEqual(last(() => act.query(3, "click")), [{ query: 3 }, "click"]);
  assert.deepEqual(last(() => act.swap()), [{ query: 2, key: 8, rivals: null, queries: null, keys: null }]);
  assert.deepEqual(last(() => act.rival(6)), [{ rivals: null, queries: null, keys: null }, "click"]);
  assert.deepEqual(last(() => act.link({ key: 4, words: true }))[1], "text");
  assert.deepEqual(last(() => act.cell(1, 9, "key")), [{ query: 1, key: 9, queries: null, keys: [5, 10] }, "key", true]);
  assert.deepEqual(last(() => act.off("encoder-self", 3, 1)), [{ off: "encoder-self.3.1" }, "text"]);
  assert.deepEqual(last(() => act.how("mean")), [{ how: "mean" }, "click"]);
  assert.deepEqual(last(() => act.hint("encoder-self", 3, 1)), [{ layer: 3, head: 1, key: null }]);
  const [patch, how] = last(() => act.hint("cross", 1, 0));
  assert.deepEqual([patch.kind, patch.layer, patch.head, how], ["cross", 1, 0, "text"]);
  assert.deepEqual(last(() => act.view("heatmap")), [{ view: null }]);
  assert.deepEqual(last(() => act.words(true)), [{ words: true, queries: null, keys: null }, "text"]);
  assert.deepEqual(last(() => act.tool("switch")), [{ tool: "switch", rivals: null }]);
  state.tool = "switch";
  assert.deepEqual(last(() => act.query(3, "click")), [{ query: 3, key: null }, "click"]);
});
