// How strongly each head's frame shows in the grid while a tool ranks the heads.

import { changeGlow } from "./compare.js";
import { glow as liftGlow } from "./link.js";
import { orderOf, strengthOf } from "./profile.js";
import { effectGlow } from "./switched.js";

const ready = (result) => (result?.state === "ready" ? result.value : null);

// One object for one result and one choice: the grid draws anew when it is another.
const held = new WeakMap();
function same(value, choice, more) {
  if (!held.has(value)) held.set(value, new Map());
  const its = held.get(value);
  if (!its.has(choice)) its.set(choice, { ...value, ...more });
  return its.get(choice);
}

/** By tool: what it ranks by, and how strongly a head shows, from 0 to 1. */
const RANKED = {
  link: ({ links }) => [ready(links), liftGlow],
  profile: ({ profile, state }) => (orderOf(state.sort) && ready(profile) ? [same(ready(profile), state.sort, { sort: state.sort }), strengthOf] : [null]),
  // Heads of another model are not those of the grid.
  compare: ({ comparison }) => [comparison && comparison.way !== "model" ? ready(comparison.ranks) : null, changeGlow],
  switch: ({ scan, kind }) => (ready(scan) ? [same(ready(scan), kind, { kind }), effectGlow] : [null]),
};

/** { by, of(layer, head) } or null where no tool ranks the heads; `by` is another object whenever the ranking is another. */
export function glowOf(scene) {
  const { tool } = scene.state;
  const [by, strength] = Object.hasOwn(RANKED, tool ?? "") ? RANKED[tool](scene) : [null];
  return by ? { by, of: (layer, head) => strength(by, layer, head) } : null;
}
