import assert from "node:assert/strict";
import { test } from "node:test";
import { createAnalyses } from "../../static/js/lib/analyses.js";
import { glow, linkQuery, listed, nearest, rivalsOf, spanOf, withRival, wordsAt } from "../../static/js/lib/link.js";
import { parse, createStarts } from "../../static/js/state.js";

const PLAIN = { texts: ["[CLS]", "the", "cat", "pro", "##fessor", "it"] };
const WORDS = { texts: ["[CLS]", "the", "cat", "professor", "it"], positions: [[0], [1], [2], [3, 4], [5]] };
const sessionOf = (tokens, kind = "encoder-self") => ({
  map: { kind }, posted: { id: "t", maps: [{ kind, queries: 6, keys: 6 }] }, queryTokens: tokens, keyTokens: tokens,
});
const head = (layer, index, lift, weight, named = null) => ({ layer, head: index, lift, weight, named });

test("a choice is one token, and all pieces of its word where words are merged", () => {
  assert.deepEqual(spanOf(PLAIN, 3), [3, 4]);
  assert.deepEqual(spanOf(WORDS, 3), [3, 5]);
  assert.deepEqual(spanOf(WORDS, 4), [3, 5]);
  assert.deepEqual(spanOf({ texts: ["cat"], positions: [[2]] }, 0), [0, 1]); // hidden: asked all the same
});

test("the server is asked in original positions, half open", () => {
  const ask = (tokens, state, kind) => linkQuery(sessionOf(tokens, kind), { query: null, key: null, rivals: null, ...state });
  assert.deepEqual(ask(PLAIN, { query: 5, key: 2 }), { kind: "encoder-self", query: "5:6", key: "2:3" });
  assert.deepEqual(ask(WORDS, { query: 5, key: 3, rivals: "2" }), { kind: "encoder-self", query: "5:6", key: "3:5", rivals: "2:3" });
  for (const state of [{}, { query: 5 }, { key: 2 }, { query: 5, key: 5 }, { query: 6, key: 2 }, { query: 5, key: 6 }]) assert.equal(ask(PLAIN, state), null);
  assert.equal(ask(WORDS, { query: 3, key: 4 }), null); // pieces of one word
  assert.deepEqual(ask(PLAIN, { query: 3, key: 3 }, "cross"), { kind: "cross", query: "3:4", key: "3:4" });
});

test("a decoder is not asked about what comes after the word that looks", () => {
  const ask = (tokens, query, key) => linkQuery(sessionOf(tokens, "decoder-self"), { query, key, rivals: null });
  assert.equal(ask(PLAIN, 2, 5), null);
  assert.equal(ask(WORDS, 2, 4), null);
  assert.deepEqual([ask(PLAIN, 5, 2).key, ask(WORDS, 4, 2).query], ["2:3", "3:5"]);
});

test("rivals that are the pair itself, twice the same word or not there are not asked about", () => {
  const { rivals } = linkQuery(sessionOf(WORDS), { query: 5, key: 2, rivals: "5,2,3,4,99,1" });
  assert.equal(rivals, "3:5,1:2");
  assert.equal("rivals" in linkQuery(sessionOf(PLAIN), { query: 5, key: 2, rivals: "5,2" }), false);
  const seen = { query: 5, key: 2, rivals: null };
  assert.deepEqual([linkQuery(sessionOf(WORDS), { ...seen, words: true }).words, "words" in linkQuery(sessionOf(PLAIN), seen)], ["1", false]);
});

test("rivals are put in and taken out", () => {
  assert.deepEqual([withRival(null, 6), withRival("6", 9), withRival("6,9", 6), withRival("6", 6)], ["6", "6,9", "9", null]);
  assert.deepEqual(rivalsOf("6,9"), [6, 9]);
});

test("rivals in an address that are none fall back", () => {
  const startOf = createStarts([{ model: "minilm", text: "The cat sat", query: 8, key: 2 }], "minilm");
  const read = (raw) => parse(`?rivals=${raw}&tool=link`, startOf).rivals;
  assert.deepEqual(["6", "6,9", "6,6", "-1", "6,", "a", "1e3", "99999999", Array.from({ length: 17 }, (_, i) => i).join(",")].map(read), ["6", "6,9", "6", null, null, null, null, null, null]);
  assert.equal(parse("?tool=<b>", startOf).tool, null);
});

