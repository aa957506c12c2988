// How the tokens are shown: by weights or lengths, special ones or not, pieces or whole words, of a pair both sentences or one looking at one;
// with a sentence on what that does.

import { setText } from "../lib/dom.js";
import { isByLength, whyNoLengths } from "../lib/looked.js";

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
      const sentences = measureHelp(i18n, session);
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

// What a length is, and what has none; nothing of weights, which everything else on the page explains.
function measureHelp(i18n, session) {
  if (!session) return [];
  const note = whyNoLengths(session.posted);
  if (note) return session.request.measure === "norm" ? [i18n.t(`looking.measure.${note}`)] : [];
  if (!isByLength(session)) return [];
  const hasSink = session.posted.maps.some(({ kind, sink }) => kind === session.map.kind && sink);
  return [i18n.t("looking.measure.norm"), ...(hasSink ? [i18n.t("looking.measure.sink")] : [])];
}

function pairHelp(i18n, { segments, special, range }) {
  if (segments === "all") return i18n.t("looking.segments.all");
  const cut = i18n.t(special === "renormalise" ? "looking.segments.scaled" : "looking.segments.cut", { from: segments[0], to: segments[1] });
  return range === "head" ? `${cut} ${i18n.t("looking.segments.range")}` : cut;
}
