// The two sentences of a pair, A and B: the letters that tell them apart, and what of a row lies in which.

import { el } from "./dom.js";
import { segmentsOf } from "./tokens.js";

export const FILTERS = ["all", "AA", "AB", "BA", "BB"];

/** The letter of a token's sentence as a small mark; null outside a pair. */
export function segmentMark(doc, i18n, segment) {
  return segment ? el(doc, "span", { class: `seg ${segment}`, role: "img", "aria-label": i18n.t("pair.sentence", { segment }), text: segment }) : null;
}

/** The token's text for a reader of one line: with its sentence behind it where there are two. */
export const spoken = ({ text, segment }) => (segment ? `${text} (${segment})` : text);

/** Where each run of one sentence begins and ends: [{ segment, from, to }] of a window; empty outside a pair. */
export function runsOf(tokens, [from, to]) {
  const runs = [];
  for (let i = from; i < to; i++) {
    const { segment } = tokens[i];
    if (!segment) return [];
    if (runs.at(-1)?.segment === segment) runs.at(-1).to = i + 1;
    else runs.push({ segment, from: i, to: i + 1 });
  }
  return runs;
}

/**
 * What of a row lies where, in whole percent that add up: { name, A, B, hidden } where both sentences are shown,
 * { name, share, segment, hidden } where one is cut away; null outside a pair. `name` ends the sentence's key.
 */
export function sharesOf({ row, keyTokens, removed = 0, segments = "all", special = "show" }) {
  const of = segmentsOf(keyTokens);
  if (!of) return null;
  const hidden = special === "hide" ? removed : 0;
  const sum = (name) => row.reduce((total, weight, i) => (of[i] === name ? total + weight : total), 0);
  if (segments === "all") {
    const [A, B, gone] = percents([sum("A"), sum("B"), hidden]);
    return { name: `all.${special}`, A, B, hidden: gone };
  }
  const shown = row.reduce((total, weight) => total + weight, 0);
  // A row whose whole weight was hidden has nothing left to be scaled up.
  const whole = special === "renormalise" && removed > 1 - 1e-6 ? 0 : 1;
  const [share, gone] = percents([Math.max(0, whole - hidden - shown), hidden, shown]);
  // A row that was scaled up adds up to 1 without what the special tokens took of it.
  if (special === "renormalise") return { name: `cut.${special}`, share, segment: segments[1] === "A" ? "B" : "A", hidden: percent(removed) };
  return { name: `cut.${special}`, share, segment: segments[1] === "A" ? "B" : "A", hidden: gone };
}

const percent = (share) => (share < 1 ? Math.min(99, Math.round(100 * share)) : 100);

// Rounded to whole numbers that add up to what the parts add up to: the largest remainders are rounded up.
function percents(parts) {
  const exact = parts.map((part) => 100 * part);
  const down = exact.map(Math.floor);
  const missing = Math.round(exact.reduce((a, b) => a + b, 0)) - down.reduce((a, b) => a + b, 0);
  const order = exact.map((value, i) => [value - down[i], i]).sort(([a], [b]) => b - a);
  for (const [, i] of order.slice(0, missing)) down[i] += 1;
  return down;
}
