// The profile of the heads: a table of what each does in this text, in order of the model or of one column.

import { mostRanked } from "../lib/asked.js";
import { el, fill, setText, tokenNode } from "../lib/dom.js";
import { parts, weight } from "../lib/i18n.js";
import { columnsOf, nextSort, orderOf, sorted } from "../lib/profile.js";
import { visible } from "../lib/tokens.js";

const IN_TWO = new Set(["entropy", "distance"]); // digits; the others are shares

/** onSort(sort), onHead(layer, head, how). */
export function createProfile(root, { i18n, sentenceOf, onSort, onHead }) {
  const doc = root.ownerDocument;
  const at = (name) => root.querySelector(`[data-${name}]`);
  const [said, wait, scroll, table, note, words] = ["said", "wait", "scroll", "list", "note", "words"].map(at);
  let drawn = {};

  const number = (column, value) => (value === null ? "–" : weight(value, IN_TWO.has(column) ? 2 : 3));
  const signed = (offset) => (offset > 0 ? `+${offset}` : offset < 0 ? `−${-offset}` : "0");

  function heading(column, sort) {
    const order = orderOf(sort);
    const chosen = order?.column === column;
    return el(doc, "th", { scope: "col", "aria-sort": chosen ? (order.up ? "ascending" : "descending") : "none" },
      el(doc, "button", { type: "button", "data-column": column, onclick: () => onSort(nextSort(sort, column)) },
        i18n.t(`profile.${column}`), el(doc, "span", { class: "order", "aria-hidden": "true", text: chosen ? (order.up ? "↑" : "↓") : "" })));
  }

  function row(one, columns, chosen) {
    const value = (column) => [number(column, one[column]), column === "offset_share" && one.offset !== null ? el(doc, "i", { text: ` ${signed(one.offset)}` }) : null];
    return el(doc, "tr", { class: chosen ? "chosen" : null, "data-row": `${one.layer}.${one.head}`, onclick: () => onHead(one.layer, one.head) },
      el(doc, "th", { scope: "row" }, el(doc, "button", { type: "button", "aria-pressed": String(chosen), text: `L${one.layer} H${one.head}` })),
      ...columns.map((column) => el(doc, "td", {}, ...value(column).filter(Boolean))));
  }

  function drawTable({ heads }, { state, layer, head }) {
    const columns = columnsOf(heads);
    const held = root.contains(doc.activeElement) ? [doc.activeElement.dataset.column, doc.activeElement.closest("tr")?.dataset.row] : [];
    table.replaceChildren(
      el(doc, "caption", { class: "hidden", text: i18n.t("analysis.profile.title") }),
      el(doc, "thead", {}, el(doc, "tr", {}, el(doc, "th", { scope: "col", text: i18n.t("link.head") }), ...columns.map((column) => heading(column, state.sort)))),
      el(doc, "tbody", {}, ...sorted(heads, state.sort).map((one) => row(one, columns, one.layer === layer && one.head === head))));
    words.replaceChildren(...columns.flatMap((column) => [el(doc, "dt", { text: i18n.t(`profile.${column}`) }), el(doc, "dd", { text: i18n.t(`profile.${column}.help`) })]));
    const [column, name] = held;
    (column ? table.querySelector(`[data-column="${column}"]`) : name ? table.querySelector(`[data-row="${name}"] button`) : null)?.focus({ preventScroll: true });
  }

  // The head in focus in sentences that can be quoted; what it has no number for is not said.
  function drawSaid({ heads }, { session, layer, head }) {
    const one = heads.find((its) => its.layer === layer && its.head === head);
    if (!one) return said.replaceChildren();
    const { posted, map } = session;
    const texts = posted[posted.maps.find(({ kind }) => kind === map.kind).key_axis].texts;
    const slots = {
      head: `L${layer} H${head}`, entropy: weight(one.entropy, 2), spread: String(Math.round(100 * one.spread)), special: weight(one.special),
      distance: weight(one.distance ?? 0, 2), offset: signed(one.offset ?? 0), offset_share: weight(one.offset_share ?? 0),
      topic: weight(one.topic ?? 0), key: () => tokenNode(doc, visible(texts[one.topic_key] ?? "")),
    };
    const keys = ["profile.says", one.offset === null ? null : "profile.says.distance", one.topic === null ? null : "profile.says.topic"].filter(Boolean);
    return said.replaceChildren(...keys.flatMap((key, i) => [i ? " " : "", ...fill(doc, parts(i18n.t(key)), slots)]));
  }

  // The row of the head in focus comes into view inside the table; the page stays where it is.
  function reveal() {
    const chosen = table.querySelector("tr.chosen");
    if (!chosen || scroll.contains(doc.activeElement)) return;
    const [box, line] = [scroll.getBoundingClientRect(), chosen.getBoundingClientRect()];
    const top = box.top + table.tHead.offsetHeight;
    if (line.top < top) scroll.scrollTop -= top - line.top;
    else if (line.bottom > box.bottom) scroll.scrollTop += line.bottom - box.bottom;
  }

  function hintOf(profile, map) {
    if (profile?.state === "failed") return sentenceOf(profile.problem);
    return profile ? i18n.t("link.waiting") : i18n.t("profile.long", { count: mostRanked(map) });
  }

  return {
    about: "analysis.profile",
    shows: ({ session }) => !session.trace.picture,
    update(scene) {
      const { profile, session, state, layer, head } = scene;
      const value = profile?.state === "ready" ? profile.value : null;
      const stays = profile?.state === "waiting" && table.childElementCount > 0;
      root.setAttribute("aria-busy", String(profile?.state === "waiting"));
      wait.hidden = Boolean(value) || stays;
      setText(wait, wait.hidden ? "" : hintOf(profile, session.map));
      for (const node of [scroll, note, said, words.parentElement]) node.hidden = !value && !stays;
      const now = `${layer} ${head} ${state.sort}`;
      if (!value || (drawn.value === value && drawn.now === now && drawn.session === session)) return;
      drawn = { value, now, session };
      drawTable(value, scene);
      drawSaid(value, scene);
      setText(note, i18n.t("profile.rows", { count: value.rows }));
      reveal();
    },
  };
}
