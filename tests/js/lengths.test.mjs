import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { questionsOf } from "../../static/js/lib/asked.js";
import { requestOf } from "../../static/js/lib/choices.js";
import { createI18n } from "../../static/js/lib/i18n.js";
import { isByLength, lookQuery, whyNoLengths } from "../../static/js/lib/looked.js";
import { createChosenNumbers, createNumbers, placeOf } from "../../static/js/lib/numbers.js";
import { answers, createSessions } from "../../static/js/lib/session.js";
import { createStarts, format, parse } from "../../static/js/state.js";

const messages = (lang) => JSON.parse(readFileSync(new URL(`../../app/messages/${lang}.json`, import.meta.url), "utf8"));
const startOf = createStarts([{ model: "m", text: "a b" }], "m");
const PLACE = { layer: 1, head: 0, query: 2, key: 1 };

test("the choice is a parameter of the address and of every request", () => {
  const state = parse("?measure=norm", startOf);
  assert.equal(state.measure, "norm");
  assert.equal(parse("?measure=length", startOf).measure, "weight");
  assert.equal(format(state, startOf), "?measure=norm");
  assert.equal(format({ ...state, measure: "weight" }, startOf), "");
  assert.equal(requestOf(state, null, startOf).measure, "norm");
  assert.deepEqual(lookQuery({ words: true, measure: "norm" }), { words: 1, measure: "norm" });
  assert.deepEqual(lookQuery({ measure: "weight" }), {});
});

test("while lengths are shown a message is said in its own form, singular or not", () => {
  const i18n = createI18n("en", { a: "weight {x}", "a.norm": "share {x}", b: "both", c: "{count} of", "c.one": "one", "c.one.norm": "one share" });
  const said = () => [i18n.t("a", { x: 1 }), i18n.t("b"), i18n.t("c", { count: 1 }), i18n.t("c", { count: 2 })];
  assert.deepEqual(said(), ["weight 1", "both", "one", "2 of"]);
  i18n.speakOf("norm");
  assert.deepEqual(said(), ["share 1", "both", "one share", "2 of"]);
  i18n.speakOf("weight");
  assert.equal(i18n.t("a", { x: 1 }), "weight 1");
});

test("every form for lengths belongs to a message, has its singular, and calls nothing a weight", () => {
  for (const [lang, word] of [["en", /\bweights?\b/], ["ko", /가중치/]]) {
    const every = messages(lang);
    const forms = Object.keys(every).filter((key) => key.endsWith(".norm") && key.slice(0, -5) in every);
    assert.ok(forms.length > 40);
    for (const key of forms) {
      const plain = key.slice(0, -5);
      if (`${plain}.one` in every && word.test(every[`${plain}.one`].replace(/\{\w+\}/g, ""))) assert.ok(`${plain}.one.norm` in every, plain);
      if (key !== "profile.rows.norm") assert.doesNotMatch(every[key].replace(/\{\w+\}/g, ""), word, key);
    }
  }
});

test("a cell's numbers are read once a row, whatever is chosen in it, and fail only for the moment", async () => {
  const asked = [];
  let broken = true;
  const numbers = createNumbers({
    async weights(query) {
      asked.push(query);
      return { shape: [1, 3], data: Float32Array.of(0.5, 0.25, 0.25) };
    },
    async norms() {
      if (broken) throw new Error("away");
      asked.push("norms");
      return { shape: [2, 2, 3], data: Float32Array.from({ length: 12 }, (_, i) => i) };
    },
  });
  await assert.rejects(numbers.of(PLACE), /away/);
  broken = false;
  assert.deepEqual(await numbers.of(PLACE), { weight: 0.25, norm: 7 });
  assert.deepEqual(await numbers.of({ ...PLACE, key: 0 }), { weight: 0.5, norm: 6 });
  assert.deepEqual(asked, [{ layer: 1, head: 0, queries: "2:3" }, "norms"]);
  await numbers.of({ ...PLACE, head: 1 });
  assert.equal(asked.length, 3);
});

