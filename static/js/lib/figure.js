// The heatmap of one window as plain data for Plotly, and the geometry of what it will draw.

import { clamp, everyNth } from "./cells.js";
import { shorten, ticks } from "./labels.js";

const CELL = { width: 96, height: 40 };
const TALLEST = 640;
const LABEL = { row: 15, column: 17, gap: 14, most: 118, share: 0.27 };
const SIDE = 20; // room at the left and above for the letters of a pair's sentences
const REMOVED = 44; // room at the right for how much was hidden of a row
const SLANT = Math.SQRT1_2;
const STEPS = 16;

/** { left, top, right, width, height, cellWidth, cellHeight } in pixels; cellWidth is one token's. */
export function geometryOf({ window, queryTokens, keyTokens, available, measure, removed = null }) {
  const [q0, q1] = window.queries;
  const [k0, k1] = window.keys;
  const widest = (tokens, from, to) => tokens.slice(from, to).reduce((w, { text }) => Math.max(w, measure(shorten(text))), 0);
  const most = Math.min(LABEL.most, available * LABEL.share);
  const side = queryTokens[q0].segment ? SIDE : 0;
  const left = Math.ceil(Math.min(most, widest(queryTokens, q0, q1)) + LABEL.gap) + side;
  const top = Math.ceil(Math.min(most, widest(keyTokens, k0, k1)) * SLANT + LABEL.gap + 10) + side;
  const fit = (right) => Math.min(CELL.width, (available - left - right) / (k1 - k0));
  const right = Math.max(removed ? REMOVED : 0, overhang(keyTokens, window.keys, fit(8), measure));
  const cellWidth = fit(right);
  const cellHeight = Math.min(CELL.height, cellWidth < 10 ? Math.max(cellWidth, TALLEST / 2 / (q1 - q0)) : cellWidth, TALLEST / (q1 - q0));
  const width = Math.round(cellWidth * (k1 - k0));
  const height = Math.round(cellHeight * (q1 - q0));
  return { left, top, right, width, height, cellWidth: width / (k1 - k0), cellHeight: height / (q1 - q0), queries: window.queries, keys: window.keys };
}

// How far the slanted labels of the last columns reach beyond the plot.
function overhang(tokens, [from, to], cell, measure) {
  let most = 8;
  for (let i = Math.max(from, to - 12); i < to; i++) {
    most = Math.max(most, measure(shorten(tokens[i].text)) * SLANT - (to - i - 0.5) * cell + 6);
  }
  return Math.min(70, Math.ceil(most));
}

/** The weights as steps of the ramp, row by row; NaN, which is not drawn, where isBlank(i, j, weight). */
export function rampRows({ data, columns, rows }, palette, largest, isBlank = () => false) {
  return Array.from({ length: rows }, (_, i) =>
    Float32Array.from(data.subarray(i * columns, (i + 1) * columns), (weight, j) => (isBlank(i, j, weight) ? NaN : palette.t(weight, largest))));
}

/** isBlank(i, j, weight) for the cells of a window. */
export function blankCells({ queries, keys, queryEdges, keyEdges }, blocked) {
  if (!blocked) return () => false;
  const span = (edges, start, i) => [start + edges[i], start + edges[i + 1]];
  return (i, j, weight) => weight === 0 && blocked.cell(span(queryEdges, queries[0], i), span(keyEdges, keys[0], j), weight);
}

export function colorscaleOf(palette) {
  return Array.from({ length: STEPS + 1 }, (_, i) => [i / STEPS, `rgb(${palette.atStep(i / STEPS).join(",")})`]);
}

/** { data, layout } for Plotly.react. Nothing in it is markup but what labels.js escaped. */
export function figureOf({ view, geometry, queryTokens, keyTokens, palette, font, blocked = null }) {
  const { window, largest, query, key } = view;
  const edge = (start) => (position) => start + position - 0.5;
  const gap = Math.min(geometry.cellWidth, geometry.cellHeight) >= 9 ? 1 : 0;
  const data = [{
    type: "heatmap", hoverinfo: "none", hoverongaps: false, showscale: false, xgap: gap, ygap: gap,
    x: window.keyEdges.map(edge(window.keys[0])), y: window.queryEdges.map(edge(window.queries[0])),
    z: rampRows(window, palette, largest, blankCells(window, blocked)), zmin: 0, zmax: 1, colorscale: colorscaleOf(palette),
  }];
  const axis = { showgrid: false, zeroline: false, showline: false, ticks: "outside", ticklen: 5, tickcolor: "rgba(0,0,0,0)", tickmode: "array", type: "linear", ticklabeloverflow: "allow" };
  const nth = { row: everyNth(geometry.cellHeight, LABEL.row), column: everyNth(geometry.cellWidth, LABEL.column) };
  const layout = {
    width: geometry.left + geometry.width + geometry.right, height: geometry.top + geometry.height + 4,
    margin: { l: geometry.left, t: geometry.top, r: geometry.right, b: 4, pad: 0 },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest",
    dragmode: font.zoom ? "zoom" : false, font: { family: font.family, size: font.size, color: font.color },
    xaxis: { ...axis, side: "top", tickangle: -45, fixedrange: !font.zoom, range: range(window.keys), ...ticks(keyTokens, window.keys, nth.column, key, font.color) },
    yaxis: { ...axis, fixedrange: !font.zoom, range: range(window.queries).reverse(), ...ticks(queryTokens, window.queries, nth.row, query, font.mark) },
  };
  return { data, layout };
}

const range = ([from, to]) => [from - 0.5, to - 0.5];

/** The tokens between two ends of a zoomed axis, within the window that was on show. */
export function zoomWindow(ends, [from, to]) {
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const first = clamp(Math.floor(low + 0.5 + 1e-6), from, to - 1);
  return [first, clamp(Math.ceil(high + 0.5 - 1e-6), first + 1, to)];
}

/** The { query, key } under a point of the drawing, or null outside. */
export function cellAt({ left, top, width, height, cellWidth, cellHeight, queries, keys }, x, y) {
  if (x < left || y < top || x >= left + width || y >= top + height) return null;
  return { query: queries[0] + Math.floor((y - top) / cellHeight), key: keys[0] + Math.floor((x - left) / cellWidth) };
}
