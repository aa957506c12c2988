// A run's time is counted in steps. Two runs are looked at at the same one.

/** The steps of all checkpoints of some runs, in order. */
export const stepsOf = (runs) => [...new Set(runs.flatMap(({ checkpoints }) => checkpoints.map(({ step }) => step)))].sort((one, other) => one - other);

/** The last checkpoint of a run that is not after a step: its number; null where there is none yet. */
export function numberAt({ checkpoints }, step) {
  let found = null;
  checkpoints.forEach((one, i) => {
    if (one.step <= step) found = i;
  });
  return found;
}

/** The one of some steps that is nearest to a place. */
export const nearest = (steps, place) => steps.reduce((best, step) => (Math.abs(step - place) < Math.abs(best - place) ? step : best), steps[0]);

/** Where a key leads from a step: one checkpoint on or back, a tenth of the way, the ends; null for any other key. */
export function stepBy({ key, ctrlKey = false, metaKey = false, altKey = false }, steps, now) {
  if (ctrlKey || metaKey || altKey || !steps.length) return null;
  const at = steps.indexOf(nearest(steps, now));
  const far = Math.max(1, Math.round(steps.length / 10));
  const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -far, PageUp: far, Home: -steps.length, End: steps.length }[key];
  return by === undefined ? null : steps[Math.min(steps.length - 1, Math.max(0, at + by))];
}

/**
 * The step that is looked at: the chosen one as far as it is there, else the newest of the run that goes on, else the
 * last of all; null before the first checkpoint.
 */
export function shownStep(runs, chosen) {
  const steps = stepsOf(runs);
  if (!steps.length) return null;
  if (chosen !== null) return nearest(steps, chosen);
  const going = runs.find(({ state }) => state === "running");
  return going ? (going.checkpoints.at(-1)?.step ?? 0) : steps.at(-1);
}

/** The last point of a curve that is not after a step. */
export const pointAt = ({ points }, step) => points.findLast((one) => one.step <= step) ?? null;
