// What is trained, as the address says it: a task with its choices, a second run with one of them changed, and what is
// being looked at. The bounds and the defaults are the server's; a bad value falls back, a default is left out.

/** Every choice but the task, in the order of the form; what a model is made of comes before how it is trained. */
export const MODEL = ["layers", "heads", "width", "positions", "scaled", "mask"];
export const TRAINING = ["learning_rate", "steps", "seed", "length", "vocabulary"];
export const NAMES = [...MODEL, ...TRAINING];

const FLAGS = { 1: true, 0: false };
const WHOLE = /^\d{1,10}$/;
const DECIMAL = /^(?:\d{1,4}(?:\.\d{1,8})?|\d(?:\.\d{1,4})?e-\d)$/;

export const isFlag = (name) => name === "scaled" || name === "mask";

/** The value that a text means for a choice; undefined for one that cannot be chosen. */
export function readChoice(name, raw, { bounds, positions }) {
  if (isFlag(name)) return FLAGS[raw];
  if (name === "positions") return positions.includes(raw) ? raw : undefined;
  if (!(name === "learning_rate" ? DECIMAL : WHOLE).test(raw)) return undefined;
  const [least, most] = bounds[name];
  const value = Number(raw);
  return value >= least && value <= most ? value : undefined;
}

/** A choice as a text. */
export const writeChoice = (name, value) => (isFlag(name) ? String(Number(value)) : String(value));

const taskOf = (name, { tasks }) => tasks.find((one) => one.name === name) ?? tasks[0];

/** A task's choices as it begins. */
export const startOf = (task, lab) => {
  const { name, defaults } = taskOf(task, lab);
  return { task: name, ...defaults };
};

const numberOf = (raw, most) => (raw !== null && WHOLE.test(raw) && Number(raw) <= most ? Number(raw) : null);

/** { choices, change, layer, head, role, at } of a query string; change is { name, value } or null, at a step or null. */
export function parse(search, lab) {
  const given = new URLSearchParams(search);
  const start = startOf(given.get("task"), lab);
  const choices = { ...start };
  for (const name of NAMES) if (given.has(name)) choices[name] = readChoice(name, given.get(name), lab) ?? start[name];
  const [, name, raw] = /^(\w+):(.+)$/.exec(given.get("with") ?? "") ?? [];
  const value = NAMES.includes(name) ? readChoice(name, raw, lab) : undefined;
  const change = value === undefined || value === choices[name] ? null : { name, value };
  const { roles } = taskOf(choices.task, lab);
  const role = roles.includes(given.get("role")) ? given.get("role") : null;
  const steps = lab.bounds.steps[1];
  return { choices, change, role, layer: numberOf(given.get("layer"), 99), head: numberOf(given.get("head"), 99), at: numberOf(given.get("at"), steps) };
}

/** The query string of a state, "" for the page as it opens. */
export function format({ choices, change, role, layer, head, at }, lab, lang = null) {
  const start = startOf(choices.task, lab);
  const search = new URLSearchParams();
  if (choices.task !== lab.tasks[0].name) search.set("task", choices.task);
  for (const name of NAMES) if (choices[name] !== start[name]) search.set(name, writeChoice(name, choices[name]));
  if (change) search.set("with", `${change.name}:${writeChoice(change.name, change.value)}`);
  for (const [name, value] of Object.entries({ layer, head, role, at, lang })) if (value !== null) search.set(name, value);
  const written = search.toString();
  return written ? `?${written}` : "";
}

/** The choices of the second run; null where there is none. */
export const changed = ({ choices, change }) => (change ? { ...choices, [change.name]: change.value } : null);

/** Whether two runs are the same. */
export const isSame = (one, other) => Boolean(one && other) && ["task", ...NAMES].every((name) => one[name] === other[name]);

/**
 * What cannot be trained: [{ name, key, values }], name being the choice that is at fault. A choice that is not read yet
 * (an empty or impossible number) stands as undefined.
 */
export function faultsOf(choices, { bounds }) {
  const out = Object.keys(bounds).filter((name) => {
    const [least, most] = bounds[name];
    const isWhole = name === "learning_rate" || Number.isInteger(choices[name]);
    return !(isWhole && choices[name] >= least && choices[name] <= most);
  });
  if (out.length) return out.map((name) => ({ name, key: name === "learning_rate" ? "range" : "whole", values: { least: plain(bounds[name][0]), most: plain(bounds[name][1]) } }));
  const { heads, width, positions, task, length, vocabulary } = choices;
  const found = [];
  if (width % heads) found.push({ name: "width", key: "shared", values: { width, heads } });
  else if (positions === "rotary" && (width / heads) % 2) found.push({ name: "width", key: "pairs", values: { each: width / heads } });
  if (task !== "reverse" && vocabulary < length) found.push({ name: "vocabulary", key: "repeats", values: { vocabulary, length } });
  return found;
}

/** A number as it is written everywhere: never with an exponent. */
export const plain = (value) => (value !== 0 && Math.abs(value) < 1e-4 ? value.toFixed(8).replace(/0+$/, "") : String(value));

const POWERS = [8, 16, 32, 64, 128, 256];
const RATES = [1, 3];
const LENGTHS = [6, 8, 12, 16, 24, 32];
const VOCABULARIES = [8, 16, 26, 32, 48, 64];

/** What a choice offers: all that is often wanted within the bounds, the task's default and what is chosen now. */
export function offered(name, now, start, { bounds, positions }) {
  if (isFlag(name)) return [true, false];
  if (name === "positions") return positions;
  const [least, most] = bounds[name];
  const usual = USUAL[name](now, least, most);
  return [...new Set([...usual, now, start])].filter((value) => value >= least && value <= most).sort((one, other) => one - other);
}

/** What the second run may have in place of a choice: values with which it can be trained. */
export const alternatives = (name, choices, start, lab) =>
  offered(name, choices[name], start[name], lab).filter((value) => value !== choices[name] && !faultsOf({ ...choices, [name]: value }, lab).length);

const USUAL = {
  layers: (_, least, most) => range(least, most),
  heads: (_, least, most) => range(least, most),
  width: () => POWERS,
  learning_rate: (_, least, most) => rates(least, most),
  steps: (now) => [now / 4, now / 2, now * 2, now * 4].map(Math.round),
  seed: (now) => range(now + 1, now + 5),
  length: () => LENGTHS,
  vocabulary: () => VOCABULARIES,
};
const range = (least, most) => Array.from({ length: most - least + 1 }, (_, i) => least + i);
function rates(least, most) {
  const found = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)); power++) {
    for (const digit of RATES) found.push(Number(`${digit}e${power}`));
  }
  return found;
}
