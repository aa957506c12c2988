// The pages of ideas: the header, live views in frames, and one live figure whose choices are in the address; and the
// figure alone in somebody's frame.

import { asProblem, createApi } from "./api.js";
import { createHeader } from "./views/header.js";
import { createCost } from "./views/ideas/cost.js";
import { createHeads } from "./views/ideas/heads.js";
import { createKinds } from "./views/ideas/kinds.js";
import { createMasking } from "./views/ideas/masking.js";
import { createOrder } from "./views/ideas/order.js";
import { createRecurrence } from "./views/ideas/recurrence.js";
import { createScaling } from "./views/ideas/scaling.js";
import { createPalette } from "./lib/color.js";
import { createExperiments } from "./lib/experiment.js";
import { createI18n } from "./lib/i18n.js";
import { createAlone } from "./lib/ideas/alone.js";
import { createAnswers } from "./lib/ideas/answers.js";
import { questionsOf, wishOf } from "./lib/ideas/asks.js";
import { readState, searchOf } from "./lib/ideas/state.js";
import { embedCode } from "./lib/ideas/taking.js";
import { adopt, recolour } from "./lib/lesson/frames.js";
import { createPrinted } from "./lib/lesson/printed.js";
import { createPrinting } from "./lib/printing.js";
import { createPreferences } from "./lib/storage.js";

const VIEWS = { scaling: createScaling, order: createOrder, kinds: createKinds, heads: createHeads, cost: createCost, recurrence: createRecurrence, masking: createMasking };
const RUN = "run";
const PATIENCE = 1500; // milliseconds, so that the views on screen come before their pictures on paper

const boot = JSON.parse(document.getElementById("boot").textContent);
const i18n = createI18n(boot.lang, boot.messages);
const api = createApi();
const asked = new URLSearchParams(location.search).get("lang"); // kept while the page is read
const lang = ["en", "ko"].includes(asked) ? asked : null;
const name = boot.idea ?? null;

let state = readState(name, location.search);
let starts = false; // whether what is measured on this page may begin: somebody pressed the button

const answers = createAnswers({ onChange: () => draw() });
const runs = createExperiments({ api: { experiment: (_, wish) => api.runIdea(wish), watchJob: api.watchJob, cancelJob: api.cancelJob }, asProblem, onChange: () => draw() });
const header = boot.alone ? createAlone(document, { theme: boot.theme, onTheme: recoloured })
  : createHeader(document.getElementById("header"), { i18n, preferences: createPreferences(() => window.localStorage), onTheme: recoloured });
const base = boot.public_url ?? location.origin;
createPrinting(window, { redraw: () => draw() });

const view = VIEWS[name]?.(document.getElementById("live"), {
  i18n, sentenceOf, allowed: boot.allowed, lang: boot.lang, theme: boot.theme ?? null,
  taking: boot.alone ? null : { base, code },
  choose, again: answers.again,
  run: { start, stop: () => runs.stop(RUN), again: () => runs.again(RUN) },
}) ?? null;
for (const frame of document.querySelectorAll("iframe[data-view]")) adopt(frame);

function sentenceOf({ code, facts = {}, detail }) {
  const special = facts.reason && `problem.${code}.${facts.reason}`;
  if (special && i18n.has(special)) return i18n.t(special, facts);
  return i18n.has(`problem.${code}`) ? i18n.t(`problem.${code}`, facts) : detail;
}

// What somebody pastes into a page says what this one decides by itself: the language and the theme.
function code() {
  const search = `${searchOf(name, state, boot.lang)}&theme=${header.theme()}`;
  return embedCode({ base, name, search, title: i18n.t("idea.page-title", { title: i18n.t(`idea.${name}.title`) }) });
}

/** Another choice, which a frame keeps to itself; while somebody drags, `steps` false keeps the way back short. */
function choose(changes, { steps = true } = {}) {
  const next = { ...state, ...changes };
  const href = location.pathname + searchOf(name, next, lang);
  if (!boot.alone && href !== location.pathname + location.search) history[steps ? "pushState" : "replaceState"](null, "", href);
  state = next;
  draw();
}

function start(changes = {}) {
  starts = true;
  choose(changes);
}

function recoloured() {
  recolour(document, header.theme());
  draw();
}

function draw() {
  const theme = header.theme();
  header.update({
    languageHref: `${location.pathname}${searchOf(name, state, boot.lang === "en" ? "ko" : "en")}${location.hash}`,
    wholeHref: `/ideas/${name}${searchOf(name, state, lang)}`,
  });
  if (!view) return;
  for (const { slot, key, ask } of questionsOf(name, state, api)) answers.want(slot, key, ask);
  const wish = wishOf(name, state);
  runs.want(RUN, wish && { request: {}, wish, starts });
  starts = false;
  view.update({ state, theme, palette: createPalette({ theme, scale: "linear", range: "head" }), answer: answers.now, run: runs.now(RUN), search: searchOf(name, state, lang) });
}

const printed = () => createPrinted([...document.querySelectorAll("img.printed")]);
setTimeout(() => printed().gather(), PATIENCE);
addEventListener("beforeprint", () => printed().ready());
addEventListener("hashchange", () => draw());
addEventListener("popstate", () => {
  state = readState(name, location.search);
  draw();
});
draw();
