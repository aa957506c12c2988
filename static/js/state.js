// The state of the page is one table of parameters. Parsing and formatting are derived from it and pure:
// parse(format(state)) is the state again, a bad value falls back, and a default is left out of the URL.

const LARGEST = 1_000_000;
const MOST_OFF = 400;

const word = {
  read: (raw) => (/^[A-Za-z0-9][\w.-]{0,63}$/.test(raw) ? raw : undefined),
  write: String,
};
const count = {
  read: (raw) => (/^\d{1,7}$/.test(raw) && Number(raw) <= LARGEST ? Number(raw) : undefined),
  write: String,
};
const span = {
  read(raw) {
    const parts = /^(\d{1,7}):(\d{1,7})$/.exec(raw);
    const [from, to] = parts ? [Number(parts[1]), Number(parts[2])] : [0, 0];
    return from < to && to <= LARGEST ? [from, to] : undefined;
  },
  write: ([from, to]) => `${from}:${to}`,
};
const text = { read: (raw) => (raw.trim() === "" ? undefined : raw), write: String };
const flag = { read: (raw) => (raw === "1" ? true : undefined), write: () => "1" };
const oneOf = (...accepted) => ({ read: (raw) => (accepted.includes(raw) ? raw : undefined), write: String });
const HEAD = /^(?:encoder-self|decoder-self|cross)\.(?:0|[1-9]\d{0,2})\.(?:0|[1-9]\d{0,2})$/;
const heads = {
  read(raw) {
    const names = [...new Set(raw.split(","))];
    return names.length <= MOST_OFF && names.every((name) => HEAD.test(name)) ? names.join(",") : undefined;
  },
  write: String,
};

const pattern = (shape) => ({ read: (raw) => (shape.test(raw) ? raw : undefined), write: String });

const POSITIONS = /^(?:0|[1-9]\d{0,6})(?:,(?:0|[1-9]\d{0,6}))*$/;
const MOST_POSITIONS = 16;
const positions = {
  read(raw) {
    if (!POSITIONS.test(raw)) return undefined;
    const some = [...new Set(raw.split(","))];
    return some.length <= MOST_POSITIONS && some.every((at) => Number(at) <= LARGEST) ? some.join(",") : undefined;
  },
  write: String,
};
const between = (least, most) => ({
  read: (raw) => (/^\d{1,10}$/.test(raw) && Number(raw) >= least && Number(raw) <= most ? Number(raw) : undefined),
  write: String,
});
const hundredths = (most) => ({
  read: (raw) => (/^\d{1,2}(\.\d{1,2})?$/.test(raw) && Number(raw) > 0 && Number(raw) <= most ? Number(raw) : undefined),
  write: String,
});
const NUMBERS = /^(?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8}))*$/;
const MOST_WRITTEN = 256;
const numbers = {
  read: (raw) => (NUMBERS.test(raw) && raw.split(".").length <= MOST_WRITTEN ? raw : undefined),
  write: String,
};

// What a model of ours does otherwise, each at most once, in one order: attention_core/what_if.py has the same rules.
const WHAT_IFS = ["unscaled", "temperature", "mask:causal", "mask:none", "positions:none", "shuffle"];
const sortOf = (name) => {
  const [, sort, value] = /^(temperature|shuffle):([0-9.]{1,9})$/.exec(name) ?? [null, name, null];
  if (value === null) return WHAT_IFS.includes(name) && !["temperature", "shuffle"].includes(name) ? name : undefined;
  if (sort === "shuffle") return /^(?:0|[1-9]\d{0,8})$/.test(value) ? sort : undefined;
  const isTemperature = /^\d{1,2}(?:\.\d{1,2})?$/.test(value) && Number(value) >= 0.05 && Number(value) <= 20;
  return isTemperature && String(Number(value)) === value ? sort : undefined;
};
const whatIfs = {
  read(raw) {
    const sorts = new Map(raw.split(",").map((name) => [sortOf(name), name]));
    if (sorts.has(undefined) || sorts.size < raw.split(",").length) return undefined;
    return WHAT_IFS.filter((sort) => sorts.has(sort)).map((sort) => sorts.get(sort)).join(",");
  },
  write: String,
};

