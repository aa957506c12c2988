// Every head of every layer as a small picture: layers down, heads across.

import { el, setText, tokenNode } from "../lib/dom.js";
import { moveInGrid } from "../lib/keys.js";
import { isOff } from "../lib/off.js";
import { GLYPHS, markOf } from "../lib/roles.js";
import { thumbnailPixels } from "../lib/thumbs.js";
import { weight } from "../lib/i18n.js";
import { segmentMark } from "../lib/segments.js";
import { describeTokens } from "../lib/tokens.js";

const FEW = 6;
const GAP = 6; // pixels between a head that was scrolled to and the edge
const MANY = 14; // layers of which not all are on show: the grid scrolls by itself, and the cards below stay near

export function createGrid(root, { i18n, onHead, peakOf }) {
  const doc = root.ownerDocument;
  const grid = root.querySelector("[data-grid]");
  const peek = createPeek(root.querySelector("[data-peek]"), { i18n, peakOf });
  let cells = [];
  let shape = "";
  let at = "";
  let painted = {};
  let scene = null;

  function rebuild({ layers, heads }) {
    const head = el(doc, "div", { role: "row", class: "row heads" }, el(doc, "span", { role: "columnheader" }, el(doc, "span", { class: "hidden", text: i18n.t("grid.layer") })),
      ...Array.from({ length: heads }, (_, h) => el(doc, "span", { role: "columnheader", text: `H${h}` })));
    cells = Array.from({ length: layers }, (_, l) => Array.from({ length: heads }, (_, h) => cell(l, h)));
    const rows = cells.map((row, l) => el(doc, "div", { role: "row", class: "row" }, el(doc, "span", { role: "rowheader", text: `L${l}` }), ...row));
    grid.style.setProperty("--heads", heads);
    grid.classList.toggle("few", heads <= FEW);
    grid.classList.toggle("tall", layers > MANY);
    grid.replaceChildren(head, ...rows);
  }

  function cell(layer, head) {
    return el(doc, "div", {
      role: "gridcell", class: "head", tabindex: "-1", "data-head": `${layer}.${head}`, "aria-label": `L${layer} H${head}`,
      onclick: () => onHead(layer, head, "click"),
      onpointerenter: () => peek.show(scene, layer, head),
      onfocus: () => peek.show(scene, layer, head),
    }, el(doc, "canvas"), el(doc, "i", { class: "glyph", "aria-hidden": "true" }));
  }
  grid.addEventListener("pointerleave", () => peek.show(scene, scene.layer, scene.head));
  grid.addEventListener("keydown", (event) => {
    const at = event.target.dataset?.head?.split(".").map(Number);
    if (!at) return;
    const to = event.key === "Enter" || event.key === " " ? at : moveInGrid(event, at, [cells.length, cells[0].length]);
    if (!to) return;
    event.preventDefault();
    onHead(to[0], to[1], "key");
    cells[to[0]][to[1]].focus({ preventScroll: false });
  });

  function paint({ session, palette }) {
    cells.forEach((row, l) => row.forEach((node, h) => drawThumbnail(node.firstChild, session, l, h, palette)));
  }

  // Heads that are switched off are struck through, roles have a sign, and both are said.
  function strike({ state, session, roles }) {
    const mark = markOf(state);
    const struck = `${session.map.kind} ${state.off} ${mark}`;
    if (painted.struck === struck && painted.roles === roles) return;
    Object.assign(painted, { struck, roles });
    cells.forEach((row, l) => row.forEach((node, h) => {
      const off = isOff(state.off, session.map.kind, l, h);
      const own = (roles?.of(l, h) ?? []).map(({ name }) => name);
      const names = [...new Set(own)].map((name) => i18n.t(`role.${name}`)).join(", ");
      const head = off ? i18n.t("grid.off", { head: `L${l} H${h}` }) : `L${l} H${h}`;
      node.classList.toggle("off", off);
      node.setAttribute("aria-label", names ? i18n.t("mark.roles", { head, roles: names }) : head);
      setText(node.lastChild, GLYPHS[mark && own.includes(mark) ? mark : own[0]] ?? "");
    }));
  }

  // While a tool ranks the heads, those that count are framed and the others step back.
  function frame({ glow }) {
    const ranked = glow?.by ?? null;
    if (painted.ranked === ranked) return;
    painted.ranked = ranked;
    grid.classList.toggle("ranked", Boolean(ranked));
    cells.forEach((row, l) => row.forEach((node, h) => node.style.setProperty("--glow", ranked ? glow.of(l, h).toFixed(3) : "0")));
  }

  function select({ layer, head }) {
    cells.forEach((row, l) => row.forEach((node, h) => {
      const chosen = l === layer && h === head;
      if (node.getAttribute("aria-selected") === String(chosen)) return;
      node.setAttribute("aria-selected", String(chosen));
      node.setAttribute("tabindex", chosen ? "0" : "-1");
    }));
  }

  // The page itself stays where it is.
  function reveal({ layer, head }) {
    const box = grid.getBoundingClientRect();
    const top = box.top + grid.firstChild.offsetHeight;
    const row = cells[layer][head].getBoundingClientRect();
    if (row.top < top) grid.scrollTop -= top - row.top + GAP;
    else if (row.bottom > box.bottom) grid.scrollTop += row.bottom - box.bottom + GAP;
  }

  return {
    update(next) {
      scene = next;
      const { session, palette, map } = { ...next, map: next.session?.map };
      root.setAttribute("aria-busy", String(next.busy));
      if (!session) return;
      const isNew = shape !== `${map.layers} ${map.heads}`;
      if (isNew) rebuild(map);
      shape = `${map.layers} ${map.heads}`;
      if (painted.session !== session || painted.palette !== palette.name) paint(next);
      painted = { ...(!isNew && painted), session, palette: palette.name };
      const moved = isNew || at !== `${next.layer} ${next.head}`;
      at = `${next.layer} ${next.head}`;
      select(next);
      if (moved) reveal(next);
      strike(next);
      frame(next);
      peek.show(next, next.layer, next.head);
    },
  };
}

function drawThumbnail(canvas, { thumbnails, map, blocked }, layer, head, palette) {
  const { width, height, pixels } = thumbnailPixels(thumbnails, layer, head, palette, blocked(layer), map);
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
}

// The head under the pointer, larger, in a place kept for it: nothing is covered and nothing jumps.
function createPeek(root, { i18n, peakOf }) {
  const doc = root.ownerDocument;
  const canvas = root.querySelector("canvas");
  const name = root.querySelector("[data-name]");
  const largest = root.querySelector("[data-largest]");

  function show(scene, layer, head) {
    if (!scene?.session) return;
    drawThumbnail(canvas, scene.session, layer, head, scene.palette);
    setText(name, `L${layer} H${head}`);
    const { query, key, weight: value, exact } = peakOf(layer, head);
    const { queryTokens, keyTokens } = scene.session;
    const number = el(doc, "b", { text: exact ? weight(value) : `≈ ${weight(value, 2)}` });
    const named = (tokens, at) => [tokenNode(doc, tokens[at].text), segmentMark(doc, i18n, tokens[at].segment) ?? ""];
    const where = query === null ? [] : [...named(describeTokens(queryTokens), query), " → ", ...named(describeTokens(keyTokens), key), " "];
    largest.replaceChildren(i18n.t("grid.largest"), " ", ...where, number);
  }
  return { show };
}
