// "Find the head": what is asked of the server for a state, and which heads of the reply are listed.

import { shownAt } from "./looked.js";
import { visible } from "./tokens.js";
import { isMasked, isShuffled } from "./whatif.js";

export const BEST = 8; // heads that are listed by lift
const PLAIN = 3; // and those with a large weight and no lift

/** The original positions that a choice stands for, half open: all pieces of a word where words are merged. */
export function spanOf(tokens, original) {
  const shown = tokens.positions ? shownAt(tokens, original) : null;
  return shown === null ? [original, original + 1] : [tokens.positions[shown][0], tokens.positions[shown].at(-1) + 1];
}

const range = ([from, to]) => `${from}:${to}`;
const inside = (at, [from, to]) => at >= from && at < to;

/** Positions of a list "5,9". */
export const rivalsOf = (rivals) => (rivals ?? "").split(",").filter(Boolean).map(Number);

/** The list with a position put in or taken out; null when it is empty. */
export function withRival(rivals, at) {
  const before = rivalsOf(rivals);
  const after = before.includes(at) ? before.filter((one) => one !== at) : [...before, at];
  return after.join(",") || null;
}

/** What the server is asked, null while there is no pair: { kind, query: "8:9", key: "2:3", rivals: "6:7" }. */
export function linkQuery({ map, posted, queryTokens, keyTokens }, { query, key, rivals, words = false }) {
  const { queries, keys } = posted.maps.find(({ kind }) => kind === map.kind);
  if (query === null || key === null || query >= queries || key >= keys) return null;
  const [asked, wanted] = [spanOf(queryTokens, query), spanOf(keyTokens, key)];
  const same = isOneSequence(map);
  if (same && inside(key, asked)) return null;
  if (isAhead({ posted, map, queryTokens, keyTokens }, { query, key })) return null;
  const taken = (at) => at >= keys || inside(at, wanted) || (same && inside(at, asked));
  const against = [...new Set(rivalsOf(rivals).filter((at) => !taken(at)).map((at) => range(spanOf(keyTokens, at))))];
  return { kind: map.kind, query: range(asked), key: range(wanted), ...(against.length && { rivals: against.join(",") }), ...(words && { words: "1" }) };
}

/** Whether a query would have to look at what comes after it, and may not; of words in another order the server knows. */
export function isAhead({ posted, map, queryTokens, keyTokens }, { query, key }) {
  if (!isMasked(posted, map.kind) || isShuffled(posted) || query === null || key === null) return false;
  return spanOf(keyTokens, key)[0] >= spanOf(queryTokens, query)[1];
}

/** Whether queries and keys are tokens of one text that the model reads as one sequence. */
export const isOneSequence = ({ kind }) => kind !== "cross";

/** The heads that are listed: the best by lift, then those with a large weight and no lift, then the one in focus. */
export function listed({ heads }, { layer, head }) {
  const ranked = heads.map((one, at) => ({ ...one, rank: at + 1 }));
  const best = ranked.slice(0, BEST);
  const plain = ranked.slice(BEST).filter(({ named }) => named).sort((one, other) => other.weight - one.weight).slice(0, PLAIN);
  const focus = ranked.find((one) => one.layer === layer && one.head === head);
  const rest = focus && ![...best, ...plain].includes(focus) ? [focus] : [];
  return { best, plain, rest };
}

/** The words of a reply of mentions: [{ at, pieces, text, number }], at the place of their first piece; numbered where a word comes more than once. */
export function wordsAt(ranges, { texts }) {
  const words = ranges.map(([from, to]) => ({ at: from, pieces: to - from, text: visible(texts.slice(from, to).join("")) }));
  return words.map((word) => {
    const same = words.filter(({ text }) => text === word.text);
    return { ...word, number: same.length > 1 ? same.indexOf(word) + 1 : null };
  });
}

const OFFERED = 6;

/** Of many words those nearest to a position, in the order of the text; what is kept stays whatever its distance. */
export function nearest(words, position, keep = () => false) {
  const distance = ({ at }) => (position === null ? at : Math.abs(at - position));
  const near = new Set([...words].sort((one, other) => distance(one) - distance(other)).slice(0, OFFERED));
  return words.filter((word) => near.has(word) || keep(word));
}

/** How strongly a head's frame shows in the grid, from 0 to 1; 0 without lift. */
export function glow(links, layer, head) {
  const most = links.heads[0]?.lift ?? 0;
  const lift = links.heads.find((one) => one.layer === layer && one.head === head)?.lift ?? 0;
  return most > 0 && lift > 0 ? lift / Math.max(most, 0.05) : 0;
}
