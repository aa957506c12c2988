// The page: its state, what is asked of the server for it, and what the views are handed to draw.

import { ApiProblem, asProblem, createApi } from "./api.js";
import { createStarts, format, parse } from "./state.js";
import { createViews } from "./views.js";
import { createChoices, WHOLE } from "./lib/acts.js";
import { createAddress } from "./lib/address.js";
import { EXPERIMENT_SLOTS, experimentsOf } from "./lib/aim.js";
import { createAnalyses } from "./lib/analyses.js";
import { atlasHref } from "./lib/atlas.js";
import { createAtlases } from "./lib/atlases.js";
import { questionsOf, SLOTS } from "./lib/asked.js";
import { createBusy } from "./lib/busy.js";
import { createComputing } from "./lib/compute/asking.js";
import { createComparison } from "./lib/comparison.js";
import { comparedOf, isLookedAt } from "./lib/compare.js";
import { exampleOf, fitted, forExample, forFile, forText, inputOf, rangeOf, requestOf, tabOf } from "./lib/choices.js";
import { createPalette } from "./lib/color.js";
import { createI18n } from "./lib/i18n.js";
import { createEditing, openMine } from "./lib/lesson/mine.js";
import { createDraft } from "./lib/draft.js";
import { isTraceFile } from "./lib/dropped.js";
import { createExperiments } from "./lib/experiment.js";
import { glowOf } from "./lib/glow.js";
import { refused } from "./lib/models.js";
import { createChosenNumbers, placeOf } from "./lib/numbers.js";
import { isByLength } from "./lib/looked.js";
import { markGlow, rolesOf } from "./lib/roles.js";
import { createPlotly } from "./lib/plotly.js";
import { answers, createSessions, peak, revisionOf, sameExample } from "./lib/session.js";
import { createPrinting } from "./lib/printing.js";
import { createSharing } from "./lib/shared.js";
import { pack, unpack } from "./lib/packing.js";
import { createPreferences } from "./lib/storage.js";
import { headOf, wantOf } from "./lib/want.js";
import { createWaiting } from "./lib/waiting.js";
import { withWord } from "./lib/words.js";
import { createWriting, idsOf, lastStep, roomOf, wishOf } from "./lib/writing.js";

const boot = JSON.parse(document.getElementById("boot").textContent);
const i18n = createI18n(boot.lang, boot.messages);
const startOf = createStarts(boot.examples, boot.default_model);
const api = createApi();
const sessions = createSessions(api);
const KEEP = 400; // milliseconds between two times that what a model writes is put into the address

const address = createAddress({ history, here: () => location.pathname + location.search, pack, unpack });

let state = parse("", startOf);
let session = null;
let view = null;
let problem = null;
let models = [];
let draft = null;
let turn = 0; // which example is being read, and is it still?
let reading = false;
let glance = 0; // which head of the one on show
let frame = 0;
let lingering = null;

const waiting = createWaiting({
  api, asProblem, onChange: () => draw(), onReady: () => show(), onModels: (list) => (models = list), onProblem: (error) => fail(error instanceof Error ? error : asProblem(error)),
});
const writing = createWriting({ api, onChange: () => (keepWritten(KEEP), drawLive()), onEnd: written, onProblem: (error) => fail(error instanceof Error ? error : asProblem(error)) });
const numbers = createChosenNumbers({ onChange: () => draw() });
const analyses = createAnalyses({ onChange: () => draw() });
const atlases = createAtlases({ api, onChange: () => draw() });
const experiments = createExperiments({ api, asProblem, onChange: () => draw() });
const computing = createComputing({ analyses, experiments });
const comparison = createComparison({ api, onChange: () => draw() });
const busy = createBusy({ onChange: () => draw() });
const act = {
  ...createChoices({ now: () => ({ state, session, draft }), choose, examples: boot.examples, startOf, modelOf }),
  draft: (text, pair) => {
    draft = { text, pair };
    views.typed(sceneOf());
  },
  text: (text, target, pair) => (text.trim() ? ask(text, target, pair) : fail(new ApiProblem("empty-text"))),
  replace: (word, near) => ask(withWord(state.text ?? "", word, near), state.target && withWord(state.target, word, near)),
  file: upload,
  open: openFile,
  language: (event) => {
    const href = otherLanguage();
    if (address.short(href) === href) return;
    event.preventDefault(); // a text too long for a link is taken along
    address.remember(href, "text").then(() => location.reload());
  },
  theme: () => (state.theme ? choose({ theme: null }, "same") : draw()), // what the visitor chooses counts more than a link
  block: chooseBlock,
  scan: (scan) => {
    if (!scan) experiments.stop("scan");
    choose({ scan });
  },
  again: (slot) => experiments.again(slot),
  cancel: (slot) => experiments.stop(slot),
  retry: () => (models.length ? show(true) : begin()),
  fetch: () => waiting.fetch(state.model).catch(fail),
  redraw: () => draw(),
  write,
  stop: () => writing.stop(),
  chat: (chat) => choose({ ...typed(), chat, written: null, query: null, key: null, ...WHOLE }, "text"),
};
const mine = openMine(window, { onChange: () => draw() });
const sharing = createSharing({ api, base: boot.public_url ?? location.origin, i18n, searchOf: inFull, pack });
const views = createViews(document, {
  i18n,
  examples: boot.examples,
  urls: { image: api.imageUrl, picture: api.pictureUrl },
  preferences: createPreferences(() => window.localStorage),
  plotly: createPlotly(document, boot.plotly),
  peakOf: (layer, head) => peak(session, layer, head),
  hrefOf: (example) => hrefOf({ ...state, ...forExample(state, example) }),
  linkOf: permalink,
  lesson: { mine, editing: createEditing(window) },
  files: boot.trace_files,
  drafts: createDraft(() => window.sessionStorage),
  themeOf: () => state.theme,
  sharing,
}, act);
createPrinting(window, { redraw: () => draw(), linkOf: () => location.href });

