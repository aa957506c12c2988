// A trace is seen through four choices: weights or lengths, pieces merged to words, special tokens shown or not, one
// sentence of a pair looking at one. The state of the page counts original tokens whatever is shown; this is where the two are translated into one another.

/** The query parameters of a look; none for the trace as the model made it. */
export function lookQuery({ words = false, special = "show", segments = "all", measure = "weight" }) {
  return {
    ...(words && { words: 1 }), ...(special !== "show" && { special }), ...(segments !== "all" && { segments }),
    ...(measure !== "weight" && { measure }),
  };
}

/** Why a trace cannot be seen by its lengths, as a code; null where it can. */
export const whyNoLengths = ({ maps }) => maps.find(({ norms_note: note }) => note)?.norms_note ?? null;

/** Whether what is on show are lengths. */
export const isByLength = (session) => session?.trace.looking?.measure === "norm";

/** Where an original position is shown: an index, or null when it is hidden or not there. */
export function shownAt({ positions, texts }, original) {
  if (original === null || original === undefined) return null;
  if (!positions) return original < texts.length ? original : null;
  const index = positions.findIndex((group) => group.includes(original));
  return index < 0 ? null : index;
}

/** The original position that a shown one stands for: its first piece. */
export function originalAt({ positions }, shown) {
  if (shown === null || shown === undefined) return null;
  return positions ? positions[shown][0] : shown;
}

/** The first and the last original position of a shown one. */
export function spanAt({ positions }, shown) {
  return positions ? [positions[shown][0], positions[shown].at(-1)] : [shown, shown];
}
