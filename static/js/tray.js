// The page on which somebody writes a lesson: the store, what the server renders of it, and the views that show both.

import { asProblem, ApiProblem, createApi } from "./api.js";
import { createHeader } from "./views/header.js";
import { problemSentence } from "./views/notices.js";
import { createBar } from "./views/tray/bar.js";
import { createBlocks } from "./views/tray/blocks.js";
import { createFiles } from "./views/tray/files.js";
import { createNaming } from "./views/tray/naming.js";
import { createReading } from "./views/tray/reading.js";
import { createSlides } from "./views/tray/slides.js";
import { createTextBlock } from "./views/tray/text.js";
import { createViewBlock } from "./views/tray/view.js";
import { saveFile } from "./lib/clipboard.js";
import { el } from "./lib/dom.js";
import { createI18n } from "./lib/i18n.js";
import { fromFile, hasContent, obstacle, toFile, written } from "./lib/lesson/file.js";
import { recolour } from "./lib/lesson/frames.js";
import { blockOf, emptyLesson, isEmpty, joined, LIMITS, replaced, shifted, touched } from "./lib/lesson/lesson.js";
import { createEditing, openMine } from "./lib/lesson/mine.js";
import { createRendering } from "./lib/lesson/rendering.js";
import { createPreferences } from "./lib/storage.js";

const boot = JSON.parse(document.getElementById("boot").textContent);
const i18n = createI18n(boot.lang, boot.messages);
const api = createApi();
const at = (id) => document.getElementById(id);
const sentenceOf = (problem) => problemSentence(i18n, problem instanceof ApiProblem ? problem : asProblem({}));

let isReading = false; // whether the lesson is shown as its readers see it
let wrong = null; // why the server renders nothing

const mine = openMine(window, {
  onChange: () => draw(),
  onTrouble: () => draw(),
});
const editing = createEditing(window);
editing.set(null); // who is here is not changing a view any more
const rendering = createRendering({
  preview: (lesson) => api.previewLesson(lesson, boot.lang),
  onChange: () => draw(),
  onProblem: (problem) => ((wrong = problem), draw()),
});

// Why a picture is not drawn: the server says it when asked for it once more.
async function whyNot(path) {
  try {
    await api.file(path);
    return i18n.t("problem.unreachable");
  } catch (error) {
    return sentenceOf(error);
  }
}

const edit = (id) => (patch) => mine.change({ do: "edit", id, patch, block: blockOf(mine.lesson(), id) ?? undefined });
const kinds = {
  text: (id) => createTextBlock(document, { i18n, onEdit: edit(id) }),
  view: (id) => createViewBlock(document, { i18n, onEdit: edit(id), onOpen: () => editing.set(id), whyNot }),
};
function addText(after) {
  if (mine.lesson().blocks.length >= LIMITS.blocks) return;
  const block = { id: mine.newId(), type: "text", markdown: "" };
  mine.change({ do: "insert", block, after });
  blocks.focus(block.id);
}
function shift(id, by) {
  const operation = shifted(mine.lesson(), id, by);
  if (operation) mine.change(operation);
}

// Undo or redo; what it changed comes into sight.
function turn(which) {
  const was = mine.lesson();
  mine[which]();
  if (mine.lesson() === was) return;
  blocks.show(touched(was, mine.lesson()));
  say(i18n.t(`tray.${which}.done`));
}
function say(text) {
  at("said").textContent = text;
}

const header = createHeader(at("header"), { i18n, preferences: createPreferences(() => window.localStorage), onTheme: () => (recolour(document, header.theme()), draw()) });
const blocks = createBlocks(at("blocks"), { i18n, kinds, onMove: (id, after) => mine.change({ do: "move", id, after }), onShift: shift, onRemove: (id) => mine.change({ do: "remove", id }), onAdd: addText, say });
const reading = createReading(at("reading"), { i18n, whyNot });
const slides = createSlides(at("slides"), { i18n, onEnd: () => draw() });
const views = [
  createBar(at("bar"), { i18n, onUndo: () => turn("undo"), onRedo: () => turn("redo"), onPreview: () => read(!isReading), onPresent: present, onPrint: print }),
  createNaming(at("naming"), { onField: (field, value) => mine.change({ do: "set", field, value }) }),
  blocks,
  createFiles(at("files"), {
    i18n, opener: document.querySelector("[data-files]"), asking: at("opening"), dropping: at("dropping"), sentenceOf, save, read: opened,
    obstacle: () => obstacle(mine.lesson()), isEmpty: () => isEmpty(mine.lesson()),
    fits: (other) => mine.lesson().blocks.length + other.blocks.length <= LIMITS.blocks,
    onOpen: (file, how) => {
      const other = fromFile(file, mine.newId);
      mine.change(how === "append" ? joined(mine.lesson(), other) : replaced(mine.lesson(), other));
    },
    onClear: () => mine.change(replaced(mine.lesson(), emptyLesson(mine.lesson().language))),
  }),
];
document.querySelector("[data-add-text]").addEventListener("click", () => addText(undefined));

