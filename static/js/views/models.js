// Which model looks: a plain label while there is one, a list to choose from when there are more, by where each stands.

import { el } from "../lib/dom.js";
import { grouped, refused, sizeOf } from "../lib/models.js";

export function createModels(root, { i18n, onModel }) {
  const doc = root.ownerDocument;
  let listed = "";

  const nameOf = (model) =>
    model.layers ? i18n.t("model.shape", { title: i18n.model(model), layers: i18n.t("model.layers", { count: model.layers }), heads: i18n.t("model.heads", { count: model.heads }) }) : i18n.model(model);
  // What is to be downloaded says how much it is; the group says that it is not here.
  const noteOf = (model) => (model.state === "absent" ? sizeOf(i18n, model) : model.state === "ready" ? "" : i18n.t(refused(model) ? "model.state.refused" : `model.state.${model.state}`));
  const textOf = (model) => [nameOf(model), noteOf(model)].filter(Boolean).join(" · ");

  function optionOf(model, chosen) {
    return el(doc, "option", { value: model.name, selected: model.name === chosen, text: textOf(model) });
  }

  return {
    update({ models, state }) {
      if (!models.length) return;
      const key = JSON.stringify([models.map((model) => [model.name, textOf(model), model.fetchable]), state.model]);
      if (key === listed) return;
      listed = key;
      if (models.length === 1) {
        root.replaceChildren(el(doc, "span", { class: "pill still", title: models[0].full_title, text: nameOf(models[0]) }));
        return;
      }
      const groups = grouped(models, state.model).map(({ name, models: members }) =>
        el(doc, "optgroup", { label: i18n.t(`model.group.${name}`) }, ...members.map((model) => optionOf(model, state.model))));
      // A model that is not there is no choice: nothing is chosen, and every model can be.
      const isKnown = models.some((model) => model.name === state.model);
      const unknown = isKnown ? [] : [el(doc, "option", { value: "", selected: true, disabled: true, hidden: true, text: i18n.t("model.choose") })];
      const select = el(doc, "select", { class: "pill", "aria-label": i18n.t("model.label"), onchange: () => onModel(select.value) }, ...unknown, ...groups);
      root.replaceChildren(select);
    },
  };
}
