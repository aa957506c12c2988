// The heatmap of the head in focus: what is under the pointer, the chosen cell, and the window on show.

import { el, setText, tokenNode } from "../lib/dom.js";
import { cellOf, zoomed } from "../lib/cells.js";
import { cellAt } from "../lib/figure.js";
import { createGridCell } from "../lib/gridcell.js";
import { weight } from "../lib/i18n.js";
import { moveInGrid } from "../lib/keys.js";
import { LEAST, numbersFit, removedFits } from "../lib/overlay.js";
import { createPlot } from "../lib/plot.js";
import { listenToPointer, placeIn, zoomOf } from "../lib/pointing.js";
import { segmentMark, spoken } from "../lib/segments.js";
import { describeTokens } from "../lib/tokens.js";

export function createHeatmap(root, { i18n, plotly, onCell, onBlock, onWindow }) {
  const view = root.ownerDocument.defaultView;
  const stage = root.querySelector("[data-stage]");
  const note = root.querySelector("[data-note]");
  const coarse = view.matchMedia("(pointer: coarse)");
  const cell = createGridCell(stage);
  const tip = createTip(stage.querySelector("[data-tip]"), i18n);
  const shown = { scene: null, geometry: null, hover: null };
  const plot = createPlot(stage, { plotly, canZoom: () => !coarse.matches && zoomOf(stage) === 1, onZoom: (windows) => { draw(); onWindow(windows); } });
  const tools = createZoom(root.querySelector("[data-zoom]"), shown, onWindow);

  function draw() {
    const { scene } = shown;
    const available = root.clientWidth;
    if (!scene?.view || available === 0) return;
    cell.show(readCell(i18n, scene));
    if (!plotly.now()) {
      plotly.load().then(draw, () => setText(note, i18n.t("heatmap.unavailable")));
      return;
    }
    shown.geometry = plot.draw(scene, available);
    stage.setAttribute("aria-label", i18n.t("heatmap.label", { head: `L${scene.layer} H${scene.head}` }));
    tools.update();
    setText(note, noteOf(i18n, shown, coarse.matches));
  }

  function hover(event) {
    const { scene, geometry } = shown;
    const next = event && scene?.view && geometry ? pointAt(event) : null;
    if (next?.query === shown.hover?.query && next?.key === shown.hover?.key) return;
    shown.hover = next;
    if (geometry) plot.overlay(next);
    tip.show(next, shown, root.clientWidth);
  }
  function pointAt(event) {
    return shown.geometry && cellAt(shown.geometry, ...placeIn(stage, event));
  }

  let before = null; // what was chosen before the first of two clicks
  listenToPointer(stage, {
    onMove: hover,
    onTwice: () => onWindow({ queries: null, keys: null, ...before }),
    onClick(event) {
      const cell = shown.scene?.view && pointAt(event);
      if (!cell) return;
      before = { query: shown.scene.view.query, key: shown.scene.view.key };
      stage.focus({ preventScroll: true });
      const { window } = shown.scene.view;
      if (window.exact) onCell(cell.query, cell.key, "click");
      else onBlock(...blockOf(window, cell));
    },
  });
  listenToKeys(stage, shown, tools, onCell);
  new view.ResizeObserver(() => draw()).observe(root);

  return {
    update(scene) {
      const { queryTokens, keyTokens } = scene.session;
      shown.scene = { ...scene, queryTokens: described(queryTokens), keyTokens: described(keyTokens) };
      if (shown.hover) hover(null);
      draw();
    },
  };
}

const named = new WeakMap();
function described(tokens) {
  if (!named.has(tokens)) named.set(tokens, describeTokens(tokens));
  return named.get(tokens);
}

// The chosen cell in words: "query it, key cat, 49%".
function readCell(i18n, { view, session: { map }, blocked, queryTokens, keyTokens }) {
  const number = view.row[view.key];
  const share = blocked?.pair(view.query, view.key, number) ? i18n.t("focus.blocked") : i18n.percent(number);
  const label = i18n.t("heatmap.cell", { query: spoken(queryTokens[view.query]), key: spoken(keyTokens[view.key]), share });
  return { rows: map.queries, columns: map.keys, row: view.query, column: view.key, label };
}

// The tokens that an overview's cell covers.
function blockOf(window, { query, key }) {
  const span = (edges, start, position) => {
    const i = cellOf(edges, position - start);
    return [start + edges[i], start + edges[i + 1]];
  };
  return [span(window.queryEdges, window.queries[0], query), span(window.keyEdges, window.keys[0], key)];
}

