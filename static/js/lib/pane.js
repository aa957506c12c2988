// A picture under a grid of its patches, with the class token beside its heading: one of the two of the picture view.

import { css, inkOn } from "./color.js";
import { el, setText } from "./dom.js";
import { CLASS_TOKEN, fadedPixels, moveOnPicture, patchOf, tokenCount } from "./patches.js";

// A picture of few pixels is drawn as those pixels; a larger one is smoothed.
const COARSE = 128;

/**
 * name is "from", where the picture is itself, or "at", where it is faded under the weights' colours. Positions are
 * those of the model's tokens. onPoint(position or null); onChoose(position, "click" or "key").
 */
export function createPane(doc, { i18n, name, title, label, onPoint, onChoose }) {
  const id = `picture-${name}-keys`;
  const token = el(doc, "button", { type: "button", class: "tok", "data-position": CLASS_TOKEN }, el(doc, "bdi"), el(doc, "span", { class: "num" }));
  const sum = el(doc, "p", { class: "note" });
  const layers = createLayers(doc, name === "at");
  const grid = el(doc, "div", { class: "patches", role: "grid", "aria-label": label, "aria-describedby": id });
  const frame = el(doc, "div", { class: "frame" }, ...layers.nodes, grid);
  const node = el(doc, "section", { class: `side-${name}`, "aria-label": title },
    el(doc, "div", { class: "sidehead" }, el(doc, "div", {}, el(doc, "h3", { text: title }), sum), token), frame, el(doc, "p", { class: "hidden", id, text: i18n.t("picture.keys") }));
  let cells = [];
  let picture = null;
  let pointed = null;

  function rebuild(next) {
    if (picture && Object.keys(next).every((key) => next[key] === picture[key])) return;
    picture = next;
    const { rows, columns, width, height } = picture;
    cells = Array.from({ length: tokenCount(picture) - 1 }, (_, i) => cell(i + 1));
    grid.replaceChildren(...Array.from({ length: rows }, (_, row) => el(doc, "div", { role: "row" }, ...cells.slice(row * columns, (row + 1) * columns))));
    grid.style.setProperty("--rows", rows);
    grid.style.setProperty("--columns", columns);
    frame.style.aspectRatio = `${width} / ${height}`;
  }
  function cell(position) {
    const { row, column } = patchOf(position, picture.columns);
    return el(doc, "div", { role: "gridcell", "data-position": position, "aria-label": i18n.t("picture.label", { row: row + 1, column: column + 1 }) });
  }
  listen(node, { onPoint, onChoose, nodeOf: (position) => (position === CLASS_TOKEN ? token : cells[position - 1]), pictureNow: () => picture, focusPoints: name === "at" });

  return {
    node, rebuild, draw: layers.draw,
    point(position) {
      pointed?.classList.remove("over");
      pointed = position ? cells[position - 1] : null;
      pointed?.classList.add("over");
    },
    mark({ chosen, query, hidden }) {
      cells.forEach((patch, i) => {
        patch.setAttribute("aria-selected", String(i + 1 === chosen));
        patch.setAttribute("tabindex", i + 1 === Math.max(1, chosen) ? "0" : "-1");
        patch.classList.toggle("query", i + 1 === query);
      });
      token.setAttribute("aria-pressed", String(chosen === CLASS_TOKEN));
      token.disabled = hidden;
      frame.classList.toggle("whole", name === "from" && query === CLASS_TOKEN);
    },
    labelToken(text, number, rgb = null) {
      setText(token.firstChild, text);
      setText(token.lastChild, number);
      token.style.background = rgb ? css(rgb) : "";
      token.style.color = rgb ? inkOn(rgb) : "";
    },
    /** of(position, row, column), rows and columns from 1. */
    labelPatches: (of) => cells.forEach((patch, i) => patch.setAttribute("aria-label", of(i + 1, Math.floor(i / picture.columns) + 1, (i % picture.columns) + 1))),
    add: (text) => setText(sum, text),
  };
}

// Pointer and keys for the class token and the patches alike: whatever has a position.
function listen(node, { onPoint, onChoose, nodeOf, pictureNow, focusPoints }) {
  const at = (event) => {
    const place = event.target.closest("[data-position]");
    return place ? Number(place.dataset.position) : null;
  };
  function choose(position, how) {
    onChoose(position, how);
    nodeOf(position).focus({ preventScroll: how === "click" });
  }
  node.addEventListener("pointerover", (event) => event.pointerType !== "touch" && onPoint(at(event)));
  node.addEventListener("pointerleave", () => onPoint(null));
  if (focusPoints) {
    node.addEventListener("focusin", (event) => onPoint(at(event)));
    node.addEventListener("focusout", () => onPoint(null));
  }
  node.addEventListener("click", (event) => at(event) !== null && choose(at(event), "click"));
  node.addEventListener("keydown", (event) => {
    const from = pictureNow() ? at(event) : null;
    const presses = from && (event.key === "Enter" || event.key === " ");
    const to = from === null || presses ? from : moveOnPicture(event, from, pictureNow());
    if (to === null || nodeOf(to).disabled) return;
    event.preventDefault();
    choose(to, "key");
  });
}

// The picture's own pixels and, over them, a pixel a patch; the page scales both.
function createLayers(doc, isTinted) {
  const [base, tint] = ["base", "tint"].map((layer) => el(doc, "canvas", { class: layer, width: 1, height: 1, "aria-hidden": "true" }));
  let drawn = null;

  function drawBase(image, palette) {
    const from = isTinted ? palette.from : null;
    if (drawn && drawn.image === image && drawn.from === from) return;
    drawn = { image, from };
    base.hidden = !image;
    if (!image) return;
    base.classList.toggle("coarse", Math.max(image.width, image.height) <= COARSE);
    put(base, isTinted ? fadedPixels(image.data, palette) : image.data, image);
  }
  return {
    nodes: isTinted ? [base, tint] : [base],
    draw(image, palette, weights, { rows, columns }) {
      drawBase(image, palette);
      if (isTinted) put(tint, weights, { width: columns, height: rows });
    },
  };
}

function put(canvas, pixels, { width, height }) {
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
}
