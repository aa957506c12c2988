import assert from "node:assert/strict";
import { test } from "node:test";
import { createI18n } from "../../static/js/lib/i18n.js";
import { bitsOf } from "../../static/js/lib/bits.js";
import { entropiesOf } from "../../static/js/lib/entropies.js";
import { isAhead } from "../../static/js/lib/link.js";
import { anotherSeed, canChange, changesSaid, chosen, isMasked, isOrderless, messageOf, readAs, withChoice } from "../../static/js/lib/whatif.js";
import { createStarts, parse } from "../../static/js/state.js";

const ENCODER = { rewirable: true, kinds: ["encoder-self"] };
const DECODER = { rewirable: true, kinds: ["decoder-self"] };

test("a choice goes into the names and out of them, each sort once, spelled as the address has them", () => {
  const startOf = createStarts([{ text: "x", model: "minilm" }], "minilm");
  let names = null;
  for (const [sort, value] of [["shuffle", "7"], ["temperature", "2"], ["mask:causal", true], ["unscaled", true], ["shuffle", "8"], ["temperature", "0.5"], ["positions:none", true]]) {
    names = withChoice(names, sort, value);
    assert.equal(parse(`?what_if=${encodeURIComponent(names)}`, startOf).what_if, names);
  }
  assert.equal(names, "unscaled,temperature:0.5,mask:causal,positions:none,shuffle:8");
  assert.deepEqual(["temperature", "shuffle", "unscaled", "mask:none"].map((sort) => chosen(names, sort)), ["0.5", "8", true, null]);
  for (const [sort, value] of [["temperature", "1"], ["shuffle", null], ["unscaled", false], ["mask:causal", false], ["positions:none", false]]) names = withChoice(names, sort, value);
  assert.equal(names, null);
});

test("another order is always another seed that the server takes", () => {
  assert.equal(anotherSeed(null), "1");
  for (const seed of ["0", "1", "999999", "999999999"]) {
    for (const drawn of [0, 0.5, 1 - 1e-12]) {
      const other = anotherSeed(seed, () => drawn);
      assert.match(other, /^(0|[1-9]\d{0,8})$/);
      assert.notEqual(other, seed);
    }
  }
});

test("only a model of ours can be changed, and only by a mask that it has", () => {
  assert.deepEqual(["unscaled", "temperature", "mask:causal", "mask:none"].map((name) => canChange(ENCODER, name)), [true, true, true, false]);
  assert.deepEqual(["mask:causal", "mask:none"].map((name) => canChange(DECODER, name)), [false, true]);
  assert.equal(canChange({ ...ENCODER, rewirable: false }, "unscaled"), false);
});

test("nothing says where a token stands only without positions and without a mask", () => {
  assert.deepEqual(["positions:none", "mask:causal,positions:none", "unscaled"].map((names) => isOrderless(names, ENCODER.kinds)), [true, false, false]);
  assert.deepEqual(["positions:none", "mask:none,positions:none"].map((names) => isOrderless(names, DECODER.kinds)), [false, true]);
  assert.equal(isOrderless("mask:none,positions:none", ["encoder-self", "decoder-self", "cross"]), true);
});

test("what was changed is told in words, of a picture in its own", () => {
  const i18n = createI18n("en", { "what-if.back.said": "tokens back", "what-if.back.said.picture": "patches back", "what-if.temperature.said": "temperature {value}" });
  assert.equal(changesSaid(i18n, ["temperature:0.5", "mask:causal"]), "temperature 0.5, tokens back");
  assert.equal(changesSaid(i18n, ["mask:causal", "temperature:4"], true), "patches back, temperature 4");
  assert.equal(messageOf(i18n, "unscaled", ".help", true), "what-if.unscaled.help");
});

