// The lab: what is chosen, the runs that train, and the step of their time that is looked at.

import { ApiProblem, asProblem, createApi } from "./api.js";
import { createChoices } from "./views/lab/choices.js";
import { createHeader } from "./views/header.js";
import { createHeads } from "./views/lab/heads.js";
import { createJumps } from "./views/lab/jumps.js";
import { createMeasured } from "./views/lab/measured.js";
import { createPlot } from "./views/lab/plot.js";
import { createStatus } from "./views/lab/status.js";
import { createTable } from "./views/lab/table.js";
import { createTasks } from "./views/lab/tasks.js";
import { createTime } from "./views/lab/time.js";
import { exploreHref } from "./lib/atlas.js";
import { createPalette } from "./lib/color.js";
import { el } from "./lib/dom.js";
import { createI18n } from "./lib/i18n.js";
import { changed, faultsOf, format, isSame, parse, startOf } from "./lib/lab/choices.js";
import { bestHead } from "./lib/lab/curves.js";
import { differences } from "./lib/lab/measured.js";
import { createNaming } from "./lib/lab/naming.js";
import { createKept, createRuns, createVisitor } from "./lib/lab/runs.js";
import { shownStep, stepsOf } from "./lib/lab/time.js";
import { createPreferences } from "./lib/storage.js";

const boot = JSON.parse(document.getElementById("boot").textContent);
const i18n = createI18n(boot.lang, boot.messages);
const naming = createNaming(i18n);
const api = createApi();
const at = (id) => document.getElementById(id);
const given = new URLSearchParams(location.search).get("lang"); // kept while the page is read
const lang = ["en", "ko"].includes(given) ? given : null;

const NOTHING = { choices: { task: null, layers: 0, heads: 0 }, change: null }; // until the server has said what there is
let lab = null;
let state = null;

const preferences = createPreferences(() => window.localStorage);
const runs = createRuns({
  api, asProblem, visitor: createVisitor(preferences), kept: createKept(createPreferences(() => window.sessionStorage)), onChange: () => draw(),
});
const header = createHeader(at("header"), { i18n, preferences, onTheme: () => draw() });
const learning = at("learning");
const views = [
  header,
  createTasks(at("task"), { i18n, onTask: (task) => choose({ ...fresh(), choices: startOf(task, lab) }) }),
  createChoices(at("choices"), at("train"), {
    i18n, naming, onTrain: train,
    onChoice: (name, value) => choose({ ...fresh(), choices: { ...state.choices, [name]: value }, change: state.change?.name === name ? null : state.change }),
    onChange: (change) => choose({ change }),
    onReset: () => choose({ ...fresh(), choices: startOf(state.choices.task, lab) }),
  }),
  createMeasured(at("measured"), { i18n, naming, onTrial: lay }),
  createStatus(learning, { i18n, naming, sentenceOf, hrefOf, fileOf: ({ result }) => api.modelFileUrl(result.model), onCancel: runs.cancel }),
  createPlot(learning, { i18n, naming }),
  createTime(at("time"), { i18n, onStep: (step) => choose({ at: step }, "replace") }),
  createJumps(at("jumps"), { i18n, naming, onJump: ({ step, layer, head, role }) => choose({ at: step, layer, head, role }), onRole: (role) => choose({ role }) }),
  createTable(at("jumps"), { i18n, naming }),
  createHeads(at("heads"), { i18n, naming, onHead: (layer, head) => choose({ layer, head }, "replace") }),
];

// ---- names
function sentenceOf({ code, facts = {}, detail }) {
  const own = `problem.${code}.train`;
  if (i18n.has(own)) return i18n.t(own, { ...facts, detail });
  return i18n.has(`problem.${code}`) ? i18n.t(`problem.${code}`, facts) : detail;
}
function hrefOf({ result, choices }) {
  const { layer, head } = headOf({ choices, result, checkpoints: result.checkpoints });
  return exploreHref({ model: result.model, usual: boot.default_model, examples: [], lang, texts: { text: result.probe.text } }, { kind: result.probe.kind, layer, head });
}

// ---- choices: each has an address of its own
const fresh = () => ({ change: null, layer: null, head: null, role: null, at: null });

function choose(patch, how = "push") {
  state = { ...state, ...patch };
  const faults = faultsOf(state.choices, lab);
  if (!faults.length) {
    const href = location.pathname + format(state, lab, lang);
    if (href !== location.pathname + location.search) history[how === "push" ? "pushState" : "replaceState"](null, "", href);
    runs.sync([state.choices, changed(state)]);
  }
  draw();
}

