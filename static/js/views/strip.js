// The sentence as tokens, coloured by how much the chosen token looks at each; a click chooses another. Where one
// sequence looks at another, the one that looks has a row of its own above.

import { el, setText, fill, tokenNode } from "../lib/dom.js";
import { css, inkOn } from "../lib/color.js";
import { parts, weight } from "../lib/i18n.js";
import { createRoving } from "../lib/roving.js";
import { isCross, rowsOf } from "../lib/rows.js";
import { describeTokens, directionOf, wordGroups } from "../lib/tokens.js";

const LONG = 80;

export function createStrip(root, { i18n, onQuery, onCell }) {
  const doc = root.ownerDocument;
  const caption = root.querySelector("[data-caption]");
  const names = [...root.querySelectorAll("[data-row-name]")];
  const listen = { help: (token) => help(token) };
  const chooser = createRow(root.querySelector("[data-queries]"), listen, (index) => onQuery(index, "click"));
  const list = createRow(root.querySelector("[data-tokens]"), listen, (index) => {
    if (isCross(scene.session.map)) onCell(scene.view.query, index, "click");
    else onQuery(index, "click");
  });
  let drawn = null;
  let scene = null;

  function rebuild(session) {
    const cross = isCross(session.map);
    chooser.rebuild(cross ? describeTokens(session.queryTokens) : []);
    list.rebuild(named(session, describeTokens(session.keyTokens)));
    chooser.place.dir = directionOf(session.queryTokens.text);
    list.place.dir = directionOf(session.keyTokens.text);
    chooser.place.hidden = !cross;
    for (const name of names) name.hidden = !cross;
  }

  // The line above the tokens says what the colours mean, or what a special token under the pointer is.
  function help(token) {
    if (!scene?.view) return;
    if (token?.help) return setText(caption, i18n.t(`special.${token.help}`, { token: token.text }));
    const { session, view } = scene;
    const { text } = (isCross(session.map) ? chooser : list).tokens[view.query];
    const message = parts(i18n.t(`strip.caption.${session.map.kind}`));
    caption.replaceChildren(...fill(doc, message, { token: tokenNode(doc, text, { class: "query" }), head: `L${scene.layer} H${scene.head}` }),
      ...removedBadge(doc, i18n, view.removed?.[view.query]));
  }

  function paint({ session: { map, queryTokens }, view, palette, blocked }) {
    const { tokens, queries } = rowsOf({ map, view, blocked, queryCount: queryTokens.texts.length });
    tokens.forEach(({ weight: value, chosen, key, pressed }, i) => {
      const button = list.buttons[i];
      const rgb = value === null ? null : palette.rgb(value, view.largest);
      button.style.background = rgb ? css(rgb) : "";
      button.style.color = rgb ? inkOn(rgb) : "";
      button.classList.toggle("blocked", value === null);
      button.classList.toggle("key", key);
      mark(button, chosen, pressed);
      setText(button.lastChild, value === null ? "\u00a0" : weight(value, 2));
    });
    queries.forEach(({ chosen }, i) => mark(chooser.buttons[i], chosen, chosen));
  }
  function mark(button, chosen, pressed) {
    button.classList.toggle("chosen", chosen);
    button.setAttribute("aria-pressed", String(pressed));
  }

  return {
    update(next) {
      scene = next;
      const { session, view } = next;
      root.hidden = Boolean(session?.trace.picture);
      list.place.setAttribute("aria-busy", String(next.busy));
      if (!session || !view || root.hidden) return;
      const fresh = drawn !== session;
      if (fresh) rebuild(session);
      drawn = session;
      paint(next);
      const cross = isCross(session.map);
      list.roving.stop(cross ? view.key : view.query);
      chooser.roving.stop(view.query);
      if (!root.contains(doc.activeElement) || !doc.activeElement.matches(".tok")) help(null);
      if (!fresh && !next.moved) return;
      reveal(list.place, list.buttons[cross ? view.key : view.query]);
      if (cross) reveal(chooser.place, chooser.buttons[view.query]);
    },
  };
}

// A decoder reads a marker first, whatever it is called.
function named({ map, keyTokens }, tokens) {
  const isFirst = map.key_axis === "decoder_input" && (keyTokens.positions?.[0][0] ?? 0) === 0;
  return tokens.map((token, i) => (isFirst && i === 0 && token.special ? { ...token, help: "begin" } : token));
}

// How much of the row was hidden, as a badge.
function removedBadge(doc, i18n, removed) {
  if (removed === undefined || removed === null) return [];
  return [" ", el(doc, "span", { class: "gone", text: i18n.t("removed.badge", { share: weight(removed) }) })];
}

// One row of tokens with one tab stop.
function createRow(place, { help }, onChoose) {
  const doc = place.ownerDocument;
  const row = { place, tokens: [], buttons: [] };
  row.roving = createRoving(place, () => row.buttons);

  function button(token) {
    const attribute = place.hasAttribute("data-queries") ? "data-query" : "data-token";
    return el(doc, "button", {
      type: "button", class: `tok${token.special ? " special" : ""}`, [attribute]: token.index,
      onclick: () => onChoose(token.index),
      onpointerenter: () => help(token), onpointerleave: () => help(null),
      onfocus: () => help(token), onblur: () => help(null),
    }, tokenNode(doc, token.text), el(doc, "span", { class: "num" }));
  }
  row.rebuild = (tokens) => {
    row.tokens = tokens;
    row.buttons = tokens.map(button);
    place.replaceChildren(...wordGroups(tokens).map((group) => el(doc, "span", { class: "word" }, ...group.map((i) => row.buttons[i]))));
    place.classList.toggle("long", tokens.length > LONG);
  };
  return row;
}

// Scrolls the list, never the page.
function reveal(list, button) {
  const top = button.offsetTop - list.offsetTop;
  if (top < list.scrollTop || top + button.offsetHeight > list.scrollTop + list.clientHeight) {
    list.scrollTop = top - list.clientHeight / 2 + button.offsetHeight / 2;
  }
}
