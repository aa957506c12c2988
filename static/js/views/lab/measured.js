// What the lab's choices come to, as they were measured: a row a trial, which can be laid beside the task's own.

import { el, setText } from "../../lib/dom.js";
import { against, differences, trialsOf } from "../../lib/lab/measured.js";

export function createMeasured(root, { i18n, naming, onTrial }) {
  const doc = root.ownerDocument;
  const [hint, rows] = ["hint", "rows"].map((name) => root.querySelector(`[data-${name}]`));
  let shown = null;

  function row(trial, trials) {
    const usual = trials.find((one) => !one.against);
    const other = against(trials, trial);
    const changes = differences(trial, usual);
    const what = changes.length ? naming.changes(changes) : i18n.t("lab.measured.usual");
    const isBeside = other && differences(trial, other).length === 1;
    return el(doc, "tr", {}, el(doc, "th", { scope: "row", text: what }), el(doc, "td", { text: naming.shares(trial.accuracy) }),
      el(doc, "td", {}, el(doc, "button", {
        type: "button", class: "pill", onclick: () => onTrial(trial, isBeside ? other : null),
        text: i18n.t(isBeside ? "lab.measured.beside" : "lab.measured.take"), "aria-label": i18n.t(isBeside ? "lab.measured.of" : "lab.measured.take-of", { what }),
      })));
  }

  return {
    update({ lab, state }) {
      const trials = lab ? trialsOf(lab, state.choices.task) : [];
      root.hidden = !trials.length;
      if (!trials.length || shown === `${state.choices.task}`) return;
      shown = state.choices.task;
      setText(hint, i18n.t("lab.measured.hint", { seeds: lab.measured.seeds.join(", ") }));
      rows.replaceChildren(...trials.map((trial) => row(trial, trials)));
    },
  };
}
