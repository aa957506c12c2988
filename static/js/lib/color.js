// From a weight to a colour. Both themes run from the card's own colour to one strong one.

export const RAMPS = {
  light: [[255, 255, 255], [49, 54, 149]],
  dark: [[27, 30, 37], [255, 209, 102]],
};
const DECADES = 3;

/** Where a share of the range (0 to 1) falls on the ramp (0 to 1). */
export const SCALES = {
  linear: (share) => share,
  sqrt: Math.sqrt,
  log: (share) => (share <= 0 ? 0 : Math.max(0, 1 + Math.log10(share) / DECADES)),
};
/** Shares of the range that the legend names. */
export const TICKS = {
  linear: [0, 0.25, 0.5, 0.75, 1],
  sqrt: [0, 0.05, 0.25, 0.5, 1],
  log: [0.001, 0.01, 0.1, 1],
};

export function mix(from, to, t) {
  return from.map((value, i) => Math.round(value + (to[i] - value) * t));
}

export function luminance(rgb) {
  const [r, g, b] = rgb.map((value) => {
    const v = value / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** Black or white, whichever contrasts more. */
export function inkOn(rgb) {
  return contrast(rgb, [0, 0, 0]) >= contrast(rgb, [255, 255, 255]) ? "#000" : "#fff";
}

export const css = (rgb) => `rgb(${rgb.join(",")})`;

/** One object that colours everything drawn: t in 0 to 1, rgb of a weight, and the ink on it. */
export function createPalette({ theme, scale, range }) {
  const [from, to] = RAMPS[theme];
  const curve = SCALES[scale];
  const top = (largest) => (range === "head" && largest > 0 ? largest : 1);
  const t = (weight, largest) => Math.min(1, Math.max(0, curve(Math.min(1, weight / top(largest)))));
  const rgb = (weight, largest) => mix(from, to, t(weight, largest));
  return {
    name: `${theme} ${scale} ${range}`,
    from, to, scale, range, top, t, rgb,
    ticks: TICKS[scale].map((share) => ({ share, at: Math.min(1, Math.max(0, curve(share))) })),
    atStep: (step) => mix(from, to, step),
  };
}
