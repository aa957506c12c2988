// What the address of an idea's page says: one table a page. A bad value falls back, what is usual is left out.

const whole = (least, most, usual) => ({
  usual,
  read: (raw) => (/^[0-9]{1,10}$/.test(raw) && Number(raw) >= least && Number(raw) <= most ? Number(raw) : null),
});
const oneOf = (usual, ...others) => ({ usual, read: (raw) => ([usual, ...others].includes(raw) ? raw : null) });
/** Letters that a text may have: of the heads page every head has its weights of every pair. */
export const LONGEST = { heads: 160, order: 400 };

const text = (usual, longest) => ({ usual, read: (raw) => raw.replace(/\s+/g, " ").trim().slice(0, longest) || null });
const SEED = whole(0, 2 ** 32 - 1, 0);
export const CAT = "the cat sat on the mat because it was tired";
/** Ways to change how the model of the heads page works, by their names in the interface. */
export const SWITCHES = ["unscaled", "temperature:20", "positions:none", "shuffle:7"];
export const POSITIONS = ["none", "sinusoidal", "learned", "rotary"];

/** The parameters of each page that has some. */
export const TABLES = {
  scaling: { dim: whole(4, 1024, 64), seed: SEED },
  masking: { language: oneOf("en", "ko"), seed: SEED },
  order: { positions: oneOf(...POSITIONS), text: text(CAT, LONGEST.order), layer: whole(0, 1, 0), head: whole(0, 1, 0), seed: SEED },
  heads: { text: text("The cat sat on the mat because it was tired", LONGEST.heads), switch: oneOf(null, ...SWITCHES) },
  cost: { window: whole(1, 32, 3), features: whole(1, 4096, 64), head: whole(0, 1, 0), seed: SEED },
  recurrence: { length: whole(4, 32, 24), seed: SEED },
};

/** The state that an address means. */
export function readState(name, search) {
  const given = new URLSearchParams(search);
  const entries = Object.entries(TABLES[name] ?? {}).map(([key, { usual, read }]) => {
    const raw = given.get(key);
    return [key, (raw === null ? null : read(raw)) ?? usual];
  });
  return Object.fromEntries(entries);
}

/** The query string that restores a state, in a language where one was asked for. */
export function searchOf(name, state, lang = null) {
  const kept = new URLSearchParams();
  for (const [key, { usual }] of Object.entries(TABLES[name] ?? {})) if (state[key] !== usual) kept.set(key, state[key]);
  if (lang) kept.set("lang", lang);
  const search = kept.toString();
  return search ? `?${search}` : "";
}

/** The numbers of a query that a slider of 2^from … 2^to stops at, in quarters of a doubling. */
export const STOPS = Array.from({ length: 33 }, (_, i) => Math.round(2 ** (2 + i / 4)));

/** The stop nearest to a number of the address. */
export const nearestStop = (dim) => STOPS.reduce((best, stop, i) => (Math.abs(Math.log(stop / dim)) < Math.abs(Math.log(STOPS[best] / dim)) ? i : best), 0);
