// The page: its state, what is asked of the server for it, and what the views are handed to draw.

import { ApiProblem, asProblem, createApi } from "./api.js";
import { createStarts, format, parse } from "./state.js";
import { createViews } from "./views.js";
import { fitted, forExample, forKind, forModel, forReader, forText, rangeOf, requestOf, tabOf } from "./lib/choices.js";
import { createAnalyses } from "./lib/analyses.js";
import { createPalette } from "./lib/color.js";
import { createI18n } from "./lib/i18n.js";
import { windowHolding } from "./lib/cells.js";
import { refused } from "./lib/models.js";
import { linkQuery, withRival } from "./lib/link.js";
import { originalAt } from "./lib/looked.js";
import { toggled } from "./lib/off.js";
import { createPlotly } from "./lib/plotly.js";
import { answers, createSessions, mapOf, peak, sameExample } from "./lib/session.js";
import { createPreferences } from "./lib/storage.js";
import { headOf, wantOf } from "./lib/want.js";
import { createWaiting } from "./lib/waiting.js";
import { withWord } from "./lib/words.js";
import { createWriting, idsOf, roomOf } from "./lib/writing.js";

const boot = JSON.parse(document.getElementById("boot").textContent);
const i18n = createI18n(boot.lang, boot.messages);
const startOf = createStarts(boot.examples, boot.default_model);
const api = createApi();
const sessions = createSessions(api);
const CELLS = { unasked: 6e6, asked: 3e7 }; // weights of a kind up to which roles are looked for: always, while the tool is open
const ONE_GESTURE = 600;
const PATIENCE = 120;
const KEEP = 400; // milliseconds between two times that what a model writes is put into the address
const WHOLE = { queries: null, keys: null };

let state = parse(location.search, startOf);
let session = null;
let view = null;
let problem = null;
let models = [];
let draft = null;
let turn = 0;
let lastKey = -Infinity;
let busy = false;
let busyTimer = 0;
let frame = 0;
let lingering = null;

const waiting = createWaiting({
  api, asProblem, onChange: () => draw(), onReady: () => show(), onModels: (list) => (models = list), onProblem: (error) => fail(error instanceof Error ? error : asProblem(error)),
});
const writing = createWriting({ api, onChange: () => (keepWritten(KEEP), drawLive()), onEnd: written, onProblem: (error) => fail(error instanceof Error ? error : asProblem(error)) });
const analyses = createAnalyses({ onChange: () => draw() });
const act = {
  draft: (text, pair) => {
    draft = { text, pair };
    views.typed(sceneOf());
  },
  text: (text, target, pair) => (text.trim() ? ask(text, target, pair) : fail(new ApiProblem("empty-text"))),
  replace: (word, near) => ask(withWord(state.text ?? "", word, near), state.target && withWord(state.target, word, near)),
  example: (example) => choose(forExample(state, example), "text"),
  image: (image) => choose({ image, text: null, pair: null, target: null, truncate: false, query: null, key: null, ...WHOLE }, "text"),
  file: upload,
  beginning: () => choose({ truncate: true }, "text"),
  model: (name) => choose(forModel({ ...state, ...draft }, draft?.text ?? null, modelOf(state.model), modelOf(name) ?? { name }, boot.examples, startOf), "text"),
  reader: (name, words) => choose(forReader(state, name, startOf, words), "text"),
  kind: (kind) => choose(forKind(state, mapOf(session.trace, kind), session.map.kind), "text"),
  hint: (kind, layer, head) => (kind === session.map.kind ? choose({ layer, head, key: null }) : choose({ ...forKind(state, mapOf(session.trace, kind), session.map.kind), layer, head }, "text")),
  head: (layer, head, how) => choose({ layer, head }, how),
  // The tool keeps its key: another word is asked the same question.
  query: (query, how) => choose(cellOf(state.tool ? { query } : { query, key: null }), how),
  tool: (open) => choose(open ? { tool: "link" } : { tool: null, rivals: null }),
  link: chooseLink,
  rival: (at, more = {}) => chooseLink({ rivals: withRival(state.rivals, at), ...more }),
  swap: () => choose({ query: state.key, key: state.query, rivals: null, ...WHOLE }),
  position: (query) => choose({ query, key: null }),
  cell: (query, key, how) => choose({ ...cellOf({ query, key }), ...windowsWith(query, key) }, how, true),
  block: chooseBlock,
  window: ({ queries, keys, ...cell }) => choose({ queries: orWhole(queries, "queries"), keys: orWhole(keys, "keys"), ...cellOf(cell) }),
  view: (name) => choose({ view: name === tabOf({ view: null }, session?.trace) ? null : name }),
  special: (special) => choose({ special, ...WHOLE }, "text"),
  words: (words) => choose({ words, ...WHOLE }, "text"),
  segments: (segments) => choose({ segments, ...WHOLE }, "text"),
  off: (kind, layer, head) => choose({ off: toggled(state.off, kind, layer, head) }, "text"),
  allOn: () => choose({ off: null }, "text"),
  scale: (scale) => choose({ scale }),
  range: (range) => choose({ range: range === rangeOf({ range: null }, session?.trace) ? null : range }),
  retry: () => (models.length ? show(true) : begin()),
  fetch: () => waiting.fetch(state.model).catch(fail),
  redraw: () => draw(),
  write,
  stop: () => writing.stop(),
  sampling: (patch) => choose(patch),
  chat: (chat) => choose({ ...typed(), chat, written: null, query: null, key: null, ...WHOLE }, "text"),
  clear: () => choose({ written: null, query: null, key: null, ...WHOLE }, "text"),
  step: (query) => choose({ query, key: null, ...WHOLE }, "same"),
};
const views = createViews(document, {
  i18n,
  examples: boot.examples,
  urls: { image: api.imageUrl, picture: api.pictureUrl },
  preferences: createPreferences(() => window.localStorage),
  plotly: createPlotly(document, boot.plotly),
  peakOf: (layer, head) => peak(session, layer, head),
  hrefOf: (example) => hrefOf({ ...state, ...forExample(state, example) }),
  linkOf: () => location.origin + hrefOf(state),
}, act);

