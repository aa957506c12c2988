// "What if": what a model of ours does otherwise, by the names of attention_core/what_if.py: "unscaled,temperature:2".

/** Each sort of change, at most one of which is chosen: how it is spelled, and the name of its messages. */
const MESSAGES = { unscaled: "unscaled", temperature: "temperature", "mask:causal": "back", "mask:none": "ahead", "positions:none": "positions", shuffle: "shuffle" };
export const SORTS = Object.keys(MESSAGES);
export const TEMPERATURES = ["0.25", "0.5", "1", "2", "4"];

const VALUED = new Set(["temperature", "shuffle"]);
const MASKED = { "mask:causal": "encoder-self", "mask:none": "decoder-self" };
const FIRST_SEED = 1;
const SEEDS = 1_000_000; // drawn from so many; an address may say others

const namesOf = (what_if) => (what_if ?? "").split(",").filter(Boolean);
const sortOf = (name) => (SORTS.includes(name) ? name : name.split(":")[0]);

/** Whether a model can be changed in this way: only one of ours, and only by a mask that it has. */
export const canChange = (model, name) => Boolean(model.rewirable) && (!MASKED[name] || model.kinds.includes(MASKED[name]));

/** The value of a sort, as text: "2" of "temperature:2"; true where it has none but stands there, else null. */
export function chosen(what_if, sort) {
  const name = namesOf(what_if).find((one) => sortOf(one) === sort);
  return name === undefined ? null : VALUED.has(sort) ? name.slice(sort.length + 1) : true;
}

/** The names with another value of one sort, null or false to leave it out; null where nothing is left. A temperature of 1 changes nothing. */
export function withChoice(what_if, sort, value) {
  const isNone = value === null || value === false || (sort === "temperature" && value === "1");
  const name = VALUED.has(sort) ? `${sort}:${value}` : sort;
  const names = [...namesOf(what_if).filter((one) => sortOf(one) !== sort), ...(isNone ? [] : [name])];
  return names.sort((one, other) => SORTS.indexOf(sortOf(one)) - SORTS.indexOf(sortOf(other))).join(",") || null;
}

/** Another seed than the one that stands there, as text. */
export function anotherSeed(seed, random = Math.random) {
  if (seed === null) return String(FIRST_SEED);
  const drawn = Math.floor(random() * (SEEDS - 1));
  return String(drawn >= Number(seed) ? drawn + 1 : drawn);
}

/** Whether a token of this kind of attention sees only what comes before it: a decoder's, unless that was changed. */
export function isMasked({ what_if: names = [] }, kind) {
  return kind === "decoder-self" ? !names.includes("mask:none") : kind === "encoder-self" && names.includes("mask:causal");
}

/** Whether words were read in another order, so that what is before and after another can only be asked of the mask. */
export const isShuffled = ({ what_if: names = [] }) => names.some((name) => sortOf(name) === "shuffle");

/** Whether nothing at all tells the stack that reads the source where a token stands: no positions, and no mask. */
export function isOrderless(what_if, kinds) {
  const masked = kinds.includes("encoder-self") ? chosen(what_if, "mask:causal") : !chosen(what_if, "mask:none");
  return Boolean(chosen(what_if, "positions:none")) && !masked;
}

/** The message of a sort, "what-if.back" or with more behind it; of a picture the form of its own where there is one. */
export function messageOf(i18n, sort, more = "", isPicture = false) {
  const key = `what-if.${MESSAGES[sort]}${more}`;
  return isPicture && i18n.has(`${key}.picture`) ? `${key}.picture` : key;
}

/** Names as they are told: "scores not divided by √dₖ, temperature 2". */
export function changesSaid(i18n, names, isPicture = false) {
  return names.map((name) => i18n.t(messageOf(i18n, sortOf(name), ".said", isPicture), { value: name.split(":")[1] ?? "" })).join(", ");
}

/** The words of a text in the order of `places`, where each of its tokens stood when the model read it; those of a pair with a line between. */
export function readAs({ text, pair, spans, words, special, segment }, places) {
  const order = places.map((_, at) => at).sort((one, other) => places[one] - places[other]).filter((at) => !special[at] && spans[at]);
  const letters = { A: Array.from(text), B: Array.from(pair ?? "") };
  const said = [];
  order.forEach((at, i) => {
    const before = order[i - 1];
    const isSame = i > 0 && segment[before] === segment[at] && words[at] !== null && words[before] === words[at];
    if (!isSame) said.push({ segment: segment[at], from: spans[at][0], to: spans[at][1] });
    else Object.assign(said.at(-1), { to: Math.max(said.at(-1).to, spans[at][1]) });
  });
  const of = (which) => said.filter((one) => one.segment === which).map(({ from, to }) => letters[which].slice(from, to).join("").trim()).filter(Boolean).join(" ");
  return ["A", "B"].map(of).filter(Boolean).join(" | ");
}
