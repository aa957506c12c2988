import assert from "node:assert/strict";
import { test } from "node:test";

import { axisOf, legendOf, stepsOf } from "../../static/js/lib/ideas/chart.js";
import { createAnswers } from "../../static/js/lib/ideas/answers.js";
import { questionsOf, wishOf } from "../../static/js/lib/ideas/asks.js";
import { largestOf, pairRows } from "../../static/js/lib/ideas/heat.js";
import { bytes, csv, linearTicks, logTicks, plain, seconds } from "../../static/js/lib/ideas/numbers.js";
import { doesOf, evenOf, pick, quizOf } from "../../static/js/lib/ideas/roles.js";
import { embedCode } from "../../static/js/lib/ideas/taking.js";
import { nearestStop, readState, searchOf, STOPS, TABLES } from "../../static/js/lib/ideas/state.js";

test("an address restores every state, and what is usual is left out", () => {
  const states = {
    scaling: { dim: 4, seed: 7 }, masking: { language: "ko", seed: 1 }, cost: { window: 8, features: 4, head: 1, seed: 2 },
    order: { positions: "rotary", text: "나는 학교에 갔다 & a=b", layer: 1, head: 1, seed: 4294967295 },
    heads: { text: "Who is it?", switch: "temperature:20" }, recurrence: { length: 8, seed: 3 },
  };
  assert.deepEqual(Object.keys(states).sort(), Object.keys(TABLES).sort());
  for (const [name, state] of Object.entries(states)) assert.deepEqual(readState(name, searchOf(name, state, "ko")), state);
  assert.equal(searchOf("scaling", readState("scaling", "?lang=ko")), "");
  assert.equal(searchOf("kinds", readState("kinds", ""), "ko"), "?lang=ko");
});

test("the code of an embed is one frame of the same figure, whatever the address says", () => {
  const text = `"><script>alert(1)</script> 'a' & b`;
  const search = `${searchOf("order", { ...readState("order", ""), text }, "ko")}&theme=dark`;
  const code = embedCode({ base: "https://a.example", name: "order", search, title: text });
  const [, src] = /^<iframe src="([^"<>]+)" title="[^"<>]+" height="[1-9][0-9]+" style="[^"<>]+" loading="lazy" allowfullscreen><\/iframe>$/.exec(code);
  const address = new URL(src.replaceAll("&amp;", "&").replaceAll("&#39;", "'"));
  assert.equal(address.origin + address.pathname, "https://a.example/embed/ideas/order");
  assert.equal(readState("order", address.search).text, text);
  assert.deepEqual([address.searchParams.get("lang"), address.searchParams.get("theme")], ["ko", "dark"]);
  for (const name of [...Object.keys(TABLES), "kinds"]) assert.match(embedCode({ base: "", name, search: "", title: name }), /height="[1-9]/, name);
});

test("a bad value falls back", () => {
  for (const search of ["?dim=3", "?dim=1025", "?dim=1e2", "?dim=-4", "?dim=", "?dim=64.5"]) assert.equal(readState("scaling", search).dim, 64, search);
  assert.equal(readState("order", "?positions=toString").positions, "none");
  assert.equal(readState("heads", `?text=${"a".repeat(5000)}`).text.length, 160);
  assert.match(readState("order", "?text=%20%20").text, /^the cat/);
});

test("the slider goes from 4 to 1024 and stands at the number that is nearest", () => {
  assert.deepEqual([STOPS[0], STOPS.at(-1), new Set(STOPS).size], [4, 1024, STOPS.length]);
  for (const [i, dim] of STOPS.entries()) assert.equal(nearestStop(dim), i);
  assert.equal(STOPS[nearestStop(66)], 64);
});

test("numbers are short, and never 0 where they are not", () => {
  assert.deepEqual([0.7971, 64.19, 1024, 2.5, 1.79e-7, 0, null, -0.25, 1234.5].map(plain), ["0.797", "64.2", "1,024", "2.50", "1.8·10⁻⁷", "0", "–", "−0.250", "1,235"]);
  assert.deepEqual([999, 1_340_000, 64e6].map(bytes), ["999 B", "1.3 MB", "64 MB"]);
  assert.deepEqual([2, 0.0123, 0.000056].map(seconds), ["2.0 s", "12 ms", "56 µs"]);
});

test("ticks are round and lie within", () => {
  assert.deepEqual(linearTicks(0, 1), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(linearTicks(-31, 31, 4), [-20, 0, 20]);
  assert.deepEqual(logTicks(0.0004, 0.3), [0.001, 0.01, 0.1]);
  assert.deepEqual(logTicks(64, 1024, 2, 3), [64, 256, 1024]);
});

test("an axis places its ends at its ends, in decades where it is logarithmic", () => {
  const axis = axisOf({ scale: "log", domain: [1, 100] }, [0, 200], 5);
  assert.deepEqual([1, 10, 100].map(axis.place), [0, 100, 200]);
  assert.deepEqual(axis.ticks.map(({ text }) => text), ["1", "10", "100"]);
  assert.equal(axisOf({ domain: [0, 4] }, [100, 0], 4).place(1), 75);
});

test("names that do not fit beside one another stand below one another", () => {
  const wide = legendOf(["divided", "not divided"], 400);
  assert.deepEqual(wide.placed.map(({ y }) => y), [0, 0]);
  const narrow = legendOf(["나눈 값입니다", "나누지 않은 값입니다"], 160);
  assert.deepEqual(narrow.placed.map(({ x, y }) => [x, y > 0]), [[0, false], [0, true]]);
  assert.ok(narrow.height > wide.height);
});

test("a histogram's outline has both ends on the ground", () => {
  assert.deepEqual(stepsOf([0, 1, 2], [0.25, 0.75]), [[0, 0], [0, 0.25], [1, 0.25], [1, 0.75], [2, 0.75], [2, 0]]);
});

test("a file of numbers keeps them whole, and words are never formulas", () => {
  assert.equal(csv([["a, b", 'say "x"'], ["=1+1", -0.1234567890123], ["-x", 1e-9]]), '"a, b","say ""x"""\r\n\'=1+1,-0.1234567890123\r\n\'-x,1e-9\r\n');
});

const EYE = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]];
const BEFORE = [[1, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]];
const AFTER = [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1]];
const FIRST = [[1, 0, 0, 0], [0.5, 0, 0, 0.5], [1, 0, 0, 0], [1, 0, 0, 0]];
const EVEN = EYE.map(() => [0.25, 0.25, 0.25, 0.25]);
const SPECIAL = [true, false, false, true];

