// Measuring a model for its atlas: one job of the server's, followed to its end. It goes on when nobody watches.

/** start(model), cancel(), now(): { state: "starting" | "running" | "failed", step, done, total, problem } or null; onEnd(result). */
export function createMeasuring({ api, asProblem, onChange, onEnd }) {
  let current = null;

  function set(next) {
    current = next;
    onChange();
  }

  async function start(model) {
    const mine = { state: "starting", step: "", done: 0, total: null, job: null, close: null };
    set(mine);
    const tell = (more) => {
      if (current !== mine) return;
      Object.assign(mine, more);
      onChange();
    };
    try {
      const { id } = await api.evaluate(model);
      if (current !== mine) return void api.cancelJob(id).catch(() => {});
      mine.job = id;
      mine.close = api.watchJob(id, {
        onProgress: ({ step, done, total }) => tell({ state: "running", step, done, total }),
        onEnd: ({ state, problem, result }) => {
          if (current !== mine) return;
          if (state === "failed") return tell({ state: "failed", problem: asProblem(problem ?? {}) });
          current = null;
          onEnd(state === "done" ? result : null);
        },
        onLost: () => tell({ state: "failed", problem: asProblem({ type: "/problems/unreachable" }) }),
      });
    } catch (problem) {
      tell({ state: "failed", problem });
    }
    return undefined;
  }

  function cancel() {
    const { job, close } = current ?? {};
    current = null;
    close?.();
    if (job) api.cancelJob(job).catch(() => {});
    onEnd(null);
  }

  return { start, cancel, now: () => current };
}
