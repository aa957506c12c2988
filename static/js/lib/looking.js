// What the choices of how to look do to the numbers, in sentences.

import { isByLength, whyNoLengths } from "./looked.js";

/** The sentences of a scene; without `all`, only those of choices that change something. */
export function lookingSentences(i18n, { state, input, session }, all = true) {
  const sentences = measureHelp(i18n, session);
  const isScaledPair = state.pair !== null && state.segments !== "all" && state.special === "renormalise";
  if (state.pair !== null && (all || state.segments !== "all")) sentences.push(pairHelp(i18n, state));
  // In a pair that is cut and scaled up, one sentence says both in their order.
  if (!isScaledPair && (all || state.special !== "show")) sentences.push(i18n.t(input === "picture" ? `looking.class.${state.special}` : `looking.special.${state.special}`));
  if (input !== "picture" && (all || state.words)) sentences.push(i18n.t(state.words ? "looking.words.on" : "looking.words.off"));
  return sentences;
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
