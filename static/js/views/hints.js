// "Worth a look": what the catalogue says about heads of this model; each hint puts its head in focus.

import { el } from "../lib/dom.js";

export function createHints(root, { i18n, onHead }) {
  const doc = root.ownerDocument;
  const list = root.querySelector("ul");
  let drawn = null;
  let buttons = [];

  function rebuild(hints) {
    buttons = hints.map(({ layer, head, ...text }) => ({
      layer, head,
      node: el(doc, "button", { type: "button", onclick: () => onHead(layer, head) },
        el(doc, "b", { text: `L${layer} H${head}` }), el(doc, "span", { text: text[i18n.lang] ?? text.en })),
    }));
    list.replaceChildren(...buttons.map(({ node }) => el(doc, "li", {}, node)));
  }

  return {
    update({ model, session, layer, head }) {
      const hints = (model?.look_for ?? []).filter(({ kind }) => !session || kind === session.map.kind);
      root.hidden = hints.length === 0;
      if (drawn !== model) rebuild(hints);
      drawn = model;
      for (const { node, ...at } of buttons) node.setAttribute("aria-pressed", String(at.layer === layer && at.head === head));
    },
  };
}