// ---- choices: each is a new state, and a place to come back to
function choose(patch, how, moved = false) {
  keepWritten();
  state = fitted({ ...state, ...patch }, modelOf(patch.model ?? state.model), startOf);
  if ("text" in patch) draft = null;
  remember(how);
  if (how === "text" || how === "written") show(true);
  else focus(moved);
}
// A link may say that the model wrote what no model can: a text that is asked for again begins without it.
const ask = (text, target, pair = null) => choose({ ...forText(state, text, target, boot.examples, pair), truncate: false, ...(problem && { written: null }) }, "text");

// Keys held down are one gesture: they leave one place to come back to. So do the steps, and a text while it is written.
function remember(how) {
  const href = hrefOf(state);
  if (href === location.pathname + location.search) return;
  const now = performance.now();
  const same = how === "same" || how === "written" || (how === "key" && now - lastKey < ONE_GESTURE);
  lastKey = how === "key" ? now : -Infinity;
  history[same ? "replaceState" : "pushState"](null, "", href);
}
const hrefOf = (some) => location.pathname + format(some, startOf);
const modelOf = (name) => models.find((model) => model.name === name) ?? null;

// Views speak of what is shown; the state of the tokens that the model read.
function cellOf(cell) {
  const axes = { query: session.queryTokens, key: session.keyTokens };
  return Object.fromEntries(Object.entries(cell).map(([axis, shown]) => [axis, originalAt(axes[axis], shown)]));
}
function windowsWith(query, key) {
  const { queries, keys } = session.map;
  return { queries: windowHolding(state.queries, query, queries), keys: key === null ? state.keys : windowHolding(state.keys, key, keys) };
}
function orWhole(span, axis) {
  return span && span[0] === 0 && span[1] >= session.map[axis] ? null : span;
}

