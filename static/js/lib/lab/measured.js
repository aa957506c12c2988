// What was measured of the lab's choices, found for what somebody chooses.

import { NAMES } from "./choices.js";

/** The trials of a task, its default first. */
export const trialsOf = ({ measured }, task) => (measured.trials ?? []).filter((one) => one.task === task).sort((one, other) => (one.against ? 1 : 0) - (other.against ? 1 : 0));

/** The trial of exactly these choices, whatever the seed. */
export const trialLike = (trials, choices) => trials.find((one) => NAMES.every((name) => name === "seed" || one.choices[name] === choices[name])) ?? null;

/** The trial that another one is set against. */
export const against = (trials, { against: name }) => trials.find((one) => one.name === name) ?? null;

/** Whether every seed did worse than every seed without the change. */
export const hurts = (trial, other) => Boolean(other) && Math.max(...trial.accuracy) < Math.min(...other.accuracy);

/** The choices in which a trial differs from the one that it is set against: [{ name, value }]. */
export const differences = (trial, other) => NAMES.filter((name) => name !== "seed" && other && trial.choices[name] !== other.choices[name]).map((name) => ({ name, value: trial.choices[name] }));

/**
 * What was measured of one choice as it is made now: { trial, other, exact }, where exact says that all other choices
 * are those that were measured. null where no trial changes this choice alone to this value.
 */
export function noteOf(trials, choices, name) {
  for (const trial of trials) {
    const other = against(trials, trial);
    const changes = other ? differences(trial, other) : [];
    if (changes.length !== 1 || changes[0].name !== name || changes[0].value !== choices[name]) continue;
    return { trial, other, exact: trialLike([trial], choices) !== null };
  }
  return null;
}
