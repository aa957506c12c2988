// What lies over the heatmap: numbers in cells where they fit, and the cross-hairs.

import { cellOf } from "./cells.js";
import { inkOn } from "./color.js";
import { blankCells } from "./figure.js";
import { short } from "./i18n.js";

const ROOM = { width: 27, height: 17 };
const HATCH = 6;
const LETTER = 16; // the box of a sentence's letter
export const LEAST = 0.05;

/** Whether what was hidden of a row fits at its end. */
export const removedFits = ({ cellHeight }) => cellHeight >= 13;

/** Whether a number fits into a cell. */
export function numbersFit({ cellWidth, cellHeight }) {
  return cellWidth >= ROOM.width && cellHeight >= ROOM.height;
}

export function drawOverlay(pen, { view, geometry, palette, blocked, hover, style, sides }) {
  const { window, largest } = view;
  if (blocked) drawHatch(pen, window, geometry, blankCells(window, blocked), style);
  if (view.removed) drawRemoved(pen, view, geometry, style);
  if (window.exact && numbersFit(geometry)) drawNumbers(pen, window, largest, geometry, palette, style);
  if (sides) drawSides(pen, sides, geometry, style);
  drawCross(pen, view, geometry, style.mark, 1.75);
  if (hover) drawCross(pen, { ...hover, window }, geometry, style.ink, 1);
}

function drawNumbers(pen, { data, columns, rows }, largest, { left, top, cellWidth, cellHeight }, palette, style) {
  pen.font = `${cellWidth >= 38 ? 12 : 11}px ${style.mono}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const weight = data[i * columns + j];
      if (Math.abs(weight) < LEAST) continue;
      pen.fillStyle = inkOn(palette.rgb(weight, largest));
      pen.fillText((palette.label ?? short)(weight), left + (j + 0.5) * cellWidth, top + (i + 0.5) * cellHeight + 1);
    }
  }
}

// Light strokes over the cells that may not be looked at, as one shape, so that they meet between cells.
function drawHatch(pen, { data, columns, rows, queryEdges, keyEdges }, { left, top, width, height, cellWidth, cellHeight }, isBlank, style) {
  pen.save();
  pen.beginPath();
  let any = false;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      if (!isBlank(i, j, data[i * columns + j])) continue;
      let end = j + 1;
      while (end < columns && isBlank(i, end, data[i * columns + end])) end += 1;
      pen.rect(left + keyEdges[j] * cellWidth, top + queryEdges[i] * cellHeight, (keyEdges[end] - keyEdges[j]) * cellWidth, (queryEdges[i + 1] - queryEdges[i]) * cellHeight);
      any = true;
      j = end;
    }
  }
  if (any) {
    pen.clip();
    pen.fillStyle = style.paper;
    pen.fillRect(left, top, width, height);
    pen.beginPath();
    for (let x = left - height; x < left + width; x += HATCH) {
      pen.moveTo(x, top + height);
      pen.lineTo(x + height, top);
    }
    pen.strokeStyle = style.line;
    pen.lineWidth = 1;
    pen.stroke();
  }
  pen.restore();
}

// The sentences of a pair: a bar with its letter along each axis, and a line where one ends.
function drawSides(pen, { queries, keys }, { left, top, width, height, cellWidth, cellHeight }, style) {
  const box = LETTER / 2;
  const bar = (segment, x, y, w, h) => {
    pen.fillStyle = segment === "A" ? style.edge : style.soft;
    pen.fillRect(x, y, w, h);
    const [middleX, middleY] = [x + w / 2, y + h / 2];
    pen.fillStyle = segment === "A" ? style.card : style.soft;
    pen.fillRect(middleX - box, middleY - box, LETTER, LETTER);
    pen.strokeStyle = style.soft;
    pen.lineWidth = 1;
    pen.strokeRect(middleX - box + 0.5, middleY - box + 0.5, LETTER - 1, LETTER - 1);
    pen.font = `600 11px ${style.family}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillStyle = segment === "A" ? style.soft : style.card;
    pen.fillText(segment, middleX, middleY + 0.5);
  };
  for (const { segment, from, to } of queries) {
    const y = top + (from - queries[0].from) * cellHeight;
    bar(segment, box - 1, y + 1, 2, (to - from) * cellHeight - 2);
  }
  for (const { segment, from, to } of keys) {
    const x = left + (from - keys[0].from) * cellWidth;
    bar(segment, x + 1, box - 1, (to - from) * cellWidth - 2, 2);
  }
  pen.fillStyle = style.ink;
  for (const { from } of queries.slice(1)) pen.fillRect(left, Math.round(top + (from - queries[0].from) * cellHeight) - 0.75, width, 1.5);
  for (const { from } of keys.slice(1)) pen.fillRect(Math.round(left + (from - keys[0].from) * cellWidth) - 0.75, top, 1.5, height);
}

// How much of each row was hidden, at its end.
function drawRemoved(pen, { removed, window: { queries, exact } }, geometry, style) {
  if (!exact || !removedFits(geometry)) return;
  const { left, top, width, cellHeight } = geometry;
  pen.font = `11px ${style.mono}`;
  pen.textAlign = "start";
  pen.textBaseline = "middle";
  pen.fillStyle = style.faint;
  for (let q = queries[0]; q < queries[1]; q++) {
    pen.fillText(`−${short(removed[q])}`, left + width + 7, top + (q - queries[0] + 0.5) * cellHeight + 1);
  }
}

function drawCross(pen, { query, key, window }, geometry, colour, width) {
  const rows = cellSpan(query, window.queries, window.queryEdges);
  const columns = cellSpan(key, window.keys, window.keyEdges);
  const { left, top, cellWidth, cellHeight } = geometry;
  const x = columns && [left + columns[0] * cellWidth, (columns[1] - columns[0]) * cellWidth];
  const y = rows && [top + rows[0] * cellHeight, (rows[1] - rows[0]) * cellHeight];
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  pen.globalAlpha = 0.45;
  if (y) pen.strokeRect(left + 0.5, y[0] + 0.5, geometry.width - 1, thin(y[1]));
  if (x) pen.strokeRect(x[0] + 0.5, top + 0.5, thin(x[1]), geometry.height - 1);
  pen.globalAlpha = 1;
  pen.lineWidth = width;
  if (x && y) pen.strokeRect(x[0] + 0.5, y[0] + 0.5, Math.max(3, x[1] - 1), Math.max(3, y[1] - 1));
}

// Cells of a few pixels get one line instead of two beside each other.
const thin = (size) => (size < 5 ? 0.01 : size - 1);

// The span of tokens of the cell a position lies in, relative to the window; null outside it.
function cellSpan(position, [from, to], edges) {
  if (position < from || position >= to) return null;
  const cell = cellOf(edges, position - from);
  return [edges[cell], edges[cell + 1]];
}