// query, key and rivals are positions of the tokens that the model read, whatever words and special hide or merge.
export const PARAMETERS = {
  text: { ...text, fallback: null },
  pair: { ...text, fallback: null },
  target: { ...text, fallback: null },
  image: { ...word, fallback: null },
  // A trace that was opened from a file, by its id: it stands in for the text and the model.
  trace: { ...pattern(/^file-[0-9a-f]{40}$/), fallback: null },
  model: { ...word, fallback: null },
  // In a permalink: how the revision begins that the model had when somebody shared what it showed.
  rev: { ...pattern(/^[0-9a-f]{12}$/), fallback: null },
  kind: { ...oneOf("encoder-self", "decoder-self", "cross"), fallback: null },
  layer: { ...count, fallback: 0 },
  head: { ...count, fallback: 0 },
  query: { ...count, fallback: null },
  key: { ...count, fallback: null },
  tool: { ...oneOf("link", "profile", "compare", "switch", "importance"), fallback: null },
  rivals: { ...positions, fallback: null },
  // The table of heads: the column that orders it, the largest first; the role whose heads are marked.
  sort: { ...word, fallback: null },
  mark: { ...word, fallback: null },
  // What the trace is compared with: another text, or a head of another model.
  versus: { ...text, fallback: null },
  versus_model: { ...word, fallback: null },
  versus_layer: { ...count, fallback: null },
  versus_head: { ...count, fallback: null },
  // What an experiment is about: the row whose outcome is watched, the key whose weight is set against it.
  aim: { ...count, fallback: null },
  onto: { ...count, fallback: null },
  scan: { ...flag, fallback: false },
  view: { ...oneOf("heatmap", "lines", "table", "compute", "picture", "difference"), fallback: null },
  step: { ...oneOf("input", "project", "dot", "scale", "cap", "bias", "mask", "softmax", "weigh", "sum", "join"), fallback: null },
  measure: { ...oneOf("weight", "norm"), fallback: "weight" },
  scale: { ...oneOf("linear", "sqrt", "log"), fallback: "linear" },
  range: { ...oneOf("unit", "head"), fallback: null },
  queries: { ...span, fallback: null },
  keys: { ...span, fallback: null },
  words: { ...flag, fallback: false },
  special: { ...oneOf("show", "hide", "renormalise"), fallback: "show" },
  segments: { ...oneOf("all", "AA", "AB", "BA", "BB"), fallback: "all" },
  off: { ...heads, fallback: null },
  how: { ...oneOf("zero", "mean"), fallback: "zero" },
  what_if: { ...whatIfs, fallback: null },
  truncate: { ...flag, fallback: false },
  // What the model wrote after the text, as ids, and how it goes on.
  written: { ...numbers, fallback: null },
  chat: { ...flag, fallback: false },
  tokens: { ...between(1, MOST_WRITTEN), fallback: 64 },
  method: { ...oneOf("greedy", "sample"), fallback: "greedy" },
  temperature: { ...hundredths(5), fallback: 1 },
  topk: { ...between(1, 1000), fallback: 50 },
  seed: { ...between(0, 2 ** 32 - 1), fallback: 0 },
  theme: { ...oneOf("light", "dark"), fallback: null },
  lang: { ...oneOf("en", "ko"), fallback: null },
};
const NAMES = Object.keys(PARAMETERS);
// What an example decides: left out together, or written together.
const EXAMPLE = ["text", "pair", "target", "image", "kind", "layer", "head", "query", "key", "chat"];
// What an address must name to mean an example of its own.
const SUBJECT = ["text", "image", "trace"];

const FALLBACKS = Object.fromEntries(NAMES.map((name) => [name, PARAMETERS[name].fallback]));

/** startOf(model): the state of a model's page without other parameters, its first example with head and cell. */
export function createStarts(examples, usual) {
  const states = new Map();
  function make(model) {
    const example = examples.find((one) => one.model === model) ?? { text: examples[0]?.text };
    const given = Object.fromEntries(EXAMPLE.filter((name) => example[name] != null).map((name) => [name, example[name]]));
    return { ...FALLBACKS, ...given, model };
  }
  return (model = usual) => {
    if (!states.has(model)) states.set(model, make(model));
    return states.get(model);
  };
}

/** The state a query string means. Without a text or an image the model's first example is meant. */
export function parse(search, startOf) {
  const given = {};
  for (const [name, raw] of new URLSearchParams(search)) {
    const value = NAMES.includes(name) && !(name in given) ? PARAMETERS[name].read(raw) : undefined;
    if (value !== undefined) given[name] = value;
  }
  const start = startOf(given.model);
  const base = SUBJECT.some((name) => given[name] !== undefined) ? { ...FALLBACKS, model: start.model } : start;
  return { ...base, ...given };
}

/** The query string of a state, "" for the page as it opens. */
export function format(state, startOf) {
  const start = startOf(state.model);
  const asStart = EXAMPLE.every((name) => state[name] === start[name]);
  const search = new URLSearchParams();
  for (const name of NAMES) {
    const usual = name === "model" ? startOf().model : PARAMETERS[name].fallback;
    const silent = (asStart && EXAMPLE.includes(name)) || state[name] == null || state[name] === usual;
    if (!silent) search.append(name, PARAMETERS[name].write(state[name]));
  }
  const written = search.toString();
  return written ? `?${written}` : "";
}
