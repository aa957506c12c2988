// Which model looks: a plain label while the catalogue holds one, a list to choose from when it holds more.

import { el } from "../lib/dom.js";

export function createModels(root, { i18n, onModel }) {
  const doc = root.ownerDocument;
  let listed = "";

  const nameOf = (model) => i18n.t("model.shape", { title: i18n.model(model), layers: model.layers, heads: model.heads });
  const stateOf = (model) => (model.state === "ready" ? "" : ` · ${i18n.t(`model.state.${model.state}`)}`);

  return {
    update({ models, state }) {
      if (!models.length) return;
      const key = JSON.stringify([models.map(({ name, state: now }) => [name, now]), state.model]);
      if (key === listed) return;
      listed = key;
      if (models.length === 1) {
        root.replaceChildren(el(doc, "span", { class: "pill still", title: models[0].full_title, text: nameOf(models[0]) }));
        return;
      }
      const options = models.map((model) =>
        el(doc, "option", { value: model.name, selected: model.name === state.model, text: nameOf(model) + stateOf(model) }));
      const select = el(doc, "select", { class: "pill", "aria-label": i18n.t("model.label"), onchange: () => onModel(select.value) }, ...options);
      root.replaceChildren(select);
    },
  };
}
