// The page of a model's head atlas: what is kept of it, which picture is on show, and measuring what is missing.

import { ApiProblem, asProblem, createApi } from "./api.js";
import { createHeader } from "./views/header.js";
import { createMissing } from "./views/atlas/missing.js";
import { createModels } from "./views/models.js";
import { createPicture } from "./views/atlas/picture.js";
import { createResults } from "./views/atlas/results.js";
import { createRoleTables } from "./views/atlas/roles.js";
import { exploreHref, pictureFrom, picturesOf, searchOf, textsFrom } from "./lib/atlas.js";
import { createPalette } from "./lib/color.js";
import { el } from "./lib/dom.js";
import { createI18n } from "./lib/i18n.js";
import { createMeasuring } from "./lib/measuring.js";
import { createPreferences } from "./lib/storage.js";
import { createPrinting } from "./lib/printing.js";

const boot = JSON.parse(document.getElementById("boot").textContent);
const i18n = createI18n(boot.lang, boot.messages);
const api = createApi();
const at = (id) => document.getElementById(id);
const given = new URLSearchParams(location.search).get("lang"); // kept while the page is read
const lang = ["en", "ko"].includes(given) ? given : null;
const texts = textsFrom(location.search); // so is what the reader was looking at

let models = [];
let atlas = null;
let pictures = [];
let picture = null;
let failed = [];

const measuring = createMeasuring({ api, asProblem, onChange: () => draw(), onEnd: measured });
const names = { nameOf, titleOf, ofRole, hrefOf, onPicture: choose };
const header = createHeader(at("header"), { i18n, preferences: createPreferences(() => window.localStorage), onTheme: () => draw() });
createPrinting(window, { redraw: () => draw() });
const views = [
  header,
  createModels(at("models"), { i18n, onModel: (name) => location.assign(`/models/${encodeURIComponent(name)}${searchOf([], null, lang, texts)}`) }),
  ...(boot.model ? [
    createMissing(at("missing"), { i18n, ...names, mayEvaluate: boot.may_evaluate, sentenceOf, onMeasure: () => measuring.start(boot.model), onCancel: measuring.cancel }),
    createPicture(at("picture"), { i18n, ...names }),
    createRoleTables(at("roles"), { i18n, ...names }),
    createResults(at("results"), { i18n, ...names }),
  ] : []),
];

// ---- names, as a person reads them
function nameOf({ file }) {
  return i18n.has(`atlas.of.${file}`) ? i18n.t(`atlas.of.${file}`) : file;
}
function titleOf(one) {
  if (one.task !== "syntax") return nameOf(one);
  return one.direction ? i18n.t(`atlas.direction.${one.direction}`, { relation: one.relation }) : i18n.t("atlas.of.all");
}
function ofRole({ name, of, file, direction }) {
  return titleOf({ task: name, file, relation: of, direction });
}
function hrefOf(some, layer, head, role = null) {
  const kind = atlas.results.find(({ task, file }) => task === some?.task && file === some?.file)?.kind;
  return exploreHref({ model: boot.model, usual: boot.default_model, examples: boot.examples, lang, texts }, { kind, layer, head }, role ?? (some?.task === "induction" ? "induction" : null));
}
function sentenceOf({ code, facts = {}, detail }) {
  const special = facts.reason && `problem.${code}.${facts.reason}`;
  if (special && i18n.has(special)) return i18n.t(special, facts);
  return i18n.has(`problem.${code}`) ? i18n.t(`problem.${code}`, facts) : detail;
}

// ---- choices: each picture has an address of its own
function choose(next, moves = false) {
  picture = next;
  const href = location.pathname + searchOf(pictures, picture, lang, texts);
  if (href !== location.pathname + location.search) history.pushState(null, "", href);
  draw();
  if (moves) at("picture").scrollIntoView({ block: "start", behavior: "smooth" });
}

function show(found) {
  atlas = found;
  pictures = picturesOf(found);
  picture = pictureFrom(pictures, location.search);
  draw();
}

async function measured(result) {
  failed = result?.failed ?? [];
  await load();
}

async function load() {
  try {
    const [listed, found] = await Promise.all([api.models(boot.model), boot.model ? api.atlas(boot.model) : null]);
    ({ models } = listed);
    at("problem")?.replaceChildren();
    if (found) show(found);
    else draw();
  } catch (error) {
    const problem = error instanceof ApiProblem ? error : new ApiProblem("internal");
    at("loading")?.toggleAttribute("hidden", true);
    at("problem")?.replaceChildren(el(document, "div", { class: "notice bad", role: "alert" }, el(document, "p", { text: sentenceOf(problem) }),
      el(document, "button", { type: "button", class: "pill", text: i18n.t("problem.retry"), onclick: load })));
    if (!(error instanceof ApiProblem)) console.error(error);
  }
}

function draw() {
  const theme = header.theme();
  const scene = {
    models, state: { model: boot.model }, model: models.find(({ name }) => name === boot.model) ?? null,
    atlas, pictures, picture, failed, run: measuring.now(),
    palette: createPalette({ theme, scale: "linear", range: "head" }),
    languageHref: location.pathname + searchOf(pictures, picture, boot.lang === "en" ? "ko" : "en", texts),
  };
  for (const view of views) view.update(scene);
  if (!boot.model || !atlas) return;
  at("loading").hidden = true;
  at("found").hidden = !pictures.length;
  at("meaning").hidden = false;
  at("own").hidden = scene.model?.input === "picture";
}

addEventListener("popstate", () => {
  picture = pictureFrom(pictures, location.search);
  draw();
});
draw();
load();
