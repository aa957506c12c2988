// The viewer: what Explore draws of one example, without anything to ask or to experiment with. It stands in another
// page's frame and asks the HTTP API, or in a file that carries its numbers and asks nobody.

import { ApiProblem, asProblem, createApi } from "./api.js";
import { createStarts, format, parse } from "./state.js";
import { createChoices } from "./lib/acts.js";
import { createAnalyses } from "./lib/analyses.js";
import { createBusy } from "./lib/busy.js";
import { comparedOf } from "./lib/compare.js";
import { createComparison } from "./lib/comparison.js";
import { createComputing } from "./lib/compute/asking.js";
import { carriedBytes, carriedJson, createCarriedLoader } from "./lib/carried.js";
import { exampleOf, fitted, rangeOf, requestOf, tabOf } from "./lib/choices.js";
import { createPalette } from "./lib/color.js";
import { el } from "./lib/dom.js";
import { createExperiments } from "./lib/experiment.js";
import { createI18n } from "./lib/i18n.js";
import { isByLength } from "./lib/looked.js";
import { lookingSentences } from "./lib/looking.js";
import { offHeads } from "./lib/off.js";
import { createOffline } from "./lib/offline.js";
import { originNotices } from "./lib/origin.js";
import { pack, unpack } from "./lib/packing.js";
import { createPlotly } from "./lib/plotly.js";
import { createPrinting } from "./lib/printing.js";
import { readNpy } from "./lib/npy.js";
import { createSessions, peak } from "./lib/session.js";
import { headOf, wantOf } from "./lib/want.js";
import { changesSaid } from "./lib/whatif.js";
import { createColour } from "./views/colour.js";
import { createCompute } from "./views/compute.js";
import { createDifference } from "./views/difference.js";
import { createFocus } from "./views/focus.js";
import { createGrid } from "./views/grid.js";
import { createHeads } from "./views/heads.js";
import { createHeatmap } from "./views/heatmap.js";
import { createKinds } from "./views/kinds.js";
import { createLines } from "./views/lines.js";
import { createLooking } from "./views/looking.js";
import { noticeSentence, problemSentence } from "./views/notices.js";
import { createPicture } from "./views/picture.js";
import { createSource } from "./views/source.js";
import { createStrip } from "./views/strip.js";
import { createTable } from "./views/table.js";

const AGAIN = 1000; // milliseconds until a model that is being loaded is asked for again
const boot = JSON.parse(document.getElementById("boot").textContent);
const carried = boot.carried ? await carriedJson(document, "data") : null;
const i18n = createI18n(boot.lang, carried?.messages ?? boot.messages);
const startOf = createStarts(boot.examples, boot.default_model);
const api = carried ? createOffline({
  documents: carried.documents, problemOf: asProblem,
  weights: async (kind) => readNpy(await carriedBytes(document, `weights-${kind}`)),
  norms: async (kind) => readNpy(await carriedBytes(document, `norms-${kind}`)),
}) : createApi();
const sessions = createSessions(api);
const dark = matchMedia("(prefers-color-scheme: dark)");
const at = (id) => document.getElementById(id);

const search = boot.search ?? await unpack(location.search); // null for a packed one that cannot be unpacked
let state = parse(search ?? "", startOf);
if (carried) state = { ...state, ...readIn(carried.documents) };
let session = null;
let view = null;
let models = [];
let problem = null;
let turn = 0;
let timer = 0;

// A file is about what it carries, whatever its address says or leaves out.
function readIn(documents) {
  const { model, source } = Object.values(documents)[0];
  return { model: model.name, text: source.text, pair: source.pair };
}

const act = createChoices({ now: () => ({ state, session, draft: null }), choose, examples: boot.examples, startOf, modelOf });
const busy = createBusy({ onChange: () => draw() });
const comparison = createComparison({ api, onChange: () => draw() });
const experiments = createExperiments({ api, asProblem, onChange: () => draw() });
const computing = createComputing({ analyses: createAnalyses({ onChange: () => draw() }), experiments });
const views = createViews();

