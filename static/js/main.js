// The page: its state, what is asked of the server for it, and what the views are handed to draw.

import { ApiProblem, asProblem, createApi } from "./api.js";
import { format, parse, startState } from "./state.js";
import { createViews } from "./views.js";
import { createPalette } from "./lib/color.js";
import { createI18n } from "./lib/i18n.js";
import { windowHolding } from "./lib/cells.js";
import { createPlotly } from "./lib/plotly.js";
import { answers, createSessions, peak } from "./lib/session.js";
import { createPreferences } from "./lib/storage.js";
import { headOf, wantOf } from "./lib/want.js";
import { createWaiting } from "./lib/waiting.js";

const boot = JSON.parse(document.getElementById("boot").textContent);
const i18n = createI18n(boot.lang, boot.messages);
const start = startState(boot.examples[0], boot.default_model);
const api = createApi();
const sessions = createSessions(api);
const ONE_GESTURE = 600;
const PATIENCE = 120;

let state = parse(location.search, start);
let session = null;
let view = null;
let problem = null;
let models = [];
let turn = 0;
let lastKey = -Infinity;
let busy = false;
let busyTimer = 0;

const waiting = createWaiting({
  api, onChange: () => draw(), onReady: () => show(), onModels: (list) => (models = list), onProblem: (error) => fail(error instanceof Error ? error : asProblem(error)),
});
const act = {
  text: (text) => (text.trim() ? choose({ ...forText(text), truncate: false }, "text") : fail(new ApiProblem("empty-text"))),
  example: (example) => choose({ ...forText(example.text), ...headIn(example), truncate: false }, "text"),
  beginning: () => choose({ truncate: true }, "text"),
  model: (model) => choose({ model, kind: null, query: null, key: null, queries: null, keys: null }, "text"),
  head: (layer, head, how) => choose({ layer, head }, how),
  query: (query) => choose({ query, key: null }),
  cell: (query, key, how) => choose({ query, key, ...windowsWith(query, key) }, how, true),
  block: chooseBlock,
  window: ({ queries, keys, ...cell }) => choose({ queries: orWhole(queries, "queries"), keys: orWhole(keys, "keys"), ...cell }),
  view: (name) => choose({ view: name }),
  scale: (scale) => choose({ scale }),
  range: (range) => choose({ range }),
  retry: () => (models.length ? show(true) : begin()),
  fetch: () => waiting.fetch(state.model).catch(fail),
  redraw: () => draw(),
};
const views = createViews(document, {
  i18n,
  examples: boot.examples,
  preferences: createPreferences(() => window.localStorage),
  plotly: createPlotly(document, boot.plotly),
  peakOf: (layer, head) => peak(session, layer, head),
  hrefOf: (example) => hrefOf({ ...state, ...forText(example.text), ...headIn(example), truncate: false }),
  linkOf: () => location.origin + hrefOf(state),
}, act);

// ---- choices: each is a new state, and a place to come back to
function choose(patch, how, moved = false) {
  state = { ...state, ...patch };
  remember(how);
  if (how === "text") show(true);
  else focus(moved);
}

// Keys held down are one gesture: they leave one place to come back to.
function remember(how) {
  const href = hrefOf(state);
  if (href === location.pathname + location.search) return;
  const now = performance.now();
  const same = how === "key" && now - lastKey < ONE_GESTURE;
  lastKey = how === "key" ? now : -Infinity;
  history[same ? "replaceState" : "pushState"](null, "", href);
}
const hrefOf = (some) => location.pathname + format(some, start);

// A new text keeps the head in focus; a cell is named only for texts that are examples.
function forText(text) {
  const same = text === state.text;
  const { query = null, key = null } = same ? state : boot.examples.find((example) => example.text === text) ?? {};
  return { text, query, key, queries: same ? state.queries : null, keys: same ? state.keys : null };
}
function headIn({ layer = state.layer, head = state.head, query = null, key = null }) {
  return { layer, head, query, key };
}
function windowsWith(query, key) {
  const { queries, keys } = session.map;
  return { queries: windowHolding(state.queries, query, queries), keys: key === null ? state.keys : windowHolding(state.keys, key, keys) };
}
function orWhole(span, axis) {
  return span && span[0] === 0 && span[1] >= session.map[axis] ? null : span;
}

async function chooseBlock(queries, keys) {
  const { layer, head } = headOf(state, session.map);
  try {
    const { query, key } = await session.reader.strongestIn({ layer, head }, queries, keys);
    act.cell(query, key, "click");
  } catch (error) {
    fail(error);
  }
}

// ---- from state to picture
const requestOf = ({ model, text, truncate, kind }) => ({ model, text, truncate, kind });

async function show(again = false) {
  const mine = ++turn;
  const request = requestOf(state);
  problem = null;
  waiting.stop();
  if (answers(session, request) && !again) return focus();
  setBusy(mine);
  try {
    const opened = answers(session, request) ? session : await sessions.open(request);
    if (mine !== turn) return undefined;
    session = opened;
    notBusy();
    return focus();
  } catch (error) {
    if (mine === turn) fail(error);
    return undefined;
  }
}

async function focus(moved = false) {
  if (!session) return draw();
  const mine = ++turn;
  const want = wantOf(state, session.map);
  const ready = session.reader.ready(want);
  if (ready) {
    settle(ready, moved);
  } else {
    view = null;
    setBusy(mine);
    draw();
    try {
      const found = await session.reader.view(want);
      if (mine !== turn) return undefined;
      settle(found, moved);
    } catch (error) {
      if (mine === turn) fail(error);
      return undefined;
    }
  }
  const { reader } = session;
  return setTimeout(() => mine === turn && reader.prefetch(want).catch(() => {}), 0);
}

function settle(found, moved) {
  notBusy();
  problem = null;
  view = found;
  draw(moved);
}

// A picture that comes soon replaces the old one without a flicker in between.
function setBusy(mine) {
  clearTimeout(busyTimer);
  busyTimer = setTimeout(() => {
    if (mine !== turn) return;
    busy = true;
    draw();
  }, PATIENCE);
}

function notBusy() {
  clearTimeout(busyTimer);
  busy = false;
}

function fail(error) {
  if (error.name === "AbortError") return;
  notBusy();
  if (error.code === "model-absent" || error.code === "model-loading") {
    waiting.begin(state.model);
    return;
  }
  problem = error instanceof ApiProblem ? error : new ApiProblem("internal");
  draw();
  if (!(error instanceof ApiProblem)) console.error(error);
}

function draw(moved = false) {
  const { layer, head } = session ? headOf(state, session.map) : state;
  const theme = views.theme();
  document.title = i18n.t("page.title", { head: `L${layer} H${head}`, text: (state.text ?? "").slice(0, 60) });
  views.update({
    state, session, view, layer, head, theme, busy, problem, moved, models,
    model: models.find(({ name }) => name === state.model) ?? null,
    waiting: waiting.now(),
    bare: Boolean(waiting.now() || (problem && !answers(session, requestOf(state)))),
    palette: createPalette({ theme, scale: state.scale, range: state.range }),
    languageHref: hrefOf({ ...state, lang: boot.lang === "en" ? "ko" : "en" }),
  });
}

addEventListener("popstate", () => {
  state = parse(location.search, start);
  show();
});

// A model that is not here yet is waited for; otherwise the text is asked for at once.
async function begin() {
  draw();
  try {
    ({ models } = await api.models());
  } catch (error) {
    return fail(error);
  }
  const model = models.find(({ name }) => name === state.model);
  return model && !model.ready ? waiting.begin(model.name) : show();
}
begin();
