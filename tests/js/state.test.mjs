import assert from "node:assert/strict";
import { test } from "node:test";
import { createStarts, format, parse, PARAMETERS } from "../../static/js/state.js";

const CAT = { model: "minilm", text: "The cat sat", layer: 3, head: 1, query: 8, key: 2 };
const EXAMPLES = [
  CAT, { model: "minilm", text: "The mat", layer: 0, head: 0 },
  { model: "ko-en", text: "나는 학교에 갔다", kind: "cross", layer: 1, head: 2, query: 1 },
  { model: "shapes", image: "red-circle", layer: 2, head: 0 },
  { model: "e5", text: "나는 갔다", pair: "I went", layer: 6, head: 11 },
];
const startOf = createStarts(EXAMPLES, "minilm");
const start = startOf();

// A small generator with a fixed seed, so that a failure can be run again.
function generator(seed) {
  let a = seed;
  const next = () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const upTo = (n) => Math.floor(next() * n);
  return { upTo, pick: (list) => list[upTo(list.length)] };
}
const TEXTS = [CAT.text, "나는 학교에 갔다", "a&b=c#d?e+f %41", " leading and trailing ", "<b>x</b>", "line\nbreak\ttab", "👩‍👩‍👧 🙂", "\u202eright\u202c to left مرحبا", "0", "null"];
const WHAT_IF = [null, null, "unscaled", "temperature:0.05", "temperature:1.25,mask:none", "unscaled,temperature:20,mask:causal,positions:none,shuffle:999999999"];
const OFF = [null, "decoder-self.0.3", "cross.1.2,encoder-self.0.0,decoder-self.11.40"];

function randomState({ upTo, pick }) {
  const span = () => pick([null, [upTo(50), 50 + upTo(500)]]);
  const image = pick([null, "red-circle", "5f2b".repeat(10)]);
  return {
    text: image && pick([true, false]) ? null : pick(TEXTS), target: pick([null, null, "I went to school"]), pair: pick([null, null, ...TEXTS]), image,
    model: pick(["minilm", "ko-en", "shapes", "e5", "smollm2", "my.model-1"]), kind: pick([null, "encoder-self", "decoder-self", "cross"]),
    layer: pick([0, 1, 2, 3, upTo(40)]), head: pick([0, 1, 2, upTo(40)]), query: pick([null, 0, 1, 8, upTo(600)]), key: pick([null, 0, 2, upTo(600)]),
    tool: pick([null, "link", "profile", "compare", "switch", "importance"]), rivals: pick([null, "0", "6", "5,9", "12,3,1000000"]),
    sort: pick([null, "entropy", "mean_distance"]), mark: pick([null, "previous-token", "sink"]),
    versus: pick([null, null, ...TEXTS]), versus_model: pick([null, "e5", "my.model-1"]), versus_layer: pick([null, 0, upTo(40)]), versus_head: pick([null, 0, upTo(40)]),
    aim: pick([null, 0, upTo(600)]), onto: pick([null, 0, upTo(600)]), scan: pick([true, false]), measure: pick(["weight", "norm"]), how: pick(["zero", "mean"]),
    view: pick([null, "heatmap", "lines", "table", "compute", "picture", "difference"]), step: pick([null, "input", "cap", "softmax", "join"]), scale: pick(["linear", "sqrt", "log"]), range: pick(["unit", "head"]),
    queries: span(), keys: span(), words: pick([true, false]), special: pick(["show", "hide", "renormalise"]), segments: pick(["all", "AA", "AB", "BA", "BB"]), off: pick(OFF), what_if: pick(WHAT_IF),
    truncate: pick([true, false]), lang: pick([null, "en", "ko"]), theme: pick([null, "light", "dark"]),
    trace: pick([null, null, `file-${"0d4e9".repeat(8)}`]), rev: pick([null, "53aa51172d14", "0".repeat(12)]),
    written: pick([null, "0", "12.0.48000", Array(256).fill("49151").join(".")]), chat: pick([true, false]), tokens: pick([1, 64, 256]),
    method: pick(["greedy", "sample"]), temperature: pick([1, 0.05, 0.7, 1.25, 5]), topk: pick([1, 50, 1000]), seed: pick([0, 1, 2 ** 32 - 1]),
  };
}

test("every state comes back from its URL", () => {
  const random = generator(20240607);
  for (let i = 0; i < 20000; i++) {
    const state = randomState(random);
    assert.deepEqual(parse(format(state, startOf), startOf), state, format(state, startOf));
  }
});

test("the table names every parameter of a state", () => {
  assert.deepEqual(Object.keys(start).sort(), Object.keys(PARAMETERS).sort());
});

test("what a model does otherwise stands in one order, and what is no such thing falls back", () => {
  assert.equal(parse("?what_if=shuffle:7,temperature:0.5,unscaled", startOf).what_if, "unscaled,temperature:0.5,shuffle:7");
  const wrong = ["", "scaled", "temperature:0", "temperature:0.04", "temperature:21", "temperature:2.0", "temperature:02", "temperature:1e1", "shuffle:", "shuffle:07", "shuffle:-1", "mask", "mask:causal,mask:causal", "shuffle:1,shuffle:2", "unscaled,", "unscaled,x"];
  for (const what of wrong) assert.equal(parse(`?what_if=${what}`, startOf).what_if, null, what);
});

test("a page without parameters shows the first example, and its URL is empty", () => {
  assert.deepEqual(parse("", startOf), start);
  assert.equal(format(start, startOf), "");
  assert.deepEqual([start.model, start.text, start.layer, start.head, start.query, start.key], Object.values(CAT));
});

