import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createStarts, parse } from "../../static/js/state.js";
import { fitted, forExample, forKind, forModel, forReader, forText, rangeOf, readerOf, requestOf, tabOf } from "../../static/js/lib/choices.js";
import { isOff, offHeads, toggled } from "../../static/js/lib/off.js";

const EXAMPLES = [
  { model: "minilm", text: "The cat sat", layer: 3, head: 1, query: 8, key: 2 },
  { model: "induction", text: "moon key moon key", kind: "decoder-self", layer: 1, head: 3 },
  { model: "ko-en", text: "나는 갔다", kind: "cross", layer: 1, head: 2 },
  { model: "shapes", image: "red-circle", layer: 2, head: 0 },
];
const startOf = createStarts(EXAMPLES, "minilm");
const MODELS = Object.fromEntries([["minilm", "text"], ["induction", "text"], ["ko-en", "translation"], ["shapes", "picture"]].map(([name, input]) => [name, { name, input, samples: input === "picture" ? ["red-circle", "blue-star"] : [] }]));
const change = (state, name, draft = null) => ({ ...state, ...forModel(state, draft, MODELS[state.model], MODELS[name], EXAMPLES, startOf) });

test("another model opens with its own first example", () => {
  const koen = change(startOf(), "ko-en");
  assert.deepEqual([koen.model, koen.text, koen.kind, koen.head, koen.query], ["ko-en", "나는 갔다", "cross", 2, null]);
  const shapes = change(koen, "shapes");
  assert.deepEqual([shapes.text, shapes.image, shapes.kind], [null, "red-circle", null]);
  assert.equal(change(shapes, "minilm").text, "The cat sat");
});

test("the reader's own text goes along to a model that reads in the same way, typed or sent", () => {
  const own = { ...startOf(), text: "My own words" };
  const induction = change(own, "induction");
  assert.deepEqual([induction.text, induction.kind, induction.layer, induction.head, induction.query], ["My own words", "decoder-self", 1, 3, null]);
  assert.equal(change(startOf(), "induction", "Typed, not sent").text, "Typed, not sent");
  assert.equal(change(own, "ko-en").text, "나는 갔다");
  assert.equal(change(own, "shapes").text, null);
});

test("a new model starts with every head on and no target", () => {
  const state = { ...startOf("ko-en"), target: "I went", off: "cross.1.2", truncate: true };
  const next = change(state, "minilm");
  assert.deepEqual([next.target, next.off, next.truncate], [null, null, false]);
});

test("a link that does not fit its model falls back on the model's example", () => {
  const ask = (search) => {
    const state = parse(search, startOf);
    return requestOf(state, MODELS[state.model], startOf);
  };
  assert.deepEqual([ask("?model=shapes&text=hello").text, ask("?model=shapes&text=hello").image], [null, "red-circle"]);
  assert.equal(ask("?model=shapes&image=blue-star").image, "blue-star");
  assert.deepEqual([ask("?model=minilm&image=blue-star").text, ask("?model=minilm&image=blue-star").image], ["The cat sat", null]);
  assert.equal(ask("?model=minilm&text=a&target=b").target, null);
  assert.equal(ask("?model=ko-en&text=a&target=b").target, "b");
  assert.equal(ask("?model=shapes&words=1").words, false);
  const unknown = requestOf(parse("?model=shapes", startOf), { ...MODELS.shapes, samples: ["other"] }, startOf);
  assert.equal(unknown.image, "other");
});

test("what a model does not read leaves the state with the next choice", () => {
  const fit = (search) => {
    const state = parse(search, startOf);
    return fitted(state, MODELS[state.model], startOf);
  };
  const picture = fit("?model=shapes&text=hello&image=blue-star");
  assert.deepEqual([picture.text, picture.image], [null, "blue-star"]);
  const text = fit("?text=hello&image=blue-star&target=x");
  assert.deepEqual([text.text, text.image, text.target], ["hello", null, null]);
  assert.deepEqual(fit("?model=unknown&text=a&image=b"), parse("?model=unknown&text=a&image=b", startOf));
});

