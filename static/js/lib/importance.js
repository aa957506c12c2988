// Which tokens matter, by several methods: the table of their scores.

/** Rows of a reply: [{ text, special, scores: [number | null for each method] }]. */
export function rowsOf({ tokens, special, methods }) {
  return tokens.map((text, at) => ({ text, special: special[at], scores: methods.map(({ scores }) => scores?.[at] ?? null) }));
}

/** How much of a column's largest score each is, 0 to 1; scores below 0 count as none. */
export function sharesOf({ methods }) {
  return methods.map(({ scores }) => {
    const most = Math.max(0, ...(scores ?? []));
    return (scores ?? []).map((score) => (most > 0 ? Math.max(0, score) / most : 0));
  });
}
