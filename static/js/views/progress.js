// The first start: the model is not here yet, is being fetched, or is being loaded.

import { el, setText } from "../lib/dom.js";

const SHOWN = 7; // digits of a commit

export function createProgress(root, { i18n, onFetch, onModel }) {
  const doc = root.ownerDocument;
  const title = el(doc, "h2");
  const text = el(doc, "p", { class: "hint" });
  const source = el(doc, "p", { class: "source" });
  const terms = el(doc, "p", { class: "source terms" });
  const bar = el(doc, "progress", { max: "1" });
  const amount = el(doc, "p", { class: "amount" });
  const button = el(doc, "button", { type: "button", class: "go", onclick: onFetch });
  const others = el(doc, "p", { class: "others" });
  root.append(title, text, source, terms, bar, amount, button, others);
  let listed = "";

  // Models that came with the package work at once.
  function offer(models) {
    const ready = models.filter((model) => model.bundled && model.ready);
    if (listed === ready.map(({ name }) => name).join()) return;
    listed = ready.map(({ name }) => name).join();
    const buttons = ready.map((model) => el(doc, "button", { type: "button", class: "pill", text: i18n.model(model), onclick: () => onModel(model.name) }));
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
      offer(models);
      const { model, step, done, total } = waiting;
      const values = { model: i18n.model(model), size: i18n.bytes(model.download_bytes) };
      const closed = step === "absent" && model.fetchable === false;
      setText(title, i18n.t(`progress.${step}.title`, values));
      setText(text, i18n.t(closed ? "progress.absent.closed" : `progress.${step}.text`, values));
      tell(closed ? {} : model);
      bar.hidden = amount.hidden = step === "absent";
      button.hidden = step !== "absent" || closed;
      setText(button, i18n.t("progress.fetch", values));
      bar.setAttribute("aria-label", i18n.t(`progress.${step}.title`, values));
      if (total) bar.value = done / total;
      else bar.removeAttribute("value");
      setText(amount, total ? i18n.t("progress.amount", { done: i18n.bytes(done), total: i18n.bytes(total) }) : "\u00a0");
    },
  };
}
