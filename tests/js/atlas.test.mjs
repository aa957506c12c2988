import assert from "node:assert/strict";
import { test } from "node:test";
import { atlasHref, badgesOf, exploreHref, isProminent, isRole, leftOut, pictureFrom, pictureOf, picturesOf, searchOf, textsFrom, unseenOf } from "../../static/js/lib/atlas.js";
import { createAtlases } from "../../static/js/lib/atlases.js";
import { createMeasuring } from "../../static/js/lib/measuring.js";
import { markGlow, markOf, rolesOf } from "../../static/js/lib/roles.js";

const chosen = { layer: 3, head: 1 };
const pronouns = (file, rows, more = {}) => ({ task: "antecedent", file, rows, chosen, kind: "encoder-self", twins: null, counts: {}, broken: [], ...more });
const relation = (name, direction) => ({ relation: name, direction, chosen: { layer: 2, head: 8 }, rows: 50 });
const trees = { ...pronouns("ewt.conllu", 9000), task: "syntax", relations: [relation("det", "dependent-to-head"), relation("det", "head-to-dependent")] };
const role = (name, of, file, score, direction = null, head = chosen) => ({ name, of, file, score, threshold: 0.5, direction, rows: 9, ...head });
const atlas = {
  results: [trees, pronouns("small", 100, { twins: { pairs: 40, both_right: 0.1, same_answer: 0.8 } }), pronouns("large", 400)],
  roles: [role("antecedent", "large", "large", 0.75), role("antecedent", "small", "small", 0.7), role("syntax", "det", "ewt.conllu", 0.8, "dependent-to-head", { layer: 2, head: 8 })],
};
const pictures = picturesOf(atlas);

test("pronouns come first, the larger set before the smaller, then trees with every relation", () => {
  assert.deepEqual(pictures.map(({ file, relation: name, direction }) => [file, name, direction]), [
    ["large", null, null], ["small", null, null], ["ewt.conllu", "all", null],
    ["ewt.conllu", "det", "dependent-to-head"], ["ewt.conllu", "det", "head-to-dependent"],
  ]);
});

test("an address means the picture that it was made from, and anything else the first one", () => {
  for (const one of pictures) assert.equal(pictureFrom(pictures, searchOf(pictures, one, "ko")), one);
  assert.equal(searchOf(pictures, pictures[0]), "");
  assert.equal(pictureFrom(pictures, "?task=meaning&file=%00"), pictures[0]);
  assert.equal(pictureFrom([], "?task=syntax"), null);
});

test("a role leads to its picture, and a picture knows whether its head has the role", () => {
  assert.equal(pictureOf(pictures, atlas.roles[2]), pictures[3]);
  assert.equal(pictureOf(pictures, atlas.roles[0]), pictures[0]);
  assert.deepEqual(pictures.map((one) => isRole(atlas, one)), [true, true, false, true, false]);
});

test("a head has one badge a role, with its strongest score", () => {
  const [badge] = badgesOf(atlas, 3, 1);
  assert.deepEqual([badge.name, badge.score, badge.on.length], ["antecedent", 0.75, 2]);
  const lucky = { ...role("antecedent", "few", "few", 0.99), rows: 2 };
  assert.equal(badgesOf({ roles: [lucky, ...atlas.roles] }, 3, 1)[0].score, 0.75, "the largest set, not the best");
  assert.deepEqual(badgesOf(atlas, 0, 0), []);
  assert.deepEqual(badgesOf(null, 3, 1), []);
});

test("what is quoted of a head is the largest set that chose it, and the most twins", () => {
  const found = unseenOf(atlas, 3, 1);
  assert.deepEqual([found.result.file, found.twins.pairs], ["large", 40]);
  assert.equal(unseenOf(atlas, 2, 8), null);
  const twins = { both_right: 0.1, same_answer: 0.8, pairs: 40 };
  assert.ok(isProminent({ twins, warnings: {} }));
  for (const one of [{ twins: null }, { twins: { both_right: 0.9, same_answer: 0.05 } }, {}]) assert.ok(!isProminent(one));
  assert.ok(!isProminent({ twins, warnings: { "decided-later": 76 } }), "a decoder cannot see what decides");
});

test("a head leads to Explore, an induction head to a text that repeats", () => {
  const examples = [{ model: "m", text: "a cat sat on the mat" }, { model: "m", text: "sun key map box sun key map box", query: 5 }];
  const page = { model: "m", usual: "other", examples };
  const read = (href) => Object.fromEntries(new URL(href, "http://x").searchParams);
  assert.deepEqual(read(exploreHref(page, { kind: "decoder-self", layer: 1, head: 3 }, "induction")), { text: examples[1].text, model: "m", kind: "decoder-self", layer: "1", head: "3", query: "5", mark: "induction" });
  assert.deepEqual(read(exploreHref({ ...page, usual: "m", lang: "ko" }, { kind: null, layer: 0, head: 2 })), { layer: "0", head: "2", lang: "ko" });
});

