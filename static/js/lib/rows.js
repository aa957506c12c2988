// What the token strip shows of a view: for each token its weight, whether it is blocked and how it is marked.

/** Whether those that look are other tokens than those looked at: in cross-attention, and from sentence to sentence. */
export const isBetween = ({ query_axis: queries, key_axis: keys }) => queries !== keys;

/**
 * { tokens: [{ weight, chosen, key, pressed }], queries: [{ chosen }] }: tokens are those looked at, weight null where
 * the chosen one may not look; queries are those that look, where they are other tokens, else empty.
 */
export function rowsOf({ map, view, blocked, queryCount }) {
  const between = isBetween(map);
  const tokens = Array.from(view.row, (value, i) => ({
    weight: blocked?.pair(view.query, i, value) ? null : value,
    chosen: !between && i === view.query,
    key: i === view.key,
    pressed: i === (between ? view.key : view.query),
  }));
  const queries = between ? Array.from({ length: queryCount }, (_, i) => ({ chosen: i === view.query })) : [];
  return { tokens, queries };
}
