// Numbers of ideas as a person reads them, and as a file keeps them.

import { power } from "../i18n.js";

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const raised = (exponent) => (exponent < 0 ? "⁻" : "") + [...String(Math.abs(exponent))].map((digit) => SUPERSCRIPTS[digit]).join("");

/** "0.797", "1.8·10⁻⁷", "64.2", "1,024": three digits, and a power of ten for what is very small. */
export function plain(value) {
  if (value === null || value === undefined) return "–";
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  if (size < 0.001) return `${value < 0 ? "−" : ""}${power(size)}`;
  if (size >= 1000) return Math.round(value).toLocaleString("en").replace("-", "−");
  const text = size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : size >= 1 ? value.toFixed(2) : value.toFixed(3);
  return text.replace("-", "−");
}

const UNITS = ["B", "KB", "MB", "GB"];
/** "1.3 MB". */
export function bytes(value) {
  let [size, unit] = [value, 0];
  while (size >= 1000 && unit < UNITS.length - 1) [size, unit] = [size / 1000, unit + 1];
  return `${unit && size < 10 ? size.toFixed(1) : Math.round(size)} ${UNITS[unit]}`;
}

/** "12 ms", "3.4 s", "56 µs". */
export function seconds(value) {
  const [size, unit] = value >= 1 ? [value, "s"] : value >= 1e-3 ? [value * 1e3, "ms"] : [value * 1e6, "µs"];
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${unit}`;
}

/** "10⁻³": a tick of a logarithmic axis. */
export const decade = (value) => {
  const exponent = Math.round(Math.log10(value));
  return exponent >= 0 && exponent < 4 ? String(10 ** exponent) : `10${raised(exponent)}`;
};

/** Ticks of a linear axis: round numbers from `least` to `most`, about so many. */
export function linearTicks(least, most, about = 5) {
  const rough = (most - least) / about || 1;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * unit).find((one) => one >= rough * 0.999);
  const ticks = [];
  for (let i = Math.ceil(least / step - 1e-9); i * step <= most + step * 1e-9; i++) ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

/** Ticks of a logarithmic axis: every power of the base within, at most about so many. */
export function logTicks(least, most, base = 10, about = 7) {
  const [from, to] = [Math.ceil(Math.log(least) / Math.log(base) - 1e-9), Math.floor(Math.log(most) / Math.log(base) + 1e-9)];
  const nth = Math.max(1, Math.ceil((to - from + 1) / about));
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i).filter((exponent) => (exponent - from) % nth === 0).map((exponent) => base ** exponent);
}

// A cell that a spreadsheet would take for a formula is a word to it; a number stays one.
const cell = (value) => {
  if (typeof value === "number") return String(value);
  const text = String(value ?? "");
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** A file of rows, the first of which names the columns. */
export const csv = (rows) => `${rows.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
