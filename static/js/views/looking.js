// How the tokens are shown: by weights or lengths, special ones or not, pieces or whole words, of a pair both sentences or one looking at one;
// with a sentence on what that does.

import { setText } from "../lib/dom.js";
import { lookingSentences } from "../lib/looking.js";

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
    update({ state, input, session }) {
      special.value = state.special;
      words.checked = state.words;
      words.parentNode.hidden = input === "picture";
      between.hidden = ((state.trace ? session?.posted.source.pair : state.pair) ?? null) === null;
      for (const filter of filters) filter.checked = filter.value === state.segments;
      setText(help, lookingSentences(i18n, { state, input, session }).join(" "));
    },
  };
}
