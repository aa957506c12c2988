// How the tokens are shown: special ones or not, pieces or whole words; with a sentence on what that does.

import { setText } from "../lib/dom.js";

export function createLooking(root, { i18n, onSpecial, onWords }) {
  const special = root.querySelector("[data-special]");
  const words = root.querySelector("[data-words]");
  const help = root.querySelector("[data-help]");
  special.addEventListener("change", () => onSpecial(special.value));
  words.addEventListener("change", () => onWords(words.checked));

  return {
    update({ state, input }) {
      special.value = state.special;
      words.checked = state.words;
      words.parentNode.hidden = input === "picture";
      const sentences = [i18n.t(input === "picture" ? `looking.class.${state.special}` : `looking.special.${state.special}`)];
      if (input !== "picture") sentences.push(i18n.t(state.words ? "looking.words.on" : "looking.words.off"));
      setText(help, sentences.join(" "));
    },
  };
}
