// The curves as numbers: a row a checkpoint, for those who read instead of look.

import { el } from "../../lib/dom.js";
import { weight } from "../../lib/i18n.js";
import { bestHead } from "../../lib/lab/curves.js";
import { numberAt, pointAt, stepsOf } from "../../lib/lab/time.js";

export function createTable(root, { i18n, naming }) {
  const doc = root.ownerDocument;
  const [details, table] = ["numbers", "table"].map((name) => root.querySelector(`[data-${name}]`));
  let scene = null;
  let drawn = "";
  details.addEventListener("toggle", () => draw());

  const best = (run, step, role) => {
    const number = numberAt(run, step);
    const found = number === null ? null : bestHead(run.checkpoints[number], role);
    return found ? `${naming.head(found.layer, found.head)} ${weight(found.score, 2)}` : "–";
  };

  function draw() {
    const some = scene.runs.map((run, at) => ({ run, at })).filter(({ run }) => run?.checkpoints.length);
    details.classList.toggle("none", !some.length);
    const state = some.map(({ run, at }) => `${at} ${run.job} ${run.checkpoints.length} ${scene.difference?.name} ${scene.difference?.value}`).join();
    if (!details.open || drawn === state) return;
    drawn = state;
    const roles = Object.keys(some[0].run.checkpoints[0].scores);
    const of = (at) => (some.length > 1 ? ` · ${naming.title(at, scene.difference)}` : "");
    const heads = some.flatMap(({ at }) => [`${i18n.t("lab.accuracy")}${of(at)}`, `${i18n.t("lab.loss")}${of(at)}`, ...roles.map((role) => `${i18n.t("lab.table.best", { role: naming.role(role) })}${of(at)}`)]);
    table.replaceChildren(
      el(doc, "thead", {}, el(doc, "tr", {}, el(doc, "th", { scope: "col", text: i18n.t("lab.step") }), ...heads.map((text) => el(doc, "th", { scope: "col", text })))),
      el(doc, "tbody", {}, ...stepsOf(some.map(({ run }) => run)).map((step) => el(doc, "tr", {}, el(doc, "th", { scope: "row", text: String(step) }),
        ...some.flatMap(({ run }) => {
          const point = pointAt(run, step);
          return [point ? weight(point.accuracy) : "–", point ? weight(point.loss) : "–", ...roles.map((role) => best(run, step, role))];
        }).map((text) => el(doc, "td", { text }))))));
  }

  return {
    update(next) {
      scene = next;
      draw();
    },
  };
}
