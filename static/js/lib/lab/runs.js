// The runs of the page, first and second: each is a training of the server's that is followed to its end. One trains at
// a time; what came of it is kept, so that going back to its choices costs nothing.

import { readNpy } from "../npy.js";
import { isSame } from "./choices.js";

const GOING = new Set(["waiting", "running"]);
const HELD = 6; // runs that came to their end and can be shown again at once

const make = (choices, state) => ({
  choices, state, done: 0, total: choices.steps, points: [], checkpoints: [], maps: [], probe: null, result: null, problem: null, job: null, close: null,
});

/** Whether a run has not come to its end yet. */
export const isGoing = (run) => Boolean(run) && GOING.has(run.state);

/**
 * train([{ place, choices }]) one after the other; cancel(); leave() when the page goes; sync([first, second]) shows what
 * is known of choices. now(place): a run { choices, state: "waiting" | "running" | "done" | "stopped" | "failed", done,
 * total, points, checkpoints, maps, probe, result, problem } or null. `kept` remembers the jobs that ended well: a
 * reload finds what came of them.
 */
export function createRuns({ api, asProblem, visitor, kept, onChange }) {
  const runs = [null, null];
  const coming = [null, null]; // what is known of a place and is being asked for
  let held = [];
  let queue = [];

  const going = () => runs.find(isGoing) ?? null;
  const isLive = (run) => runs.includes(run) && isGoing(run);

  function train(wanted) {
    cancelled();
    queue = [...wanted];
    next();
    onChange();
  }

  function next() {
    const one = queue.shift();
    if (!one) return;
    const run = make(one.choices, "waiting");
    coming[one.place] = null;
    runs[one.place] = run;
    begin(run);
  }

  async function begin(run) {
    try {
      const job = await api.train(run.choices, visitor());
      if (!isLive(run)) return void api.cancelJob(job.id).catch(() => {});
      run.probe = job.probe;
      run.job = job.id;
      run.close = api.watchJob(job.id, {
        onProgress: (news) => isLive(run) && progress(run, news),
        onEnd: (end) => isLive(run) && ended(run, end),
        onLost() {
          if (!isLive(run)) return;
          run.isLost = true;
          failed(run, asProblem({ type: "/problems/unreachable" }));
        },
      });
    } catch (problem) {
      if (isLive(run)) failed(run, problem);
    }
    return undefined;
  }

  function progress(run, { done, from, points, checkpoints }) {
    run.state = "running";
    run.done = done;
    run.points.splice(from.points, Infinity, ...points);
    run.checkpoints.splice(from.checkpoints, Infinity, ...checkpoints);
    fetchMaps(run);
    onChange();
  }

  function ended(run, { state, result, problem }) {
    if (state === "failed") return failed(run, asProblem(problem ?? {}));
    if (state === "done") {
      kept.put(run.choices, run.job);
      take(run, result);
      next();
    } else {
      run.state = "stopped";
      queue = [];
    }
    return onChange();
  }

  function failed(run, problem) {
    Object.assign(run, { state: "failed", problem });
    queue = [];
    onChange();
  }

  // All of a run that has come to its end.
  function take(run, result) {
    Object.assign(run, { state: "done", result, points: result.curve, checkpoints: result.checkpoints, probe: result.probe, done: result.steps });
    held = [run, ...held.filter((one) => !isSame(one.choices, run.choices))].slice(0, HELD);
    fetchMaps(run);
  }

  // One after the other, as they come. Those of a run that was stopped are gone, and so are those of a model that the
  // server has forgotten since: its curves stay.
  async function fetchMaps(run) {
    if (run.isFetching) return;
    run.isFetching = true;
    while (run.maps.length < run.checkpoints.length && run.state !== "stopped") {
      try {
        run.maps.push(readNpy(await api.checkpoint(run.job, run.maps.length)));
      } catch (problem) {
        if (run.state === "done") run.problem = problem;
        break;
      }
      onChange();
    }
    run.isFetching = false;
    onChange();
  }

  // The one that goes on, ended here; its job, if it has one.
  function cancelled() {
    queue = [];
    const run = going();
    if (!run) return null;
    run.close?.();
    run.state = "stopped";
    return run.job;
  }

  function cancel() {
    const job = cancelled();
    if (job) api.cancelJob(job).catch(() => {});
    onChange();
  }

  function show(choices, place) {
    if (isSame(runs[place]?.choices, choices) || isSame(coming[place]?.choices, choices)) return;
    coming[place] = null;
    const known = held.find((one) => isSame(one.choices, choices));
    if (known) runs[place] = known;
    else if (kept.find(choices)) ask(choices, place, kept.find(choices));
  }

  // A run of before the page was loaded; what is not there any more leaves no trace.
  function ask(choices, place, job) {
    const run = make(choices, "waiting");
    const isWanted = () => coming[place] === run;
    run.job = job;
    coming[place] = run;
    api.watchJob(job, {
      onEnd({ state, result }) {
        if (state !== "done") kept.drop(job);
        if (!isWanted() || state !== "done") return;
        coming[place] = null;
        runs[place] = run;
        take(run, result);
        onChange();
      },
      onLost: () => kept.drop(job),
    });
  }

  return {
    train, going, cancel,
    now: (place) => runs[place],
    // A browser may close the reader before it says that the page goes: then the run is lost here already.
    leave() {
      const job = cancelled() ?? runs.find((run) => run?.isLost)?.job;
      if (job) api.leaveJob(job);
    },
    /** Nothing is taken away while choices are made, but a second run that is not that of the first's change. */
    sync([first, second]) {
      if (going()) {
        if (isSame(runs[0]?.choices, first) && isGoing(runs[1]) && !isSame(runs[1].choices, second)) cancel();
        return;
      }
      show(first, 0);
      if (second) show(second, 1);
      else coming[1] = null;
      if (isSame(runs[0]?.choices, first) && runs[1] && !isSame(runs[1].choices, second)) runs[1] = null;
    },
  };
}

const KEPT = 6;
const STORED = "atlas-lab";

/** Jobs that ended well, by their choices: { find(choices), put(choices, job), drop(job) }. */
export function createKept(preferences) {
  const all = () => {
    try {
      const found = JSON.parse(preferences.get(STORED) ?? "[]");
      return Array.isArray(found) ? found.filter((one) => /^[0-9a-f]{16}$/.test(one?.job) && one.choices) : [];
    } catch {
      return [];
    }
  };
  const write = (list) => preferences.set(STORED, JSON.stringify(list.slice(0, KEPT)));
  return {
    find: (choices) => all().find((one) => isSame(one.choices, choices))?.job ?? null,
    put: (choices, job) => write([{ choices, job }, ...all().filter((one) => !isSame(one.choices, choices))]),
    drop: (job) => write(all().filter((one) => one.job !== job)),
  };
}

/** Something random that stands for whoever uses this browser: their new training ends the one before. */
export function createVisitor(preferences, random = (bytes) => globalThis.crypto.getRandomValues(bytes)) {
  const NAME = "atlas-visitor";
  return () => {
    const known = preferences.get(NAME);
    if (/^[0-9a-f]{32}$/.test(known)) return known;
    const made = [...random(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    preferences.set(NAME, made);
    return made;
  };
}