function chooseLink(patch) {
  choose({ ...patch, ...WHOLE }, patch.words ? "text" : "click");
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

async function upload(file) {
  problem = null;
  draw();
  try {
    const { id } = await api.postImage(file);
    act.image(id);
  } catch (error) {
    fail(error);
    throw error;
  }
}

// ---- a model that writes on
function write(again) {
  const text = draft?.text ?? state.text ?? "";
  if (!text.trim()) return fail(new ApiProblem("empty-text"));
  if (text !== (state.text ?? "")) ask(text, null);
  else if (again) choose({ written: null, query: null, key: null, ...WHOLE, ...(state.method === "sample" && { seed: (state.seed + 1) % 2 ** 32 }) }, "text");
  problem = null;
  const { tokens: most, method, temperature, topk: top_k, seed } = state;
  const sampling = method === "sample" ? { method, temperature, top_k, seed } : { method };
  return writing.start(request(), { most, sampling }, session ? headOf(state, session.map) : { layer: state.layer, head: state.head });
}

// What is written so far stands in the address, in a place of its own: who leaves and comes back finds it there.
function keepWritten(pause = 0) {
  const run = writing?.now();
  const ids = run ? idsOf(run) : "";
  const now = performance.now();
  if (!ids || now - (run.keptAt ?? -Infinity) < pause) return;
  const href = hrefOf({ ...state, written: ids, query: null, key: null, ...WHOLE });
  if (href !== location.pathname + location.search) history[run.keptAt === undefined ? "pushState" : "replaceState"](null, "", href);
  run.keptAt = now;
}

// The text in the box, where it is another one than that on show.
const typed = () => (isTyped() ? forText(state, draft.text, null, boot.examples, draft.pair) : {});
const isTyped = () => Boolean(draft?.text.trim()) && draft.text !== (state.text ?? "");

// What was written becomes part of the example; the step that wrote the last token comes into focus.
function written({ state: how, problem: wrong, trace, written: ids, reason }, run) {
  const { request: asked } = run;
  if (how === "failed") return fail(asProblem(wrong));
  if (!trace) return draw();
  lingering = { ...run, state: "ended", reason }; // its text stays until the trace of it is there
  const before = asked.written ? asked.written.split(".").length : 0;
  const count = session && sameExample(session.request, asked) ? session.posted.source.texts.length - before + ids.length : null;
  return choose({ written: ids.join("."), query: count === null ? null : count - 2, key: null, ...WHOLE }, run.keptAt === undefined ? "text" : "written");
}

// ---- from state to picture
const request = () => requestOf(state, modelOf(state.model), startOf);

async function show(again = false) {
  const mine = ++turn;
  const wanted = request();
  problem = null;
  waiting.stop();
  if (writing.now() && !sameExample(writing.now().request, wanted)) writing.leave();
  if (lingering && !wanted.written) lingering = null;
  if (answers(session, wanted) && !again) return focus();
  const model = modelOf(state.model);
  if (model && (["absent", "fetching"].includes(model.state) || refused(model))) return waiting.begin(state.model);
  setBusy(mine);
  try {
    const opened = answers(session, wanted) ? session : await sessions.open(wanted);
    if (mine !== turn) return undefined;
    session = opened;
    notBusy();
    if (!model?.ready) refresh();
    return focus();
  } catch (error) {
    if (mine === turn) fail(error);
    return undefined;
  }
}

// A model that had failed works now, and its name in the list must not say otherwise.
async function refresh() {
  try {
    ({ models } = await api.models());
    draw();
  } catch {
    // The picture is there; the list stays as it was.
  }
}

// What the analyses are asked: of a long text only while somebody looks at the answers.
function analyse() {
  const { kind, layers, heads, queries, keys } = session.map;
  const isOpen = state.tool === "link" && !session.trace.picture;
  const isShort = layers * heads * queries * keys <= (isOpen ? CELLS.asked : CELLS.unasked);
  analyses.want("links", session, "link", isOpen ? linkQuery(session, state) : null);
  analyses.want("mentions", session, "mentions", isOpen ? { kind } : null);
  analyses.want("profile", session, "profile", isShort && !session.trace.picture ? { kind } : null);
}

async function focus(moved = false) {
  if (!session) return draw();
  analyse();
  writing.look(headOf(state, session.map));
  const mine = ++turn;
  const want = wantOf(state, session);
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
  if (answers(session, request())) lingering = null;
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
  lingering = null;
  if (error.code === "model-absent" || error.code === "model-loading") {
    waiting.begin(state.model);
    return;
  }
  problem = error instanceof ApiProblem ? error : new ApiProblem("internal");
  draw();
  if (!(error instanceof ApiProblem)) console.error(error);
}

function draw(moved = false) {
  const scene = sceneOf(moved);
  document.title = i18n.t("page.title", { head: `L${scene.layer} H${scene.head}`, text: (state.text ?? scene.model?.title ?? "").slice(0, 60) });
  views.update(scene);
}

// Tokens may come faster than they can be drawn.
function drawLive() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    views.live(sceneOf());
  });
}

function sceneOf(moved = false) {
  const { layer, head } = session ? headOf(state, session.map) : state;
  const theme = views.theme();
  const model = modelOf(state.model);
  const wanted = request();
  const range = rangeOf(state, session?.trace);
  return {
    state: { ...fitted(state, model, startOf), range },
    session, view, layer, head, theme, busy, problem, moved, models, model,
    input: model?.input ?? (wanted.image ? "picture" : "text"),
    tab: tabOf(state, session?.trace),
    blocked: session?.blocked(layer) ?? null,
    waiting: waiting.now(),
    bare: Boolean(waiting.now() || (problem && !answers(session, wanted))),
    palette: createPalette({ theme, scale: state.scale, range }),
    languageHref: hrefOf({ ...state, lang: boot.lang === "en" ? "ko" : "en" }),
    writing: writing.now() ?? lingering,
    room: session && !isTyped() && sameExample(session.request, wanted) ? roomOf(session.posted) : null,
    links: analyses.now("links"), mentions: analyses.now("mentions"), profile: analyses.now("profile"),
  };
}

addEventListener("popstate", () => {
  writing.leave();
  state = parse(location.search, startOf);
  draft = null;
  show();
});

addEventListener("pagehide", () => keepWritten());
document.addEventListener("visibilitychange", () => keepWritten());

// A model that is not here yet is waited for; otherwise the text is asked for at once.
async function begin() {
  draw();
  try {
    ({ models } = await api.models());
  } catch (error) {
    return fail(error);
  }
  const model = modelOf(state.model);
  return model?.ready ? show() : waiting.begin(state.model);
}
begin();
