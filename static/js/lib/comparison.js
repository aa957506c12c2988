// What two traces differ in, as it becomes known: the other side, the heads by change, one head's cells before and after.

import { cellsQuery, changeOf, isChange, otherHead, ranksQuery } from "./compare.js";
import { entropiesOf } from "./entropies.js";
import { createKeep } from "./keep.js";
import { lookQuery, originalAt, shownAt } from "./looked.js";
import { readNpy } from "./npy.js";
import { pairWindow } from "./pairs.js";
import { contentOf, mapOf } from "./session.js";

const KEPT = { side: 6, ranks: 24, cells: 60, profile: 12, row: 200 };
const PAUSE = 120; // milliseconds that a head stays in focus before another model's heads are ranked by it
const AHEAD = 4096; // cells up to which the neighbours of the head in focus are read ahead

/**
 * want(session, spec, at) says what is compared from now on, null for nothing; at: { state, layer, head }. now(): null, or
 * { way, session, side, first, second, ranks, other, cells, entropies, stays, problem }: the axes of both, or null; ranks and
 * cells as { state: "waiting" | "ready" | "failed", value }, or null; entropies as `entropiesOf`, null between two models;
 * `stays` is what was ready last, while something else is read.
 */
export function createComparison({ api, onChange }) {
  const answers = createAnswers(() => {
    proceed(false);
    onChange();
  });
  let wanted = null;
  let shown = null;
  let stays = null;
  let timer = 0;

  function sideOf(request, look, session, again) {
    const isShown = session && sameLook(look, lookQuery(session.request));
    if (isShown) return { state: "ready", value: { request, posted: session.posted, seen: session.trace } };
    return answers.of("side", JSON.stringify([contentOf(request), look]), () => openSide(api, request, look), again);
  }

  function proceed(again) {
    answers.forget();
    if (!wanted) return;
    const { session, spec, at } = wanted;
    const { kind } = session.map;
    const [own, other] = [sideOf(session.request, spec.look, session, again), sideOf(spec.request, spec.look, null, again)];
    shown = { way: spec.way, session, side: "first", first: null, second: null, ranks: null, other: null, cells: null, entropies: null, problem: own.problem ?? other.problem ?? null };
    if (own.state !== "ready" || other.state !== "ready") return;
    // What was changed comes after: the other side is the same model as it is.
    const sides = isChange(spec.way) ? [other.value, own.value] : [own.value, other.value];
    if (isChange(spec.way)) shown.side = "second";
    [shown.first, shown.second] = sides.map((side) => axesOf(side, kind));
    const ask = createAsk(api, sides);
    const query = ranksQuery(spec, session.map, at);
    shown.ranks = answers.of("ranks", ask.name(query), () => ask.ranks(query), again);
    shown.problem = shown.ranks.problem ?? null;
    if (shown.ranks.state !== "ready") return;
    if (spec.way === "model") shown.other = otherHead(at.state, shown.second.map, shown.ranks.value);
    const cellsOf = (head, how) => {
      const cells = cellsQuery(spec, kind, head, shown.other, windowsOf(shown, at.state));
      return answers.of("cells", ask.name(cells), () => ask.cells(cells), how);
    };
    shown.cells = cellsOf(at, again);
    shown.problem = shown.cells.problem ?? null;
    if (shown.cells.state !== "ready") return;
    if (spec.way !== "model") shown.entropies = entropiesOf(shown, at, {
      profile: (side, query) => answers.of("profile", ask.sideName(side, query), () => ask.profile(side, query)),
      row: (side, query) => answers.of("row", ask.sideName(side, query), () => ask.row(side, query)),
    });
    stays = { ...shown };
    if (spec.way !== "model" && shown.cells.value.change.length <= AHEAD) neighbours(at, session.map).forEach((head) => cellsOf(head, "ahead"));
  }

  return {
    want(session, spec, at) {
      clearTimeout(timer);
      const isMove = spec?.way === "model" && wanted?.session === session && JSON.stringify(wanted.spec) === JSON.stringify(spec);
      wanted = session && spec ? { session, spec, at } : null;
      if (!wanted) {
        shown = stays = null;
        answers.forget();
      } else if (isMove && shown?.cells) {
        shown = { ...shown, cells: { state: "waiting" } };
        timer = setTimeout(() => (proceed(true), onChange()), PAUSE);
      } else proceed(true);
    },
    now: () => shown && { ...shown, stays: stays?.session === shown.session && stays.way === shown.way ? stays : null },
  };
}

