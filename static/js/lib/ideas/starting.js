// The line of what is measured or trained when somebody starts it: a button, how far it is, a way to end it.

import { el, setText } from "../dom.js";
import { createRunning } from "../running.js";

/** { node, update({ run, state, says, done }) }; value(run) is what is known by now, whole or in part. */
export function createStarting(doc, { i18n, sentenceOf, allowed, run }) {
  let seed = 0;
  let isAgain = false;
  const says = el(doc, "p");
  const button = el(doc, "button", { type: "button", class: "go", disabled: !allowed, onclick: () => run.start(isAgain ? { seed: (seed + 1) % 2 ** 32 } : {}) });
  const line = createRunning(doc, { i18n, sentenceOf, label: i18n.t("idea.run"), waiting: "idea.run.waiting", onCancel: run.stop, onAgain: run.again });
  const node = el(doc, "div", { class: "card starting" }, el(doc, "div", { class: "begin" }, says, button), line.node);
  return {
    node,
    update({ now, state, text }) {
      ({ seed } = state);
      isAgain = now?.state === "ready";
      setText(says, allowed ? text : i18n.t("idea.closed"));
      setText(button, i18n.t(isAgain ? "idea.start.again" : "idea.start"));
      button.hidden = isGoing(now) || ["failed", "stopped"].includes(now?.state);
      line.node.hidden = !now || isAgain;
      line.update(now);
    },
  };
}

export const isGoing = (now) => ["waiting", "running"].includes(now?.state);

/** Shows the place of the results while there are some, or will be; what was there stays, faint, until the next is. */
export function showResults(node, now) {
  node.hidden = !foundOf(now) && !isGoing(now);
  node.setAttribute("aria-busy", String(!node.hidden && !foundOf(now)));
}

/** What a run has found by now: whole when it is ready, in part while it goes on, else null. */
export const foundOf = (now) => now?.value ?? now?.soFar ?? null;
