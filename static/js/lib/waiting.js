// Waits for a model that is not ready: watches its job, or asks again until it is.

const AGAIN = 700;

export function createWaiting({ api, onChange, onReady, onModels, onProblem }) {
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
      ({ models } = await api.models());
    } catch (error) {
      return onProblem(error);
    }
    onModels(models);
    const model = models.find((entry) => entry.name === name);
    if (!model) return onProblem({ type: "/problems/unknown-name", what: "model", value: name, accepted: models.map((entry) => entry.name) });
    return follow(model);
  }

  function follow(model) {
    if (model.state === "ready") {
      stop();
      return onReady();
    }
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
        if (state === "failed") {
          stop();
          onProblem(problem ?? { type: "/problems/fetch-failed" });
        } else begin(model.name);
      },
      onLost: () => (timer = setTimeout(() => begin(model.name), AGAIN)),
    });
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
