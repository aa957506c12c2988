// What a model said, ready to be drawn: bars for one place, and what was said with all heads on.

/** The place that a row of the map says: the one of its last piece (or its first, where a row writes that token). */
export function placeOf({ task, at }, kind, span) {
  if (!span || task === "classes" || task === "masked-token" || (kind === "encoder-self" && task !== "answer")) return -1;
  const wanted = task === "next-token" ? [...span].reverse() : span;
  return wanted.map((position) => at.findIndex((one) => one.position === position)).find((i) => i >= 0) ?? -1;
}

/** [{ text, probability, actual, was }]: the candidates, and what does stand there when it is not among them. */
export function barsOf(entry, before = null, most = 5) {
  const { candidates, actual } = entry;
  const shown = candidates.slice(0, most);
  const all = actual && !shown.some(({ text }) => text === actual.text) ? [...shown, actual] : shown;
  return all.map(({ text, probability }) => ({
    text, probability,
    actual: Boolean(actual) && actual.text === text,
    was: before ? probabilityOf(before, text) : null,
  }));
}

/** How probable a text was: null when it was not among those that are known. */
export function probabilityOf({ candidates, actual }, text) {
  return [...candidates, ...(actual ? [actual] : [])].find((one) => one.text === text)?.probability ?? null;
}

/** The entry of the other answer at the same place; translations are compared only as far as they are the same. */
export function sameIn(other, { task, at }, index) {
  if (!other || other.task !== task) return null;
  const { position, label } = at[index];
  const found = other.at.findIndex((one) => one.position === position && one.label === label);
  if (found < 0) return null;
  const agree = task !== "translation" || at.slice(0, index).every(({ actual }, i) => actual?.text === other.at[i]?.actual?.text);
  return agree ? other.at[found] : null;
}
