// How a token is written on the page: as typed, with what cannot be seen made visible.

const NAMES = { "\n": "⏎", "\r": "⏎", "\t": "⇥", " ": "␣" };
const UNSEEN = /^[\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]+$/u;

// A jamo that stands alone is drawn small and in a corner; these are the same letters as a person writes them.
const JAMO = [
  [0x1100, "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"],
  [0x1161, "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"],
  [0x11a8, "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"],
];

function letterOf(text) {
  const code = text.length === 1 ? text.charCodeAt(0) : 0;
  const row = JAMO.find(([first, letters]) => code >= first && code < first + letters.length);
  return row ? row[1][code - row[0]] : text;
}

/** A token's text, or names for its characters when there is nothing to see. */
export function visible(text) {
  if (text !== "" && !UNSEEN.test(text)) return letterOf(text);
  if (text === "") return "∅";
  return [...text].map((c) => NAMES[c] ?? `U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`).join("");
}

/** Plain names are kept for these special tokens. */
export function specialName(piece) {
  const known = { "[CLS]": "start", "<s>": "start", "[SEP]": "end", "</s>": "end", "[PAD]": "pad", "[MASK]": "mask", "[UNK]": "unknown", "<unk>": "unknown" };
  return known[piece] ?? null;
}

/** What views need to know of one axis: [{index, text, special, help, segment, first, last}]; segment is null but in a pair. */
export function describeTokens(tokens) {
  const { texts, pieces, special, words } = tokens;
  const segments = segmentsOf(tokens);
  const sameWord = (i, j) => j >= 0 && j < words.length && words[i] !== null && words[i] === words[j] && segments?.[i] === segments?.[j];
  return texts.map((text, index) => ({
    index,
    text: visible(text),
    special: special[index],
    help: special[index] || specialName(pieces[index]) === "unknown" ? specialName(pieces[index]) : null,
    segment: segments?.[index] ?? null,
    first: !sameWord(index, index - 1),
    last: !sameWord(index, index + 1),
  }));
}

/** The sentence of a pair, "A" or "B", that each token belongs to; null for tokens of one text. */
export function segmentsOf({ pair = null, segment = [] }) {
  return pair !== null || segment.includes("B") ? segment : null;
}

const NUMBERED = /[⁰¹²³⁴-⁹]$/u;

/** Whether some tokens are parts of one character, which are told apart by a small number. */
export function hasParts({ texts, spans }) {
  const same = (one, other) => Boolean(one && other) && one[0] === other[0] && one[1] === other[1];
  return texts.some((text, i) => NUMBERED.test(text) && (same(spans[i], spans[i - 1]) || same(spans[i], spans[i + 1])));
}

const LETTER = /\p{L}/u;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/** Which way a text runs, by its first letter: "rtl" for Hebrew, Arabic and their kin. */
export function directionOf(text) {
  const letter = LETTER.exec(text);
  return letter && RIGHT_TO_LEFT.test(letter[0]) ? "rtl" : "ltr";
}

/** Runs of tokens that belong to one word: [[0], [1], [2, 3], ...]. */
export function wordGroups(described) {
  const groups = [];
  for (const token of described) {
    if (token.first || groups.length === 0) groups.push([]);
    groups.at(-1).push(token.index);
  }
  return groups;
}

/** The text from a code point offset on, at most `length` code points, with "…" where it goes on. */
export function excerpt(text, from, length) {
  const points = Array.from(text).slice(from);
  return points.length > length ? `${points.slice(0, length).join("").trimEnd()}…` : points.join("");
}
