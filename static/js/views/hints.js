// "Worth a look": what the catalogue says about heads of this model; each hint puts its head in focus.

import { el } from "../lib/dom.js";
import { isByLength } from "../lib/looked.js";

export function createHints(root, { i18n, onHint }) {
  const doc = root.ownerDocument;
  const list = root.querySelector("ul");
  const byWeight = root.querySelector("[data-by-weight]");
  let drawn = {};
  let buttons = [];

  function rebuild(hints, { kinds }) {
    const several = kinds.length > 1;
    buttons = hints.map(({ kind, layer, head, pairs, ...text }) => ({
      kind, layer, head, pairs: Boolean(pairs),
      node: el(doc, "button", { type: "button", onclick: () => onHint(kind, layer, head) },
        el(doc, "b", { text: `L${layer} H${head}` }),
        el(doc, "span", {}, several ? el(doc, "i", { text: i18n.t(`kind.${kind}`) }) : null, text[i18n.lang] ?? text.en)),
    }));
    list.replaceChildren(...buttons.map(({ node }) => el(doc, "li", {}, node)));
  }

  return {
    update({ model, session, layer, head }) {
      const isPair = Boolean(session?.posted.source.pair);
      const hints = ordered(model?.look_for ?? [], isPair);
      root.hidden = hints.length === 0;
      byWeight.hidden = !isByLength(session);
      if (model && (drawn.model !== model || drawn.isPair !== isPair)) rebuild(hints, model);
      drawn = { model, isPair };
      // What is said of one sentence does not speak of a pair.
      const isHere = (at) => at.kind === session?.map.kind && at.layer === layer && at.head === head && (at.pairs || !isPair);
      for (const { node, ...at } of buttons) node.setAttribute("aria-pressed", String(isHere(at)));
    },
  };
}

/** The hints in the order of a page: those about two sentences come first where there are two. */
export const ordered = (hints, isPair) => (isPair ? [...hints].sort((one, other) => Boolean(other.pairs) - Boolean(one.pairs)) : hints);
