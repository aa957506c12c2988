// Where a trace comes from, where that is to be known.

/** What is to be known of where a trace comes from: a file, or a link that was made with another revision of the model. */
export function originNotices({ trace }, { rev }) {
  if (trace.checked === false) return [{ code: "file" }];
  const { revision } = trace.model;
  return rev && !revision.startsWith(rev) ? [{ code: "revision", theirs: rev, here: revision.slice(0, rev.length) }] : [];
}
