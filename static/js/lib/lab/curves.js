// Curves as paths: where a value of a series stands in a frame.

import { scaleOf } from "../scatter.js";

/** The ticks of the steps: round numbers from 0, the last of them not beyond the end. */
export function stepTicks(steps) {
  const scale = scaleOf(steps).filter((tick) => tick <= steps && Number.isInteger(tick));
  return scale.length > 1 ? scale : [0, steps];
}

/** { x(step), y(value) } of a frame of pixels. */
export const placing = ({ left, right, top, bottom }, steps, most) => ({
  x: (step) => left + ((right - left) * step) / Math.max(1, steps),
  y: (value) => bottom - ((bottom - top) * Math.min(value, most)) / most,
});

/** The path through [{ step, value }]. */
export const pathOf = (series, { x, y }) => series.map(({ step, value }, i) => `${i ? "L" : "M"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`).join("");

/** The series of a role of one head. */
export const scoresOf = ({ checkpoints }, role, layer, head) => checkpoints.flatMap(({ step, scores }) => {
  const value = scores[role]?.[layer]?.[head];
  return value === undefined ? [] : [{ step, value }];
});

/** The head with the highest score of a role at a checkpoint: { layer, head, score }. */
export function bestHead({ scores }, role) {
  let best = null;
  (scores[role] ?? []).forEach((row, layer) => row.forEach((score, head) => {
    if (!best || score > best.score) best = { layer, head, score };
  }));
  return best;
}

/** The role in which a head has its highest score at a checkpoint: { role, score }. */
export function bestRole({ scores }, layer, head) {
  return Object.entries(scores).reduce((best, [role, rows]) => {
    const score = rows[layer]?.[head] ?? 0;
    return !best || score > best.score ? { role, score } : best;
  }, null);
}
