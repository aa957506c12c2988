// Why √dₖ: a slider for the length of queries and keys, and what becomes of scores, weights and gradients.

import { el, setText } from "../../lib/dom.js";
import { drawChart, stepsOf } from "../../lib/ideas/chart.js";
import { createPanel } from "../../lib/ideas/panel.js";
import { decade, plain } from "../../lib/ideas/numbers.js";
import { createBar, createExercise, createSeed } from "../../lib/ideas/parts.js";
import { STOPS, nearestStop } from "../../lib/ideas/state.js";

const CURVES = ["largest", "entropy", "gradient"];
const HALF = [0.45, 0.55];
const WAYS = ["unscaled", "scaled"];

export function createScaling(root, { i18n, sentenceOf, taking, choose, again }) {
  const doc = root.ownerDocument;
  const { t } = i18n;
  let now = null; // { state, found }

  const slider = el(doc, "input", { type: "range", id: "dim", min: 0, max: STOPS.length - 1, step: 1, oninput: () => choose({ dim: STOPS[slider.value] }, { steps: false }) });
  const output = el(doc, "output", { for: "dim" });
  const seed = createSeed(doc, { i18n, onSeed: (value) => choose({ seed: value }) });
  const bar = createBar(doc, { i18n, sentenceOf, taking, onAgain: () => again("scaling") },
    el(doc, "label", { class: "slide" }, el(doc, "span", { text: t("idea.scaling.dim") }), slider, output), seed.node);
  const scores = createPanel(doc, { i18n, name: "scores", height: 360 });
  const curves = CURVES.map((what) => createPanel(doc, { i18n, name: what, height: 230 }));
  const table = el(doc, "table", { class: "links numbers" });
  const note = el(doc, "p", { class: "note" });
  const exercise = createExercise(doc, { i18n, onCheck: check });
  root.append(bar.node, el(doc, "div", { class: "pair" }, scores.node, el(doc, "div", { class: "card panel" }, table, note, exercise.node)), el(doc, "div", { class: "trio" }, ...curves.map(({ node }) => node)));

  function check() {
    const { dim, unscaled: { largest }, scaled } = now.found;
    const how = largest < HALF[0] ? "less" : largest > HALF[1] ? "more" : "found";
    exercise.say(t(`idea.scaling.ask.${how}`, { dim, largest: plain(largest), scaled: plain(scaled.largest) }), how === "found");
  }

  function drawScores({ dim, queries, keys, scaled, unscaled }, width) {
    const share = ({ counts }) => counts.map((count) => count / (queries * keys));
    const most = Math.max(...share(scaled), ...share(unscaled));
    const end = Math.max(-unscaled.edges[0], unscaled.edges.at(-1));
    return [drawChart(doc, {
      width, height: 360, label: t("idea.scaling.alt", { queries, keys, unscaled: plain(unscaled.variance), scaled: plain(scaled.variance), dim }),
      x: { domain: [-end, end], label: t("idea.scaling.scores.x") },
      y: { domain: [0, most], label: t("idea.scaling.scores.y", { bins: scaled.counts.length }) },
      series: [
        { name: t("idea.scaling.unscaled"), slot: 1, points: stepsOf(unscaled.edges, share(unscaled)) },
        { name: t("idea.scaling.scaled"), slot: 0, dash: true, points: stepsOf(scaled.edges, share(scaled)) },
      ],
    })];
  }
  const scoreRows = ({ queries, keys, scaled, unscaled }) => [
    [t("idea.scaling.column.from"), t("idea.scaling.column.to"), t("idea.scaling.scores.y", { bins: scaled.counts.length }), t("idea.cost.way")],
    ...[["unscaled", unscaled], ["scaled", scaled]].flatMap(([way, { edges, counts }]) =>
      counts.map((count, i) => [edges[i], edges[i + 1], count / (queries * keys), t(`idea.scaling.${way}`)])),
  ];

  function drawCurve(what, { curve, dim, most_entropy: most }, width) {
    const points = (way, key) => curve.map((one) => [one.dim, one[way][key]]);
    const isGradient = what === "gradient";
    const series = [
      { name: t("idea.scaling.unscaled"), slot: 1, dots: true, points: points("unscaled", what) },
      ...(isGradient ? [{ name: t("idea.scaling.unscaled.median"), slot: 2, dots: true, dash: true, points: points("unscaled", "median_gradient") }] : []),
      { name: t("idea.scaling.scaled"), slot: 0, dots: true, points: points("scaled", what) },
    ];
    const values = series.flatMap(({ points: all }) => all.map(([, value]) => value)).filter((value) => value > 0);
    const top = what === "largest" ? 1 : what === "entropy" ? most : Math.max(...values) * 1.2;
    const last = curve.at(-1);
    return [drawChart(doc, {
      width, height: 230, series, rules: [{ x: dim }],
      label: t("idea.scaling.curve.alt", { what: t(`idea.scaling.${what}`), least: curve[0].dim, most: last.dim, unscaled: plain(last.unscaled[what]), scaled: plain(last.scaled[what]) }),
      x: { scale: "log", base: 2, domain: [curve[0].dim, last.dim], ticks: curve.map((one) => one.dim).filter((_, i) => i % (width < 300 ? 4 : 2) === 0), format: String, label: "dₖ" },
      y: isGradient ? { scale: "log", domain: [Math.min(...values), top], format: decade } : { domain: [0, top] },
    })];
  }
  const curveRows = (what, { curve }) => {
    const keys = what === "gradient" ? ["gradient", "median_gradient"] : [what];
    const named = (way) => keys.map((key) => `${t(`idea.scaling.${key === "median_gradient" ? "gradient.median" : key === "gradient" ? "gradient.mean" : key}`, { most: "" })}, ${t(`idea.scaling.${way}`)}`);
    return [["dₖ", ...WAYS.flatMap(named)], ...curve.map((one) => [one.dim, ...WAYS.flatMap((way) => keys.map((key) => one[way][key]))])];
  };

  function fillTable({ keys, queries, most_entropy: most, ...found }) {
    const line = (name, key) => el(doc, "tr", {}, el(doc, "th", { scope: "row", text: name }), ...WAYS.map((way) => el(doc, "td", { text: plain(found[way][key]) })));
    table.replaceChildren(
      el(doc, "thead", {}, el(doc, "tr", {}, el(doc, "th", { scope: "col", text: `dₖ = ${found.dim}` }), ...WAYS.map((way) => el(doc, "th", { scope: "col", text: t(`idea.scaling.${way}`) })))),
      el(doc, "tbody", {}, line(t("idea.scaling.variance"), "variance"), line(t("idea.scaling.largest"), "largest"), line(t("idea.scaling.of-most", { most: plain(most) }), "entropy"),
        line(t("idea.scaling.gradient.mean"), "gradient"), line(t("idea.scaling.gradient.median"), "median_gradient")));
    setText(note, t("idea.scaling.number", { keys, queries }));
    exercise.ask(t("idea.scaling.ask", { keys }));
  }

  return {
    update({ state, answer }) {
      const { value: found, ...how } = answer("scaling");
      slider.value = nearestStop(state.dim);
      slider.setAttribute("aria-valuetext", `dₖ = ${state.dim}`);
      setText(output, String(state.dim));
      seed.update(state.seed);
      bar.update(how);
      root.setAttribute("aria-busy", String(how.busy && !found));
      if (!found) return;
      if (now && now.found.dim !== found.dim) exercise.say("");
      now = { state, found };
      scores.update({ title: t("idea.scaling.scores", { dim: found.dim }), draw: (width) => drawScores(found, width), rows: () => scoreRows(found) });
      curves.forEach((panel, i) => panel.update({ title: t(`idea.scaling.${CURVES[i]}`), draw: (width) => drawCurve(CURVES[i], found, width), rows: () => curveRows(CURVES[i], found) }));
      fillTable(found);
    },
  };
}
