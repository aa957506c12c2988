import assert from "node:assert/strict";
import { test } from "node:test";
import { copyPicture } from "../../static/js/lib/clipboard.js";
import { createI18n } from "../../static/js/lib/i18n.js";
import { createSharing } from "../../static/js/lib/shared.js";
import { createTelling } from "../../static/js/lib/telling.js";

const i18n = createI18n("en", { "card.title": "{head} · {text}" });
const asks = (answer) => {
  const asked = [];
  const file = async (path) => {
    asked.push(path);
    return { blob: new Blob([JSON.stringify(await answer(path))]), name: "it.json" };
  };
  return { asked, file };
};
const make = (api, pack = async (search) => search) => createSharing({ api, base: "http://a", i18n, pack, searchOf: ({ text }) => `?text=${text}` });
const subject = (text, what = "heatmap") => ({ state: { text, layer: 3, head: 1 }, what, session: { trace: { model: { full_title: "Model" } } } });

test("the alt text is asked for once however often the picture is drawn, without its numbers", async () => {
  const api = asks(() => ({ alt_text: "A heatmap." }));
  const sharing = make(api);
  assert.deepEqual(await Promise.all([sharing.words(subject("a")), sharing.words(subject("a"))]), ["A heatmap.", "A heatmap."]);
  await sharing.words(subject("a", "grid"));
  assert.deepEqual(api.asked, ["/figure.json?text=a&values=0", "/figure.json?text=a&figure=grid&values=0"]);
});

test("an alt text that could not be had is asked for again; of what fits into no address there is none", async () => {
  let broken = true;
  const api = asks(() => (broken ? Promise.reject(new Error("busy")) : { alt_text: "A heatmap." }));
  const sharing = make(api);
  await assert.rejects(sharing.words(subject("a")), /busy/);
  broken = false;
  assert.equal(await sharing.words(subject("a")), "A heatmap.");
  assert.equal(await make(api, async () => null).words(subject("b")), "");
});

test("a title is one short line", () => {
  const { title } = make(asks(() => ({})));
  assert.equal(title(subject("one\n two")), "L3 H1 · one two");
  assert.equal(title(subject(null)), "L3 H1 · Model");
  assert.equal(title(subject("x".repeat(90))), `L3 H1 · ${"x".repeat(60)}…`);
});

test("a trace is posted once more before its file is asked for, unless it came from a file", async () => {
  const posted = [];
  const sharing = make({ ...asks(() => ({})), trace: async (request) => (posted.push(request), { id: "new" }) });
  assert.equal(await sharing.hold({ request: { text: "a" }, posted: { id: "old" } }), "new");
  assert.equal(await sharing.hold({ request: { trace: "file-1" }, posted: { id: "file-1" } }), "file-1");
  assert.deepEqual(posted, [{ text: "a" }]);
});

test("a picture is handed to the clipboard at once, as a promise; what cannot be copied says so", async () => {
  const held = [];
  class ClipboardItem {
    constructor(parts) {
      this.parts = parts;
    }
  }
  const picture = async () => new Blob(["png"]);
  const write = async ([item]) => held.push(await item.parts["image/png"]);
  assert.equal(await copyPicture({ ClipboardItem, navigator: { clipboard: { write } } }, picture), true);
  assert.equal(held.length, 1);
  assert.equal(await copyPicture({ navigator: {} }, picture), false);
  const refuse = async () => {
    throw new Error("NotAllowedError");
  };
  assert.equal(await copyPicture({ ClipboardItem, navigator: { clipboard: { write: refuse } } }, picture), false);
  const missing = () => Promise.reject(new Error("no picture"));
  await assert.rejects(copyPicture({ ClipboardItem, navigator: { clipboard: { write } } }, missing), /no picture/);
});

test("a line tells what came of a click, and a second click while it works does nothing", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const line = { textContent: "", classList: { toggle: (name, on) => (line.not = on) } };
  const attributes = new Map();
  const button = { getAttribute: (name) => attributes.get(name) ?? null, setAttribute: (name, value) => attributes.set(name, value), removeAttribute: (name) => attributes.delete(name) };
  const { during } = createTelling(line);
  let runs = 0;
  const work = async () => {
    runs += 1;
    return "Copied";
  };
  await Promise.all([during(button, work, String), during(button, work, String)]);
  assert.deepEqual([runs, line.textContent, line.not, attributes.size], [1, "Copied", false, 0]);
  context.mock.timers.tick(10_000);
  assert.equal(line.textContent, "");
  await during(button, () => Promise.reject(new Error("x")), () => "It went wrong.");
  context.mock.timers.tick(10_000);
  assert.deepEqual([line.textContent, line.not], ["It went wrong.", true]);
});