// ---- choices: each is a new state, and a place to come back to
function choose(patch, how, moved = false) {
  keepWritten();
  state = fitted({ ...state, ...patch }, modelOf(patch.model ?? state.model), startOf);
  if ("text" in patch) draft = null;
  address.remember(hrefOf(state), how);
  if (how === "text" || how === "written") show(true);
  else focus(moved);
}
// A link may say that the model wrote what no model can: a text that is asked for again begins without it.
const ask = (text, target, pair = null) => choose({ ...forText(state, text, target, boot.examples, pair), truncate: false, ...(problem && { written: null }) }, "text");

// An address that is shared says everything: other examples may come first one day.
function inFull(some) {
  return format(some, () => ({}));
}

// Everything that is on show and all that it depends on.
async function permalink() {
  const shown = { ...state, rev: revisionOf(session), theme: sceneOf().theme, lang: boot.lang };
  const carried = session ? await sharing.travelling(shown, session) : shown;
  const packed = await pack(inFull(carried));
  return { href: packed === null ? null : location.origin + location.pathname + packed, isCut: carried !== shown };
}

const otherLanguage = () => hrefOf({ ...state, lang: boot.lang === "en" ? "ko" : "en" });

const hrefOf = (some) => location.pathname + format(some, startOf);
function modelOf(name) {
  return models.find((model) => model.name === name) ?? null;
}

// A trace of a file was made elsewhere: no model here has to do with it.
const modelNow = () => (state.trace ? null : modelOf(state.model));

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

async function openFile(file, count) {
  problem = null;
  draw();
  try {
    if (count > 1) throw new ApiProblem("trace-file", { facts: { reason: "several", count } });
    if (!isTraceFile(file)) throw new ApiProblem("trace-file");
    const { id, model } = await api.postTraceFile(file);
    choose(forFile(id, modelOf(model.name)?.name), "text");
  } catch (error) {
    fail(error);
  }
}

// ---- a model that writes on
function write(again) {
  const text = draft?.text ?? state.text ?? "";
  if (!text.trim()) return fail(new ApiProblem("empty-text"));
  if (text !== (state.text ?? "")) ask(text, null);
  else if (again) choose({ written: null, query: null, key: null, ...WHOLE, ...(state.method === "sample" && { seed: (state.seed + 1) % 2 ** 32 }) }, "text");
  problem = null;
  return writing.start(request(), wishOf(state), session ? headOf(state, session.map) : { layer: state.layer, head: state.head });
}

// What is written so far stands in the address, in a place of its own: who leaves and comes back finds it there.
function keepWritten(pause = 0) {
  const run = writing?.now();
  const ids = run ? idsOf(run) : "";
  if (ids) address.keep(run, hrefOf({ ...state, written: ids, query: null, key: null, ...WHOLE }), pause);
}

// The text in the box, where it is another one than that on show.
const typed = () => (isTyped() ? forText(state, draft.text, null, boot.examples, draft.pair) : {});
const isTyped = () => Boolean(draft?.text.trim()) && draft.text !== (state.text ?? "");

// What was written becomes part of the example; the step that wrote the last token comes into focus.
function written({ state: how, problem: wrong, trace, written: ids, reason }, run) {
  if (how === "failed") return fail(asProblem(wrong));
  if (!trace) return draw();
  lingering = { ...run, state: "ended", reason }; // its text stays until the trace of it is there
  const query = session && sameExample(session.request, run.request) ? lastStep(session.posted, run.request, ids) : null;
  return choose({ written: ids.join("."), query, key: null, ...WHOLE }, address.isKept(run) ? "written" : "text");
}

// ---- from state to picture
const request = () => requestOf(state, modelOf(state.model), startOf);
const compared = () => comparedOf(state, request(), models);