// A trial that was measured: its choices, or those that it is set against with its change beside them.
function lay(trial, other) {
  const { seed } = state.choices;
  const own = (one) => ({ task: trial.task, ...one.choices, seed });
  choose({ ...fresh(), choices: own(other ?? trial), change: other ? differences(trial, other)[0] : null });
}

// Which of the wanted runs are not there yet: "first", "second", "both", or "none".
function missing() {
  const wanted = [state.choices, changed(state)];
  const isThere = (place) => isSame(runs.now(place)?.choices, wanted[place]) && runs.now(place).state === "done";
  const [first, second] = [isThere(0), !wanted[1] || isThere(1)];
  if (first) return second ? "none" : "second";
  return wanted[1] ? "both" : "first";
}

function train() {
  const which = missing();
  const second = changed(state);
  const wanted = [{ place: 0, choices: state.choices }, ...(second ? [{ place: 1, choices: second }] : [])];
  state = { ...state, at: null };
  history.replaceState(null, "", location.pathname + format(state, lab, lang));
  runs.train(which === "second" ? wanted.slice(1) : wanted);
  if (matchMedia("(max-width: 900px)").matches) learning.scrollIntoView({ block: "start", behavior: "smooth" });
}

// ---- what is looked at
function roleOf() {
  const { roles } = lab.tasks.find(({ name }) => name === (runs.now(0)?.choices ?? state.choices).task);
  return roles.includes(state.role) ? state.role : roles.at(-1);
}

/** The chosen head as far as a run has it; else the one that took up the role, or does best in it, once it has ended. */
function headOf(run) {
  const { layers, heads } = run.choices;
  if (state.layer !== null && state.head !== null) return { layer: Math.min(state.layer, layers - 1), head: Math.min(state.head, heads - 1) };
  const first = runs.now(0) ?? run;
  const role = roleOf();
  const found = first.result && (first.result.jumps.find((jump) => jump.role === role) ?? bestHead(first.checkpoints.at(-1), role));
  return { layer: Math.min(found?.layer ?? 0, layers - 1), head: Math.min(found?.head ?? 0, heads - 1) };
}

function scene() {
  const now = [runs.now(0), runs.now(1)];
  const some = now.filter(Boolean);
  const difference = some.length > 1 ? differences({ choices: now[1].choices }, { choices: now[0].choices })[0] ?? seedOf(now) : null;
  const palette = createPalette({ theme: header.theme(), scale: "linear", range: "unit" });
  if (!lab) return { lab, state: NOTHING, runs: now, palette, step: null, steps: 1, faults: [], role: null, difference, headOf: () => ({ layer: 0, head: 0 }), probe: null };
  return {
    lab, state, runs: now, palette, difference, headOf,
    start: startOf(state.choices.task, lab), faults: faultsOf(state.choices, lab), missing: missing(),
    stale: Boolean(now[0]) && !isSame(now[0].choices, state.choices),
    step: shownStep(some, state.at), steps: Math.max(1, ...(some.length ? some.map(({ total }) => total) : [state.choices.steps || 1])),
    role: roleOf(), probe: lab.tasks.find(({ name }) => name === state.choices.task).probe,
  };
}
const seedOf = ([one, other]) => (one.choices.seed === other.choices.seed ? null : { name: "seed", value: other.choices.seed });

function draw() {
  const own = scene();
  const search = lab ? format(state, lab, boot.lang === "en" ? "ko" : "en") : `?lang=${boot.lang === "en" ? "ko" : "en"}`;
  for (const view of views) view.update({ ...own, languageHref: location.pathname + search });
}

async function load() {
  at("problem").replaceChildren();
  try {
    lab = await api.lab();
    read();
  } catch (error) {
    const problem = error instanceof ApiProblem ? error : new ApiProblem("internal");
    at("problem").replaceChildren(el(document, "div", { class: "notice bad", role: "alert" }, el(document, "p", { text: sentenceOf(problem) }),
      el(document, "button", { type: "button", class: "pill", text: i18n.t("problem.retry"), onclick: load })));
    if (!(error instanceof ApiProblem)) console.error(error);
  }
}

function read() {
  state = parse(location.search, lab);
  runs.sync([state.choices, changed(state)]);
  draw();
}

addEventListener("popstate", () => lab && read());
addEventListener("pagehide", runs.leave);
addEventListener("pageshow", (event) => event.persisted && draw());
draw();
load();