test("a word of several pieces has no numbers of its own", () => {
  const session = { queryTokens: { positions: [[1], [2, 3]] }, keyTokens: { positions: null } };
  assert.deepEqual(placeOf(session, { query: 0, key: 4 }), { query: 1, key: 4 });
  assert.equal(placeOf(session, { query: 1, key: 4 }), null);
});

test("of what was chosen one after the other, only the last one's numbers are shown", async () => {
  let changes = 0;
  const chosen = createChosenNumbers({ onChange: () => (changes += 1) });
  const waiting = [];
  const session = { numbers: { of: (place) => new Promise((done, fail) => waiting.push({ place, done, fail })) } };
  chosen.want(session, PLACE);
  chosen.want(session, PLACE);
  chosen.want(session, { ...PLACE, key: 2 });
  assert.equal(waiting.length, 2);
  waiting[1].done({ weight: 1, norm: 2 });
  waiting[0].done({ weight: 9, norm: 9 });
  await new Promise(setImmediate);
  assert.deepEqual([chosen.now(), changes], [{ weight: 1, norm: 2 }, 1]);
  chosen.want(session, null);
  assert.equal(chosen.now(), null);
  chosen.want(session, PLACE);
  waiting[2].fail(new Error("away"));
  await new Promise(setImmediate);
  chosen.want(session, PLACE);
  assert.equal(waiting.length, 4);
});

const npy = () => {
  const header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1, 2, 2), }".padEnd(117) + "\n";
  return Uint8Array.from([0x93, ...Buffer.from("NUMPY"), 1, 0, 118, 0, ...Buffer.from(header), 0, 0, 0, 0]).buffer;
};
const traceOf = (note, measure) => ({
  id: "t", looking: { measure },
  maps: [{ kind: "encoder-self", layers: 1, heads: 1, queries: 2, keys: 2, query_axis: "source", key_axis: "source", masks: [{}], norms_note: note }],
  source: { text: "a b", texts: ["a", "b"], special: [false, false], segment: ["A", "A"], spans: [[0, 1], [2, 3]], words: [0, 1], positions: null },
});

test("a model without lengths shows its weights, whatever a link says", async () => {
  for (const [note, looks] of [["no-values", []], [null, [{ measure: "norm" }]]]) {
    const seen = [];
    const sizes = [];
    const api = {
      trace: async () => traceOf(note, "weight"),
      async seen(id, look) {
        seen.push(look);
        return traceOf(note, "norm");
      },
      async thumbnails(id, { measure }) {
        sizes.push(measure);
        return npy();
      },
    };
    const request = { model: "m", text: "a b", kind: null, measure: "norm" };
    const session = await createSessions(api).open(request);
    assert.deepEqual(seen, looks);
    assert.deepEqual(sizes, [note ? undefined : "norm"]);
    assert.equal(whyNoLengths(session.posted), note);
    assert.equal(isByLength(session), note === null);
    assert.ok(answers(session, request));
    assert.ok(!answers(session, { ...request, measure: "weight" }));
  }
});

test("find the head ranks what is shown; roles and profile stay with the weights", () => {
  const map = { kind: "encoder-self", layers: 1, heads: 1, queries: 3, keys: 3, query_axis: "source", key_axis: "source" };
  const tokens = { texts: ["a", "b", "c"], positions: null };
  const trace = (measure) => ({ looking: { measure }, maps: [map] });
  const of = (measure) => questionsOf({ tool: "link", query: 2, key: 0 }, { map, trace: trace(measure), posted: { maps: [map] }, queryTokens: tokens, keyTokens: tokens });
  assert.deepEqual(of("norm").links, ["link", { kind: "encoder-self", query: "2:3", key: "0:1", measure: "norm" }]);
  assert.deepEqual(of("weight").links, ["link", { kind: "encoder-self", query: "2:3", key: "0:1" }]);
  assert.deepEqual(of("norm").profile, ["profile", { kind: "encoder-self" }]);
});