// Of the views that the page has a place for.
function createViews() {
  const plotly = carried
    ? createCarriedLoader(() => carriedBytes(document, "plotly"), (url) => createPlotly(document, url))
    : createPlotly(document, boot.plotly);
  const pictureUrl = carried ? () => boot.picture : api.pictureUrl;
  const makers = {
    kinds: (root) => createKinds(root, { i18n, onKind: act.kind }),
    heads: (root) => createHeads(root, { onHead: act.head }),
    strip: (root) => createStrip(root, { i18n, onQuery: act.query, onCell: act.cell }),
    looking: (root) => createLooking(root.parentNode, { i18n, onSpecial: act.special, onWords: act.words, onSegments: act.segments }),
    colour: (root) => createColour(root, { i18n, onMeasure: act.measure, onScale: act.scale, onRange: act.range }),
    grid: (root) => createGrid(root, { i18n, peakOf: (layer, head) => peak(session, layer, head), onHead: act.head }),
    focus: (root) => createFocus(root, { i18n, panels: make("panel-", panels), onView: act.view }),
    source: (root) => createSource(root, { i18n, linkOf }),
  };
  const panels = {
    picture: (root) => createPicture(root, { i18n, pictureUrl, onQuery: act.query, onCell: act.cell }),
    heatmap: (root) => createHeatmap(root, { i18n, plotly, onCell: act.cell, onBlock: chooseBlock, onWindow: act.window }),
    lines: (root) => createLines(root, { i18n, onCell: act.cell }),
    table: (root) => createTable(root, { i18n, onCell: act.cell }),
    compute: (root) => createCompute(root, { i18n, sentenceOf, onStep: act.computeStep, onKey: act.computeKey, onCancel: experiments.stop, onAgain: experiments.again }),
    difference: (root) => createDifference(root, { i18n, plotly, sentenceOf, named: true, onCell: act.cell, onWindow: act.window }),
  };
  const make = (before, some) => Object.fromEntries(Object.entries(some).filter(([name]) => at(before + name)).map(([name, maker]) => [name, maker(at(before + name))]));
  return Object.values(make("", makers));
}

// Where the whole view is: null where there is no server, or where no address can say it.
async function linkOf() {
  const tab = tabNow();
  const shown = { ...state, view: tab === tabOf({ view: null }, session.trace) ? null : tab };
  const whole = boot.whole === null ? null : await pack(format(shown, startOf));
  return whole === null ? null : boot.whole + whole;
}

// ---- choices: nothing of them stands in an address but the link's to the whole view
function choose(patch, how, moved = false) {
  state = fitted({ ...state, ...patch }, modelOf(state.model), startOf);
  return how === "text" ? show() : focus(moved);
}

async function chooseBlock(queries, keys) {
  try {
    const { query, key } = await session.reader.strongestIn(headOf(state, session.map), queries, keys);
    act.cell(query, key, "click");
  } catch (error) {
    fail(error);
  }
}

function modelOf(name) {
  return models.find((model) => model.name === name) ?? null;
}

// ---- from state to picture
async function show() {
  const mine = ++turn;
  problem = null;
  busy.soon(() => mine === turn);
  try {
    const opened = await sessions.open(requestOf(state, modelOf(state.model), startOf));
    if (mine !== turn) return undefined;
    session = opened;
    state = fitted(state, modelOf(state.model), startOf, session.posted);
    return await focus();
  } catch (error) {
    return mine === turn ? fail(error) : undefined;
  }
}

async function focus(moved = false) {
  if (!session) return draw();
  const mine = ++turn;
  const want = wantOf(state, session);
  const { reader } = session;
  comparison.want(session, at("panel-difference") ? compared() : null, { state, ...headOf(state, session.map) });
  try {
    const found = reader.ready(want) ?? await reader.view(want);
    if (mine !== turn) return undefined;
    view = found;
    if (at("panel-compute")) computing.want({ ...state, view: tabNow() }, session, view);
    busy.over();
    draw(moved);
  } catch (error) {
    return mine === turn ? fail(error) : undefined;
  }
  return setTimeout(() => mine === turn && reader.prefetch(want).catch(() => {}), 0);
}

function fail(error) {
  if (error.name === "AbortError") return;
  busy.over();
  clearTimeout(timer);
  if (error.code === "model-loading") timer = setTimeout(show, AGAIN);
  problem = error instanceof ApiProblem ? error : new ApiProblem("internal");
  draw();
  if (!(error instanceof ApiProblem)) console.error(error);
}

