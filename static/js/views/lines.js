// Lines: tokens that look on the left, tokens looked at on the right; a line's opacity is its weight.

import { el, setText, tokenNode } from "../lib/dom.js";
import { weight } from "../lib/i18n.js";
import { linesOf } from "../lib/links.js";
import { createRoving } from "../lib/roving.js";
import { segmentMark } from "../lib/segments.js";
import { describeTokens } from "../lib/tokens.js";

const ROW = 28;
const FAINT = 0.02;

export function createLines(root, { i18n, onCell }) {
  const places = { query: root.querySelector("[data-left]"), key: root.querySelector("[data-right]") };
  const ends = Object.fromEntries(Object.entries(places).map(([side, place]) => [side, createEnds(place, side, { isolate, choose, letterOf: (segment) => segmentMark(root.ownerDocument, i18n, segment) })]));
  const note = root.querySelector("[data-note]");
  const picture = createPicture(root.querySelector("svg"));
  let scene = null;
  let links = null;

  function choose(side, position) {
    if (side === "query") onCell(position, null);
    else onCell(scene.view.query, position);
  }

  // With a token under the pointer only its lines are left; at rest the chosen token's stand out.
  function isolate(end) {
    if (!links) return;
    const { query, key } = scene.view;
    const shown = end ?? { query };
    root.classList.toggle("isolated", Boolean(end) || links.partial);
    const side = shown.query === undefined ? "key" : "query";
    const isOn = ({ from, to }) => (side === "query" ? links.queries[from] === shown.query : links.keys[to] === shown.key);
    picture.mark(links.lines, isOn);
    // The numbers stand on the other side of the token that is isolated.
    const weights = new Map(links.lines.filter(isOn).map(({ from, to, weight: value }) => [side === "query" ? links.keys[to] : links.queries[from], value]));
    ends.query.mark(shown.query ?? null, query, side === "key" ? weights : null);
    ends.key.mark(shown.key ?? null, key, side === "query" ? weights : null);
  }

  return {
    update(next) {
      scene = next;
      const focused = Object.values(ends).find((end) => end.focused() !== null);
      const at = focused?.focused();
      links = linesOf(scene.view, scene.blocked);
      ends.query.rebuild(links.queries, describeTokens(scene.session.queryTokens));
      ends.key.rebuild(links.keys, describeTokens(scene.session.keyTokens));
      picture.rebuild(links, (value) => scene.palette.t(value, scene.view.largest));
      setText(note, links.partial ? i18n.t("lines.partial", { count: links.keys.length }) : i18n.t("lines.note"));
      isolate(null);
      focused?.focus(at);
    },
  };
}

// One column of tokens: one tab stop, each isolates its lines and can be chosen.
function createEnds(place, side, { isolate, choose, letterOf }) {
  const doc = place.ownerDocument;
  let ends = [];
  const roving = createRoving(place, () => ends.map(({ node }) => node));

  // Of a run of one sentence the first carries its letter for the eye, all of them for the ear.
  function markOf(token, opens) {
    const node = letterOf(token.segment);
    node?.classList.toggle("more", !opens);
    return node;
  }
  function button(token, follows, opens) {
    return el(doc, "button", {
      type: "button", class: ["end", token.special && "special", !follows && "gap"].filter(Boolean).join(" "),
      onpointerenter: () => isolate({ [side]: token.index }), onpointerleave: () => isolate(null),
      onfocus: () => isolate({ [side]: token.index }), onblur: () => isolate(null),
      onclick: () => choose(side, token.index),
    }, markOf(token, opens), tokenNode(doc, token.text), el(doc, "span", { class: "num" }));
  }
  return {
    // A line marks tokens that are not neighbours in the text, or stand in two sentences.
    rebuild(positions, tokens) {
      const sameSide = (i) => i > 0 && tokens[positions[i - 1]].segment === tokens[positions[i]].segment;
      const follows = (i) => i === 0 || (positions[i - 1] === positions[i] - 1 && sameSide(i));
      ends = positions.map((position, i) => ({ position, node: button(tokens[position], follows(i), !sameSide(i)) }));
      place.replaceChildren(...ends.map(({ node }) => node));
    },
    mark(shown, chosen, weights) {
      for (const { position, node } of ends) {
        node.classList.toggle("shown", position === shown);
        node.setAttribute("aria-pressed", String(position === chosen));
        setText(node.lastChild, weights?.has(position) ? weight(weights.get(position), 2) : "");
      }
      roving.stop(Math.max(0, ends.findIndex(({ position }) => position === chosen)));
    },
    focused: () => ends.find(({ node }) => node === doc.activeElement)?.position ?? null,
    focus: (position) => ends.find((end) => end.position === position)?.node.focus(),
  };
}

// The lines between the columns; those too faint to be seen are not drawn.
function createPicture(svg) {
  let paths = [];
  function line({ from, to }, opacity) {
    const [y0, y1] = [(from + 0.5) * ROW, (to + 0.5) * ROW];
    const node = el(svg.ownerDocument, "svg:path", { d: `M0 ${y0}C40 ${y0} 60 ${y1} 100 ${y1}`, "stroke-opacity": opacity.toFixed(3) });
    node.style.strokeWidth = String(1 + 2.5 * opacity);
    return node;
  }
  return {
    rebuild({ queries, keys, lines }, opacityOf) {
      const height = Math.max(queries.length, keys.length) * ROW;
      svg.setAttribute("viewBox", `0 0 100 ${height}`);
      svg.style.height = `${height}px`;
      paths = lines.map((entry) => {
        const opacity = opacityOf(entry.weight);
        return opacity < FAINT ? null : line(entry, opacity);
      });
      svg.replaceChildren(...paths.filter(Boolean));
    },
    mark: (lines, isOn) => lines.forEach((entry, i) => paths[i]?.classList.toggle("on", isOn(entry))),
  };
}