// ---- looking at it: as a reader, as slides, on paper
const title = () => i18n.t("tray.untitled");
const file = () => toFile(mine.lesson(), title());

// A folder cannot be read; what is far too large is not sent at all.
async function opened(file) {
  if (file.size > LIMITS.bytes) throw new ApiProblem("lesson-too-large");
  const data = await file.arrayBuffer().catch(() => {
    throw new ApiProblem("lesson", { facts: { fault: "" } });
  });
  return api.checkLesson(data);
}

async function save(kind) {
  if (kind !== "json") return api.exportLesson(file(), kind);
  const { name } = file();
  return { blob: new Blob([written(file())], { type: "application/json" }), name: `${name}.json` };
}

async function read(on) {
  isReading = on;
  if (on) await rendering.whole();
  draw();
  scrollTo(0, 0);
}

async function present() {
  const opener = document.activeElement;
  await rendering.whole();
  slides.start(sceneOf(), opener);
}

async function print() {
  await rendering.whole();
  reading.draw(sceneOf());
  await reading.ready();
  window.print();
}
addEventListener("beforeprint", () => isReading || reading.draw(sceneOf()));
addEventListener("afterprint", () => isReading || reading.leave());

document.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  if (!(event.ctrlKey || event.metaKey) || event.altKey || slides.isOn() || document.querySelector("dialog[open]")) return;
  if (key === "p" && hasContent(mine.lesson())) print();
  else if (key === "z") turn(event.shiftKey ? "redo" : "undo");
  else if (key === "y") turn("redo");
  else return;
  event.preventDefault();
});
// The browser's own menu undoes letter by letter what one tab has written; the lesson's undo knows all of it.
document.addEventListener("beforeinput", (event) => {
  const act = { historyUndo: "undo", historyRedo: "redo" }[event.inputType];
  if (!act) return;
  event.preventDefault();
  turn(act);
});
addEventListener("beforeunload", (event) => !mine.isKept() && event.preventDefault());

function drawTrouble() {
  const place = at("trouble");
  const trouble = mine.trouble();
  const says = trouble ? i18n.t(`tray.trouble.${trouble}`) : wrong ? sentenceOf(wrong) : "";
  place.hidden = !says;
  if (place.dataset.says === says) return;
  place.dataset.says = says;
  const button = (name, onclick) => el(document, "button", { type: "button", class: "pill", text: i18n.t(name), onclick });
  place.replaceChildren(el(document, "p", { text: says }), ...(trouble ? [button("tray.trouble.save", () => saveNow())] : wrong && wrong.status !== 422 ? [button("problem.retry", () => rendering.whole())] : []));
}
async function saveNow() {
  const { blob, name } = await save("json");
  saveFile(document, blob, name);
}

function sceneOf() {
  const lesson = mine.lesson();
  return {
    lesson, state: mine.now(), isKept: mine.isKept(), isTroubled: mine.trouble() !== null, isReading, hasContent: hasContent(lesson), isFull: lesson.blocks.length >= LIMITS.blocks,
    renderingOf: rendering.of, theme: document.documentElement.dataset.theme, title: title(),
  };
}

function draw() {
  const scene = sceneOf();
  const { lesson } = scene;
  header.update({ languageHref: `?lang=${boot.lang === "en" ? "ko" : "en"}`, state: {} });
  if (isReading && !scene.hasContent) isReading = false;
  document.title = lesson.title.trim() ? i18n.t("lesson.page-title", { title: lesson.title.trim() }) : i18n.t("tray.page-title");
  at("editor").hidden = isReading;
  at("reading").hidden = !isReading;
  at("empty").hidden = !isEmpty(lesson);
  for (const one of document.querySelectorAll("[data-add-text]")) one.disabled = scene.isFull;
  document.querySelector("[data-most]").hidden = !scene.isFull;
  rendering.want(lesson.blocks);
  for (const view of views) view.update(scene);
  if (isReading) reading.draw(scene);
  else reading.leave();
  drawTrouble();
}

await mine.open();
draw();
