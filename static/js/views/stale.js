// While a model writes, grid and focus still show the text as it was before: they fade, and a sentence says so.

import { setText } from "../lib/dom.js";

export function createStale(grid, focus, { i18n }) {
  const note = focus.querySelector("[data-stale]");

  return {
    update({ writing, busy, session }) {
      const isStale = Boolean(writing && session);
      for (const card of [grid, focus]) {
        card.classList.toggle("stale", isStale);
        card.setAttribute("aria-busy", String(busy || isStale));
      }
      note.hidden = !isStale;
      if (isStale) setText(note, i18n.t(writing.state === "ended" ? "writing.state.ended" : "writing.follows"));
    },
  };
}
