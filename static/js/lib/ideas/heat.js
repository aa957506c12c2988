// A small matrix of weights with its words, as SVG: rows look at columns.

import { css } from "../color.js";
import { el } from "../dom.js";
import { shorten } from "../labels.js";
import { widthOf } from "./chart.js";

const MOST = 44; // pixels of a cell
const ROOM = 74; // of a label
const SLANT = Math.SQRT1_2;

/** { rows, columns, matrix, width, palette, label, largest }: matrix[i][j] is the weight of row i on column j, and `largest` has the strongest colour. */
export function drawHeat(doc, { rows, columns, matrix, width, palette, label, largest = 1, labels = true }) {
  const widest = labels ? Math.min(ROOM, Math.max(...[...rows, ...columns].map((word) => widthOf(shorten(word, 10)))) + 8) : 0;
  const top = widest * SLANT + (labels ? 8 : 0);
  const right = labels ? widest * SLANT * 0.7 : 0;
  const cell = Math.max(4, Math.min(MOST, (width - widest - right) / columns.length));
  const node = (tag, props, ...children) => el(doc, `svg:${tag}`, props, ...children);
  const size = { width: Math.round(widest + cell * columns.length + right), height: Math.round(top + cell * rows.length + 1) };
  const gap = cell >= 9 ? 1 : 0;
  const said = (i, j) => `${rows[i]} → ${columns[j]}: ${matrix[i][j].toFixed(3)}`;
  return node("svg", { viewBox: `0 0 ${size.width} ${size.height}`, ...size, class: "heat", role: "img", "aria-label": label },
    ...(labels && cell >= 9 ? columns.map((word, j) => {
      const [x, y] = [widest + (j + 0.5) * cell, top - 5];
      return node("text", { x, y, transform: `rotate(-45 ${x.toFixed(1)} ${y.toFixed(1)})`, text: shorten(word, 10) });
    }) : []),
    ...(labels && cell >= 9 ? rows.map((word, i) => node("text", { x: widest - 6, y: top + (i + 0.5) * cell + 4, "text-anchor": "end", text: shorten(word, 10) })) : []),
    node("rect", { x: widest, y: top, width: cell * columns.length, height: cell * rows.length, class: "ground" }),
    ...matrix.flatMap((row, i) => [...row].map((weight, j) => node("rect", {
      x: (widest + j * cell).toFixed(1), y: (top + i * cell).toFixed(1), width: (cell - gap).toFixed(1), height: (cell - gap).toFixed(1), fill: css(palette.rgb(weight, largest)),
    }, labels ? node("title", { text: said(i, j) }) : null))));
}

/** The largest weight of some matrices. */
export const largestOf = (...matrices) => Math.max(...matrices.flat(2));

/** The matrix as rows of a table: every pair with its weight. */
export const pairRows = (rows, columns, ...matrices) => rows.flatMap((row, i) => columns.map((column, j) => [row, column, ...matrices.map((matrix) => matrix[i][j])]));
