// What the token strip shows of a view: for each token its weight, whether it is blocked and how it is marked.

export const isCross = ({ kind }) => kind === "cross";

/**
 * { tokens: [{ weight, chosen, key, pressed }], queries: [{ chosen }] }: tokens are those looked at, weight null where
 * the chosen one may not look; queries are those that look, where they are other tokens (cross-attention), else empty.
 */
export function rowsOf({ map, view, blocked, queryCount }) {
  const cross = isCross(map);
  const tokens = Array.from(view.row, (value, i) => ({
    weight: blocked?.pair(view.query, i, value) ? null : value,
    chosen: !cross && i === view.query,
    key: i === view.key,
    pressed: i === (cross ? view.key : view.query),
  }));
  const queries = cross ? Array.from({ length: queryCount }, (_, i) => ({ chosen: i === view.query })) : [];
  return { tokens, queries };
}
