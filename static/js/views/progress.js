// The first start: the model is not here yet, is being fetched, or is being loaded.

import { el, setText } from "../lib/dom.js";
import { nearest } from "../lib/models.js";

const SHOWN = 7; // digits of a commit

export function createProgress(root, { i18n, sentenceOf, onFetch, onModel }) {
  const doc = root.ownerDocument;
  const title = el(doc, "h2");
  const text = el(doc, "p", { class: "hint" });
  const wrong = el(doc, "p", { class: "wrong", role: "alert", hidden: true });
  const source = el(doc, "p", { class: "source" });
  const terms = el(doc, "p", { class: "source terms" });
  const bar = el(doc, "progress", { max: "1" });
  const amount = el(doc, "p", { class: "amount" });
  const button = el(doc, "button", { type: "button", class: "go", onclick: onFetch });
  const others = el(doc, "p", { class: "others" });
  root.append(title, text, wrong, source, terms, bar, amount, button, others);
  let listed = "";

  // Other models work at once, the most similar first.
  function offer(models, model) {
    const ready = nearest(models, model);
    if (listed === ready.map(({ name }) => name).join()) return;
    listed = ready.map(({ name }) => name).join();
    const buttons = ready.map((one) => el(doc, "button", { type: "button", class: "pill", text: i18n.model(one), onclick: () => onModel(one.name) }));
    others.replaceChildren(...(ready.length ? [i18n.t("progress.meanwhile"), " ", ...buttons] : []));
  }

  // Where a model of the hub comes from, and what holds it to one version.
  function tell({ hub, licence }) {
    source.hidden = !hub;
    terms.hidden = !hub?.gated;
    if (!hub) return;
    const commit = hub.commit?.slice(0, SHOWN);
    const version = hub.recorded ? "progress.hub.recorded" : commit ? "progress.hub.pinned" : "progress.hub.first";
    setText(source, [
      i18n.t("progress.hub.from", { repo: hub.repo }), licence && i18n.t("progress.hub.licence", { licence }),
      i18n.t(version, { commit }),
    ].filter(Boolean).join(" "));
    setText(terms, i18n.t("progress.hub.gated", { repo: hub.repo }));
  }

  return {
    update({ waiting, models }) {
      root.hidden = !waiting;
      if (!waiting) return;
      const { model, step, done, total, problem } = waiting;
      offer(models, model);
      const values = { model: i18n.model(model), size: i18n.bytes(model.download_bytes) };
      const closed = step === "absent" && model.fetchable === false;
      setText(title, i18n.t(`progress.${step}.title`, values));
      setText(text, i18n.t(closed ? "progress.absent.closed" : `progress.${step}.text`, values));
      tell(closed ? {} : model);
      wrong.hidden = !problem;
      setText(wrong, problem ? sentenceOf(problem) : "");
      bar.hidden = amount.hidden = step === "absent";
      button.hidden = step !== "absent" || closed;
      setText(button, i18n.t(problem ? "problem.retry" : "progress.fetch", values));
      bar.setAttribute("aria-label", i18n.t(`progress.${step}.title`, values));
      if (total) bar.value = done / total;
      else bar.removeAttribute("value");
      setText(amount, total ? i18n.t("progress.amount", { done: i18n.bytes(done), total: i18n.bytes(total) }) : "\u00a0");
    },
  };
}
