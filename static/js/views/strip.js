// The sentence as tokens, coloured by how much the chosen token looks at each; a click chooses another. Where one
// sequence looks at another, the one that looks has a row of its own above. The sentences of a pair carry their letters.

import { el, setText, fill, tokenNode } from "../lib/dom.js";
import { css, inkOn } from "../lib/color.js";
import { parts, weight } from "../lib/i18n.js";
import { createRoving } from "../lib/roving.js";
import { originalAt } from "../lib/looked.js";
import { isBetween, rowsOf } from "../lib/rows.js";
import { segmentMark } from "../lib/segments.js";
import { describeTokens, directionOf, hasParts, visible, wordGroups } from "../lib/tokens.js";
import { isMasked } from "../lib/whatif.js";
import { momentOf, placesOf, rowOf, stepOf } from "../lib/writing.js";

const LONG = 80;

export function createStrip(root, { i18n, onQuery, onCell }) {
  const doc = root.ownerDocument;
  const caption = root.querySelector("[data-caption]");
  const pieces = root.querySelector("[data-parts]");
  const names = [...root.querySelectorAll("[data-row-name]")];
  const listen = { help: (token) => help(token), markOf: (segment) => segmentMark(doc, i18n, segment) };
  const chooser = createRow(root.querySelector("[data-queries]"), listen, (index) => onQuery(index, "click"));
  const list = createRow(root.querySelector("[data-tokens]"), listen, (index) => {
    if (isBetween(scene.session.map)) onCell(scene.view.query, index, "click");
    else onQuery(index, "click");
  });
  let drawn = null;
  let scene = null;
  let query = null;

  function rebuild(session) {
    const between = isBetween(session.map);
    chooser.rebuild(between ? describeTokens(session.queryTokens) : []);
    list.rebuild(named(session, describeTokens(session.keyTokens)), Boolean(session.posted.written));
    chooser.place.dir = directionOf(session.queryTokens.text);
    list.place.dir = directionOf(session.keyTokens.text);
    chooser.place.hidden = !between;
    nameRows(session, between);
  }

  function nameRows({ map, request: { segments } }, between) {
    const isPair = map.query_axis === "source_queries";
    const said = isPair
      ? [i18n.t("strip.pair.from", { segment: segments[0] }), i18n.t("strip.pair.at", { segment: segments[1] })]
      : [i18n.t("strip.written"), i18n.t("strip.source")];
    names.forEach((name, i) => {
      name.hidden = !between;
      setText(name, said[i]);
    });
    chooser.place.setAttribute("aria-label", said[0]);
  }

  // The line above the tokens says what the colours mean, or what a special token under the pointer is.
  function help(token) {
    if (!scene?.view) return;
    if (token?.help) return setText(caption, i18n.t(`special.${token.help}`, { token: token.text }));
    const { session, view } = scene;
    const step = stepCaption();
    if (step) return caption.replaceChildren(...step, ...removedBadge(doc, i18n, view.removed?.[view.query]));
    const { text } = (isBetween(session.map) ? chooser : list).tokens[view.query];
    const { segments = "all" } = session.request;
    const message = parts(i18n.t(segments === "all" ? `strip.caption.${saidOf(session)}` : "strip.caption.pair"));
    caption.replaceChildren(...fill(doc, message, { token: tokenNode(doc, text, { class: "query" }), head: `L${scene.layer} H${scene.head}`, segment: segments[1] }),
      ...removedBadge(doc, i18n, view.removed?.[view.query]));
  }

  // At a step of what the model wrote, the line speaks of that step; null at any other row.
  function stepCaption() {
    const { session: { posted }, state, layer, head } = scene;
    const places = placesOf(posted);
    const step = places && stepOf(places, state.query);
    if (!step) return null;
    const row = rowOf(places, step);
    const named = (at, name) => tokenNode(doc, visible(posted.source.texts[at]), { class: name });
    const sentence = fill(doc, parts(i18n.t("writing.caption")), { token: named(row, "query"), next: named(row + 1, "now"), head: `L${layer} H${head}` });
    return step < places.written ? [...sentence, " ", i18n.t("writing.dashed")] : sentence;
  }

  // What the model wrote: at a step, the token it writes then, and those that it has not written yet.
  function paintSteps({ session: { posted, keyTokens }, state }) {
    const places = placesOf(posted);
    const step = places && stepOf(places, state.query);
    list.buttons.forEach((button, i) => {
      const original = originalAt(keyTokens, i);
      const moment = step ? momentOf(places, step, original) : "before";
      button.classList.toggle("written", Boolean(places) && original >= places.prompt);
      button.classList.toggle("now", moment === "now");
      button.classList.toggle("later", moment === "later");
      if (moment === "later") button.title = i18n.t("writing.later");
      else button.removeAttribute("title");
    });
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
      const isWriting = Boolean(next.writing?.prompt); // then the text is on show as it grows
      list.place.hidden = isWriting;
      pieces.hidden = isWriting || !session || !hasParts(session.posted.source);
      if (isWriting) return;
      list.place.setAttribute("aria-busy", String(next.busy));
      if (!session || !view || root.hidden) return;
      const fresh = drawn !== session;
      if (fresh) rebuild(session);
      drawn = session;
      paint(next);
      paintSteps(next);
      const between = isBetween(session.map);
      list.roving.stop(between ? view.key : view.query);
      chooser.roving.stop(view.query);
      if (!root.contains(doc.activeElement) || !doc.activeElement.matches(".tok")) help(null);
      const moved = next.moved || next.state.query !== query;
      query = next.state.query;
      if (!fresh && !moved) return;
      reveal(list.place, list.buttons[between ? view.key : view.query]);
      if (between) reveal(chooser.place, chooser.buttons[view.query]);
    },
  };
}

// Who a token may look at, which a change of the mask changes.
const saidOf = ({ map: { kind }, posted }) => (kind === "cross" ? kind : isMasked(posted, kind) ? "decoder-self" : "encoder-self");

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
function createRow(place, { help, markOf }, onChoose) {
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
  // Each sentence of a pair begins with its letter, and the second on a line of its own.
  function opening({ segment }, before) {
    if (!segment || segment === before?.segment) return [];
    return [before ? el(doc, "span", { class: "turn" }) : null, markOf(segment)].filter(Boolean);
  }
  row.rebuild = (tokens, isWritten = false) => {
    row.tokens = tokens;
    row.buttons = tokens.map(button);
    place.replaceChildren(...wordGroups(tokens).flatMap((group) => [...opening(tokens[group[0]], tokens[group[0] - 1]), el(doc, "span", { class: "word" }, ...group.map((i) => row.buttons[i]))]));
    place.classList.toggle("long", isWritten || tokens.length > LONG);
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
