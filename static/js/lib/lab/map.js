// A head's map of the fixed sequence: tiny among all heads, or large with its tokens, what is to be said beside each,
// and one cell that is read out.

import { css, inkOn } from "../color.js";
import { el, fill, setText, tokenNode } from "../dom.js";
import { createGridCell } from "../gridcell.js";
import { parts, short, weight } from "../i18n.js";
import { moveInGrid } from "../keys.js";
import { placeIn, sharpness } from "../pointing.js";

const LARGEST = 34; // pixels of a cell
const EDGE = 30; // pixels of the tokens on two sides
const ANSWER = 48; // pixels of what is to be said
const READABLE = 24; // pixels of a cell that holds a number

/** The weights of one head, of maps { shape: [layer, head, query, key], data }. */
export function headOf({ shape: [, heads, queries, keys], data }, layer, head) {
  const size = queries * keys;
  const from = (layer * heads + head) * size;
  return { rows: queries, columns: keys, data: data.subarray(from, from + size) };
}

/** One pixel a cell; what a mask hides is left clear. */
export function drawTiny(canvas, maps, layer, head, palette, isMasked) {
  if (!maps) {
    canvas.width = 1;
    return;
  }
  const { rows, columns, data } = headOf(maps, layer, head);
  const pixels = new Uint8ClampedArray(rows * columns * 4);
  data.forEach((value, i) => {
    if (!isMasked || i % columns <= Math.floor(i / columns)) pixels.set([...palette.rgb(value, 1), 255], i * 4);
  });
  canvas.width = columns;
  canvas.height = rows;
  canvas.getContext("2d").putImageData(new ImageData(pixels, columns, rows), 0, 0);
}

/** { node, draw({ probe, maps, layer, head, cell, palette, label }) }; onCell({ row, column } or null) when one is chosen. */
export function createMap(doc, { i18n, id, onCell }) {
  const canvas = el(doc, "canvas", { width: 1, height: 1, "aria-hidden": "true" });
  const stage = el(doc, "div", { class: "stage", role: "grid", tabindex: "0" }, canvas);
  const read = el(doc, "p", { class: "read" });
  const node = el(doc, "div", { class: "map", id }, stage, read);
  const spoken = createGridCell(stage);
  let shown = null;
  let size = 1;

  const cellAt = (event) => {
    const [x, y] = placeIn(canvas, event);
    const [column, row] = [Math.floor((x - EDGE) / size), Math.floor((y - EDGE) / size)];
    const { length } = shown.probe.tokens;
    return row >= 0 && column >= 0 && row < length && column < length ? { row, column } : null;
  };
  const isBlocked = ({ row, column }) => shown.probe.kind === "decoder-self" && column > row;
  stage.addEventListener("pointermove", (event) => {
    const at = shown?.probe && cellAt(event);
    if (at && (at.row !== shown.cell?.row || at.column !== shown.cell?.column)) onCell(at);
  });
  stage.addEventListener("pointerdown", (event) => shown?.probe && cellAt(event) && onCell(cellAt(event)));
  stage.addEventListener("keydown", (event) => {
    const length = shown?.probe?.tokens.length;
    const to = length && moveInGrid(event, [shown.cell?.row ?? 0, shown.cell?.column ?? 0], [length, length]);
    if (!to) return;
    event.preventDefault();
    onCell({ row: to[0], column: to[1] });
  });

  function measure(length) {
    const room = node.clientWidth || 320;
    size = Math.max(6, Math.min(LARGEST, Math.floor((room - EDGE - ANSWER) / length)));
    const [width, height] = [EDGE + size * length + ANSWER, EDGE + size * length];
    const ratio = sharpness(stage);
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    return pen;
  }

  function paint() {
    const { probe: { tokens, answers }, cell, palette } = shown;
    const pen = measure(tokens.length);
    const style = doc.defaultView.getComputedStyle(node);
    const colour = (name) => style.getPropertyValue(name).trim();
    const letters = Math.min(14, Math.max(8, size * 0.7));
    const write = (text, x, y, { align = "center", ink = "--soft", bold = false, pixels = letters }) => {
      pen.font = `${bold ? "600 " : ""}${pixels}px ${style.fontFamily}`;
      pen.textAlign = align;
      pen.textBaseline = "middle";
      pen.fillStyle = ink.startsWith("--") ? colour(ink) : ink;
      pen.fillText(text, x, y);
    };
    write(i18n.t("lab.map.answer"), EDGE + size * tokens.length + 6, EDGE - letters * 0.8, { align: "left", ink: "--faint", pixels: Math.min(12, letters + 1) });
    const maps = shown.maps && headOf(shown.maps, shown.layer, shown.head);
    const gap = size >= 9 ? 1 : 0;
    tokens.forEach((token, i) => {
      const middle = EDGE + size * (i + 0.5);
      write(token, middle, EDGE - letters * 0.8, { ink: cell?.column === i ? "--ink" : "--soft", bold: cell?.column === i });
      write(token, EDGE - 7, middle, { align: "right", ink: cell?.row === i ? "--mark" : "--soft", bold: cell?.row === i });
      write(`→ ${answers[i]}`, EDGE + size * tokens.length + 6, middle, { align: "left", ink: cell?.row === i ? "--ink" : "--faint" });
      for (let j = 0; j < tokens.length; j++) {
        const value = maps ? maps.data[i * tokens.length + j] : 0;
        const rgb = palette.rgb(value, 1);
        pen.fillStyle = isBlocked({ row: i, column: j }) || !maps ? colour("--paper") : css(rgb);
        pen.fillRect(EDGE + j * size, EDGE + i * size, size - gap, size - gap);
        if (maps && size >= READABLE && value >= 0.1) write(short(value), EDGE + (j + 0.5) * size, middle, { ink: inkOn(rgb), pixels: 10 });
      }
    });
    pen.strokeStyle = colour("--line");
    pen.strokeRect(EDGE - 0.5, EDGE - 0.5, size * tokens.length + 1 - gap, size * tokens.length + 1 - gap);
    if (!cell || cell.row >= tokens.length || cell.column >= tokens.length) return;
    pen.strokeStyle = colour("--mark");
    pen.lineWidth = 2;
    pen.strokeRect(EDGE + cell.column * size, EDGE + cell.row * size, size - gap, size - gap);
  }

  function say() {
    const { probe: { tokens }, cell, maps, layer, head } = shown;
    if (!maps || !cell || cell.row >= tokens.length || cell.column >= tokens.length) {
      spoken.clear();
      return setText(read, "\u00a0");
    }
    const value = headOf(maps, layer, head).data[cell.row * tokens.length + cell.column];
    const key = isBlocked(cell) ? "lab.map.blocked" : "lab.map.cell";
    const values = { row: cell.row + 1, column: cell.column + 1, weight: weight(value) };
    spoken.show({ rows: tokens.length, columns: tokens.length, ...cell, label: i18n.t(key, { ...values, query: tokens[cell.row], key: tokens[cell.column] }) });
    return read.replaceChildren(...fill(doc, parts(i18n.t(key)), {
      ...values, weight: el(doc, "b", { text: weight(value) }), row: String(values.row), column: String(values.column),
      query: tokenNode(doc, tokens[cell.row], { class: "query" }), key: tokenNode(doc, tokens[cell.column], { class: "key" }),
    }));
  }

  return {
    node,
    draw(next) {
      shown = next;
      stage.setAttribute("aria-label", next.label);
      if (!next.probe) return;
      paint();
      say();
    },
  };
}