const PAIRED = { ...MODELS.minilm, pairs: true };
const paired = { ...startOf(), text: "A cat", pair: "It slept", segments: "AB", query: 1, key: 5, words: true };

test("a second text goes with its filter to where it is read, and no further", () => {
  const asked = requestOf(paired, PAIRED, startOf);
  assert.deepEqual([asked.pair, asked.segments], ["It slept", "AB"]);
  for (const model of [{ ...MODELS.induction, pairs: false }, MODELS["ko-en"], MODELS.shapes]) {
    const fit = fitted({ ...paired, model: model.name }, model, startOf);
    assert.deepEqual([fit.pair, fit.segments], [null, "all"], model.name);
  }
  assert.deepEqual([fitted(paired, PAIRED, startOf).pair, fitted(paired, null, startOf).segments], ["It slept", "AB"]);
});

test("a filter without a second text falls back to everything", () => {
  const state = parse("?text=A+cat&segments=AB", startOf);
  assert.equal(requestOf(state, PAIRED, startOf).segments, "all");
  assert.equal(fitted(state, PAIRED, startOf).segments, "all");
  const linked = parse("?text=A+cat&pair=It+slept&segments=BA", startOf);
  assert.deepEqual([linked.pair, requestOf(linked, PAIRED, startOf).segments], ["It slept", "BA"]);
});

test("the trace of a file is all that there is: no text, no heads to switch, and of one text no filter", () => {
  const state = { ...startOf(), trace: "file-1", text: "Other", off: "encoder-self.0.1", versus: "Else", segments: "AB", query: 2 };
  const one = { source: { texts: ["a"], pair: null, segment: ["A"] } };
  const two = { source: { texts: ["a", "b"], pair: "b", segment: ["A", "B"] } };
  const fit = fitted(state, MODELS.minilm, startOf, one);
  assert.deepEqual([fit.text, fit.off, fit.versus, fit.segments, fit.query, fit.trace], [null, null, null, "all", 2, "file-1"]);
  assert.equal(fitted(state, null, startOf).segments, "AB"); // until the file is read
  assert.equal(fitted(state, null, startOf, two).segments, "AB");
});

test("another text keeps the filter and the second text that comes with it; the same ones keep their cell", () => {
  const next = forText(paired, "Other", null, EXAMPLES, "It slept");
  assert.deepEqual([next.pair, next.segments, next.query, next.key], ["It slept", "AB", null, null]);
  assert.deepEqual(forText(paired, "A cat", null, EXAMPLES, "It slept"), { text: "A cat", target: null, pair: "It slept" });
  const removed = fitted({ ...paired, ...forText(paired, "A cat", null, EXAMPLES) }, PAIRED, startOf);
  assert.deepEqual([removed.pair, removed.segments, removed.query], [null, "all", null]);
});

test("an example brings its own second text and shows everything", () => {
  const examples = [{ model: "minilm", text: "A", pair: "B", layer: 2, head: 9, query: 1, key: 4 }];
  const { pair, segments, query } = forExample(paired, examples[0]);
  assert.deepEqual([pair, segments, query], ["B", "all", 1]);
  assert.deepEqual([forExample(paired, EXAMPLES[0]).pair, forText(startOf(), "A", null, examples, "B").key], [null, 4]);
  const start = createStarts(examples, "minilm");
  assert.deepEqual([parse("", start).pair, parse("?text=C", start).pair], ["B", null]);
});

test("the reader's own pair goes along to another model, also one that is typed and not sent", () => {
  const to = { name: "induction", input: "text" };
  const own = forModel(paired, null, PAIRED, to, EXAMPLES, startOf);
  assert.deepEqual([own.text, own.pair, own.segments, own.query], ["A cat", "It slept", "AB", null]);
  const beside = forModel({ ...startOf(), pair: "It slept" }, null, PAIRED, to, EXAMPLES, startOf);
  assert.deepEqual([beside.text, beside.pair], ["The cat sat", "It slept"]);
  assert.equal(forModel({ ...startOf(), pair: null }, null, PAIRED, to, EXAMPLES, startOf).pair, null);
});