test("what a head does is told by its weights at the words", () => {
  assert.deepEqual(doesOf(BEFORE, SPECIAL), { previous: 1, next: 0, ends: 0.5, broad: 0 });
  assert.equal(doesOf(FIRST, SPECIAL).ends, 1);
  assert.ok(Math.abs(doesOf(EVEN, SPECIAL).broad - Math.log2(4)) < 1e-12);
  assert.deepEqual([evenOf("ends", SPECIAL), evenOf("previous", SPECIAL), evenOf("broad", SPECIAL)], [0.5, 0.25, Math.log2(4)]);
});

test("each role goes to the head that does most of it, and a guess has four heads with the right one among them", () => {
  const heads = [EYE, BEFORE, AFTER, FIRST, EVEN].map((rows, i) => ({ layer: Math.floor(i / 2), head: i % 2, rows }));
  const picked = pick(heads, SPECIAL);
  assert.deepEqual(picked.map(({ role, rows }) => [role, [EYE, BEFORE, AFTER, FIRST, EVEN].indexOf(rows)]), [["previous", 1], ["next", 2], ["ends", 3], ["broad", 4]]);
  const four = quizOf(picked, heads, SPECIAL);
  assert.equal(new Set(four.map(({ layer, head }) => `${layer}.${head}`)).size, 4);
  assert.ok(four.includes(picked[0]));
  // One head may do most of everything: others stand beside it.
  const alike = [EYE, BEFORE, EYE, EYE, EYE].map((rows, i) => ({ layer: 0, head: i, rows }));
  assert.equal(new Set(quizOf(pick(alike, SPECIAL), alike, SPECIAL).map(({ head }) => head)).size, 4);
});

test("a matrix is a table of its pairs", () => {
  assert.deepEqual(pairRows(["a", "b"], ["c"], [[1], [2]], [[3], [4]]), [["a", "c", 1, 3], ["b", "c", 2, 4]]);
  assert.equal(largestOf([[1, 5]], [[2, 3]]), 5);
});

test("the last answer stays until the next is there, and one that is overtaken never shows", async () => {
  const asked = {};
  const timers = [];
  let [changes, time] = [0, 0];
  const answers = createAnswers({ onChange: () => { changes += 1; }, later: (work) => timers.push(work) - 1, clear: (i) => { timers[i] = null; }, clock: () => time });
  const want = (key) => answers.want("x", key, () => new Promise((resolve, reject) => { asked[key] = { resolve, reject }; }));
  const settle = () => new Promise(setImmediate);
  want("4");
  asked["4"].resolve("four");
  await settle();
  assert.deepEqual([answers.now("x").value, answers.now("x").busy, changes], ["four", false, 1]);
  time = 10;
  want("8");
  want("16"); // within a breath: 8 is never asked for
  assert.deepEqual([answers.now("x").value, answers.now("x").busy, Object.keys(asked)], ["four", true, ["4"]]);
  timers.filter(Boolean).forEach((work) => work());
  assert.deepEqual(Object.keys(asked), ["4", "16"]);
  time = 1000;
  want("32");
  asked["16"].resolve("late");
  asked["32"].reject(new Error("busy"));
  await settle();
  assert.deepEqual([answers.now("x").value, answers.now("x").problem.message], ["four", "busy"]);
  answers.again("x");
  asked["32"].resolve("thirty-two");
  await settle();
  assert.deepEqual([answers.now("x").value, answers.now("x").problem], ["thirty-two", null]);
  want("4"); // known: nothing is asked, and it is there at once
  assert.deepEqual([answers.now("x").value, answers.now("x").busy, Object.keys(asked).length], ["four", false, 3]);
});

test("what a page says of its state is what it asks for", () => {
  const asked = [];
  const api = { idea: (name, query) => asked.push([name, query]) };
  for (const { ask } of questionsOf("order", readState("order", "?seed=5&text=a+b"), api)) ask();
  assert.deepEqual(asked.map(([name, { positions, text, seed }]) => [name, positions, text, seed]), ["none", "sinusoidal", "learned", "rotary"].map((one) => ["order", one, "a b", 5]));
  assert.deepEqual(wishOf("recurrence", { seed: 1, length: 8 }), { name: "recurrence", seed: 1, length: 8, steps: 400 });
  assert.equal(wishOf("kinds", {}), null);
});