test("a model alone means its own first example", () => {
  const school = parse("?model=ko-en", startOf);
  assert.deepEqual([school.text, school.kind, school.layer, school.head, school.query, school.key], ["나는 학교에 갔다", "cross", 1, 2, 1, null]);
  assert.equal(format(school, startOf), "?model=ko-en");
  const picture = parse("?model=shapes", startOf);
  assert.deepEqual([picture.text, picture.image], [null, "red-circle"]);
  assert.equal(format(picture, startOf), "?model=shapes");
  assert.equal(parse("?model=e5", startOf).pair, "I went");
  assert.equal(format({ ...parse("?model=e5", startOf), pair: null }, startOf), "?text=%EB%82%98%EB%8A%94+%EA%B0%94%EB%8B%A4&model=e5&layer=6&head=11");
});

test("a model without examples still has a text, but no head that belongs to another model", () => {
  const state = parse("?model=smollm2", startOf);
  assert.deepEqual([state.text, state.layer, state.head, state.query], [CAT.text, 0, 0, null]);
});

test("what was written stands beside the example it follows, and brings the rest of it along when a step is in focus", () => {
  assert.equal(format({ ...start, written: "5.6" }, startOf), "?written=5.6");
  assert.deepEqual(parse("?written=5.6", startOf), { ...start, written: "5.6" });
  const chat = createStarts([{ model: "m", text: "Hello", layer: 1, head: 2, chat: true }], "m");
  assert.deepEqual([chat().chat, format(chat(), chat)], [true, ""]);
  const plain = { ...chat(), chat: false };
  assert.equal(format(plain, chat), "?text=Hello&layer=1&head=2");
  assert.deepEqual(parse(format(plain, chat), chat), plain);
});

test("defaults are left out of the URL", () => {
  assert.equal(format({ ...start, view: "lines", scale: "log" }, startOf), "?view=lines&scale=log");
  const other = { ...start, text: "hello", layer: 0, head: 0, query: null, key: null };
  assert.equal(format(other, startOf), "?text=hello");
  assert.equal(format({ ...start, special: "hide", words: true, off: "encoder-self.0.1" }, startOf), "?words=1&special=hide&off=encoder-self.0.1");
});

test("another text does not inherit the first example's head or cell", () => {
  const { layer, head, query, key } = parse("?text=hello", startOf);
  assert.deepEqual([layer, head, query, key], [0, 0, null, null]);
  const { kind } = parse("?model=ko-en&text=hello", startOf);
  assert.equal(kind, null);
});

test("a head without a text is a head of the first example", () => {
  const state = parse("?layer=5&head=11", startOf);
  assert.deepEqual([state.text, state.layer, state.head, state.query], [CAT.text, 5, 11, 8]);
});

test("layer and head 0 are numbers, not absences", () => {
  const state = { ...start, layer: 0, head: 0, query: 0, key: 0 };
  assert.deepEqual(parse(format(state, startOf), startOf), state);
});

test("a bad value falls back, and the rest of the URL still holds", () => {
  const bad = {
    layer: ["-1", "1.5", "x", "", "1e3", "99999999"], query: ["-0", "NaN"], view: ["pie", "HEATMAP"], scale: ["cube"], range: [""],
    queries: ["5", "5:5", "9:3", "a:b", "1:2:3", "-1:4"], model: ["../etc", "a b", ""], kind: ["other"], truncate: ["yes", "0"], lang: ["fr"], text: ["", "   "],
    target: [" "], image: ["../x.png", "a/b", ""], pair: ["", " "], segments: ["A", "ab", "ABA", ""], words: ["true", "0"], special: ["drop", ""], off: ["0.3", "cross.1", "cross.1.2,", "cross.01.2", "self.0.0", "cross.-1.0"],
    written: ["", "1.", ".1", "1..2", "01", "-1", "1,2", "1.5e3", "9999999999", Array(257).fill("1").join(".")], chat: ["true", "0"], tokens: ["0", "257", "-1", "1.5", "x"],
    theme: ["print", "Dark", ""], rev: ["53aa51172d1", "53aa51172d145", "53AA51172D14", "zzzzzzzzzzzz", ""], trace: ["file-", `file-${"g".repeat(40)}`, "0d4e9".repeat(8), `file-${"0".repeat(41)}`, ""],
    tool: ["pie", "LINK", ""], sort: ["a b", ""], mark: ["<b>", ""], versus: ["", " "], versus_model: ["../etc"], versus_layer: ["-1", "x"], versus_head: ["1.5", ""],
    aim: ["-1", "x"], onto: ["", "1e2"], scan: ["0", "true"], measure: ["length", ""], how: ["median", ""],
    method: ["beam", ""], temperature: ["0", "-1", "5.01", "NaN", "1e1", "0.001", ""], topk: ["0", "1001", "2.5"], seed: ["-1", "4294967296", "1.0", "x"],
  };
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) {
      const state = parse(`?${new URLSearchParams({ [name]: value, head: "7" })}`, startOf);
      assert.deepEqual(state[name], start[name], `${name}=${value}`);
      assert.equal(state.head, 7);
    }
  }
});

test("of a parameter given twice the first counts, and unknown names are ignored", () => {
  assert.equal(parse("?head=2&head=3", startOf).head, 2);
  assert.equal(parse("?head=x&head=3", startOf).head, 3);
  assert.equal(parse("?off=cross.1.2,cross.1.2", startOf).off, "cross.1.2");
  assert.deepEqual(parse("?__proto__=1&constructor=2&nonsense=3", startOf), start);
});