test("heads that a model does not have are not asked to be off", () => {
  const model = { ...MODELS.minilm, switchable: true, kinds: ["encoder-self"], layers: 6, heads: 12 };
  const off = (names, entry = model) => requestOf({ ...startOf(), off: names }, entry, startOf).off;
  assert.equal(off("encoder-self.0.1,cross.0.1,encoder-self.6.0,encoder-self.5.11"), "encoder-self.0.1,encoder-self.5.11");
  assert.equal(off("cross.0.1"), null);
  assert.equal(off("encoder-self.0.1", { ...model, switchable: false }), null);
});

test("a kind keeps layer and head in its range, and decoders' kinds share their rows", () => {
  const state = { ...startOf("ko-en"), layer: 3, head: 5, query: 2, key: 1, queries: [0, 4], keys: [1, 3] };
  const map = { kind: "cross", layers: 2, heads: 4 };
  assert.deepEqual(forKind(state, map, "decoder-self"), { kind: "cross", layer: 1, head: 3, query: 2, key: null, rivals: null, queries: null, keys: null });
  assert.equal(forKind(state, map, "encoder-self").query, null);
});

test("a text keeps heads that are off, and the same text its cell", () => {
  const state = { ...startOf(), off: "encoder-self.0.1" };
  assert.deepEqual(forText(state, "The cat sat", null, EXAMPLES), { text: "The cat sat", target: null, pair: null });
  const next = forText(state, "Other", null, EXAMPLES);
  assert.deepEqual([next.off, next.query, next.key], ["encoder-self.0.1", null, null]);
  assert.equal(forExample(state, EXAMPLES[1]).off, null);
  assert.deepEqual([forExample(state, EXAMPLES[1]).kind, forExample(state, EXAMPLES[0]).kind], ["decoder-self", null]);
});

test("heads are switched one by one, and nothing is left when all are on", () => {
  const one = toggled(null, "cross", 1, 2);
  assert.equal(one, "cross.1.2");
  const two = toggled(one, "decoder-self", 0, 3);
  assert.deepEqual(offHeads(two).map(({ kind, layer, head }) => [kind, layer, head]), [["cross", 1, 2], ["decoder-self", 0, 3]]);
  assert.deepEqual([isOff(two, "cross", 1, 2), isOff(two, "cross", 1, 22), isOff(null, "cross", 1, 2)], [true, false, false]);
  assert.equal(toggled(one, "cross", 1, 2), null);
});

test("colours reach to each head's maximum where a part of the row is cut away, unless something else was chosen", () => {
  const cut = { looking: { segments: "AB" }, picture: null };
  assert.deepEqual([rangeOf({ range: null }, cut), rangeOf({ range: "unit" }, cut)], ["head", "unit"]);
  assert.deepEqual([rangeOf({ range: null }, { looking: { segments: "all" } }), rangeOf({ range: null }, undefined)], ["unit", "unit"]);
});

test("where a text is to be continued, only a model that writes is offered", () => {
  const model = (name, more) => ({ name, input: "text", languages: ["ko"], training: null, ready: true, writes: false, ...more });
  const wide = model("wide", { languages: [], writes: true, ready: false, state: "absent", fetchable: true });
  const examples = [{ model: "wide", lang: "ko", text: "수도는" }];
  assert.equal(readerOf([model("reads"), wide], "ko", { writes: true, examples }).name, "wide");
  assert.equal(readerOf([model("reads"), wide], "fr", { writes: true, examples }), null);
  assert.equal(readerOf([model("reads"), { ...wide, fetchable: false }], "ko", { writes: true, examples }), null);
  assert.equal(readerOf([wide, model("reads")], "ko", { examples }).name, "reads");
  assert.equal(readerOf([wide, model("here", { writes: true })], "ko", { writes: true, examples }).name, "here");
});

