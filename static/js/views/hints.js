// "Worth a look": what the catalogue says about heads of this model; each hint puts its head in focus.

import { el } from "../lib/dom.js";

export function createHints(root, { i18n, onHint }) {
  const doc = root.ownerDocument;
  const list = root.querySelector("ul");
  let drawn = null;
  let buttons = [];

  function rebuild(hints, { kinds }) {
    const several = kinds.length > 1;
    buttons = hints.map(({ kind, layer, head, ...text }) => ({
      kind, layer, head,
      node: el(doc, "button", { type: "button", onclick: () => onHint(kind, layer, head) },
        el(doc, "b", { text: `L${layer} H${head}` }),
        el(doc, "span", {}, several ? el(doc, "i", { text: i18n.t(`kind.${kind}`) }) : null, text[i18n.lang] ?? text.en)),
    }));
    list.replaceChildren(...buttons.map(({ node }) => el(doc, "li", {}, node)));
  }

  return {
    update({ model, session, layer, head }) {
      const hints = model?.look_for ?? [];
      root.hidden = hints.length === 0;
      if (drawn !== model && model) rebuild(hints, model);
      drawn = model;
      for (const { node, ...at } of buttons) node.setAttribute("aria-pressed", String(at.kind === session?.map.kind && at.layer === layer && at.head === head));
    },
  };
}
