// What the heads of a kind do: roles that this text shows, and roles that were measured on data.

import { badgesOf, DATA_ROLES } from "./atlas.js";

/** A sign for each role, for places too small for its name. The order is that of the chips. */
export const GLYPHS = {
  antecedent: "@", syntax: "⌥", induction: "↺",
  "previous-token": "←", "next-token": "→", self: "•", positional: "↔", "same-word": "=", sink: "▁", topic: "★",
};

const held = new WeakMap(); // profile -> atlas -> what was made of them
const NONE = {};

/** { of(layer, head): [{ name, score, threshold, on? }], counts: [[name, count]] }: data roles first; null while nothing is known. */
export function rolesOf(profile, atlas, kind) {
  const seen = profile?.state === "ready" ? profile.value : null;
  const measured = atlasOf(atlas, kind);
  if (!seen && !measured) return null;
  const [one, other] = [seen ?? NONE, measured ?? NONE];
  if (!held.has(one)) held.set(one, new WeakMap());
  if (!held.get(one).has(other)) held.get(one).set(other, make(seen, measured));
  return held.get(one).get(other);
}

const byKind = new WeakMap();

// What was measured of one kind of attention says nothing of another.
function atlasOf(atlas, kind) {
  if (!atlas) return null;
  if (!byKind.has(atlas)) byKind.set(atlas, new Map());
  const kinds = byKind.get(atlas);
  if (!kinds.has(kind)) {
    const results = atlas.results.filter((one) => one.kind === kind);
    const files = new Set(results.map(({ task, file }) => `${task} ${file}`));
    kinds.set(kind, { ...atlas, results, roles: atlas.roles.filter(({ name, file }) => files.has(`${name} ${file}`)) });
  }
  return kinds.get(kind);
}

function make(profile, atlas) {
  const heads = new Map();
  const put = (layer, head, roles) => heads.set(`${layer}.${head}`, [...(heads.get(`${layer}.${head}`) ?? []), ...roles]);
  for (const key of new Set((atlas?.roles ?? []).map(({ layer, head }) => `${layer}.${head}`))) {
    const [layer, head] = key.split(".").map(Number);
    put(layer, head, badgesOf(atlas, layer, head));
  }
  for (const { layer, head, roles } of profile?.heads ?? []) put(layer, head, roles);
  const counts = new Map();
  for (const roles of heads.values()) for (const { name } of roles) counts.set(name, (counts.get(name) ?? 0) + 1);
  return {
    atlas,
    of: (layer, head) => heads.get(`${layer}.${head}`) ?? [],
    counts: Object.keys(GLYPHS).filter((name) => counts.has(name)).map((name) => [name, counts.get(name)]),
  };
}

export const isData = (name) => DATA_ROLES.includes(name);

/** The role that is marked, null where the address names none that there is. */
export const markOf = ({ mark }) => (Object.hasOwn(GLYPHS, mark ?? "") ? mark : null);

const glows = new WeakMap();

/** How the grid lights up the heads of the marked role: { by, of(layer, head) } as of a tool that ranks; null without a mark. */
export function markGlow(roles, state) {
  const mark = markOf(state);
  if (!mark || !roles) return null;
  if (!glows.has(roles)) glows.set(roles, new Map());
  const own = glows.get(roles);
  if (!own.has(mark)) own.set(mark, { by: { mark }, of: (layer, head) => Number(roles.of(layer, head).some(({ name }) => name === mark)) });
  return own.get(mark);
}
