// A picture's tokens: the class token at position 0, then the patches row by row. Rows and columns count from 0.

import { cellEdges, cellOf } from "./cells.js";
import { luminance } from "./color.js";
import { moveInGrid } from "./keys.js";

export const CLASS_TOKEN = 0;
// How much of the picture's own light and dark is left under the colours, and how much the strongest colour covers.
const FADE = 0.32;
const COVER = 0.92;

export const tokenCount = ({ rows, columns }) => rows * columns + 1;

/** { row, column } of a patch's position; null for the class token. */
export function patchOf(position, columns) {
  if (position === CLASS_TOKEN) return null;
  const patch = position - 1;
  return { row: Math.floor(patch / columns), column: patch % columns };
}

export const positionOf = (row, column, columns) => 1 + row * columns + column;

/** For each position of the model's tokens the index it is shown at, -1 where it is hidden. */
export function shownAt({ texts, positions }, count) {
  const at = new Array(count).fill(-1);
  texts.forEach((_, index) => (positions?.[index] ?? [index]).forEach((position) => (at[position] = index)));
  return at;
}

/** The position that a shown index stands for: the first, where it stands for several. */
export const positionAt = ({ positions }, index) => positions?.[index][0] ?? index;

/**
 * A row of weights, one a shown token, as { weights, exact }: one a position, NaN where it is hidden. A row that is
 * shorter than the tokens holds cells of an overview; its weights are then the largest of a cell, and not exact.
 */
export function weightsAt(row, tokens, count) {
  const edges = cellEdges(tokens.texts.length, row.length);
  const weights = shownAt(tokens, count).map((index) => (index < 0 ? NaN : row[cellOf(edges, index)]));
  return { weights, exact: row.length === tokens.texts.length };
}

/** What the shown patches have together, without the class token. */
export function onPatches(weights) {
  return weights.slice(1).reduce((sum, weight) => (Number.isNaN(weight) ? sum : sum + weight), 0);
}

/** RGBA, a pixel a patch: the palette's strong colour, as opaque as the weight is large. */
export function overlayPixels(weights, palette, largest) {
  const patches = weights.slice(1);
  const pixels = new Uint8ClampedArray(patches.length * 4);
  patches.forEach((weight, i) => {
    const opacity = Number.isNaN(weight) ? 0 : palette.t(weight, largest) * COVER;
    pixels.set([...palette.to, 255 * opacity], i * 4);
  });
  return pixels;
}

/** RGBA of a picture in grey and close to the ramp's first colour, so that the ramp's other colours read on it. */
export function fadedPixels(pixels, palette) {
  const faded = new Uint8ClampedArray(pixels.length);
  const dark = luminance(palette.from) < luminance(palette.to);
  for (let i = 0; i < pixels.length; i += 4) {
    const grey = 0.299 * pixels[i] + 0.587 * pixels[i + 1] + 0.114 * pixels[i + 2];
    const away = dark ? grey : grey - 255;
    faded.set([...palette.from.map((value) => value + away * FADE), 255], i);
  }
  return faded;
}

/** The position that a key leads to from another, or null: arrows over the patches, Home to the class token. */
export function moveOnPicture(event, position, { rows, columns }) {
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (event.key === "Home" && plain) return CLASS_TOKEN;
  if (event.key === "End" && plain) return rows * columns;
  const at = patchOf(position, columns);
  if (!at) return plain && (event.key === "ArrowDown" || event.key === "ArrowRight") ? 1 : null;
  const to = moveInGrid(event, [at.row, at.column], [rows, columns]);
  return to && positionOf(to[0], to[1], columns);
}
