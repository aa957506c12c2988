// What is shown, weights or lengths, with the two colour controls and the legend: they hold for grid, tokens, heatmap
// and lines alike.

import { el, setText } from "../lib/dom.js";
import { css } from "../lib/color.js";
import { isByLength, whyNoLengths } from "../lib/looked.js";

export function createColour(root, { i18n, onMeasure, onScale, onRange }) {
  const doc = root.ownerDocument;
  const measure = root.querySelector("[data-measure]");
  const scale = root.querySelector("[data-scale]");
  const range = root.querySelector("[data-range]");
  const bar = root.querySelector("[data-bar]");
  const ticks = root.querySelector("[data-ticks]");
  measure.addEventListener("change", () => onMeasure(measure.value));
  scale.addEventListener("change", () => onScale(scale.value));
  range.addEventListener("change", () => onRange(range.value));
  let drawn = "";

  return {
    update({ state, palette, view, session }) {
      const without = session && whyNoLengths(session.posted) !== null;
      measure.querySelector('[value="norm"]').disabled = without;
      measure.value = without ? "weight" : state.measure;
      scale.value = state.scale;
      range.value = state.range;
      const top = palette.top(view?.largest ?? 1);
      const isCut = state.range === "head" && (session?.request.segments ?? "all") !== "all";
      const key = `${palette.name} ${top} ${isCut} ${isByLength(session)}`;
      if (key === drawn) return;
      drawn = key;
      bar.style.background = `linear-gradient(to right, ${css(palette.from)}, ${css(palette.to)})`;
      ticks.replaceChildren(...palette.ticks.map(({ share, at }) =>
        el(doc, "span", { style: { left: `${at * 100}%` }, text: tickText(share * top) })));
      setText(root.querySelector("[data-legend-text]"), i18n.t(isCut ? "colour.legend.cut" : "colour.legend", { top: tickText(top) }));
    },
  };
}

/** A tick in as few digits as say it: 0, 0.001, 0.25, 1. */
export function tickText(value) {
  if (value === 0 || value === 1) return String(value);
  const digits = value < 0.01 ? 3 : 2;
  return value < 0.0005 ? value.toExponential(0) : value.toFixed(digits).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}