// Answers by their keys: each is asked for when it is first needed, and told of when it is still needed once it is there.
function createAnswers(onAnswer) {
  const held = Object.fromEntries(Object.entries(KEPT).map(([stage, most]) => [stage, createKeep(most)]));
  const needed = new Set();

  /** how: true asks again for what had failed, "ahead" reads what is not needed yet. */
  function of(stage, key, work, how) {
    let entry = held[stage].get(key);
    if (!entry || (entry.state === "failed" && how === true)) {
      entry = { state: "waiting", value: null, problem: null };
      held[stage].put(key, entry);
      const mine = entry;
      const settle = (result) => {
        Object.assign(mine, result);
        if (needed.has(mine)) onAnswer();
      };
      work().then((value) => settle({ state: "ready", value }), (problem) => settle({ state: "failed", problem }));
    }
    if (how !== "ahead") needed.add(entry);
    return entry;
  }
  return { of, forget: () => needed.clear() };
}

async function openSide(api, request, look) {
  const posted = await api.trace(request);
  return { request, posted, seen: Object.keys(look).length ? await api.seen(posted.id, look) : posted };
}

// What is asked of two traces; one that the server has let go is posted once more.
function createAsk(api, sides) {
  const ids = sides.map(({ posted }) => posted.id);
  const [first, second] = ids;
  async function again(work) {
    try {
      return await work();
    } catch (error) {
      const gone = error.code === "trace-not-held" && sides.find(({ posted }) => posted.id === error.facts?.trace);
      if (!gone) throw error;
      for (const { request } of sides) await api.trace(request);
      return work();
    }
  }
  return {
    name: (query) => JSON.stringify([first, second, query]),
    sideName: (side, query) => JSON.stringify([ids[side], query]),
    ranks: (query) => again(() => api.analysis(first, "difference", { with: second, ...query })),
    profile: (side, query) => again(() => api.analysis(ids[side], "profile", query)),
    row: async (side, query) => readNpy(await again(() => api.weights(ids[side], query))).data,
    cells: async (query) => changeOf(readNpy(await again(() => api.difference(first, { with: second, ...query }))), query),
  };
}

const sameLook = (one, other) => JSON.stringify(one) === JSON.stringify(other);

// The tokens of both axes of a side, and its model.
function axesOf({ posted, seen }, kind) {
  const map = mapOf(seen, kind);
  return { model: posted.model, map, queries: seen[map.query_axis], keys: seen[map.key_axis], text: posted.source.text, off: posted.off ?? [], whatIf: posted.what_if ?? [], notices: posted.notices ?? [] };
}

// The windows of the state as windows of pairs.
function windowsOf({ session, side, ranks, ...sides }, { queries, keys }) {
  const of = (span, tokens, own, pairs) => pairWindow(pairs, side, span && translated(span, tokens, own));
  return [
    of(queries, session.queryTokens, sides[side].queries, ranks.value.queries),
    of(keys, session.keyTokens, sides[side].keys, ranks.value.keys),
  ];
}

/** A window of tokens shown in one way as a window of the same tokens shown in another; null where none is left. */
export function translated([from, to], tokens, others) {
  const last = tokens.texts.length - 1;
  const [first, end] = [from, to - 1].map((at) => shownAt(others, originalAt(tokens, Math.min(at, last))));
  return first === null || end === null ? null : [first, end + 1];
}

// The heads one arrow key away.
function neighbours({ layer, head }, { layers, heads }) {
  const near = [[layer, head + 1], [layer, head - 1], [layer + 1, head], [layer - 1, head]];
  return near.filter(([l, h]) => l >= 0 && h >= 0 && l < layers && h < heads).map(([l, h]) => ({ layer: l, head: h }));
}
