// Vectors as strips of colour, a cell for each number: less than nothing is orange, more is blue. The numbers themselves
// are there for whoever points at one, moves to it by arrow keys, or asks for the table of them.

import { css } from "../color.js";
import { createDiverging } from "../diverging.js";
import { el, setText } from "../dom.js";
import { sharpness } from "../pointing.js";
import { gridOf, placeAt } from "./grid.js";
import { spelled, strongestPlace } from "./steps.js";

const MOVES = { ArrowLeft: -1, ArrowRight: 1 };

/** Draws a vector into a canvas of a width: cells as they fit, in several lines where they are many. */
export function drawStrip(canvas, values, { width, height, theme, limit, place = null, least }) {
  const grid = gridOf(values?.length ?? 1, width, height, least);
  const ratio = sharpness(canvas.parentElement ?? canvas);
  canvas.width = Math.max(1, Math.round(grid.width * ratio));
  canvas.height = Math.max(1, Math.round(grid.height * ratio));
  canvas.style.width = `${grid.width}px`;
  canvas.style.height = `${grid.height}px`;
  const pen = canvas.getContext("2d");
  pen.setTransform(canvas.width / grid.width, 0, 0, canvas.height / grid.height, 0, 0);
  if (!values) return grid;
  const palette = createDiverging({ theme, limit: limit || 1 });
  const gap = grid.cell >= 5 ? 1 : 0;
  const [dx, dy] = [grid.cell - gap, grid.line - (grid.lines > 1 ? 1 : 0)];
  values.forEach((value, i) => {
    const [x, y] = [(i % grid.columns) * grid.cell, Math.floor(i / grid.columns) * grid.line];
    pen.fillStyle = css(palette.rgb(value));
    pen.fillRect(x, y, gap ? dx : dx + 0.3, dy);
  });
  if (place === null) return grid;
  const size = Math.max(3, grid.cell);
  pen.strokeStyle = canvas.ownerDocument.defaultView.getComputedStyle(canvas).getPropertyValue("--ink");
  pen.lineWidth = 2;
  pen.strokeRect((place % grid.columns) * grid.cell + 1, Math.floor(place / grid.columns) * grid.line + 1, size - 2, Math.max(3, dy - 2));
  return grid;
}

export const largestSize = (...vectors) => vectors.reduce((most, vector) => (vector ?? []).reduce((size, value) => Math.max(size, Math.abs(value)), most), 0);

const MANY = 128; // numbers among which one that is far larger than all others would make these look like nothing
const FAR = 5; // times the root of the mean square

/** Where the colours of a vector end: at its largest size, or where a long one has a number far beyond the others, before it. */
export function limitOf(values) {
  const most = largestSize(values);
  return values.length < MANY ? most : Math.min(most, FAR * Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length));
}

/**
 * Some vectors below one another, with what stands between them and a line that reads out one place of all.
 * update({ strips, theme, numbers }): strips [{ symbol, sign, name, said, values, limit }], name the nodes of its label, said
 * the same as a text. symbolOf(name) makes the sign of a formula; onNumbers(open).
 */
