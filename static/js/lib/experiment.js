// Experiments run the model again and take their time: each is a job of the server's that is followed to its end.
// A newer question overtakes an older one; what was found is kept, so that going back and forth costs nothing.

import { createKeep } from "./keep.js";
import { contentOf } from "./session.js";

const KEPT = 24;

/**
 * want(slot, { request, wish, starts }) or want(slot, null); stop(slot); again(slot).
 * now(slot): { state: "waiting" | "running" | "ready" | "failed" | "stopped", done, total, value, problem } or null.
 * A question that does not start goes on where it runs already, and what was found of it is shown.
 */
export function createExperiments({ api, asProblem, onChange }) {
  const kept = createKeep(KEPT);
  const shown = new Map();

  function close(slot) {
    shown.get(slot)?.close?.();
    shown.delete(slot);
  }

  function want(slot, asked) {
    const key = asked && JSON.stringify([contentOf(asked.request), asked.wish]);
    if (key && shown.get(slot)?.key === key) return;
    close(slot);
    if (!key) return;
    const value = kept.get(key);
    if (value) shown.set(slot, { key, asked, state: "ready", value });
    else if (asked.starts) begin(slot, key, asked);
  }

  function begin(slot, key, asked) {
    const mine = { key, asked, state: "waiting", done: 0, total: null, job: null, close: null };
    shown.set(slot, mine);
    start(slot, mine);
  }

  async function start(slot, mine) {
    const isCurrent = () => shown.get(slot) === mine;
    const settle = (how, more = {}) => {
      if (!isCurrent() || mine.state === "stopped") return;
      Object.assign(mine, { state: how, ...more });
      onChange();
    };
    try {
      const { id } = await api.experiment(mine.asked.request, mine.asked.wish);
      if (mine.state === "stopped") return void api.cancelJob(id).catch(() => {});
      if (!isCurrent()) return undefined; // the server ends what nobody watches
      mine.job = id;
      mine.close = api.watchJob(id, {
        onProgress: ({ done, total, waiting, so_far: soFar = null }) => settle(waiting ? "waiting" : "running", { done, total, soFar }),
        onEnd: ({ state, result, problem }) => {
          if (state === "done") kept.put(mine.key, result);
          if (state === "done") settle("ready", { value: result });
          else if (state === "failed") settle("failed", { problem: asProblem(problem ?? {}) });
          else settle("stopped");
        },
        onLost: () => settle("failed", { problem: asProblem({ type: "/problems/unreachable" }) }),
      });
    } catch (problem) {
      settle("failed", { problem });
    }
    return undefined;
  }

  // The reader goes first: others may watch the same job, and it goes on for them.
  function stop(slot) {
    const run = shown.get(slot);
    if (!run || !["waiting", "running"].includes(run.state)) return;
    run.close?.();
    run.state = "stopped";
    if (run.job) api.cancelJob(run.job).catch(() => {});
    onChange();
  }

  function again(slot) {
    const run = shown.get(slot);
    if (!run || !["failed", "stopped"].includes(run.state)) return;
    begin(slot, run.key, run.asked);
    onChange();
  }

  return { want, stop, again, now: (slot) => shown.get(slot) ?? null };
}
