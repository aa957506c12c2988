// The head atlas of a model as data: its pictures, the roles of its heads, and where a head leads.

/** Roles that are measured on data, in the order of the badges; the others come from one text. */
export const DATA_ROLES = ["antecedent", "syntax", "induction"];

const ORDER = ["antecedent", "induction", "syntax"];

/** What can be pictured: [{ task, file, relation, direction, result }], result having chosen, right, heads and rules. */
export function picturesOf({ results }) {
  const sorted = [...results].sort((one, other) => ORDER.indexOf(one.task) - ORDER.indexOf(other.task) || other.rows - one.rows);
  return sorted.flatMap((result) => {
    const whole = { task: result.task, file: result.file, relation: null, direction: null, result };
    if (result.task !== "syntax") return [whole];
    return [{ ...whole, relation: "all" }, ...result.relations.map((one) => ({ ...whole, relation: one.relation, direction: one.direction, result: one }))];
  });
}

const NAMES = ["task", "file", "relation", "direction"];

/** The picture that an address means: the first one that agrees with what it names, else the first one. */
export function pictureFrom(pictures, search) {
  const given = new URLSearchParams(search);
  const agrees = (one) => NAMES.every((name) => !given.has(name) || given.get(name) === one[name]);
  return pictures.find(agrees) ?? pictures[0] ?? null;
}

const TEXTS = ["text", "pair", "target"];
const MOST = 1500; // characters of a query string: a longer text is not carried along

/** What the reader was looking at, { text, pair, target }, as far as an address says it. */
export function textsFrom(search) {
  const given = new URLSearchParams(search);
  return Object.fromEntries(TEXTS.filter((name) => given.get(name)).map((name) => [name, given.get(name)]));
}

/** The address of a model's head atlas, which leads back to the reader's own text; null for one of the lab, which has none. */
export function atlasHref({ model, lang, trace, ...state }, start) {
  if (model.startsWith("lab-")) return null;
  const isOwn = !trace && state.text && TEXTS.some((name) => state[name] !== start[name]);
  const texts = new URLSearchParams(isOwn ? TEXTS.filter((name) => state[name]).map((name) => [name, state[name]]) : []);
  const search = new URLSearchParams(String(texts).length <= MOST ? texts : "");
  if (lang) search.set("lang", lang);
  return `/models/${encodeURIComponent(model)}${search.size ? `?${search}` : ""}`;
}

/** The query string of a picture, the reader's texts and a language; the first picture is left out, and so is the reader's own language. */
export function searchOf(pictures, picture, lang = null, texts = {}) {
  const search = new URLSearchParams(texts);
  if (picture && picture !== pictures[0]) for (const name of NAMES) if (picture[name]) search.set(name, picture[name]);
  if (lang) search.set("lang", lang);
  const written = search.toString();
  return written ? `?${written}` : "";
}

/** The picture that a role rests on, null where it is not among them. */
export function pictureOf(pictures, role) {
  const relation = role.name === "syntax" ? role.of : null;
  return pictures.find((one) => one.task === role.name && one.file === role.file && one.relation === relation && one.direction === role.direction) ?? null;
}

/** Whether the head that was chosen for a picture has the role that goes with it. */
export function isRole({ roles }, picture) {
  const { layer, head } = picture.result.chosen;
  const relation = picture.task === "syntax" ? picture.relation : picture.file;
  return roles.some((one) => one.name === picture.task && one.layer === layer && one.head === head && one.file === picture.file && one.of === relation && one.direction === picture.direction);
}

/** The roles by name: [{ name, roles }], in the order given; names without a head are left out. */
export function rolesByName({ roles }) {
  return DATA_ROLES.map((name) => ({ name, roles: roles.filter((one) => one.name === name) })).filter((one) => one.roles.length);
}

/**
 * The data roles of a head as badges: [{ name, score, threshold, on: [role] }], one for each name. The score is that of
 * the most rows, not the best one: whoever shows the best of several sets shows luck.
 */
export function badgesOf(atlas, layer, head) {
  const own = (atlas?.roles ?? []).filter((one) => one.layer === layer && one.head === head).sort((one, other) => other.rows - one.rows);
  return rolesByName({ roles: own }).map(({ name, roles }) => ({ name, score: roles[0].score, threshold: roles[0].threshold, on: roles }));
}

/** The antecedent result with most rows whose chosen head this is, and the most twins that show it to be prominent; null without any. */
export function unseenOf(atlas, layer, head) {
  const own = (atlas?.results ?? []).filter(({ task, chosen }) => task === "antecedent" && chosen.layer === layer && chosen.head === head);
  if (!own.length) return null;
  const most = (results, count) => results.reduce((best, one) => (count(one) > count(best) ? one : best));
  const paired = own.filter(isProminent);
  return { result: most(own, ({ rows }) => rows), twins: paired.length ? most(paired, ({ twins }) => twins.pairs).twins : null };
}

/**
 * Whether the twins of a result show that a head follows something else than the word that decides: more often the same
 * answer than coins. In a decoder that cannot see that word from the pronoun they show nothing.
 */
export function isProminent({ twins, warnings = {} }) {
  return Boolean(twins) && !warnings["decided-later"] && twins.same_answer > 0.5 && twins.both_right <= 0.25;
}

/** The address of a head on the Explore page, on the reader's own texts, else on an example of the model that shows such a role, where there is one. */
export function exploreHref({ model, usual, examples, lang = null, texts = {} }, { kind, layer, head }, role = null) {
  const example = role === "induction" && !texts.text ? examples.find((one) => one.model === model && repeats(one.text ?? "")) : null;
  const search = new URLSearchParams(texts);
  if (example) search.set("text", example.text);
  if (model !== usual) search.set("model", model);
  if (kind) search.set("kind", kind);
  search.set("layer", layer);
  search.set("head", head);
  if (example?.query !== undefined) search.set("query", example.query);
  if (role) search.set("mark", role);
  if (lang) search.set("lang", lang);
  return `/?${search}`;
}

// A text that says the same twice: what induction heads are for.
function repeats(text) {
  const words = text.toLowerCase().split(/\s+/u).filter(Boolean);
  return words.length > 5 && new Set(words).size <= Math.ceil(words.length * 0.6);
}

/** What was left out of a result, as [name, count], and its warnings. */
export function leftOut({ counts, broken }) {
  const named = ["no_rival", "too_long", "too_short", "later_candidate", "lost_words"].filter((name) => counts[name]).map((name) => [name, counts[name]]);
  return broken.length ? [...named, ["broken", broken.length]] : named;
}
