// The line of an experiment: how far it is and a way to end it, why it ended, or what it found in one sentence.

import { el, setText } from "./dom.js";

const FINAL = new Set(["too-many-tokens", "not-available"]); // problems that asking again cannot mend
const PATIENCE = 300; // milliseconds: what is there sooner needs no bar

/** Whether the same question may be put again: after an end that was not its own. */
export const mayAsk = ({ state, problem }) => state === "stopped" || (state === "failed" && !FINAL.has(problem.code));

/** { node, update(result, sentence) }: a place of constant height, so that nothing moves when the result arrives. */
export function createRunning(doc, { i18n, sentenceOf, label, waiting = "run.waiting", className = "run", onCancel, onAgain }) {
  const bar = el(doc, "progress", { max: "1", "aria-label": label });
  const text = el(doc, "p", { class: "amount", tabindex: "-1" });
  const cancel = el(doc, "button", { type: "button", class: "pill", text: i18n.t("run.cancel"), onclick: onCancel });
  const again = el(doc, "button", { type: "button", class: "pill", text: i18n.t("problem.retry"), onclick: onAgain });
  const node = el(doc, "div", { class: className }, bar, text, cancel, again);
  let shown = null;
  let timer = 0;

  function update(result, sentence = "") {
    const how = result?.state ?? "none";
    const isGoing = how === "waiting" || how === "running";
    if (shown !== result) {
      shown = result;
      clearTimeout(timer);
      node.classList.toggle("soon", isGoing);
      timer = setTimeout(() => node.classList.remove("soon"), PATIENCE);
    }
    const held = doc.activeElement;
    bar.hidden = cancel.hidden = !isGoing;
    again.hidden = !result || !mayAsk(result);
    // Who pressed a button that goes is left where the answer stands.
    if ((held === cancel && !isGoing) || (held === again && again.hidden)) (isGoing ? cancel : again.hidden ? text : again).focus();
    if (result?.total) bar.value = result.done / result.total;
    else bar.removeAttribute("value");
    node.classList.toggle("says", !isGoing);
    text.setAttribute("aria-live", isGoing ? "off" : "polite"); // numbers that change all the time are not read out
    setText(text, said(result, sentence));
  }

  function said(result, sentence) {
    switch (result?.state) {
      case "waiting": return i18n.t(waiting);
      case "running": return result.total ? i18n.t("run.amount", { done: result.done, total: result.total }) : i18n.t("run.begins");
      case "stopped": return i18n.t("run.stopped");
      case "failed": return sentenceOf(result.problem);
      default: return sentence;
    }
  }

  return { node, update };
}
