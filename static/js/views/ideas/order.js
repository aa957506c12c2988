// Order: the weights of a sentence, and of its shuffled words put back in order, for each kind of positions.

import { el, setText, tokenNode } from "../../lib/dom.js";
import { drawHeat, largestOf, pairRows } from "../../lib/ideas/heat.js";
import { plain } from "../../lib/ideas/numbers.js";
import { createPanel } from "../../lib/ideas/panel.js";
import { createBar, createSeed, createSegments, createSelect, createWords } from "../../lib/ideas/parts.js";
import { LONGEST, POSITIONS } from "../../lib/ideas/state.js";

const ROUNDING = 1e-4; // of sums in float32, far below what anybody would call a difference
const HEADS = [0, 1].flatMap((layer) => [0, 1].map((head) => ({ layer, head, value: `${layer}.${head}`, name: `L${layer} H${head}` })));

export function createOrder(root, { i18n, sentenceOf, taking, choose, again }) {
  const doc = root.ownerDocument;
  const { t } = i18n;
  const positions = createSegments(doc, { name: "positions", label: t("idea.order.positions"), options: POSITIONS.map((one) => [one, t(`idea.order.positions.${one}`)]), onChoice: (value) => choose({ positions: value }) });
  const words = createWords(doc, { i18n, label: t("idea.order.text"), longest: LONGEST.order, onWords: (text) => choose({ text }) });
  const head = createSelect(doc, { label: t("idea.order.head"), options: HEADS.map(({ value, name }) => [value, name]), onChoice: (value) => choose({ layer: Number(value[0]), head: Number(value[2]) }) });
  const seed = createSeed(doc, { i18n, label: t("idea.order.draw"), onSeed: (value) => choose({ seed: value }) });
  const label = el(doc, "span", { class: "choice", text: t("idea.order.positions") });
  const bar = createBar(doc, { i18n, sentenceOf, taking, onAgain: () => POSITIONS.forEach(again) }, el(doc, "span", { class: "choice" }, label, positions.node), head.node, seed.node);
  const read = el(doc, "p", { class: "read" });
  const panels = ["weights", "back"].map((name) => createPanel(doc, { i18n, name: `order-${name}`, height: 320 }));
  const verdict = el(doc, "p", { class: "verdict", role: "status" });
  const table = el(doc, "table", { class: "links numbers" });
  const all = el(doc, "div", { class: "card panel" }, el(doc, "h2", { text: t("idea.order.all") }), table);
  root.append(bar.node, words.node, el(doc, "div", { class: "pair even" }, ...panels.map(({ node }) => node)), el(doc, "div", { class: "card panel" }, read, verdict), all);

  function fillAll(found, chosen) {
    const most = Math.max(...found.map((one) => one?.difference ?? 0));
    table.replaceChildren(el(doc, "tbody", {}, ...POSITIONS.map((name, i) => el(doc, "tr", { class: name === chosen ? "here" : null },
      el(doc, "th", { scope: "row", text: t(`idea.order.positions.${name}`) }),
      el(doc, "td", { class: "length" }, el(doc, "i", { "aria-hidden": "true", style: { "--part": found[i] && most ? found[i].difference / most : 0 } })),
      el(doc, "td", { text: found[i] ? plain(found[i].difference) : "…" })))));
  }

  return {
    update({ state, answer, palette }) {
      const { value: found, ...how } = answer(state.positions);
      positions.update(state.positions);
      words.update(state.text);
      head.update(`${state.layer}.${state.head}`);
      seed.update(state.seed);
      bar.update({ busy: how.busy, problem: how.problem });
      fillAll(POSITIONS.map((name) => answer(name).value), state.positions);
      root.setAttribute("aria-busy", String(how.busy && !found));
      if (!found) return;
      const name = `L${state.layer} H${state.head}`;
      const label = t("idea.order.alt", { words: found.words.length, head: name });
      const rows = () => [[t("idea.order.query"), t("idea.order.key"), t("idea.order.weights"), t("idea.order.back")], ...pairRows(found.words, found.words, found.weights[state.layer][state.head], found.back[state.layer][state.head])];
      const largest = largestOf(found.weights[state.layer][state.head], found.back[state.layer][state.head]);
      panels.forEach((panel, i) => {
        const which = ["weights", "back"][i];
        const matrix = found[which][state.layer][state.head];
        panel.update({ title: t(`idea.order.${which}`), note: t("idea.strongest", { weight: plain(largest) }), rows, draw: (width) => [drawHeat(doc, { rows: found.words, columns: found.words, matrix, width, palette, largest, label: `${t(`idea.order.${which}`)}: ${label}` })] });
      });
      read.replaceChildren(el(doc, "span", { text: t("idea.order.read") }), " ", ...found.shuffled.flatMap((word) => [tokenNode(doc, word, { class: "word" }), " "]));
      setText(verdict, t(found.difference < ROUNDING ? "idea.order.same" : "idea.order.other", { difference: plain(found.difference) }));
    },
  };
}
