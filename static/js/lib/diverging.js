// From a change to a colour: less is orange, more is blue, no change is the card's own colour.

import { mix } from "./color.js";

export const ENDS = {
  light: { less: [179, 88, 6], none: [255, 255, 255], more: [33, 84, 171] },
  dark: { less: [255, 159, 77], none: [27, 30, 37], more: [122, 176, 255] },
};
// Of changes as small as these the picture is not made to look full of them.
const LEAST_LIMIT = 0.05;

/** The change at the ends of the colours: the largest in either direction, in steps that can be read. */
export function limitOf(data) {
  let most = 0;
  for (const value of data) most = Math.max(most, Math.abs(value));
  return Math.min(1, Math.max(LEAST_LIMIT, Math.ceil(most * 20 - 1e-6) / 20));
}

/** The same interface as a palette of weights, for changes from -1 to 1; `limit` is where the ends are. */
export function createDiverging({ theme, limit }) {
  const { less, none, more } = ENDS[theme];
  const atStep = (step) => (step < 0.5 ? mix(none, less, 1 - 2 * step) : mix(none, more, 2 * step - 1));
  const t = (change) => Math.min(1, Math.max(0, 0.5 + change / limit / 2));
  return { name: `${theme} ${limit}`, less, none, more, limit, t, atStep, rgb: (change) => atStep(t(change)), label: shortChange };
}

/** "+.12", "−.40": a change in two decimals, for cells. */
export function shortChange(change) {
  const [sign, size] = [change < 0 ? "−" : "+", Math.abs(change)];
  return `${sign}${size >= 0.995 ? "1.0" : size.toFixed(2).slice(1)}`;
}

/** "+0.318", "−0.318", "0.000": a change as it is printed. */
export function signedChange(change, digits = 3) {
  const text = Math.abs(change).toFixed(digits);
  return Number(text) === 0 ? text : `${change < 0 ? "−" : "+"}${text}`;
}
