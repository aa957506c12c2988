// The chosen token's row and the chosen key's column as tables, with exact numbers.

import { el, setText, tokenNode, fill } from "../lib/dom.js";
import { css } from "../lib/color.js";
import { parts, weight } from "../lib/i18n.js";
import { segmentMark } from "../lib/segments.js";
import { describeTokens } from "../lib/tokens.js";

const ORDERS = {
  weight: (a, b) => b.weight - a.weight || a.token.index - b.token.index,
  position: (a, b) => a.token.index - b.token.index,
};

export function createTable(root, { i18n, onCell }) {
  const doc = root.ownerDocument;
  const order = root.querySelector("[data-order]");
  const [row, column] = [root.querySelector("[data-row]"), root.querySelector("[data-column]")];
  let scene = null;
  order.addEventListener("change", () => draw());

  function draw() {
    if (!scene?.view) return;
    const { session, view, blocked } = scene;
    const [queries, keys] = [describeTokens(session.queryTokens), describeTokens(session.keyTokens)];
    const isFree = (query, key, value) => !blocked?.pair(query, key, value);
    table(row, {
      caption: "table.row", subject: queries[view.query], all: entries(keys, view.row), chosen: view.key, removed: view.removed?.[view.query],
      isFree: ({ token, weight: value }) => isFree(view.query, token.index, value), onChoose: (key) => onCell(view.query, key, "click"),
    });
    table(column, {
      caption: "table.column", subject: keys[view.key], all: entries(queries, view.column), chosen: view.query,
      isFree: ({ token, weight: value }) => isFree(token.index, view.key, value), onChoose: (query) => onCell(query, view.key, "click"),
    });
  }

  const entries = (tokens, weights) => tokens.map((token, i) => ({ token, weight: weights[i] })).sort(ORDERS[order.value]);

  // What is blocked has no weight to be listed: a line says how many there are.
  function table(place, { caption, subject, all, chosen, removed, isFree, onChoose }) {
    const list = all.filter(isFree);
    const isRow = place === row;
    const title = el(doc, "caption", {}, ...fill(doc, parts(i18n.t(caption)), { token: tokenNode(doc, subject.text, { class: isRow ? "query" : "" }) }),
      removed === undefined ? null : el(doc, "span", { class: "gone", text: i18n.t("removed.badge", { share: weight(removed) }) }));
    const head = el(doc, "tr", {}, ...["position", "token", "weight"].map((name) => el(doc, "th", { scope: "col", class: name, text: i18n.t(`table.${name}`) })));
    const body = list.map((entry) => line(entry, entry.token.index === chosen, onChoose));
    const foot = [isRow && sumOf(list), list.length < all.length && blockedLine(isRow, all.length - list.length)].filter(Boolean);
    const top = place.scrollTop;
    place.replaceChildren(el(doc, "table", {}, title, el(doc, "thead", {}, head), el(doc, "tbody", {}, ...body), foot.length ? el(doc, "tfoot", {}, ...foot) : null));
    place.scrollTop = top;
  }

  function sumOf(list) {
    const sum = list.reduce((total, entry) => total + entry.weight, 0);
    return el(doc, "tr", {}, el(doc, "td"), el(doc, "th", { scope: "row", text: i18n.t("table.sum") }), el(doc, "td", { class: "weight", text: weight(sum) }));
  }
  const blockedLine = (isRow, count) =>
    el(doc, "tr", {}, el(doc, "td", { colspan: 3, class: "blocked", text: i18n.t(isRow ? "table.blocked-keys" : "table.blocked-queries", { count }) }));

  function line({ token, weight: value }, chosen, onChoose) {
    const share = scene.palette.t(value, scene.view.largest);
    const bar = el(doc, "span", { class: "bar", style: { "--share": `${share * 100}%`, "--colour": css(scene.palette.to) } });
    const button = el(doc, "button", { type: "button", class: token.special ? "special" : null, "aria-pressed": String(chosen), onclick: () => onChoose(token.index) }, tokenNode(doc, token.text));
    return el(doc, "tr", { class: chosen ? "chosen" : null }, el(doc, "td", { class: "position" }, segmentMark(doc, i18n, token.segment), String(token.index)),
      el(doc, "td", { class: "token" }, button), el(doc, "td", { class: "weight" }, bar, el(doc, "span", { text: weight(value) })));
  }

  return {
    update(next) {
      scene = next;
      setText(root.querySelector("[data-note]"), i18n.t("table.note", { head: `L${next.layer} H${next.head}` }));
      draw();
    },
  };
}
