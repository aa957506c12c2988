// Thumbnails arrive as uint8 (layer, head, query cell, key cell) with w = (u/255)².

import { cellEdges } from "./cells.js";

/** { width, height, pixels } of one head, ready for a canvas; cells that `blocked` names are left transparent. */
export function thumbnailPixels({ shape, data }, layer, head, palette, blocked = null, { queries, keys } = {}) {
  const [, heads, height, width] = shape;
  const size = height * width;
  const bytes = data.subarray((layer * heads + head) * size, (layer * heads + head + 1) * size);
  const colours = table(palette, largestByte(bytes));
  const pixels = new Uint8ClampedArray(size * 4);
  const isBlank = blocked ? blankAt(blocked, cellEdges(queries, height), cellEdges(keys, width)) : () => false;
  for (let i = 0; i < size; i++) if (bytes[i] !== 0 || !isBlank(i)) pixels.set(colours[bytes[i]], i * 4);
  return { width, height, pixels };
}

// A byte of 0 is a small weight, not surely none.
function blankAt(blocked, rows, columns) {
  const width = columns.length - 1;
  return (i) => {
    const [q, k] = [Math.floor(i / width), i % width];
    return blocked.cell([rows[q], rows[q + 1]], [columns[k], columns[k + 1]], 0, true);
  };
}

function table(palette, top) {
  const largest = (top / 255) ** 2;
  return Array.from({ length: 256 }, (_, u) => [...palette.rgb((u / 255) ** 2, largest), 255]);
}

function largestByte(bytes) {
  let largest = 0;
  for (const byte of bytes) if (byte > largest) largest = byte;
  return largest;
}
