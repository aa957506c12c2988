// Lines and steps on two axes, as SVG whose colours are the page's own.

import { el } from "../dom.js";
import { decade, linearTicks, logTicks } from "./numbers.js";

const FONT = 12;
const MARGIN = { right: 22, bottom: 40, left: 52 };
const LEGEND = { line: 18, sample: 26, gap: 16 };

/** About how wide a text is, in pixels. */
export const widthOf = (text) => [...text].reduce((sum, letter) => sum + (/[\u1100-\uffdc]/.test(letter) ? FONT : FONT * 0.56), 0);

/** place(value) → pixels, and the ticks, of an axis { scale: "linear" | "log", domain, ticks?, base?, format? }. */
export function axisOf({ scale = "linear", domain: [least, most], ticks, base = 10, format }, [from, to], about) {
  const at = scale === "log" ? Math.log : (value) => value;
  const span = at(most) - at(least) || 1;
  const shown = ticks ?? (scale === "log" ? logTicks(least, most, base, about) : linearTicks(least, most, about));
  return {
    place: (value) => from + ((at(value) - at(least)) / span) * (to - from),
    ticks: shown.map((value) => ({ value, text: (format ?? (scale === "log" && base === 10 ? decade : tick))(value) })),
  };
}

/** Where the names stand: rows of { name, x, y } that fit a width. */
export function legendOf(names, width) {
  const placed = [];
  let [x, row] = [0, 0];
  for (const name of names) {
    const wide = LEGEND.sample + widthOf(name);
    if (x && x + wide > width) [x, row] = [0, row + 1];
    placed.push({ name, x, y: row * LEGEND.line });
    x += wide + LEGEND.gap;
  }
  return { placed, height: names.length ? (row + 1) * LEGEND.line + 8 : 8 };
}

const tick = (value) => value.toLocaleString("en", { maximumSignificantDigits: 6 }).replace("-", "−");

const path = (points, x, y) => points.map(([a, b], i) => `${i ? "L" : "M"}${x.place(a).toFixed(1)} ${y.place(b).toFixed(1)}`).join("");

/**
 * { width, height, label, x, y, series, rules }: an axis also has a `label`. A series is { name, slot, points, dash, dots };
 * slot 0 to 3 is its colour. A rule is { x } or { y }, with a name that the legend has or none.
 */
export function drawChart(doc, { width, height, label, x: across, y: up, series, rules = [] }) {
  const named = [...series, ...rules].filter(({ name }) => name);
  const legend = legendOf(named.map(({ name }) => name), width - MARGIN.left - MARGIN.right);
  const box = { left: MARGIN.left, right: width - MARGIN.right, top: legend.height + 20, bottom: height - MARGIN.bottom };
  const x = axisOf(across, [box.left, box.right], Math.max(3, Math.floor((box.right - box.left) / 64)));
  const y = axisOf(up, [box.bottom, box.top], Math.max(3, Math.floor((box.bottom - box.top) / 44)));
  const node = (tag, props, ...children) => el(doc, `svg:${tag}`, props, ...children);
  const text = (words, at, more = {}) => node("text", { ...at, ...more, text: words });
  const sample = (one, { x: left, y: top }) => node("line", { x1: box.left + left, x2: box.left + left + 20, y1: top + 10, y2: top + 10, class: classOf(one) });
  return node("svg", { viewBox: `0 0 ${width} ${height}`, width, height, class: "chart", role: "img", "aria-label": label },
    node("g", { class: "grid" },
      ...y.ticks.map(({ value }) => node("line", { x1: box.left, x2: box.right, y1: y.place(value), y2: y.place(value) }))),
    node("g", { class: "axis" },
      node("line", { x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom }),
      ...x.ticks.map(({ value, text: words }) => text(words, { x: x.place(value), y: box.bottom + 17, "text-anchor": "middle" })),
      ...y.ticks.map(({ value, text: words }) => text(words, { x: box.left - 7, y: y.place(value) + 4, "text-anchor": "end" })),
      text(across.label ?? "", { x: (box.left + box.right) / 2, y: height - 6, "text-anchor": "middle" }),
      text(up.label ?? "", { x: box.left - 44, y: box.top - 12 })),
    ...rules.map((one) => node("line", "x" in one
      ? { x1: x.place(one.x), x2: x.place(one.x), y1: box.top, y2: box.bottom, class: classOf(one) }
      : { x1: box.left, x2: box.right, y1: y.place(one.y), y2: y.place(one.y), class: classOf(one) })),
    ...series.map((one) => node("path", { d: path(one.points, x, y), class: classOf(one) })),
    ...series.filter(({ dots }) => dots).flatMap((one) => one.points.map(([a, b]) => node("circle", { cx: x.place(a), cy: y.place(b), r: 3, class: `dot s${one.slot}` }))),
    node("g", { class: "legend" }, ...legend.placed.flatMap((at, i) => [sample(named[i], at), text(at.name, { x: box.left + at.x + LEGEND.sample, y: at.y + 14 })])));
}

const classOf = ({ slot, dash }) => `${slot === undefined ? "rule" : `line s${slot}`}${dash ? " dash" : ""}`;

/** The outline of a histogram's bars, from its edges and the share in each. */
export function stepsOf(edges, shares) {
  return [[edges[0], 0], ...shares.flatMap((share, i) => [[edges[i], share], [edges[i + 1], share]]), [edges.at(-1), 0]];
}
