// What all heads of a layer hand on at one place, side by side; the one in focus is marked.

import { el } from "../dom.js";
import { drawStrip, largestSize } from "./strips.js";

/** { node, update(ends, { theme }) }: ends as the experiment "sublayer" answers, null for none. */
export function createHeads(doc, { i18n }) {
  const list = el(doc, "ul", { class: "heads-of", "aria-label": i18n.t("compute.heads") });
  const node = el(doc, "div", { hidden: true }, el(doc, "p", { class: "note", text: i18n.t("compute.heads") }), list);
  let shown = null;
  let theme = "light";

  function draw() {
    const limit = largestSize(...shown.heads);
    const width = Math.max(24, (list.firstChild?.clientWidth ?? 0) - 12);
    [...list.querySelectorAll("canvas")].forEach((canvas, head) => drawStrip(canvas, shown.heads[head], { width, height: 16, theme, limit }));
  }
  function build() {
    list.replaceChildren(...shown.heads.map((_, head) => el(doc, "li", { class: head === shown.head ? "chosen" : null, "data-symbol": head === shown.head ? "part" : null },
      el(doc, "span", { text: `H${head}` }), head === shown.head ? el(doc, "span", { class: "hidden", text: i18n.t("compute.heads.this") }) : null, el(doc, "canvas", { width: "1", height: "1", "aria-hidden": "true" }))));
  }
  new doc.defaultView.ResizeObserver(() => shown && draw()).observe(list);

  return {
    node,
    update(ends, look) {
      node.hidden = !ends;
      ({ theme } = look);
      const isOther = shown !== ends;
      shown = ends;
      if (!ends) return;
      if (isOther) build();
      draw();
    },
  };
}
