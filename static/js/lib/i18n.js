// Messages with {placeholders}; numbers and sizes as a person reads them.

/**
 * t(key, values): the message; with a count its form of the key, such as ".one", where the language tells it apart (Intl.PluralRules). While lengths are shown instead
 * of weights, speakOf("norm"), a message that has a ".norm" form is said in it.
 */
export function createI18n(lang, messages) {
  const grouped = new Intl.NumberFormat(lang);
  const plurals = new Intl.PluralRules(lang);
  const plain = (value) => (typeof value === "number" && Number.isInteger(value) ? grouped.format(value) : String(value));
  const has = (key) => Object.hasOwn(messages, key);

  let measure = "weight";

  function t(key, values = {}) {
    const form = `${key}.${plurals.select(values.count ?? 0)}`;
    const counted = typeof values.count === "number" && has(form) ? form : key;
    const name = measure !== "weight" && has(`${counted}.${measure}`) ? `${counted}.${measure}` : counted;
    if (!has(name)) throw new Error(`no message "${name}"`);
    return messages[name].replace(/\{(\w+)\}/g, (whole, slot) => (Object.hasOwn(values, slot) ? plain(values[slot]) : whole));
  }
  // A model's name in the reader's language, where it has one.
  const percents = [0, 1].map((digits) => new Intl.NumberFormat(lang, { style: "percent", maximumFractionDigits: digits }));
  /** "49%", "0.3%", "<0.1%", "99.8%", ">99.9%": a share as it is spoken. Nothing but the whole is 100%, and only nothing 0%. */
  const percent = (share) => {
    if (share > 0 && share < 0.0005) return `<${percents[1].format(0.001)}`;
    if (share >= 0.9995 && share < 1) return `>${percents[1].format(0.999)}`;
    return percents[Number(share < 0.0095 || (share >= 0.995 && share < 1))].format(share);
  };
  const model = ({ name, title }) => {
    const key = [name, title].map((one) => `model.name.${one}`).find(has);
    return key ? t(key) : title;
  };
  const speakOf = (what) => {
    measure = what;
  };
  return { lang, t, has, bytes, percent, model, speakOf, language: (code) => languageName(lang, code) };
}

export const megabytes = (n) => `${Math.round(n / 1e6)} MB`;
const bytes = megabytes;

/** A weight as it is printed everywhere: three decimals, or two where room is short. */
export const weight = (value, digits = 3) => value.toFixed(digits);

/** A probability in two decimals that never reads as impossible or certain. */
export const probable = (value) => (value < 0.005 ? "< 0.01" : value >= 0.995 ? "> 0.99" : weight(value, 2));

/** ".49": two decimals without the zero, for cells. */
export const short = (value) => (value >= 0.995 ? "1.0" : value.toFixed(2).slice(1));

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** "2.1·10⁻⁶", "0": a small number in two significant digits, rounded up so that "at most" holds. */
export function power(value) {
  if (!(value > 0)) return "0";
  let exponent = Math.floor(Math.log10(value));
  let digit = Math.ceil((value / 10 ** exponent) * 10 - 1e-6) / 10;
  if (digit >= 10) [digit, exponent] = [1, exponent + 1];
  const raised = [...String(Math.abs(exponent))].map((n) => SUPERSCRIPTS[n]).join("");
  return `${digit}·10${exponent < 0 ? "⁻" : ""}${raised}`;
}

function languageName(lang, code) {
  try {
    return new Intl.DisplayNames([lang], { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** The parts of a message around its placeholders: [{text} | {slot}], for sentences that hold elements. */
export function parts(message) {
  return message.split(/(\{\w+\})/).filter(Boolean).map((piece) => {
    const slot = /^\{(\w+)\}$/.exec(piece);
    return slot ? { slot: slot[1] } : { text: piece };
  });
}