function draw(moved = false) {
  i18n.speakOf(isByLength(session) ? "norm" : "weight");
  tell(at("problem"), problem ? [sentenceOf(problem)] : []);
  document.body.classList.toggle("bare", Boolean(problem) && !session);
  const scene = sceneOf(moved);
  tell(at("notices"), session ? [...session.trace.notices, ...originNotices(session, state)].map((one) => noticeSentence(i18n, one, session)) : waitingFor());
  tell(at("done"), session ? doneTo(scene) : []);
  if (session && view) entitle(i18n.t("page.title", { head: `L${scene.layer} H${scene.head}`, text: session.posted.source.text.trim().slice(0, 60) || i18n.model(session.trace.model) }));
  if (!session || view) for (const one of views) one.update(scene);
}

// A model that is not in memory yet takes seconds, in which a frame must not look broken.
const waitingFor = () => (busy.now() && !problem ? [i18n.t("run.waiting")] : []);

function entitle(title) {
  document.title = title;
  document.querySelector("h1").textContent = title;
}

function sentenceOf(error) {
  return problemSentence(i18n, error, true);
}

function tell(place, sentences) {
  place.hidden = !sentences.length;
  place.replaceChildren(...sentences.map((text) => el(document, "p", { text })));
}

// What was done to the numbers, where no control says it.
function doneTo(scene) {
  const off = offHeads(session.trace.off.join(","));
  const sentences = at("looking") ? [] : [...lookingSentences(i18n, scene, false)];
  const kindOf = (kind) => (session.trace.maps.length > 1 ? ` (${i18n.t(`kind.${kind}`)})` : "");
  const heads = off.map(({ kind, layer, head }) => `L${layer} H${head}${kindOf(kind)}`).join(", ");
  const names = session.trace.what_if ?? [];
  if (names.length) sentences.unshift(i18n.t("what-if.list", { changes: changesSaid(i18n, names, Boolean(session.trace.picture)) }));
  return off.length ? [...sentences, i18n.t("off.list", { count: off.length, heads })] : sentences;
}

function sceneOf(moved) {
  const { layer, head } = session ? headOf(state, session.map) : state;
  const { theme } = document.documentElement.dataset;
  const model = modelOf(state.model);
  const range = rangeOf(state, session?.trace);
  return {
    state: { ...state, ...exampleOf(state, session?.posted), range }, session, view, layer, head, theme, busy: busy.now(), moved, model,
    input: model?.input ?? "text", tab: tabNow(), compared: compared(), comparison: comparison.now() ?? nothingCompared(), compute: computing.now(),
    blocked: session?.blocked(layer) ?? null,
    palette: createPalette({ theme, scale: state.scale, range }),
  };
}

// What the address compares with may not be there, or read something else.
const compared = () => comparedOf(state, requestOf(state, modelOf(state.model), startOf), models);
function nothingCompared() {
  const name = state.versus_model;
  const isUnknown = models.length && name && !modelOf(name);
  const facts = { what: "model", value: name, accepted: models.map((model) => model.name) };
  return session && !compared() ? { way: "model", problem: isUnknown ? new ApiProblem("unknown-name", { facts }) : new ApiProblem("shape", { facts: { reason: "unlike" } }) } : null;
}

// The tab of the state where the page has it, or its first.
function tabNow() {
  const tab = tabOf(state, session?.trace, Boolean(compared()));
  const places = [...document.querySelectorAll("[id^=panel-]")].map(({ id }) => id.slice("panel-".length));
  const panels = places.filter((name) => name !== "picture" || session?.trace.picture);
  return panels.includes(tab) ? tab : panels[0];
}

dark.addEventListener("change", () => {
  if (boot.theme) return;
  document.documentElement.dataset.theme = dark.matches ? "dark" : "light";
  draw();
});

// Paper is light, whatever the theme.
const root = document.documentElement;
let worn = null;
createPrinting(window, { redraw() {
  if (root.classList.contains("printing")) [worn, root.dataset.theme] = [root.dataset.theme, "light"];
  else root.dataset.theme = worn;
  draw();
} });

async function begin() {
  if (search === null) return fail(new ApiProblem("link", { facts: { reason: "view" } }));
  draw();
  try {
    ({ models } = await api.models(state.model));
    state = fitted(state, modelOf(state.model), startOf);
  } catch (error) {
    return fail(error);
  }
  return show();
}
begin();
