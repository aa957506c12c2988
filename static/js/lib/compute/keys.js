// All keys of a row as one table, in the order of the text: a step's columns, and choosing a row chooses the key.
// Of a long text only the rows in sight are there.

import { css } from "../color.js";
import { ENDS } from "../diverging.js";
import { el, tokenNode } from "../dom.js";
import { moveInGrid } from "../keys.js";
import { segmentMark } from "../segments.js";
import { spelled } from "./steps.js";
import { drawStrip } from "./strips.js";
import { rowsInSight } from "./window.js";

const ROW = { fine: 32, coarse: 44 };

/**
 * update({ tokens, chosen, columns, foot, strips, theme, palette }): columns as in steps.js; foot lines of { label, cells };
 * strips { name, rows(at) as [values, faded] or null, limit } in two last columns, or null. onKey(at, how).
 */
export function createKeys(doc, { i18n, symbolOf, onKey }) {
  const view = doc.defaultView;
  const table = el(doc, "table", { class: "keys-of" });
  const scroll = el(doc, "div", { class: "scroll keys", tabindex: "0", role: "region", "aria-label": i18n.t("compute.keys"), "data-scroll": true }, table);
  const coarse = view.matchMedia("(pointer: coarse)");
  let scene = null;
  let shown = null; // the rows that are there
  let last = null; // the key that was brought into sight
  let frame = 0;

  const height = () => (coarse.matches ? ROW.coarse : ROW.fine);
  const inSight = () => rowsInSight({ count: scene.tokens.length, row: height(), top: scroll.scrollTop, room: scroll.clientHeight || 320 });

  function heading({ name, symbol, as }) {
    const sign = symbol && symbolOf(symbol);
    return el(doc, "th", { scope: "col", class: `as-${as}`, "data-symbol": symbol }, sign, sign ? " " : null, i18n.t(`compute.column.${name}`));
  }

  function cell({ values, symbol, as }, at, most) {
    const value = values[at];
    const blocked = value === null;
    const props = { class: blocked ? `as-${as} blocked` : `as-${as}`, "data-symbol": symbol };
    if (blocked) return el(doc, "td", props, i18n.t("focus.blocked"));
    const bar = as === "bar" ? signedBar(value, most) : as === "share" && !scene.strips ? shareBar(value) : null;
    return el(doc, "td", props, bar, el(doc, "span", { text: spelled(value) }));
  }
  const shareBar = (weight) => el(doc, "span", { class: "bar", style: { "--share": `${weight * 100}%`, "--colour": css(scene.palette.to) } });
  function signedBar(value, most) {
    const size = most > 0 ? (Math.abs(value) / most) * 50 : 0;
    const { less, more } = ENDS[scene.theme];
    return el(doc, "span", { class: "bar signed", style: { "--from": `${value < 0 ? 50 - size : 50}%`, "--to": `${value < 0 ? 50 : 50 + size}%`, "--colour": css(value < 0 ? less : more) } });
  }

  function line(at, mosts) {
    const token = scene.tokens[at];
    const chosen = at === scene.chosen;
    const button = el(doc, "button", {
      type: "button", class: token.special ? "special" : null, "aria-pressed": String(chosen), tabindex: chosen ? "0" : "-1", "data-key": at, onclick: () => onKey(at, "click"),
    }, tokenNode(doc, token.text));
    return el(doc, "tr", { class: [chosen ? "chosen" : "", scene.isFree(at) ? "" : "blocked"].join(" ").trim() || null, "aria-rowindex": at + 2 },
      el(doc, "td", { class: "position" }, segmentMark(doc, i18n, token.segment), String(at)),
      el(doc, "th", { scope: "row", class: "token" }, button),
      ...scene.columns.map((one, i) => cell(one, at, mosts[i])),
      ...(scene.strips ? scene.strips.columns.map(({ symbol, name }) => el(doc, "td", { class: `as-strip ${name}-of`, "data-symbol": symbol }, el(doc, "canvas", { width: "1", height: "1", "aria-hidden": "true" }))) : []));
  }

  // Widths are read before anything is drawn: each canvas would make the table be measured anew.
  function drawStrips(from, rows) {
    for (const { name, limit, valuesAt } of scene.strips?.columns ?? []) {
      const places = rows.map((row) => row.querySelector(`td.${name}-of`));
      const width = Math.max(24, (places[0]?.clientWidth ?? 0) - 12);
      places.forEach((place, i) => drawStrip(place.firstChild, valuesAt(from + i), { width, height: 14, least: 2, theme: scene.theme, limit }));
    }
  }

  function draw(isForced = false) {
    const [from, to] = inSight();
    if (!isForced && shown && shown[0] === from && shown[1] === to) return;
    shown = [from, to];
    const held = table.contains(doc.activeElement) ? doc.activeElement.dataset.key : null;
    const count = scene.tokens.length;
    const mosts = scene.columns.map(({ as, values }) => (as === "bar" ? values.reduce((most, value) => Math.max(most, Math.abs(value ?? 0)), 0) : 0));
    const gap = (rows) => (rows ? [el(doc, "tr", { "aria-hidden": "true", class: "gap" }, el(doc, "td", { style: { height: `${rows * height()}px` } }))] : []);
    const rows = Array.from({ length: to - from }, (_, i) => line(from + i, mosts));
    const heads = [el(doc, "th", { scope: "col", class: "position", text: i18n.t("table.position") }), el(doc, "th", { scope: "col", class: "token", text: i18n.t("compute.column.key") }), ...scene.columns.map(heading), ...(scene.strips?.columns ?? []).map((one) => heading({ ...one, as: `strip ${one.name}-of` }))];
    const top = scroll.scrollTop;
    table.replaceChildren(el(doc, "caption", { class: "hidden", text: i18n.t("compute.keys") }), el(doc, "thead", {}, el(doc, "tr", { "aria-rowindex": 1 }, ...heads)),
      el(doc, "tbody", {}, ...gap(from), ...rows, ...gap(count - to)), ...foot(heads.length));
    table.setAttribute("aria-rowcount", String(count + 1 + scene.foot.length));
    scroll.scrollTop = top;
    drawStrips(from, rows);
    if (held !== null && held !== undefined) table.querySelector(`[data-key="${held}"]`)?.focus({ preventScroll: true });
  }

  function foot(width) {
    if (!scene.foot.length) return [];
    const lines = scene.foot.map(({ label, symbol, cells }) => el(doc, "tr", {}, el(doc, "td"), el(doc, "th", { scope: "row", "data-symbol": symbol, text: label }),
      ...Array.from({ length: width - 2 }, (_, i) => el(doc, "td", { class: scene.columns[i] ? `as-${scene.columns[i].as}` : null, "data-symbol": cells[i] === undefined || cells[i] === null ? null : symbol ?? scene.columns[i]?.symbol, text: cells[i] ?? "" }))));
    return [el(doc, "tfoot", {}, ...lines)];
  }

  function bringIntoSight(at) {
    const [top, room] = [at * height(), scroll.clientHeight - 2 * height()];
    if (room <= 0) return;
    if (top < scroll.scrollTop) scroll.scrollTop = top;
    else if (top > scroll.scrollTop + room - height()) scroll.scrollTop = top - room + height();
  }

  scroll.addEventListener("scroll", () => {
    frame ||= view.requestAnimationFrame(() => {
      frame = 0;
      if (scene && !scroll.hidden) draw();
    });
  });
  scroll.addEventListener("keydown", (event) => {
    const at = Number(event.target.dataset?.key ?? NaN);
    if (Number.isNaN(at) || !["ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) return;
    const key = { Home: "Home", End: "End" }[event.key];
    const to = key ? (key === "Home" ? 0 : scene.tokens.length - 1) : moveInGrid(event, [at, 0], [scene.tokens.length, 1])?.[0];
    event.preventDefault();
    event.stopPropagation();
    if (to === undefined || to === at) return;
    bringIntoSight(to);
    draw();
    table.querySelector(`[data-key="${to}"]`)?.focus({ preventScroll: true });
    onKey(to, "key");
  });
  new view.ResizeObserver(() => scene && !scroll.hidden && draw(true)).observe(scroll);

  return {
    node: scroll,
    update(next) {
      scene = next;
      scroll.hidden = next.columns.length === 0;
      if (scroll.hidden) return;
      table.style.setProperty("--row", `${height()}px`);
      table.classList.toggle("few", next.columns.length === 1);
      table.classList.toggle("many", next.columns.length > 2);
      table.classList.toggle("most", next.columns.length > 3);
      draw(true);
      if (last !== next.chosen) bringIntoSight(next.chosen);
      last = next.chosen;
      draw();
    },
  };
}
