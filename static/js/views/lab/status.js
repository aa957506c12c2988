// How far each run is or how it ended, and what can be done with what came of it.

import { el, setText } from "../../lib/dom.js";
import { weight } from "../../lib/i18n.js";
import { isGoing } from "../../lib/lab/runs.js";

export function createStatus(root, { i18n, naming, sentenceOf, hrefOf, fileOf, onCancel }) {
  const doc = root.ownerDocument;
  const box = root.querySelector("[data-status]");
  const before = root.querySelector("[data-before]");
  const lines = [0, 1].map((place) => line(place));
  box.replaceChildren(...lines.map(({ node }) => node));

  function line(place) {
    const name = el(doc, "b", { class: "name" });
    const mark = el(doc, "svg:svg", { class: `sample run${place}`, viewBox: "0 0 26 10", "aria-hidden": "true" }, el(doc, "svg:path", { d: "M1 5H25" }));
    const bar = el(doc, "progress", { max: "1", "aria-label": i18n.t("lab.status.progress") });
    const text = el(doc, "p", { class: "amount", tabindex: "-1" });
    const cancel = el(doc, "button", { type: "button", class: "pill", text: i18n.t("lab.cancel"), "data-cancel": "", onclick: onCancel });
    const open = el(doc, "a", { class: "pill", "data-open": "", text: i18n.t("lab.open") });
    const file = el(doc, "a", { class: "pill", "data-file": "", download: "", text: i18n.t("lab.download") });
    const node = el(doc, "div", { class: "run" }, mark, el(doc, "div", { class: "told" }, name, bar, text), el(doc, "span", { class: "acts" }, cancel, open, file));
    return { node, name, bar, text, cancel, open, file };
  }

  function said(run) {
    const { state, done, total, result, problem } = run;
    const values = { done, total };
    switch (state) {
      case "waiting": return i18n.t("lab.status.waiting");
      case "running": return i18n.t("lab.status.running", values);
      case "failed": return sentenceOf(problem);
      case "stopped": return i18n.t(run.points.length ? "lab.status.stopped" : "lab.status.stopped.none", { done: run.points.at(-1)?.step ?? 0 });
      default: return i18n.t(result.ended === "time" ? "lab.status.time" : "lab.status.done", { accuracy: weight(result.accuracy), steps: result.steps, seconds: weight(result.seconds, 1) });
    }
  }

  function draw(place, run, scene) {
    const { node, name, bar, text, cancel, open, file } = lines[place];
    node.hidden = !run;
    if (!run) return;
    const going = isGoing(run);
    const isOver = run.state === "done" && !run.problem;
    setText(name, naming.title(place, scene.difference));
    node.classList.toggle("going", going);
    bar.hidden = !going;
    if (run.state === "running") bar.value = run.done / run.total;
    else bar.removeAttribute("value");
    const held = doc.activeElement;
    cancel.hidden = !going;
    text.setAttribute("aria-live", going ? "off" : "polite"); // numbers that change all the time are not read out
    text.classList.toggle("wrong", run.state === "failed" || Boolean(run.problem));
    setText(text, run.problem && run.state === "done" ? sentenceOf(run.problem) : said(run));
    if (held === cancel && !going) text.focus(); // who pressed a button that goes is left where the answer stands
    open.hidden = file.hidden = !isOver;
    if (!isOver) return;
    open.href = hrefOf(run);
    file.href = fileOf(run);
    open.setAttribute("aria-label", i18n.t("lab.open.of", { run: naming.title(place, scene.difference) }));
    file.setAttribute("aria-label", i18n.t("lab.download.of", { run: naming.title(place, scene.difference) }));
  }

  return {
    update(scene) {
      const { lab, runs } = scene;
      const refused = lab && !lab.allowed;
      before.classList.toggle("none", runs.some(Boolean) && !scene.stale);
      before.classList.toggle("stale", runs.some(Boolean));
      setText(before, i18n.t(!lab ? "lab.loading" : refused && !runs.some(Boolean) ? "lab.refused" : runs.some(Boolean) ? "lab.stale" : "lab.before"));
      runs.forEach((run, place) => draw(place, run, scene));
    },
  };
}
