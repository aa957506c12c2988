// The curves over the steps of training: right answers, loss, and what the heads are scored for. The line of the step
// that is looked at goes through all of them; where a head jumps there is a mark with its name.

import { el } from "../../lib/dom.js";
import { weight } from "../../lib/i18n.js";
import { pathOf, placing, scoresOf, stepTicks } from "../../lib/lab/curves.js";
import { pointAt } from "../../lib/lab/time.js";
import { scaleOf, tickText } from "../../lib/scatter.js";

const [LEFT, RIGHT, TITLE, GAP, FOOT] = [44, 14, 20, 16, 26];
const HEIGHTS = [92, 72, 100]; // of accuracy, loss, score
const LETTER = 8; // pixels that one of a head's name takes
const UNIT = [0, 0.5, 1];

export function createPlot(root, { i18n, naming }) {
  const doc = root.ownerDocument;
  const box = root.querySelector("[data-plot]");
  const svg = el(doc, "svg:svg", { role: "img", class: "curves" });
  const height = HEIGHTS.reduce((sum, one) => sum + one + TITLE + GAP, FOOT - GAP);
  box.replaceChildren(svg);
  box.style.setProperty("height", `${height}px`);
  let scene = null;
  new ResizeObserver(() => scene && draw()).observe(box);
  const node = (tag, props, ...children) => el(doc, `svg:${tag}`, props, ...children);

  function frames(width) {
    let top = 0;
    return HEIGHTS.map((tall) => {
      const frame = { left: LEFT, right: width - RIGHT, top: top + TITLE, bottom: top + TITLE + tall };
      top = frame.bottom + GAP;
      return frame;
    });
  }

  function axes(frame, title, scale, place) {
    return [
      node("text", { class: "title", x: frame.left, y: frame.top - 7, text: title }),
      ...scale.flatMap((tick) => [
        node("line", { class: "tick", x1: frame.left, x2: frame.right, y1: place.y(tick), y2: place.y(tick) }),
        node("text", { class: "value", x: frame.left - 7, y: place.y(tick) + 4, text: tickText(tick, scale) }),
      ]),
    ];
  }

  function curve(run, at, name, place, step, series) {
    const here = series.findLast((one) => one.step <= step) ?? null;
    return [
      node("path", { class: `curve run${at} ${name}`, d: pathOf(series, place) }),
      ...(here && step !== null ? [node("circle", { class: `dot run${at}`, cx: place.x(here.step), cy: place.y(here.value), r: 4 })] : []),
    ];
  }

  // Every head's score, faint, and the chosen one's.
  function scores(run, at, place) {
    const { role, step } = scene;
    const rows = run.checkpoints[0]?.scores[role] ?? [];
    const chosen = scene.headOf(run);
    const others = rows.flatMap((row, layer) => row.map((_, head) => ({ layer, head }))).filter(({ layer, head }) => layer !== chosen.layer || head !== chosen.head);
    return [
      ...others.map(({ layer, head }) => node("path", { class: `curve run${at} other`, d: pathOf(scoresOf(run, role, layer, head), place) })),
      ...curve(run, at, "chosen", place, step, scoresOf(run, role, chosen.layer, chosen.head)),
    ];
  }

  // Names stand where there is room for them, the highest jump's first; every mark is in the list below as well.
  function marks(all, frame, top, place) {
    const taken = [];
    return all.flatMap(({ jump, at }) => {
      const x = place.x(jump.step);
      const name = jump.role === scene.role ? naming.head(jump.layer, jump.head) : `${naming.head(jump.layer, jump.head)} · ${naming.role(jump.role)}`;
      const isEnd = x > frame.right - name.length * LETTER;
      const [from, to] = isEnd ? [x - name.length * LETTER, x] : [x, x + name.length * LETTER];
      const isFree = taken.every((other) => other.to < from || to < other.from);
      if (isFree) taken.push({ from, to });
      return [
        ...(isFree ? [node("line", { class: `jump run${at}`, x1: x, x2: x, y1: top, y2: frame.bottom })] : []),
        node("path", { class: `peak run${at}`, d: `M${x - 5} ${frame.bottom + 7}h10l-5 -8z` }),
        ...(isFree ? [node("text", { class: `who run${at}`, x: x + (isEnd ? -6 : 6), y: frame.bottom - 9, "text-anchor": isEnd ? "end" : "start", text: name })] : []),
      ];
    });
  }

  function draw() {
    const { runs, step, steps, role } = scene;
    const width = box.clientWidth;
    if (!width) return;
    const some = runs.map((run, at) => ({ run, at })).filter(({ run }) => run);
    const highest = Math.max(...some.flatMap(({ run }) => run.points.map(({ loss }) => loss)), 1e-6);
    const losses = some.some(({ run }) => run.points.length) ? scaleOf(highest) : UNIT;
    const [accuracy, loss, score] = frames(width);
    const places = [placing(accuracy, steps, 1), placing(loss, steps, losses.at(-1)), placing(score, steps, 1)];
    const jumps = some.flatMap(({ run, at }) => (run.result?.jumps ?? []).map((jump) => ({ jump, at }))).sort((one, other) => (other.jump.role === role) - (one.jump.role === role));
    const ticks = stepTicks(steps);
    const chosen = scene.headOf(runs[0] ?? scene.state);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    svg.setAttribute("aria-label", describe(some));
    svg.replaceChildren(
      ...axes(accuracy, i18n.t("lab.accuracy"), UNIT, places[0]), ...axes(loss, i18n.t("lab.loss"), losses, places[1]),
      ...axes(score, role ? i18n.t("lab.score", { role: naming.role(role), head: naming.head(chosen.layer, chosen.head) }) : "", UNIT, places[2]),
      ...ticks.map((tick) => node("text", { class: "value step", x: places[0].x(tick), y: height - 4, "text-anchor": tick === 0 ? "start" : places[0].x(tick) > score.right - 20 ? "end" : "middle", text: tick.toLocaleString(i18n.lang) })),
      ...(step === null ? [] : [node("line", { class: "cursor", x1: places[0].x(step), x2: places[0].x(step), y1: accuracy.top - 6, y2: score.bottom })]),
      ...some.flatMap(({ run, at }) => [
        ...curve(run, at, "accuracy", places[0], step, run.points.map((one) => ({ step: one.step, value: one.accuracy }))),
        ...curve(run, at, "loss", places[1], step, run.points.map((one) => ({ step: one.step, value: one.loss }))),
        ...scores(run, at, places[2]),
      ]),
      ...marks(jumps, score, accuracy.top, places[2]),
    );
  }

  function describe(some) {
    const told = some.filter(({ run }) => run.points.length).map(({ run, at }) => {
      const [first, last] = [run.points[0], pointAt(run, Infinity)];
      return i18n.t("lab.plot.run", {
        run: naming.title(at, scene.difference), accuracy: weight(first.accuracy), last: weight(last.accuracy), loss: weight(first.loss), end: weight(last.loss),
      });
    });
    return [i18n.t("lab.plot", { role: scene.role ? naming.role(scene.role) : "–" }), ...(told.length ? told : [i18n.t("lab.plot.empty")])].join(" ");
  }

  return {
    update(next) {
      scene = next;
      draw();
    },
  };
}
