// The state of the page is one table of parameters. Parsing and formatting are derived from it and pure:
// parse(format(state)) is the state again, a bad value falls back, and a default is left out of the URL.

const LARGEST = 1_000_000;

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

export const PARAMETERS = {
  text: { ...text, fallback: null },
  model: { ...word, fallback: null },
  kind: { ...oneOf("encoder-self", "decoder-self", "cross"), fallback: null },
  layer: { ...count, fallback: 0 },
  head: { ...count, fallback: 0 },
  query: { ...count, fallback: null },
  key: { ...count, fallback: null },
  view: { ...oneOf("heatmap", "lines", "table"), fallback: "heatmap" },
  scale: { ...oneOf("linear", "sqrt", "log"), fallback: "linear" },
  range: { ...oneOf("unit", "head"), fallback: "unit" },
  queries: { ...span, fallback: null },
  keys: { ...span, fallback: null },
  truncate: { ...flag, fallback: false },
  lang: { ...oneOf("en", "ko"), fallback: null },
};
const NAMES = Object.keys(PARAMETERS);
// What an example decides: left out together, or written together.
const EXAMPLE = ["text", "layer", "head", "query", "key"];

const FALLBACKS = Object.fromEntries(NAMES.map((name) => [name, PARAMETERS[name].fallback]));

/** The state of a page opened without parameters: the first example with its head and its cell. */
export function startState(example, model) {
  const given = Object.fromEntries(EXAMPLE.filter((name) => example?.[name] != null).map((name) => [name, example[name]]));
  return { ...FALLBACKS, ...given, model };
}

/** The state a query string means. Without a text the first example is meant. */
export function parse(search, start) {
  const given = {};
  for (const [name, raw] of new URLSearchParams(search)) {
    const value = NAMES.includes(name) && !(name in given) ? PARAMETERS[name].read(raw) : undefined;
    if (value !== undefined) given[name] = value;
  }
  const base = given.text === undefined ? start : { ...FALLBACKS, model: start.model };
  return { ...base, ...given };
}

/** The query string of a state, "" for the page as it opens. */
export function format(state, start) {
  const asStart = EXAMPLE.every((name) => state[name] === start[name]);
  const search = new URLSearchParams();
  for (const name of NAMES) {
    const usual = name === "model" ? start.model : PARAMETERS[name].fallback;
    const silent = (asStart && EXAMPLE.includes(name)) || state[name] == null || state[name] === usual;
    if (!silent) search.append(name, PARAMETERS[name].write(state[name]));
  }
  const written = search.toString();
  return written ? `?${written}` : "";
}
