// The roles of this grid's heads, as chips: each lights up the heads that have it.

import { el } from "../lib/dom.js";
import { GLYPHS, isData, markOf } from "../lib/roles.js";

export function createMarks(root, { i18n, onMark }) {
  const doc = root.ownerDocument;
  let drawn = "";

  function chip(name, count, mark) {
    return el(doc, "button", {
      type: "button", class: isData(name) ? "mark data" : "mark", "data-mark": name, "aria-pressed": String(name === mark),
      "aria-label": i18n.t("mark.count", { role: i18n.t(`role.${name}`), count }), title: isData(name) ? i18n.t("mark.data") : null,
      onclick: () => onMark(name === mark ? null : name),
    }, el(doc, "i", { "aria-hidden": "true", text: GLYPHS[name] }), i18n.t(`role.${name}`), el(doc, "b", { text: count }));
  }

  return {
    update({ roles, state, session }) {
      root.hidden = !session || Boolean(session.trace.picture);
      const mark = markOf(state);
      const counts = roles?.counts ?? [];
      // A role that no head has here can still be let go.
      const listed = mark && !counts.some(([name]) => name === mark) ? [...counts, [mark, 0]] : counts;
      const signature = JSON.stringify([listed, mark]);
      if (drawn === signature) return;
      drawn = signature;
      const held = root.contains(doc.activeElement) ? doc.activeElement.dataset.mark : null;
      root.replaceChildren(...listed.map(([name, count]) => chip(name, count, mark)));
      if (held) root.querySelector(`[data-mark="${held}"]`)?.focus();
    },
  };
}
