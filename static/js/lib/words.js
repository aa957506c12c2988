// Words of a text, for a reader who changes one.

/** The text with every whole word that reads `word` replaced by `near`; punctuation around it stays. */
export function withWord(text, word, near) {
  return text.split(/(\s+|[.,!?]+)/).map((part) => (part === word ? near : part)).join("");
}
