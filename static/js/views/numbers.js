// Under the head in focus, where lengths are shown: the weight and the length that the chosen cell is made of.

import { setText } from "../lib/dom.js";
import { weight } from "../lib/i18n.js";
import { isByLength } from "../lib/looked.js";
import { placeOf } from "../lib/numbers.js";

export function createNumbersLine(root, { i18n }) {
  return {
    update({ session, view, numbers, blocked, tab }) {
      root.hidden = !isByLength(session) || tab === "difference";
      if (root.hidden || !view) return;
      setText(root, said({ session, view, numbers, blocked }));
    },
  };

  function said({ session, view, numbers, blocked }) {
    if (!placeOf(session, view)) return i18n.t("numbers.word");
    if (blocked?.pair(view.query, view.key, view.row[view.key])) return i18n.t("numbers.blocked");
    if (!numbers) return "\u00a0";
    const length = numbers.weight * numbers.norm;
    return i18n.t("numbers.made", { weight: weight(numbers.weight), norm: size(numbers.norm), length: size(length), share: weight(view.row[view.key]) });
  }
}

// Lengths of one model are of one size, those of another of quite another: three digits that say it.
const size = (value) => (value === 0 ? "0" : value >= 1000 || value < 0.001 ? value.toExponential(2) : value.toPrecision(3));
