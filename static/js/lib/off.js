// Heads that are switched off, as the address writes them: "decoder-self.0.3,cross.1.2".

/** The heads of a list: [{ kind, layer, head, name }]. */
export function offHeads(off) {
  return (off ?? "").split(",").filter(Boolean).map((name) => {
    const [kind, layer, head] = name.split(".");
    return { kind, layer: Number(layer), head: Number(head), name };
  });
}

export const headName = (kind, layer, head) => `${kind}.${layer}.${head}`;

export const isOff = (off, kind, layer, head) => (off ?? "").split(",").includes(headName(kind, layer, head));

/** The list with a head switched the other way; null when no head is off any more. */
export function toggled(off, kind, layer, head) {
  const name = headName(kind, layer, head);
  const names = (off ?? "").split(",").filter(Boolean);
  const next = names.includes(name) ? names.filter((other) => other !== name) : [...names, name];
  return next.length ? next.join(",") : null;
}

/** The same request of the model as it is: all its heads on, and nothing of it changed. */
export const asItIs = (request) => ({ ...request, off: null, how: null, what_if: null });
