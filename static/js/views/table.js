// The chosen token's row and the chosen key's column as tables, with exact numbers.

import { el, setText, tokenNode, fill } from "../lib/dom.js";
import { css } from "../lib/color.js";
import { parts, weight } from "../lib/i18n.js";
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
    const { session, view } = scene;
    const [queries, keys] = [describeTokens(session.queryTokens), describeTokens(session.keyTokens)];
    table(row, "table.row", queries[view.query], entries(keys, view.row), view.key, (key) => onCell(view.query, key));
    table(column, "table.column", keys[view.key], entries(queries, view.column), view.query, (query) => onCell(query, view.key));
  }

  const entries = (tokens, weights) => tokens.map((token, i) => ({ token, weight: weights[i] })).sort(ORDERS[order.value]);

  function table(place, caption, subject, list, chosen, onChoose) {
    const title = el(doc, "caption", {}, ...fill(doc, parts(i18n.t(caption)), { token: tokenNode(doc, subject.text, { class: place === row ? "query" : "" }) }));
    const head = el(doc, "tr", {}, ...["position", "token", "weight"].map((name) => el(doc, "th", { scope: "col", class: name, text: i18n.t(`table.${name}`) })));
    const body = list.map((entry) => line(entry, entry.token.index === chosen, onChoose));
    const sum = el(doc, "tr", {}, el(doc, "td"), el(doc, "th", { scope: "row", text: i18n.t("table.sum") }), el(doc, "td", { class: "weight", text: weight(list.reduce((total, entry) => total + entry.weight, 0)) }));
    const top = place.scrollTop;
    place.replaceChildren(el(doc, "table", {}, title, el(doc, "thead", {}, head), el(doc, "tbody", {}, ...body), place === row ? el(doc, "tfoot", {}, sum) : null));
    place.scrollTop = top;
  }

  function line({ token, weight: value }, chosen, onChoose) {
    const share = scene.palette.t(value, scene.view.largest);
    const bar = el(doc, "span", { class: "bar", style: { "--share": `${share * 100}%`, "--colour": css(scene.palette.to) } });
    const button = el(doc, "button", { type: "button", class: token.special ? "special" : null, "aria-pressed": String(chosen), onclick: () => onChoose(token.index) }, tokenNode(doc, token.text));
    return el(doc, "tr", { class: chosen ? "chosen" : null }, el(doc, "td", { class: "position", text: String(token.index) }),
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