test("a picture opens as a picture, and a text never does", () => {
  assert.equal(tabOf({ view: null }, { picture: {} }), "picture");
  assert.equal(tabOf({ view: "table" }, { picture: {} }), "table");
  assert.equal(tabOf({ view: "picture" }, { picture: null }), "heatmap");
  assert.equal(tabOf({ view: null }, undefined), "heatmap");
});

test("every example names its model, and text or image; every language of the page has one for MiniLM", () => {
  const examples = JSON.parse(readFileSync(new URL("../../app/examples.json", import.meta.url), "utf8"));
  for (const example of examples) {
    assert.ok(example.model && (example.text || example.image), JSON.stringify(example));
    assert.equal(Boolean(example.text), Boolean(example.lang), example.name);
  }
  const names = examples.map(({ model, text, pair, target, image }) => JSON.stringify([model, text, pair, target, image]));
  assert.equal(new Set(names).size, names.length);
});

test("a language is offered the first ready model that reads it as plain text, else one that can be fetched", () => {
  const model = (name, more) => ({ name, input: "text", languages: ["ko"], training: null, ready: true, state: "ready", ...more });
  const english = model("english", { languages: ["en"] });
  const translates = model("translates", { input: "translation" });
  const lesson = model("lesson", { training: { data: {} } });
  const failed = model("failed", { ready: false, state: "failed" });
  const absent = model("absent", { ready: false, state: "absent" });
  assert.equal(readerOf([english, translates, lesson], "ko"), null);
  assert.equal(readerOf([english, failed, absent, translates], "ko").name, "absent");
  assert.equal(readerOf([absent, model("here"), model("later")], "ko").name, "here");
});

test("the same text goes to the model that knows its language, as whole words, without what belonged to the other", () => {
  const startOf = createStarts([{ model: "e5", text: "first", layer: 2, head: 6 }], "minilm");
  const state = { ...startOf("minilm"), model: "minilm", text: "나는", off: "encoder-self.0.1", query: 3, layer: 5, head: 9, truncate: true };
  const next = { ...state, ...forReader(state, "e5", startOf) };
  assert.deepEqual([next.model, next.text, next.words, next.layer, next.head], ["e5", "나는", true, 2, 6]);
  assert.deepEqual([next.off, next.query, next.truncate], [null, null, false]);
});

test("what was written belongs to its text and its model; a chat goes on with the next message", () => {
  const state = { ...startOf("induction"), written: "4.5", chat: true, tokens: 8 };
  const next = forText(state, "key moon", null, EXAMPLES);
  assert.deepEqual([next.written, "chat" in next], [null, false]);
  assert.equal("written" in forText(state, state.text, state.target, EXAMPLES), false);
  assert.deepEqual([forExample(state, EXAMPLES[1]).written, forExample(state, EXAMPLES[1]).chat, forExample(state, { text: "Hi", chat: true }).chat], [null, false, true]);
  const other = change({ ...state, text: "My own words" }, "minilm");
  assert.deepEqual([other.written, other.chat, other.tokens], [null, false, 8]);
});

test("a model that does not write has written nothing; a chat template is known once the model is here", () => {
  const state = { ...startOf("induction"), written: "4.5", chat: true };
  const asked = (model) => {
    const { written, chat } = requestOf(state, model, startOf);
    return [written, chat];
  };
  const writer = { ...MODELS.induction, writes: true, chat: false, ready: true };
  assert.deepEqual(asked(null), ["4.5", true]);
  assert.deepEqual(asked({ ...writer, ready: false }), ["4.5", true]);
  assert.deepEqual(asked(writer), ["4.5", false]);
  assert.deepEqual(asked({ ...writer, chat: true }), ["4.5", true]);
  assert.deepEqual(asked({ ...writer, writes: false }), [null, false]);
});
