// Against recurrence: a recurrent network with and without attention, trained here, and how far back each recalls.

import { el, setText } from "../../lib/dom.js";
import { STEPS } from "../../lib/ideas/asks.js";
import { drawChart } from "../../lib/ideas/chart.js";
import { plain } from "../../lib/ideas/numbers.js";
import { createPanel } from "../../lib/ideas/panel.js";
import { createBar, createSeed, createSelect } from "../../lib/ideas/parts.js";
import { createStarting, foundOf, showResults } from "../../lib/ideas/starting.js";

const WAYS = ["without", "attending"];
const LENGTHS = [8, 12, 16, 20, 24, 28, 32];
const HEIGHT = 320;

export function createRecurrence(root, { i18n, sentenceOf, taking, allowed, choose, run }) {
  const doc = root.ownerDocument;
  const { t } = i18n;
  const length = createSelect(doc, { label: t("idea.recurrence.length"), options: LENGTHS.map((one) => [one, String(one)]), onChoice: (value) => choose({ length: Number(value) }) });
  const seed = createSeed(doc, { i18n, onSeed: (value) => choose({ seed: value }) });
  const bar = createBar(doc, { i18n, sentenceOf, taking }, length.node, seed.node);
  const starting = createStarting(doc, { i18n, sentenceOf, allowed, run });
  const recalled = createPanel(doc, { i18n, name: "recall", height: HEIGHT, title: t("idea.recurrence.accuracy") });
  const losses = createPanel(doc, { i18n, name: "recall-losses", height: HEIGHT, title: t("idea.recurrence.losses") });
  const results = el(doc, "div", { class: "pair even" }, recalled.node, losses.node);
  const note = el(doc, "p", { class: "note" });
  root.append(bar.node, starting.node, results, note);

  const series = (points, found) => WAYS.map((way, slot) => ({ name: t(`idea.recurrence.${way}`), slot: 1 - slot, dash: way === "without", dots: points === recallOf, points: points(found[way]) }));
  const recallOf = ({ accuracy }) => accuracy.map((share, i) => [i + 1, share]);
  const lossesOf = ({ steps, losses: all }) => steps.map((step, i) => [step, all[i]]);

  function drawRecall(found, width) {
    const share = (way, i) => i18n.percent(found[way].accuracy.at(i));
    return [drawChart(doc, {
      width, height: HEIGHT,
      label: t("idea.recurrence.alt", { texts: found.texts, near: share("without", 0), near_attending: share("attending", 0), far: found.length, end: share("without", -1), end_attending: share("attending", -1) }),
      x: { domain: [1, found.length], label: t("idea.recurrence.accuracy.x") },
      y: { domain: [0, 1], label: t("idea.recurrence.accuracy.y") },
      series: series(recallOf, found), rules: [{ y: found.chance, name: t("idea.recurrence.chance", { chance: i18n.percent(found.chance) }) }],
    })];
  }
  function drawLosses(found, width) {
    const last = (way) => plain(found[way].losses.at(-1));
    const all = WAYS.flatMap((way) => found[way].losses);
    const most = found.without.steps.at(-1);
    return [drawChart(doc, {
      width, height: HEIGHT, label: t("idea.recurrence.losses.alt", { steps: most, without: last("without"), attending: last("attending") }),
      x: { domain: [0, most], label: t("idea.step") }, y: { domain: [0, Math.max(...all)], label: t("idea.loss") },
      series: series(lossesOf, found),
    })];
  }
  const tableOf = (first, points, found) => {
    const [one, other] = WAYS.map((way) => points(found[way]));
    return [[first, ...WAYS.map((way) => t(`idea.recurrence.${way}`))], ...one.map(([at, value], i) => [at, value, other[i][1]])];
  };

  return {
    update({ state, run: now }) {
      length.update(state.length);
      seed.update(state.seed);
      bar.update({});
      starting.update({ now, state, text: t("idea.recurrence.start.says", { steps: STEPS, length: state.length }) });
      const found = foundOf(now);
      showResults(results, now);
      note.hidden = !found;
      if (!found) return;
      const isWhole = found.without.accuracy.length > 0;
      recalled.update({ title: t("idea.recurrence.accuracy"), draw: (width) => (isWhole ? drawRecall(found, width) : []), rows: isWhole ? () => tableOf(t("idea.recurrence.accuracy.x"), recallOf, found) : null });
      losses.update({ title: t("idea.recurrence.losses"), draw: (width) => drawLosses(found, width), rows: () => tableOf(t("idea.step"), lossesOf, found) });
      setText(note, t("idea.recurrence.parameters", { without: found.without.parameters, attending: found.attending.parameters }));
    },
  };
}
