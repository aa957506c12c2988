// A matrix as a small picture without labels, with one cell marked: the two sides of a comparison.

import { css } from "./color.js";
import { sharpness } from "./pointing.js";

const LARGEST = 360; // pixels on a side

/** Draws weights on a canvas of cells as wide as fit; cell is { row, column } or null. */
export function drawSmall(canvas, { data, rows, columns, palette, largest, cell, mark, room }) {
  const ratio = sharpness(canvas.parentElement);
  const size = Math.max(1, Math.min(room, LARGEST) / Math.max(rows, columns));
  const [width, height] = [Math.round(size * columns), Math.round(size * rows)];
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.setTransform((width * ratio) / (columns * size), 0, 0, (height * ratio) / (rows * size), 0, 0);
  const gap = size >= 9 ? 1 : 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      pen.fillStyle = css(palette.rgb(data[i * columns + j], largest));
      pen.fillRect(j * size, i * size, size - gap + (gap ? 0 : 0.5), size - gap + (gap ? 0 : 0.5));
    }
  }
  if (!cell) return;
  pen.strokeStyle = mark;
  pen.lineWidth = 1.75;
  pen.strokeRect(cell.column * size + 0.5, cell.row * size + 0.5, Math.max(3, size - 1), Math.max(3, size - 1));
}
