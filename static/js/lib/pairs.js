// The axes that two traces share: pairs of their tokens as labels, and where a chosen token stands on them.

import { visible } from "./tokens.js";

/** { text, special, segment, only } for each pair: "cat", "tired/soft"; what one side alone has is marked "+very" or "−very". */
export function labelsOf(pairs, first, second) {
  return pairs.map((pair) => {
    const [before, after] = [spelled(first, pair.first), spelled(second, pair.second)];
    const of = pair.first ? [first, pair.first[0]] : [second, pair.second[0]];
    const only = pair.first ? (pair.second ? null : "first") : "second";
    const both = pair.same || before === after ? (before ?? after) : `${before}/${after}`;
    return { text: only ? `${only === "second" ? "+" : "−"}${before ?? after}` : both, before, after, special: of[0].special[of[1]], segment: null, only };
  });
}

// The tokens of a range as the text has them; what no span places is written piece by piece.
function spelled(tokens, range) {
  if (!range) return null;
  const [from, to] = range;
  const spans = tokens.spans.slice(from, to);
  if (to - from === 1 || spans.includes(null) || tokens.segment[from] !== "A") return tokens.texts.slice(from, to).map(visible).join("");
  return visible(Array.from(tokens.text).slice(spans[0][0], spans.at(-1)[1]).join(""));
}

/** The pair that a shown token of one side ("first" or "second") stands in; null where it stands in none. */
export function pairAt(pairs, side, position) {
  if (position === null) return null;
  const found = pairs.findIndex((pair) => pair[side] && position >= pair[side][0] && position < pair[side][1]);
  return found < 0 ? null : found;
}

/** The shown token of a side that a pair stands for, its first piece; null where that side has none. */
export const tokenAt = (pairs, side, number) => pairs[number]?.[side]?.[0] ?? null;

/** A window of shown tokens as one of pairs; the whole axis where it holds none, or is none. */
export function pairWindow(pairs, side, span) {
  if (!span) return [0, pairs.length];
  const inside = pairs.flatMap((pair, i) => (pair[side] && pair[side][1] > span[0] && pair[side][0] < span[1] ? [i] : []));
  return inside.length ? [inside[0], inside.at(-1) + 1] : [0, pairs.length];
}

/** A text as words and what stands between them: [{ text, word }], which joined are the text again. */
export function wordsOf(text) {
  return text.split(/(\s+)/).filter(Boolean).map((part) => ({ text: part, word: !/^\s+$/.test(part) }));
}

/** The text with one of its parts written anew; a word that is emptied goes with the space beside it. */
export function withPart(text, at, written) {
  const clean = written.trim();
  const beside = at === 0 ? 1 : at - 1;
  return wordsOf(text).map((part, i) => (i === at ? clean : clean || i !== beside ? part.text : "")).join("");
}

/** A text from shortly before the first word in which it differs from another: "… it was soft". */
export function fromDifference(text, other, before = 2) {
  const parts = wordsOf(text);
  const others = wordsOf(other);
  const first = parts.findIndex((part, i) => part.text !== others[i]?.text);
  const from = (first < 0 ? parts.length : first) - 2 * before;
  return from <= 2 ? text : `… ${parts.slice(from).map((part) => part.text).join("").trimStart()}`;
}

/** Which parts of a text are words that another text has not, in order: as many as possible are counted as the same. */
export function editedParts(text, other) {
  const parts = wordsOf(text).flatMap(({ text: written, word }, i) => (word ? [{ written, i }] : []));
  const others = wordsOf(other).filter(({ word }) => word).map((part) => part.text);
  // The length of a longest common subsequence of what follows either place.
  const rest = Array.from({ length: parts.length + 1 }, () => new Uint16Array(others.length + 1));
  for (let i = parts.length - 1; i >= 0; i--) {
    for (let j = others.length - 1; j >= 0; j--) rest[i][j] = parts[i].written === others[j] ? rest[i + 1][j + 1] + 1 : Math.max(rest[i + 1][j], rest[i][j + 1]);
  }
  const edited = new Set();
  let j = 0;
  parts.forEach(({ written, i: at }, i) => {
    while (j < others.length && written !== others[j] && rest[i][j + 1] === rest[i][j]) j += 1;
    if (j < others.length && written === others[j]) j += 1;
    else edited.add(at);
  });
  return edited;
}
