// The head atlas of each model that is looked at: asked for once. The page does without where there is none to be had.

/** want(model) asks; now(model): the atlas, null until it is there. */
export function createAtlases({ api, onChange }) {
  const held = new Map();

  async function want(model) {
    if (!model || held.has(model)) return;
    held.set(model, null);
    try {
      held.set(model, await api.atlas(model));
      onChange();
    } catch {
      held.delete(model); // the next picture of this model asks again
    }
  }
  return { want, now: (model) => held.get(model) ?? null };
}
