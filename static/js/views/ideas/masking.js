// The mask: one small decoder trained with it and without it, and what each then writes.

import { el, setText, tokenNode } from "../../lib/dom.js";
import { drawChart } from "../../lib/ideas/chart.js";
import { plain } from "../../lib/ideas/numbers.js";
import { createPanel } from "../../lib/ideas/panel.js";
import { createBar, createSeed, createSegments } from "../../lib/ideas/parts.js";
import { createStarting, foundOf, showResults } from "../../lib/ideas/starting.js";

const WAYS = ["masked", "unmasked"];
const HEIGHT = 300;

export function createMasking(root, { i18n, sentenceOf, taking, allowed, choose, run }) {
  const doc = root.ownerDocument;
  const { t } = i18n;
  const language = createSegments(doc, { name: "language", label: t("idea.masking.language"), options: ["en", "ko"].map((one) => [one, t(`idea.masking.language.${one}`)]), onChoice: (value) => choose({ language: value }) });
  const seed = createSeed(doc, { i18n, onSeed: (value) => choose({ seed: value }) });
  const bar = createBar(doc, { i18n, sentenceOf, taking }, el(doc, "span", { class: "choice" }, el(doc, "span", { text: t("idea.masking.language") }), language.node), seed.node);
  const starting = createStarting(doc, { i18n, sentenceOf, allowed, run });
  const losses = createPanel(doc, { i18n, name: "masking", height: HEIGHT, title: t("idea.masking.losses") });
  const table = el(doc, "table", { class: "links numbers" });
  const note = el(doc, "p", { class: "note" });
  const verdict = el(doc, "p", { class: "verdict", role: "status" });
  const written = el(doc, "table", { class: "links numbers written" });
  const results = el(doc, "div", { class: "pair" }, losses.node, el(doc, "div", { class: "card panel" }, table, note, verdict));
  const writing = el(doc, "div", { class: "card panel" }, el(doc, "h2", { text: t("idea.masking.written") }), written);
  root.append(bar.node, starting.node, results, writing);

  function draw(found, width) {
    const { steps } = found.masked;
    const last = (way) => plain(found[way].test.at(-1));
    const all = WAYS.flatMap((way) => found[way].test);
    return [drawChart(doc, {
      width, height: HEIGHT,
      label: t("idea.masking.alt", { steps: steps.at(-1), masked: last("masked"), unmasked: last("unmasked"), least: plain(found.least) }),
      x: { domain: [0, steps.at(-1)], label: t("idea.step") },
      y: { domain: [0, Math.max(...all)], label: t("idea.loss") },
      series: WAYS.map((way, slot) => ({ name: t(`idea.masking.${way}`), slot, dash: slot === 1, points: steps.map((step, i) => [step, found[way].test[i]]) })),
      rules: [{ y: found.least, name: t("idea.masking.least", { least: plain(found.least) }) }],
    })];
  }
  const rows = ({ masked, unmasked }) => [
    [t("idea.step"), ...WAYS.flatMap((way) => ["train", "test"].map((which) => `${t(`idea.masking.${which}`)}, ${t(`idea.masking.${way}`)}`))],
    ...masked.steps.map((step, i) => [step, masked.train[i], masked.test[i], unmasked.train[i], unmasked.test[i]]),
  ];

  const head = (first) => el(doc, "thead", {}, el(doc, "tr", {}, el(doc, "th", { scope: "col", text: first }), ...WAYS.map((way) => el(doc, "th", { scope: "col", text: t(`idea.masking.${way}`) }))));
  function fill(found) {
    const line = (name, of) => el(doc, "tr", {}, el(doc, "th", { scope: "row", text: t(`idea.masking.${name}`) }), ...WAYS.map((way) => el(doc, "td", { text: plain(of(found[way])) })));
    table.replaceChildren(head(t("idea.loss")), el(doc, "tbody", {}, line("train", (one) => one.train.at(-1)), line("test", (one) => one.test.at(-1)), line("alone", (one) => one.alone)));
    setText(note, t("idea.masking.guessing", { guessing: plain(found.guessing), trained: found.trained_on, tested: found.tested_on }));
    const { alone, test } = found.unmasked;
    const how = alone === null ? null : test.at(-1) < found.least ? "copies" : "not-yet";
    setText(verdict, how ? t(`idea.masking.${how}`, { test: plain(test.at(-1)), least: plain(found.least), alone: plain(alone), masked: plain(found.masked.alone) }) : "");
    writing.hidden = !found.masked.written.length;
    const words = (list) => list.flatMap((word) => [tokenNode(doc, word, { class: "word" }), " "]);
    written.replaceChildren(head(t("idea.masking.beginning")), el(doc, "tbody", {}, ...found.masked.written.map(({ beginning }, i) => el(doc, "tr", {},
      el(doc, "th", { scope: "row" }, beginning ? tokenNode(doc, beginning) : t("idea.masking.beginning.empty")),
      ...WAYS.map((way) => el(doc, "td", { class: "read" }, ...words(found[way].written[i].words)))))));
  }

  return {
    update({ state, run: now }) {
      language.update(state.language);
      seed.update(state.seed);
      bar.update({});
      starting.update({ now, state, text: t("idea.masking.start.says") });
      const found = foundOf(now);
      showResults(results, now);
      writing.hidden = true;
      if (!found) return;
      losses.update({ title: t("idea.masking.losses"), draw: (width) => draw(found, width), rows: () => rows(found) });
      fill(found);
    },
  };
}
