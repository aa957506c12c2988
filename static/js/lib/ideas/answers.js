// What is asked of the server while somebody moves a slider: the newest question counts, and the last answer stays on
// show until the next one is there.

import { createKeep } from "../keep.js";

const KEPT = 32;
const PAUSE = 120; // milliseconds between two questions of one place

/** want(slot, key, ask(signal)); again(slot); now(slot): { value, key, busy, problem }: value is the last good one. */
export function createAnswers({ onChange, later = setTimeout, clear = clearTimeout, clock = () => Date.now() }) {
  const kept = createKeep(KEPT);
  const slots = new Map();

  function want(slot, key, ask) {
    const at = slots.get(slot) ?? { key: null, value: null, problem: null, busy: false, asked: -Infinity, timer: 0, abort: null };
    slots.set(slot, at);
    if (at.key === key) return;
    clear(at.timer);
    at.abort?.abort();
    const value = kept.get(`${slot} ${key}`);
    Object.assign(at, { key, ask, problem: null, busy: !value, ...(value && { value }) });
    if (value) return;
    const wait = at.asked + PAUSE - clock();
    if (wait > 0) at.timer = later(() => begin(slot, at), wait);
    else begin(slot, at);
  }

  async function begin(slot, at) {
    const { key } = at;
    at.asked = clock();
    at.abort = new AbortController();
    try {
      const value = await at.ask(at.abort.signal);
      kept.put(`${slot} ${key}`, value);
      if (at.key === key) Object.assign(at, { value, busy: false });
    } catch (problem) {
      if (problem.name === "AbortError" || at.key !== key) return;
      Object.assign(at, { problem, busy: false });
    }
    if (at.key === key) onChange();
  }

  function again(slot) {
    const at = slots.get(slot);
    if (!at?.problem) return;
    Object.assign(at, { problem: null, busy: true });
    begin(slot, at);
    onChange();
  }

  return { want, again, now: (slot) => slots.get(slot) ?? { value: null, key: null, busy: false, problem: null } };
}