test("who sees what comes after follows the mask that is there, and in another order nobody guesses", () => {
  const of = (kind, ...what_if) => isMasked({ what_if }, kind);
  assert.deepEqual([of("decoder-self"), of("decoder-self", "mask:none"), of("encoder-self"), of("encoder-self", "unscaled", "mask:causal"), of("cross", "mask:causal")], [true, false, false, true, false]);
  assert.equal(isMasked({}, "decoder-self"), true); // a file of before
  const tokens = { texts: ["a", "b", "c"], positions: null };
  const ahead = (kind, ...what_if) => isAhead({ posted: { what_if }, map: { kind }, queryTokens: tokens, keyTokens: tokens }, { query: 0, key: 2 });
  assert.deepEqual([ahead("decoder-self"), ahead("decoder-self", "mask:none"), ahead("decoder-self", "shuffle:1"), ahead("encoder-self", "mask:causal"), ahead("encoder-self")], [true, false, false, true, false]);
});

// ---- the order that was read
const tokensOf = (text, spans, words, more = {}) => ({ text, pair: null, spans, words, special: spans.map((span) => span === null), segment: spans.map(() => "A"), ...more });

test("the words are told in the order in which they were read, whole, and without the special tokens", () => {
  const tokens = tokensOf("👩 cats unfold", [null, [0, 1], [2, 6], [7, 9], [9, 13], null], [null, 0, 1, 2, 2, null]);
  assert.equal(readAs(tokens, [0, 4, 3, 1, 2, 5]), "unfold cats 👩");
  assert.equal(readAs(tokens, [0, 1, 2, 3, 4, 5]), "👩 cats unfold");
});

test("the same word number in both texts of a pair is no one word, and each text stays by itself", () => {
  const tokens = tokensOf("a b", [null, [0, 1], [2, 3], null, [0, 1], [2, 3]], [null, 0, 1, null, 1, 0], { pair: "c d", segment: ["A", "A", "A", "A", "B", "B"] });
  assert.equal(readAs(tokens, [0, 2, 1, 3, 5, 4]), "b a | d c");
});

// ---- how widely a row looks
test("entropy in bits: none for one token, log₂ of how many for equal ones", () => {
  const near = (value, expected) => assert.ok(Math.abs(value - expected) < 1e-9, `${value} is not ${expected}`);
  near(bitsOf([0, 1, 0]), 0);
  near(bitsOf(new Float32Array(8).fill(1 / 8)), 3);
  near(bitsOf([0.5, 0.25, 0.25]), 1.5);
});

test("both sides are asked for the head in focus and the rows of the chosen pair, as the model read them", () => {
  const map = { kind: "encoder-self", layers: 2, heads: 2, queries: 3, keys: 3 };
  const side = (positions = null) => ({ map, queries: { texts: ["a", "b", "c"], positions } });
  const pair = (first, second) => ({ first, second, same: true });
  const asked = [];
  const answers = {
    profile: (which, query) => (asked.push(["profile", which, query.kind]), which ? { state: "waiting", value: null } : { state: "ready", value: { heads: [{ layer: 1, head: 0, entropy: 1.25 }] } }),
    row: (which, query) => (asked.push(["row", which, query.queries]), { state: "ready", value: [0.5, 0.5] }),
  };
  const comparison = { side: "second", ranks: { value: { queries: [pair([0, 1], [0, 1]), pair([1, 2], [1, 2])], keys: [pair([0, 1], [0, 1])] } }, cells: null };
  const at = { state: { query: 1, key: 0 }, layer: 1, head: 0 };
  const found = entropiesOf({ ...comparison, first: { ...side(), keys: side().queries }, second: { ...side(), keys: side().queries } }, at, answers);
  assert.deepEqual(found, { query: 1, before: { mean: 1.25, row: 1 }, after: { mean: null, row: 1 } });
  assert.deepEqual(asked, [["profile", 0, "encoder-self"], ["row", 0, "1:2"], ["profile", 1, "encoder-self"], ["row", 1, "1:2"]]);
  const merged = side([[0], [1, 2], [3]]); // the row of a word of two tokens is none of the model's
  const words = entropiesOf({ ...comparison, first: { ...merged, keys: merged.queries }, second: { ...merged, keys: merged.queries } }, at, answers);
  assert.deepEqual([words.before.row, words.after.row], [null, null]);
});
