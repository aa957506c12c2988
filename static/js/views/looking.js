// How the tokens are shown: special ones or not, pieces or whole words, of a pair both sentences or one looking at one;
// with a sentence on what that does.

import { setText } from "../lib/dom.js";

export function createLooking(root, { i18n, onSpecial, onWords, onSegments }) {
  const special = root.querySelector("[data-special]");
  const words = root.querySelector("[data-words]");
  const between = root.querySelector("[data-between]");
  const filters = [...between.querySelectorAll("input")];
  const help = root.querySelector("[data-help]");
  special.addEventListener("change", () => onSpecial(special.value));
  words.addEventListener("change", () => onWords(words.checked));
  for (const filter of filters) filter.addEventListener("change", () => onSegments(filter.value));

  return {
    update({ state, input }) {
      special.value = state.special;
      words.checked = state.words;
      words.parentNode.hidden = input === "picture";
      const sentences = [];
      const isScaledPair = state.pair !== null && state.segments !== "all" && state.special === "renormalise";
      if (state.pair !== null) sentences.push(pairHelp(i18n, state));
      // In a pair that is cut and scaled up, one sentence says both in their order.
      if (!isScaledPair) sentences.push(i18n.t(input === "picture" ? `looking.class.${state.special}` : `looking.special.${state.special}`));
      if (input !== "picture") sentences.push(i18n.t(state.words ? "looking.words.on" : "looking.words.off"));
      between.hidden = state.pair === null;
      for (const filter of filters) filter.checked = filter.value === state.segments;
      setText(help, sentences.join(" "));
    },
  };
}

function pairHelp(i18n, { segments, special, range }) {
  if (segments === "all") return i18n.t("looking.segments.all");
  const cut = i18n.t(special === "renormalise" ? "looking.segments.scaled" : "looking.segments.cut", { from: segments[0], to: segments[1] });
  return range === "head" ? `${cut} ${i18n.t("looking.segments.range")}` : cut;
}