test("the best eight are listed, then large weights without lift, then the head in focus", () => {
  const heads = Array.from({ length: 12 }, (_, i) => head(0, i, 0.5 - i / 30, 0.5));
  heads.push(head(5, 3, 0.04, 0.2, "topic"), head(5, 11, 0.03, 0.7, "topic"), head(4, 4, -0.1, 0));
  const names = ({ best, plain, rest }) => [best, plain, rest].map((some) => some.map((one) => `${one.layer}.${one.head}#${one.rank}`));
  const [best, plain, rest] = names(listed({ heads }, { layer: 4, head: 4 }));
  assert.equal(best.length, 8);
  assert.deepEqual([best[0], plain, rest], ["0.0#1", ["5.11#14", "5.3#13"], ["4.4#15"]]);
  assert.deepEqual(names(listed({ heads }, { layer: 0, head: 3 }))[2], []);
  assert.deepEqual(names(listed({ heads }, { layer: 5, head: 11 }))[2], []);
});

test("a frame's strength follows the lift; without lift there is none", () => {
  const links = { heads: [head(3, 1, 0.4, 0.5), head(4, 3, 0.1, 0.3), head(0, 0, -0.2, 0)] };
  assert.deepEqual([glow(links, 3, 1), glow(links, 4, 3), glow(links, 0, 0), glow(links, 9, 9)], [1, 0.25, 0, 0]);
  assert.equal(glow({ heads: [head(0, 0, null, 0.9)] }, 0, 0), 0);
  assert.ok(glow({ heads: [head(0, 0, 0.001, 0.1)] }, 0, 0) < 0.1); // next to nothing is not lit up as the best
});

test("a suggestion is its word, wherever its pieces", () => {
  assert.deepEqual(wordsAt([[3, 5], [5, 6]], { texts: ["", "", "", "그것", "은", "it"] }), [{ at: 3, pieces: 2, text: "그것은", number: null }, { at: 5, pieces: 1, text: "it", number: null }]);
  assert.deepEqual(wordsAt([[0, 1], [1, 2], [2, 3]], { texts: ["it", "she", "it"] }).map(({ number }) => number), [1, null, 2]);
});

test("of many words the nearest are offered, and what was chosen", () => {
  const words = Array.from({ length: 40 }, (_, at) => ({ at }));
  const offered = (...given) => nearest(words, ...given).map(({ at }) => at);
  assert.deepEqual(offered(20), [17, 18, 19, 20, 21, 22]);
  assert.deepEqual(offered(null), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(offered(39, ({ at }) => at === 2), [2, 34, 35, 36, 37, 38, 39]);
});

function server() {
  const asked = [];
  const session = {
    posted: { id: "t" },
    analysis: (name, query, signal) => new Promise((resolve, reject) => asked.push({ name, query, signal, resolve, reject })),
  };
  return { asked, session };
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

test("an analysis is asked once and kept", async () => {
  const { asked, session } = server();
  let changes = 0;
  const analyses = createAnalyses({ onChange: () => (changes += 1) });
  analyses.want("links", session, "link", { query: "8:9" });
  analyses.want("links", session, "link", { query: "8:9" });
  assert.deepEqual([asked.length, analyses.now("links").state, changes], [1, "waiting", 0]);
  asked[0].resolve({ heads: [] });
  await settled();
  assert.deepEqual([analyses.now("links").state, changes], ["ready", 1]);
  analyses.want("links", session, "link", null);
  assert.equal(analyses.now("links"), null);
  analyses.want("links", session, "link", { query: "8:9" });
  assert.deepEqual([asked.length, analyses.now("links").state], [1, "ready"]);
});

test("a question that is overtaken is given up, and its answer changes nothing", async () => {
  const { asked, session } = server();
  const analyses = createAnalyses({ onChange: () => {} });
  analyses.want("links", session, "link", { query: "8:9" });
  analyses.want("links", session, "link", { query: "9:10" });
  assert.deepEqual(asked.map(({ signal }) => signal.aborted), [true, false]);
  asked[1].resolve("second");
  asked[0].resolve("first");
  await settled();
  assert.equal(analyses.now("links").value, "second");
  analyses.want("links", session, "link", null);
  assert.equal(asked[1].signal.aborted, false);
});

test("what fails is said, and asked again the next time", async () => {
  const { asked, session } = server();
  const analyses = createAnalyses({ onChange: () => {} });
  analyses.want("links", session, "link", { query: "8:9" });
  asked[0].reject({ code: "invalid-input", facts: { reason: "masked" } });
  await settled();
  assert.deepEqual([analyses.now("links").state, analyses.now("links").problem.facts.reason], ["failed", "masked"]);
  analyses.want("links", session, "link", { query: "8:9" });
  assert.equal(asked.length, 2);
});
