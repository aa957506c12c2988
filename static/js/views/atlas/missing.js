// What has not been measured yet: which command does it, and where the server allows it a button that starts it.

import { el, setText } from "../../lib/dom.js";

export function createMissing(root, { i18n, mayEvaluate, sentenceOf, nameOf, onMeasure, onCancel }) {
  const doc = root.ownerDocument;
  const at = (name) => root.querySelector(`[data-${name}]`);
  const [title, text, tasks, bar, amount, wrong, measure, cancel, command, code] =
    ["title", "text", "tasks", "bar", "amount", "wrong", "measure", "cancel", "command", "code"].map(at);
  measure.addEventListener("click", onMeasure);
  cancel.addEventListener("click", onCancel);

  // "antecedent rows": the task, and its step.
  function amountOf({ step, done, total }) {
    const task = step.split(" ")[0];
    if (!total || !i18n.has(`atlas.group.${task}`)) return i18n.t("atlas.starting");
    return i18n.t("atlas.amount", { question: i18n.t(`role.${task}`), done, total });
  }

  function drawRun(run) {
    const isOn = run !== null && run.state !== "failed";
    bar.hidden = amount.hidden = cancel.hidden = !isOn;
    wrong.hidden = run?.state !== "failed";
    setText(wrong, run?.state === "failed" ? sentenceOf(run.problem) : "");
    if (!isOn) return;
    if (run.total) bar.value = run.done / run.total;
    else bar.removeAttribute("value");
    setText(amount, amountOf(run));
  }

  return {
    update({ atlas, model, run, failed }) {
      const open = atlas ? atlas.tasks.filter((one) => !one.done) : [];
      const isNothing = atlas !== null && !atlas.tasks.length && !atlas.results.length;
      root.hidden = atlas === null || model === null || (!open.length && !isNothing && !run);
      if (root.hidden) return;
      const names = { model: i18n.model(model) };
      setText(title, i18n.t(isNothing ? "atlas.nothing.title" : atlas.results.length ? "atlas.more.title" : "atlas.missing.title"));
      setText(text, i18n.t(isNothing ? `atlas.nothing.${model.input === "picture" ? "picture" : "other"}` : atlas.results.length ? "atlas.more.text" : "atlas.missing.text", names));
      tasks.replaceChildren(...open.map((one) => {
        const why = failed.find(({ task, file }) => task === one.task && file === one.file)?.why;
        return el(doc, "li", {}, `${i18n.t(`atlas.group.${one.task}`)} `, el(doc, "span", { text: nameOf(one) }), why ? el(doc, "i", { lang: "en", text: ` ${why}` }) : null);
      }));
      const isHere = model.ready || model.state === "loading";
      const mayStart = open.length > 0 && mayEvaluate && isHere;
      measure.hidden = !mayStart || (run !== null && run.state !== "failed");
      if (!isHere && open.length) setText(text, i18n.t("atlas.absent", names));
      else if (open.length && !mayEvaluate) setText(text, `${text.textContent} ${i18n.t("atlas.closed")}`);
      command.hidden = !open.length;
      setText(code, `attention-atlas atlas ${model.name}`);
      drawRun(run);
    },
  };
}
