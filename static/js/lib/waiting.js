// Waits for a model that is not ready: watches its job, or asks again until it is.

import { refused } from "./models.js";

const AGAIN = 700;

export function createWaiting({ api, asProblem = (problem) => problem, onChange, onReady, onModels, onProblem }) {
  let current = null;
  let close = null;
  let timer = 0;

  function set(next) {
    current = next;
    onChange();
  }
  function stop() {
    close?.();
    close = null;
    clearTimeout(timer);
    current = null;
  }

  /** Looks at a model's state and follows it until it is ready. */
  async function begin(name) {
    close?.();
    close = null;
    clearTimeout(timer);
    let models;
    try {
      ({ models } = await api.models(name));
    } catch (error) {
      return onProblem(error);
    }
    onModels(models);
    const model = models.find((entry) => entry.name === name);
    if (!model && name?.startsWith("lab-")) return onProblem({ type: "/problems/lab-model-not-held" });
    if (!model) return onProblem({ type: "/problems/unknown-name", what: "model", value: name, accepted: models.map((entry) => entry.name) });
    return follow(model);
  }

  function follow(model) {
    if (model.state === "ready") {
      stop();
      return onReady();
    }
    if (refused(model)) return set({ model, step: "absent", done: 0, total: null, problem: asProblem(model.problem) });
    if (model.state === "failed") {
      stop();
      return onProblem(model.problem);
    }
    if (model.state === "absent") return set({ model, step: "absent", done: 0, total: null });
    set({ model, step: model.state === "fetching" ? "download" : "load", done: 0, total: null });
    if (model.job) return watch(model, model.job);
    timer = setTimeout(() => begin(model.name), AGAIN);
    return undefined;
  }

  function watch(model, job) {
    close = api.watchJob(job, {
      onProgress: ({ step, done, total }) => set({ model, step, done, total }),
      onEnd: ({ state, problem }) => {
        close = null;
        const wrong = problem ?? { type: "/problems/fetch-failed" };
        if (state !== "failed") begin(model.name);
        else if (refused({ state, problem: wrong })) again(model, wrong);
        else {
          stop();
          onProblem(wrong);
        }
      },
      onLost: () => (timer = setTimeout(() => begin(model.name), AGAIN)),
    });
  }

  // The download failed: the card stays, with why, and the list learns of it.
  async function again(model, problem) {
    set({ model, step: "absent", done: 0, total: null, problem: asProblem(problem) });
    try {
      onModels((await api.models(model.name)).models);
      onChange();
    } catch {
      // What went wrong is on show already.
    }
  }

  /** Asks for the model and follows the job. */
  async function fetch(name) {
    const { model } = current ?? {};
    const { id } = await api.fetchModel(name);
    if (!model) return begin(name);
    set({ model, step: "download", done: 0, total: null });
    return watch(model, id);
  }

  return { begin, fetch, stop, now: () => current };
}