function isWhole({ view: { window }, session: { map } }) {
  return window.queries[1] - window.queries[0] === map.queries && window.keys[1] - window.keys[0] === map.keys;
}

function noteOf(i18n, { scene, geometry }, isCoarse) {
  const { window } = scene.view;
  const said = [];
  const span = ([from, to]) => `${from}–${to - 1}`;
  if (!isWhole(scene)) said.push(i18n.t("heatmap.window", { queries: span(window.queries), keys: span(window.keys) }));
  if (!window.exact) said.push(i18n.t("heatmap.overview", { rows: mostPerCell(window.queryEdges), columns: mostPerCell(window.keyEdges) }));
  else if (numbersFit(geometry)) said.push(i18n.t("heatmap.numbers", { least: LEAST }));
  else said.push(i18n.t(isCoarse ? "heatmap.exact-touch" : "heatmap.exact"));
  if (scene.blocked) said.push(i18n.t("heatmap.blocked"));
  if (scene.view.removed && window.exact && removedFits(geometry)) said.push(i18n.t("heatmap.removed"));
  return said.join(" ");
}

// Cells of one overview may differ by one token.
const mostPerCell = (edges) => Math.max(...edges.slice(1).map((edge, i) => edge - edges[i]));

// The exact number under the pointer.
function createTip(tip, i18n) {
  const doc = tip.ownerDocument;
  function show(cell, { scene, geometry }, room) {
    tip.hidden = !cell;
    if (!cell) return;
    const { window } = scene.view;
    const [i, j] = [cellOf(window.queryEdges, cell.query - window.queries[0]), cellOf(window.keyEdges, cell.key - window.keys[0])];
    const number = window.data[i * window.columns + j];
    const isBlocked = window.exact && scene.blocked?.pair(cell.query, cell.key, number);
    const value = isBlocked ? i18n.t("focus.blocked") : weight(number);
    const [query, key] = [scene.queryTokens[cell.query], scene.keyTokens[cell.key]];
    tip.replaceChildren(tokenNode(doc, query.text, { class: "query" }), segmentMark(doc, i18n, query.segment) ?? "", " → ",
      tokenNode(doc, key.text), segmentMark(doc, i18n, key.segment) ?? "", " ", el(doc, "b", { text: window.exact ? value : `≤ ${value}` }));
    const half = tip.offsetWidth / 2;
    const x = geometry.left + (cell.key - window.keys[0] + 0.5) * geometry.cellWidth;
    tip.style.left = `${Math.max(half, Math.min(room - half, x))}px`;
    tip.style.top = `${geometry.top + (cell.query - window.queries[0]) * geometry.cellHeight}px`;
  }
  return { show };
}

// The buttons − + Reset; they stand where there is something to zoom.
function createZoom(tools, shown, onWindow) {
  const [out, into, all] = ["out", "in", "reset"].map((name) => tools.querySelector(`[data-${name}]`));
  function by(factor) {
    const { view, session: { map } } = shown.scene;
    onWindow({ queries: zoomed(view.window.queries, map.queries, view.query, factor), keys: zoomed(view.window.keys, map.keys, view.key, factor) });
  }
  const reset = () => onWindow({ queries: null, keys: null });
  out.addEventListener("click", () => by(2));
  into.addEventListener("click", () => by(0.5));
  all.addEventListener("click", reset);

  function update() {
    const whole = isWhole(shown.scene);
    tools.hidden = shown.scene.session.map.queries <= 16 && whole;
    all.disabled = out.disabled = whole;
  }
  return { by, reset, update };
}

function listenToKeys(stage, shown, { by, reset }, onCell) {
  const shortcuts = { "+": () => by(0.5), "=": () => by(0.5), "-": () => by(2), 0: reset, Escape: reset };
  stage.addEventListener("keydown", (event) => {
    if (!shown.scene?.view || event.target !== stage) return;
    const { view, session: { map } } = shown.scene;
    const to = moveInGrid(event, [view.query, view.key], [map.queries, map.keys]);
    const isShortcut = !event.ctrlKey && !event.metaKey && !event.altKey && Object.hasOwn(shortcuts, event.key);
    if (!to && !isShortcut) return;
    event.preventDefault();
    if (to) onCell(to[0], to[1], "key");
    else shortcuts[event.key]();
  });
}
