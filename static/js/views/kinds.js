// Which kind of attention is on show, where a model has several, and a sentence on who looks at whom.

import { el, setText } from "../lib/dom.js";
import { isMasked } from "../lib/whatif.js";

export function createKinds(root, { i18n, onKind }) {
  const doc = root.ownerDocument;
  const group = root.querySelector("[data-kinds]");
  const said = root.querySelector("[data-explained]");
  let listed = "";
  let inputs = [];

  function rebuild(kinds) {
    inputs = kinds.map((kind) => el(doc, "input", { type: "radio", name: "kind", value: kind, onchange: () => onKind(kind) }));
    group.replaceChildren(...inputs.map((input) => el(doc, "label", {}, input, el(doc, "span", { text: i18n.t(`kind.${input.value}`) }))));
    group.hidden = kinds.length < 2;
  }

  return {
    update({ session, state }) {
      const kinds = session?.trace.maps.map(({ kind }) => kind) ?? [];
      // One kind that everybody may look in needs no word; a masked one does.
      root.hidden = !session || (kinds.length < 2 && kinds[0] !== "decoder-self" && !isMasked(session.posted, kinds[0]));
      if (root.hidden) return;
      if (listed !== kinds.join()) rebuild(kinds);
      listed = kinds.join();
      for (const input of inputs) input.checked = input.value === (kinds.includes(state.kind) ? state.kind : session.map.kind);
      setText(said, i18n.t(explanationOf(session)));
    },
  };
}

function explanationOf({ map: { kind }, posted }) {
  if (kind === "cross") return "kind.cross.said";
  if (!isMasked(posted, kind)) return kind === "decoder-self" ? "kind.ahead.said" : "kind.encoder-self.said";
  return kind === "decoder-self" && posted.target ? "kind.decoder-self.target" : "kind.decoder-self.said";
}
