// Cost: time and memory of attention as the text grows, measured on the server; and what the cheaper ways leave out.

import { el, setText } from "../../lib/dom.js";
import { drawChart } from "../../lib/ideas/chart.js";
import { drawHeat, largestOf, pairRows } from "../../lib/ideas/heat.js";
import { bytes, plain, seconds } from "../../lib/ideas/numbers.js";
import { SECONDS } from "../../lib/ideas/asks.js";
import { createPanel } from "../../lib/ideas/panel.js";
import { createBar, createSeed, createSelect } from "../../lib/ideas/parts.js";
import { createStarting, foundOf, showResults } from "../../lib/ideas/starting.js";

const HEIGHT = 320;
const BUSY = 0.8; // a share of the time below which something else ran
const SIZES = [1, 2, 3, 4, 6, 8, 16, 32];
const FEATURES = [4, 16, 64, 256, 1024, 4096];
const WAYS = ["exact", "window", "estimate"];
const SHOWN = { time: { key: "seconds", format: seconds }, memory: { key: "bytes", format: bytes } };

export function createCost(root, { i18n, sentenceOf, taking, allowed, choose, again, run }) {
  const doc = root.ownerDocument;
  const { t } = i18n;
  const seed = createSeed(doc, { i18n, onSeed: (value) => choose({ seed: value }) });
  const numbers = (label, options, key) => createSelect(doc, { label, options: options.map((one) => [one, String(one)]), onChoice: (value) => choose({ [key]: Number(value) }) });
  const starting = createStarting(doc, { i18n, sentenceOf, allowed, run });
  const panels = Object.keys(SHOWN).map((what) => [what, createPanel(doc, { i18n, name: `cost-${what}`, height: HEIGHT, title: t(`idea.cost.${what}`) })]);
  const results = el(doc, "div", { class: "pair even" }, ...panels.map(([, { node }]) => node));
  const device = el(doc, "p", { class: "note" });
  const exponents = el(doc, "table", { class: "links numbers" });
  const claims = el(doc, "table", { class: "links numbers" });
  const facts = el(doc, "div", { class: "pair even" },
    el(doc, "div", { class: "card panel" }, el(doc, "h2", { text: t("idea.cost.exponents") }), exponents, device),
    el(doc, "div", { class: "card panel" }, el(doc, "h2", { text: t("idea.cost.claims") }), claims, el(doc, "p", { class: "note", text: t("idea.cost.claims.says") })));
  const size = numbers(t("idea.cost.sparing.size"), SIZES, "window");
  const features = numbers(t("idea.cost.sparing.features"), FEATURES, "features");
  const head = numbers(t("idea.cost.sparing.head"), [0, 1], "head");
  const bar = createBar(doc, { i18n, sentenceOf, taking, onAgain: () => again("sparing") }, seed.node);
  const choices = el(doc, "div", { class: "bar-of" }, el(doc, "div", { class: "choices" }, size.node, features.node, head.node));
  const sparing = WAYS.map((way) => createPanel(doc, { i18n, name: `weights-${way}`, height: 250 }));
  const difference = el(doc, "p", { class: "verdict", role: "status" });
  root.append(bar.node, starting.node, results, facts, el(doc, "section", { class: "left-out" }, el(doc, "h2", { text: t("idea.cost.sparing") }), choices, el(doc, "div", { class: "trio" }, ...sparing.map(({ node }) => node)), difference));

  const nameOf = (name, { window, global, features: count }) => t(`idea.cost.way.${name}`, { size: window, global: global.length, features: count });

  function draw(found, what, width) {
    const { key, format } = SHOWN[what];
    const ways = found.ways.filter(({ points }) => points.length);
    const points = ways.flatMap((way) => way.points);
    const counts = [...new Set(points.map(({ count }) => count))].sort((a, b) => a - b);
    const values = points.map((point) => point[key]);
    const ends = ways.map((way) => `${nameOf(way.name, found)} N = ${way.points.at(-1).count.toLocaleString(i18n.lang)}, ${format(way.points.at(-1)[key])}`).join("; ");
    return [drawChart(doc, {
      width, height: HEIGHT, label: t("idea.cost.alt", { what: t(`idea.cost.${what}`), ends }),
      x: { scale: "log", base: 2, domain: [counts[0], Math.max(counts.at(-1), counts[0] * 2)], ticks: counts.filter((_, i) => i % 2 === 0), format: String, label: t("idea.cost.count") },
      y: { scale: "log", domain: [Math.min(...values), Math.max(...values) * 1.3], label: t(`idea.cost.${what}.y`), format },
      series: ways.map((way, slot) => ({ name: nameOf(way.name, found), slot, dots: true, dash: slot % 2 === 1, points: way.points.map((point) => [point.count, point[key]]) })),
    })];
  }
  const rows = (found) => [
    [t("idea.cost.way"), t("idea.cost.count"), t("idea.cost.time.y"), t("idea.cost.memory.y")],
    ...found.ways.flatMap((way) => way.points.map((point) => [nameOf(way.name, found), point.count, point.seconds, point.bytes])),
  ];

  const table = (names, lines) => [el(doc, "thead", {}, el(doc, "tr", {}, ...names.map((text) => el(doc, "th", { scope: "col", text })))),
    el(doc, "tbody", {}, ...lines.map(([first, ...cells]) => el(doc, "tr", {}, el(doc, "th", { scope: "row", text: first }), ...cells.map((text) => el(doc, "td", { text })))))];
  function fill(found) {
    exponents.replaceChildren(...table([t("idea.cost.way"), t("idea.cost.exponent.time"), t("idea.cost.exponent.memory")],
      found.ways.map((way) => [nameOf(way.name, found), plain(way.time_exponent), plain(way.memory_exponent)])));
    const less = (memory) => (memory <= 1 ? t("idea.cost.claims.less", { share: i18n.percent(1 - memory) }) : t("idea.cost.claims.more", { share: i18n.percent(memory - 1) }));
    claims.replaceChildren(...table([t("idea.cost.way"), t("idea.cost.claims.memory"), t("idea.cost.claims.speed")],
      found.versus.map((one) => [`${nameOf(one.name, found)}. ${t("idea.cost.claims.beside", { count: one.count })}`, less(one.memory), t("idea.cost.claims.faster", { times: plain(one.speed) })])));
    const said = t("idea.cost.device", { ...found.device, dim: found.dim });
    setText(device, found.share < BUSY ? `${said} ${t("idea.cost.share", { share: i18n.percent(found.share) })}` : said);
  }

  function drawSparing(found, state, palette) {
    const matrices = { exact: found.exact, window: found.window.weights, estimate: found.estimate.weights };
    const all = () => [[t("idea.order.query"), t("idea.order.key"), ...WAYS.map((way) => t(`idea.cost.sparing.${way}`))], ...pairRows(found.words, found.words, ...WAYS.map((way) => matrices[way][state.head]))];
    const largest = largestOf(...WAYS.map((way) => matrices[way][state.head]));
    sparing.forEach((panel, i) => {
      const way = t(`idea.cost.sparing.${WAYS[i]}`);
      const label = t("idea.cost.sparing.alt", { words: found.words.length, way });
      panel.update({ title: way, note: t("idea.strongest", { weight: plain(largest) }), rows: all, draw: (width) => [drawHeat(doc, { rows: found.words, columns: found.words, matrix: matrices[WAYS[i]][state.head], width, palette, largest, label })] });
    });
    const says = t("idea.cost.sparing.says", { window: plain(found.window.difference), estimate: plain(found.estimate.difference) });
    setText(difference, found.size >= found.words.length ? `${says} ${t("idea.cost.sparing.exactly")}` : says);
  }

  return {
    update({ state, run: now, answer, palette }) {
      starting.update({ now, state, text: t("idea.cost.start.says", { seconds: SECONDS }) });
      const found = foundOf(now);
      const isThere = Boolean(found?.ways.some(({ points }) => points.length));
      showResults(results, now);
      facts.hidden = !found?.versus.length;
      if (isThere) {
        for (const [what, panel] of panels) panel.update({ title: t(`idea.cost.${what}`), draw: (width) => draw(found, what, width), rows: () => rows(found) });
        fill(found);
      }
      const { value, ...how } = answer("sparing");
      size.update(state.window);
      features.update(state.features);
      head.update(state.head);
      seed.update(state.seed);
      bar.update(how);
      if (value) drawSparing(value, state, palette);
    },
  };
}
