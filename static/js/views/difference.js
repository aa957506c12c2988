// What changes in the head in focus: every cell's change, the numbers of one, and both sides small beneath.

import { el, fill, setText, tokenNode } from "../lib/dom.js";
import { cellEdges, cellOf } from "../lib/cells.js";
import { largestIn } from "../lib/compare.js";
import { css } from "../lib/color.js";
import { cursorOf, readingAt, shownCell, shownWindow } from "../lib/cursor.js";
import { createDiverging, limitOf, signedChange } from "../lib/diverging.js";
import { cellAt } from "../lib/figure.js";
import { createGridCell } from "../lib/gridcell.js";
import { parts, weight } from "../lib/i18n.js";
import { moveInGrid } from "../lib/keys.js";
import { numbersFit } from "../lib/overlay.js";
import { fromDifference, labelsOf } from "../lib/pairs.js";
import { createPlot } from "../lib/plot.js";
import { listenToPointer, placeIn, zoomOf } from "../lib/pointing.js";
import { drawSmall } from "../lib/small.js";
import { changesSaid } from "../lib/whatif.js";

const SOON = 300; // milliseconds before waiting is spoken of
const NAMED = 160; // characters of a text that is said in full
const REFUSED = new Set(["apart", "shapes", "unlike"]);

/** onCell(query, key, how) and onWindow({ queries, keys }) speak of tokens as they are shown; named: no other place says the two texts. */
export function createDifference(root, { i18n, plotly, sentenceOf, named = false, onCell, onWindow }) {
  const doc = root.ownerDocument;
  const view = doc.defaultView;
  const at = (name) => root.querySelector(`[data-${name}]`);
  const [stage, moved, note, waiting, wait, bar, ticks, legend, reset, body] = ["stage", "moved", "note", "waiting", "wait", "bar", "ticks", "legend", "reset", "body"].map(at);
  const tip = stage.querySelector("[data-tip]");
  const cell = createGridCell(stage);
  const smalls = ["before", "after"].map((name) => ({ name, canvas: at(`${name}-canvas`), title: at(`${name}-title`), entropy: at(`${name}-entropy`) }));
  const coarse = view.matchMedia("(pointer: coarse)");
  const plot = createPlot(stage, { plotly, canZoom: () => !coarse.matches && zoomOf(stage) === 1, onZoom: (windows) => { draw(); zoom(windows); } });
  let scene = null;
  let drawn = null; // { comparison, labels, cursor, geometry, palette }
  let own = null; // a cell that the text on show has no token for, by pairs
  let hover = null;
  let timer = 0;

  // ---- what is drawn: the newest that is ready
  function ready(comparison) {
    return comparison?.cells?.state === "ready" ? comparison : comparison?.stays ?? null;
  }

  function draw() {
    const comparison = ready(scene?.comparison);
    body.hidden = !comparison;
    if (!comparison || root.clientWidth === 0) return;
    const labels = labelled(comparison);
    const { value } = comparison.cells;
    const cursor = own && own.of === comparison.ranks.value ? own : cursorOf(comparison, scene.state);
    const limit = limitOf(value.change);
    const palette = createDiverging({ theme: scene.theme, limit });
    drawn = { comparison, labels, cursor, palette, geometry: null };
    drawLegend(comparison, palette);
    drawRead(cursor);
    drawSmalls();
    drawEntropies();
    reset.hidden = !isCut(value, comparison);
    setText(note, noteOf(value, comparison));
    if (!plotly.now()) {
      plotly.load().then(draw, () => setText(note, i18n.t("heatmap.unavailable")));
      return;
    }
    const window = { ...placeOf(value), data: value.change, rows: value.rows, columns: value.columns, exact: value.exact };
    drawn.geometry = plot.draw({ view: { window, largest: limit, query: cursor.query, key: cursor.key }, palette, queryTokens: labels.queries, keyTokens: labels.keys, blocked: null }, root.clientWidth);
    stage.setAttribute("aria-label", i18n.t("difference.label", { head: `L${scene.layer} H${scene.head}` }));
    setText(note, noteOf(value, comparison));
  }

  function drawLegend({ way }, { less, none, more, limit }) {
    bar.style.background = `linear-gradient(to right, ${css(less)}, ${css(none)}, ${css(more)})`;
    const marks = [-limit, 0, limit];
    ticks.replaceChildren(...marks.map((change, i) => el(doc, "span", { style: { left: `${i * 50}%` }, text: signedChange(change, 2) })));
    setText(legend, i18n.t(`difference.legend.${way}`));
  }

  function drawRead(cursor) {
    const { comparison, labels } = drawn;
    const reading = readingAt(comparison.cells.value, cursor);
    readCell(reading, cursor);
    if (!reading) return moved.replaceChildren();
    const slots = {
      query: () => tokenNode(doc, labels.queries[cursor.query].text, { class: "query" }), key: () => tokenNode(doc, labels.keys[cursor.key].text),
      before: weight(reading.before), after: weight(reading.after), change: () => el(doc, "b", { text: signedChange(reading.change) }),
    };
    return moved.replaceChildren(...fill(doc, parts(i18n.t(reading.exact ? "difference.read" : "difference.read.overview")), slots));
  }

  function readCell(reading, { query, key }) {
    if (!reading) return cell.clear();
    const { labels, comparison: { ranks: { value } } } = drawn;
    const [before, after] = [reading.before, reading.after].map(i18n.percent);
    const label = i18n.t("difference.cell", { query: labels.queries[query].text, key: labels.keys[key].text, before, after });
    return cell.show({ rows: value.queries.length, columns: value.keys.length, row: query, column: key, label });
  }

  function drawSmalls() {
    const { comparison, cursor } = drawn;
    const { value } = comparison.cells;
    const largest = largestIn(value);
    const mark = view.getComputedStyle(stage).getPropertyValue("--mark").trim();
    const cell = smallCell(value, cursor);
    for (const { name, canvas, title } of smalls) {
      drawSmall(canvas, { ...value, data: value[name], palette: scene.palette, largest, cell, mark, room: canvas.parentElement.clientWidth });
      title.replaceChildren(...titleOf(name));
    }
  }

  // How widely each side looks; the lines are there before the numbers are.
  function drawEntropies() {
    const { comparison: { entropies }, cursor, labels } = drawn;
    for (const { name, entropy } of smalls) {
      entropy.hidden = !entropies;
      if (!entropies) continue;
      const { mean, row } = entropies[name];
      const bits = (value) => el(doc, "b", { text: value === null ? "–" : weight(value, 2) });
      const line = (key, slots) => el(doc, "span", {}, ...fill(doc, parts(i18n.t(key)), slots));
      const query = () => tokenNode(doc, labels.queries[cursor.query].text, { class: "query" });
      entropy.replaceChildren(line("difference.entropy", { bits: () => bits(mean) }), line("difference.entropy.row", { query, bits: () => bits(entropies.query === cursor.query ? row : null) }));
    }
  }

  // What a side is: the part of its text that tells it from the other, its model, its heads, or what was changed in it.
  function titleOf(name) {
    const { comparison } = drawn;
    const [side, opposite] = name === "before" ? [comparison.first, comparison.second] : [comparison.second, comparison.first];
    const { layer, head } = name === "before" || !comparison.other ? scene : comparison.other;
    const said = named && side.text.length <= NAMED ? side.text : fromDifference(side.text, opposite.text);
    const slots = { head: `L${layer} H${head}`, model: i18n.model(side.model), text: () => tokenNode(doc, said, { title: side.text }), changes: changesOf(side) };
    return fill(doc, parts(i18n.t(`difference.${name}.${comparison.way}`)), slots);
  }

  function changesOf({ whatIf, off }) {
    const said = changesSaid(i18n, whatIf, Boolean(scene.session.trace.picture));
    return off.length ? `${said}, ${i18n.t("difference.after.switch")}` : said;
  }

  function noteOf({ exact, queries, keys, rows, columns }, { ranks, way }) {
    const alone = ranks.value.keys.filter(({ first, second }) => !first || !second).length;
    const said = [];
    if (!exact) said.push(i18n.t("difference.overview", { rows: Math.ceil((queries[1] - queries[0]) / rows), columns: Math.ceil((keys[1] - keys[0]) / columns) }));
    if (alone) said.push(i18n.t("difference.alone", { count: alone }));
    if (way === "model") said.push(i18n.t("difference.by-words"));
    if (drawn.comparison.entropies) said.push(i18n.t("difference.entropy.note"));
    if (drawn.geometry && exact && numbersFit(drawn.geometry)) said.push(i18n.t("difference.numbers"));
    return said.join(" ");
  }

  // ---- waiting, and what went wrong
  function drawWait({ comparison }) {
    clearTimeout(timer);
    const problem = comparison?.problem ?? null;
    const isWaiting = Boolean(comparison) && !problem && comparison.cells?.state !== "ready";
    root.setAttribute("aria-busy", String(isWaiting));
    const say = () => {
      setText(wait, problem ? reasonOf(problem) : isWaiting ? i18n.t(`difference.waiting.${comparison.way}`) : "");
      waiting.hidden = !problem && !isWaiting;
      waiting.classList.toggle("wrong", Boolean(problem));
    };
    if (isWaiting && waiting.hidden) timer = setTimeout(say, SOON);
    else say();
    if (problem) body.hidden = true;
  }

  function reasonOf(problem) {
    const { reason } = problem.facts ?? {};
    return REFUSED.has(reason) ? i18n.t(`difference.refused.${reason}`) : sentenceOf(problem);
  }

  // ---- choosing
  function choose(cursor, how) {
    const { comparison } = drawn;
    const { query, key } = shownCell(comparison, cursor);
    own = query === null || key === null ? { ...cursor, of: comparison.ranks.value } : null;
    if (own) draw();
    else onCell(query, key, how);
  }

  const zoom = (window) => onWindow(shownWindow(drawn.comparison, window));

  function point(event) {
    const next = event && drawn?.geometry ? cellAt(drawn.geometry, ...placeIn(stage, event)) : null;
    if (next?.query === hover?.query && next?.key === hover?.key) return;
    hover = next;
    if (drawn?.geometry) plot.overlay(hover);
    showTip();
  }

  function showTip() {
    const reading = hover && readingAt(drawn.comparison.cells.value, hover);
    tip.hidden = !reading;
    if (!reading) return;
    const { labels, geometry } = drawn;
    tip.replaceChildren(tokenNode(doc, labels.queries[hover.query].text, { class: "query" }), " → ", tokenNode(doc, labels.keys[hover.key].text),
      ` ${weight(reading.before)} → ${weight(reading.after)} `, el(doc, "b", { text: signedChange(reading.change) }));
    const half = tip.offsetWidth / 2;
    const x = geometry.left + (hover.key - geometry.keys[0] + 0.5) * geometry.cellWidth;
    tip.style.left = `${Math.max(half, Math.min(root.clientWidth - half, x))}px`;
    tip.style.top = `${geometry.top + (hover.query - geometry.queries[0]) * geometry.cellHeight}px`;
  }

  listenToPointer(stage, {
    onMove: point,
    onTwice: () => onWindow({ queries: null, keys: null }),
    onClick(event) {
      point(event);
      if (!hover) return;
      stage.focus({ preventScroll: true });
      choose(hover, "click");
    },
  });
  stage.addEventListener("keydown", (event) => {
    if (!drawn || event.target !== stage) return;
    const { comparison: { ranks }, cursor } = drawn;
    const to = moveInGrid(event, [cursor.query, cursor.key], [ranks.value.queries.length, ranks.value.keys.length]);
    if (!to) return;
    event.preventDefault();
    choose({ query: to[0], key: to[1] }, "key");
  });
  reset.addEventListener("click", () => onWindow({ queries: null, keys: null }));
  new view.ResizeObserver(() => scene && draw()).observe(root);

  return {
    update(next) {
      if (own && next.moved) own = null;
      scene = next;
      hover = null;
      tip.hidden = true;
      draw();
      drawWait(next);
    },
  };
}

const placeOf = ({ queries, keys, rows, columns }) => ({ queries, keys, queryEdges: cellEdges(queries[1] - queries[0], rows), keyEdges: cellEdges(keys[1] - keys[0], columns) });

const isCut = ({ queries, keys }, { ranks: { value } }) => queries[1] - queries[0] < value.queries.length || keys[1] - keys[0] < value.keys.length;

function smallCell(value, { query, key }) {
  const { queryEdges, keyEdges } = placeOf(value);
  const [row, column] = [query - value.queries[0], key - value.keys[0]];
  if (row < 0 || column < 0 || row >= queryEdges.at(-1) || column >= keyEdges.at(-1)) return null;
  return { row: cellOf(queryEdges, row), column: cellOf(keyEdges, column) };
}

const labels = new WeakMap();
function labelled({ ranks: { value }, first, second }) {
  if (!labels.has(value)) labels.set(value, { queries: labelsOf(value.queries, first.queries, second.queries), keys: labelsOf(value.keys, first.keys, second.keys) });
  return labels.get(value);
}
