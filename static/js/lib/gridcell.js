// A drawing as a grid for who does not see it: of its many cells the one in focus stands in the document, with its place
// among all; arrow keys put another one there.

import { el } from "./dom.js";

/** show({ rows, columns, row, column, label }) reads a cell out, places counted from 0; clear() while nothing is drawn. */
export function createGridCell(stage) {
  const doc = stage.ownerDocument;
  const row = el(doc, "div", { role: "row", class: "hidden" });

  return {
    show({ rows, columns, row: at, column, label }) {
      const id = `${stage.parentElement.id}-${at}-${column}`;
      stage.setAttribute("aria-rowcount", rows);
      stage.setAttribute("aria-colcount", columns);
      row.setAttribute("aria-rowindex", at + 1);
      const now = row.firstElementChild;
      if (row.isConnected && now?.id === id && now.textContent === label) return;
      // Another element with another id: only then do screen readers speak of it.
      row.replaceChildren(el(doc, "div", { role: "gridcell", id, "aria-colindex": column + 1, "aria-selected": "true", text: label }));
      stage.append(row);
      stage.setAttribute("aria-activedescendant", id);
    },
    clear() {
      row.remove();
      stage.removeAttribute("aria-activedescendant");
    },
  };
}