export function createStrips(doc, { i18n, symbolOf }) {
  const list = el(doc, "div", { class: "strips" });
  const reading = el(doc, "p", { class: "reading-of", "data-reading": true });
  const box = el(doc, "input", { type: "checkbox", "data-numbers": true });
  const ask = el(doc, "label", { class: "check" }, box, ` ${i18n.t("compute.numbers")}`);
  const table = el(doc, "table", { class: "numbers-of" });
  const scroll = el(doc, "div", { class: "scroll", tabindex: "0", role: "region", "aria-label": i18n.t("compute.numbers.list"), hidden: true }, table);
  const node = el(doc, "div", { class: "vectors" }, list, el(doc, "div", { class: "under-strips" }, reading, ask), scroll);
  let scene = null;
  let rows = [];
  let place = null;

  box.addEventListener("change", () => drawNumbers());

  function build() {
    const { strips } = scene;
    rows = strips.map((strip, at) => {
      const canvas = el(doc, "canvas", { width: "1", height: "1", "aria-hidden": "true" });
      const picture = el(doc, "div", { class: "picture-of", tabindex: "0", role: "img", "data-symbol": strip.symbol }, canvas);
      listen(picture, canvas, at);
      const scale = el(doc, "span", { class: "scale-of", "aria-hidden": "true" });
      const sign = strip.sign ? el(doc, "span", { class: "sign", text: strip.sign }) : null;
      const label = el(doc, "p", { class: "name-of" });
      const row = el(doc, "div", { class: "strip-of" }, el(doc, "div", { class: "head-of" }, sign, label, scale), picture);
      return { row, canvas, picture, scale, label, grid: null };
    });
    list.replaceChildren(...rows.map(({ row }) => row));
  }

  function listen(picture, canvas, at) {
    const point = (event) => {
      const { grid } = rows[at];
      const box = canvas.getBoundingClientRect();
      const found = grid && placeAt(grid, ((event.clientX - box.left) / box.width) * grid.width, ((event.clientY - box.top) / box.height) * grid.height);
      if (found !== null && found < (scene.strips[at].values?.length ?? 0)) show(found);
    };
    picture.addEventListener("pointermove", point);
    picture.addEventListener("pointerdown", point); // a finger that taps does not move
    picture.addEventListener("pointerleave", () => show(picture.contains(doc.activeElement) ? place : null));
    picture.addEventListener("focus", () => scene.strips[at].values && show(place ?? strongestPlace(scene.strips[at].values)));
    picture.addEventListener("blur", () => show(null));
    picture.addEventListener("keydown", (event) => {
      const count = scene.strips[at].values?.length;
      if (!(event.key in MOVES) || !count || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      show(Math.min(count - 1, Math.max(0, (place ?? 0) + MOVES[event.key])));
    });
  }

  function show(next) {
    if (next === place) return;
    place = next;
    draw();
  }

  function draw() {
    const width = list.clientWidth;
    if (!width) return;
    scene.strips.forEach((strip, at) => {
      const row = rows[at];
      const { values, limit } = strip;
      row.grid = drawStrip(row.canvas, values, { width, height: 24, theme: scene.theme, limit, place: place !== null && place < (values?.length ?? 0) ? place : null });
      setText(row.scale, values ? `±${spelled(limit)}${largestSize(values) > limit * 1.0001 ? "+" : ""}` : "");
    });
    setText(reading, readingOf());
  }

  // "place 7: q −1.20, k 0.80": one place of every strip that has it.
  function readingOf() {
    const known = scene.strips.filter(({ values }) => values);
    if (place === null || !known.length) return i18n.t(known.length ? "compute.numbers.hint" : "compute.numbers.none");
    const there = known.filter(({ values }) => place < values.length);
    return i18n.t("compute.place", { place, numbers: there.map(({ sign, values }) => `${sign ? `${sign} ` : ""}${spelled(values[place])}`).join(scene.joins ?? " · ") });
  }

  function drawNumbers() {
    scroll.hidden = !box.checked;
    if (scroll.hidden) return table.replaceChildren();
    const { strips } = scene;
    const most = Math.max(...strips.map(({ values }) => values?.length ?? 0));
    const line = (at) => el(doc, "tr", {}, el(doc, "th", { scope: "row", text: String(at) }), ...strips.map(({ values }) => el(doc, "td", { text: values && at < values.length ? spelled(values[at]) : "" })));
    return table.replaceChildren(
      el(doc, "thead", {}, el(doc, "tr", {}, el(doc, "th", { scope: "col", text: i18n.t("compute.numbers.place") }), ...strips.map(({ said, symbol }) => el(doc, "th", { scope: "col", title: said, "aria-label": said }, symbolOf(symbol) ?? said)))),
      el(doc, "tbody", {}, ...Array.from({ length: most }, (_, at) => line(at))));
  }

  function describe() {
    scene.strips.forEach(({ said, values, symbol, name }, at) => {
      const { label, picture } = rows[at];
      label.replaceChildren(...[symbolOf(symbol), " ", ...name()].filter(Boolean));
      const strongest = values?.length ? strongestPlace(values) : 0;
      const numbers = values?.length ? i18n.t("compute.strip", { count: values.length, least: spelled(Math.min(...values)), most: spelled(Math.max(...values)), strongest: spelled(values[strongest]), place: strongest }) : i18n.t("compute.numbers.none");
      picture.setAttribute("aria-label", `${said}. ${numbers}`);
    });
  }

  new doc.defaultView.ResizeObserver(() => scene && draw()).observe(list);

  return {
    node,
    update(next) {
      const isOther = !scene || scene.strips.map(({ symbol }) => symbol).join() !== next.strips.map(({ symbol }) => symbol).join();
      scene = next;
      node.hidden = next.strips.length === 0;
      if (isOther) {
        place = null;
        build();
      }
      describe();
      draw();
      drawNumbers();
    },
  };
}