async function show(again = false) {
  const mine = ++turn;
  glance += 1;
  reading = false;
  const wanted = request();
  problem = null;
  waiting.stop();
  if (writing.now() && !sameExample(writing.now().request, wanted)) writing.leave();
  if (lingering && !wanted.written) lingering = null;
  if (answers(session, wanted) && !again) return focus();
  const model = modelNow();
  if (model && (["absent", "fetching"].includes(model.state) || refused(model))) return waiting.begin(state.model);
  reading = true;
  busy.soon(() => mine === turn);
  try {
    const opened = answers(session, wanted) ? session : await sessions.open(wanted);
    if (mine !== turn) return undefined;
    reading = false;
    session = opened;
    state = fitted(state, modelNow(), startOf, session.posted);
    busy.over();
    if (!model?.ready && !wanted.trace) refresh();
    return focus();
  } catch (error) {
    if (mine === turn) fail(error);
    return undefined;
  }
}

// A model that had failed works now, and its name in the list must not say otherwise.
async function refresh() {
  try {
    ({ models } = await api.models(state.model));
    draw();
  } catch {
    // The picture is there; the list stays as it was.
  }
}

async function focus(moved = false) {
  if (!session) return draw();
  for (const [slot, [name, query]] of Object.entries(questionsOf(state, session))) analyses.want(slot, session, name, query);
  for (const [slot, asked] of Object.entries(experimentsOf(state, session))) experiments.want(slot, asked);
  atlases.want(session.request.model);
  // While another example is being read, the old one would be compared with what the new one asks for.
  if (answers(session, request())) comparison.want(session, isLookedAt(state) ? compared() : null, { state, ...headOf(state, session.map) });
  writing.look(headOf(state, session.map));
  const mine = ++glance;
  const want = wantOf(state, session);
  const ready = session.reader.ready(want);
  if (ready) {
    settle(ready, moved);
  } else {
    view = null;
    busy.soon(() => mine === glance);
    draw();
    try {
      const found = await session.reader.view(want);
      if (mine !== glance) return undefined;
      settle(found, moved);
    } catch (error) {
      if (mine === glance) fail(error);
      return undefined;
    }
  }
  const { reader } = session;
  return setTimeout(() => mine === glance && reader.prefetch(want).catch(() => {}), 0);
}

function settle(found, moved) {
  if (!reading) busy.over();
  problem = null;
  if (answers(session, request())) lingering = null;
  view = found;
  computing.want(state, session, view);
  const place = isByLength(session) ? placeOf(session, found) : null;
  numbers.want(session, place && { ...place, ...headOf(state, session.map) });
  draw(moved);
}

function fail(error) {
  if (error.name === "AbortError") return;
  reading = false;
  busy.over();
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
  i18n.speakOf(isByLength(session) ? "norm" : "weight");
  const scene = sceneOf(moved);
  const { text } = exampleOf(state, session?.posted);
  document.title = i18n.t("page.title", { head: `L${scene.layer} H${scene.head}`, text: (text ?? scene.model?.title ?? "").slice(0, 60) });
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
  const model = modelNow();
  const wanted = request();
  const range = rangeOf(state, session?.trace);
  const found = Object.fromEntries(SLOTS.map((slot) => [slot, analyses.now(slot)]));
  for (const slot of EXPERIMENT_SLOTS) found[slot] = experiments.now(slot);
  // What is known of a model's heads is known of the model as it is.
  const atlas = session && !session.posted.what_if?.length ? atlases.now(session.request.model) : null;
  const roles = session ? rolesOf(found.profile, atlas, session.map.kind) : null;
  return {
    state: { ...fitted(state, model, startOf), range },
    session, view, layer, head, theme, busy: busy.now(), problem, moved, models, model,
    input: model?.input ?? inputOf(wanted, session?.posted),
    tab: tabOf(state, session?.trace, Boolean(compared())),
    compared: compared(), comparison: comparison.now(),
    blocked: session?.blocked(layer) ?? null,
    waiting: waiting.now(),
    bare: Boolean(waiting.now() || (problem && !answers(session, wanted))),
    palette: createPalette({ theme, scale: state.scale, range }),
    languageHref: address.short(otherLanguage()), atlasHref: atlasHref(state, startOf(state.model)),
    writing: writing.now() ?? lingering,
    room: session && !isTyped() && sameExample(session.request, wanted) ? roomOf(session.posted) : null,
    ...found, numbers: numbers.now(),
    compute: computing.now(),
    roles,
    glow: markGlow(roles, state) ?? glowOf({ state, kind: session?.map.kind, ...found, comparison: comparison.now() }),
  };
}

addEventListener("popstate", async () => {
  writing.leave();
  await read();
  draft = null;
  show();
});

// What the address says; of a packed one, what is inside.
async function read() {
  const search = await address.read(location.search);
  state = parse(search ?? "", startOf);
  return search !== null;
}

mine.open();
addEventListener("pagehide", () => keepWritten());
document.addEventListener("visibilitychange", () => keepWritten());

// A model that is not here yet is waited for; otherwise the text is asked for at once.
async function begin() {
  const isWhole = await read();
  draw();
  try {
    ({ models } = await api.models(state.model));
  } catch (error) {
    return fail(error);
  }
  if (!isWhole) return fail(new ApiProblem("link"));
  return state.trace || modelOf(state.model)?.ready ? show() : waiting.begin(state.model);
}
begin();