test("from Explore to the atlas and back the reader's own text stays, an example's does not", () => {
  const start = { text: "The cat", pair: null, target: null };
  const state = { model: "m", lang: "ko", trace: null, text: "Who & what?", pair: "It", target: null };
  const there = new URL(atlasHref(state, start), "http://x");
  assert.equal(there.pathname, "/models/m");
  const texts = textsFrom(there.search);
  assert.deepEqual(texts, { text: "Who & what?", pair: "It" });
  const back = new URL(exploreHref({ model: "m", usual: "m", examples: [], texts }, { kind: null, layer: 1, head: 2 }, "induction"), "http://x");
  assert.deepEqual(Object.fromEntries(back.searchParams), { ...texts, layer: "1", head: "2", mark: "induction" });
  assert.equal(searchOf([], null, "ko", texts), "?text=Who+%26+what%3F&pair=It&lang=ko");
  for (const one of [{ ...state, ...start }, { ...state, trace: "file-0" }, { ...state, text: null }, { ...state, text: "x".repeat(2000) }]) {
    assert.equal(atlasHref(one, start), "/models/m?lang=ko");
  }
});

test("what was left out is named, broken lines last", () => {
  assert.deepEqual(leftOut({ counts: { too_long: 2, scored: 9, no_rival: 0 }, broken: [{}, {}, {}] }), [["too_long", 2], ["broken", 3]]);
});

// ---- roles in the grid
const text = { state: "ready", value: { heads: [{ layer: 3, head: 1, roles: [{ name: "sink", score: 0.7 }] }, { layer: 0, head: 2, roles: [{ name: "sink", score: 0.9 }] }] } };

test("roles of the text and of the data stand together, those of the data first, and only of this kind of attention", () => {
  const roles = rolesOf(text, atlas, "encoder-self");
  assert.deepEqual(roles.of(3, 1).map(({ name }) => name), ["antecedent", "sink"]);
  assert.deepEqual(roles.counts, [["antecedent", 1], ["syntax", 1], ["sink", 2]]);
  assert.deepEqual(rolesOf(text, atlas, "cross").counts, [["sink", 2]]);
  assert.deepEqual(rolesOf({ state: "waiting" }, atlas, "encoder-self").of(2, 8).map(({ name }) => name), ["syntax"]);
  assert.equal(rolesOf(null, null, "encoder-self"), null);
  assert.equal(rolesOf(text, atlas, "encoder-self"), roles, "the same until something changes");
});

test("a mark lights up the heads of its role; what is no role marks nothing", () => {
  const roles = rolesOf(text, atlas, "encoder-self");
  const glow = markGlow(roles, { mark: "sink" });
  assert.deepEqual([glow.of(3, 1), glow.of(0, 2), glow.of(2, 8)], [1, 1, 0]);
  assert.equal(markGlow(roles, { mark: "sink" }).by, glow.by);
  assert.notEqual(markGlow(roles, { mark: "syntax" }).by, glow.by);
  for (const mark of [null, "nothing", "toString", "__proto__"]) assert.equal(markOf({ mark }), null);
});

// ---- asking the server
test("each atlas is asked for once, and again only where it could not be had", async () => {
  const asked = [];
  let changes = 0;
  const atlases = createAtlases({ onChange: () => changes++, api: { atlas: async (name) => { asked.push(name); if (asked.length === 1) throw new Error("away"); return atlas; } } });
  await atlases.want("m");
  assert.equal(atlases.now("m"), null);
  await atlases.want("m");
  await atlases.want("m");
  assert.deepEqual([asked, atlases.now("m"), changes], [["m", "m"], atlas, 1]);
});

function measuring(api) {
  const seen = { ends: [], handlers: null, cancelled: [], closed: 0 };
  const its = createMeasuring({
    asProblem: (problem) => problem, onChange: () => {}, onEnd: (result) => seen.ends.push(result),
    api: { evaluate: async () => ({ id: "j" }), watchJob: (_, handlers) => { seen.handlers = handlers; return () => seen.closed++; }, cancelJob: async (id) => seen.cancelled.push(id), ...api },
  });
  return { its, seen };
}

test("measuring is followed to its end", async () => {
  const { its, seen } = measuring();
  await its.start("m");
  seen.handlers.onProgress({ step: "induction rows", done: 3, total: 40 });
  assert.deepEqual([its.now().state, its.now().done, its.now().total], ["running", 3, 40]);
  seen.handlers.onEnd({ state: "done", result: { failed: [] } });
  assert.deepEqual([its.now(), seen.ends], [null, [{ failed: [] }]]);
});

test("it can be cancelled while it runs and before it has begun", async () => {
  const { its, seen } = measuring();
  await its.start("m");
  its.cancel();
  assert.deepEqual([its.now(), seen.cancelled, seen.closed, seen.ends], [null, ["j"], 1, [null]]);
  const early = measuring();
  const started = early.its.start("m");
  early.its.cancel();
  await started;
  assert.deepEqual([early.seen.cancelled, early.seen.handlers], [["j"], null]);
});

test("why it failed stays on show, whether the server refused it or it broke off", async () => {
  const busy = measuring({ evaluate: async () => { throw { code: "busy" }; } });
  await busy.its.start("m");
  assert.deepEqual([busy.its.now().state, busy.its.now().problem.code], ["failed", "busy"]);
  const { its, seen } = measuring();
  await its.start("m");
  seen.handlers.onEnd({ state: "failed", problem: { type: "/problems/out-of-memory" } });
  assert.equal(its.now().problem.type, "/problems/out-of-memory");
  await its.start("m");
  seen.handlers.onLost();
  assert.equal(its.now().problem.type, "/problems/unreachable");
});
