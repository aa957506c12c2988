// What the analyses say of the trace on show: asked for when it is needed, kept, and given up when overtaken.

import { createKeep } from "./keep.js";

const KEPT = 24;

/** want(slot, session, name, query) asks, or with query null stops asking; now(slot): { state: "waiting" | "ready" | "failed", value, problem } or null. */
export function createAnalyses({ onChange }) {
  const kept = new WeakMap(); // by trace
  const running = new Map();
  const shown = new Map();

  function keptOf({ posted }) {
    if (!kept.has(posted)) kept.set(posted, createKeep(KEPT));
    return kept.get(posted);
  }

  function stop(slot) {
    running.get(slot)?.abort();
    running.delete(slot);
  }

  function want(slot, session, name, query) {
    const key = query && `${session.posted.id}/${name}?${new URLSearchParams(query)}`;
    if (key && shown.get(slot)?.key === key && shown.get(slot).state !== "failed") return;
    stop(slot);
    if (!key) return void shown.delete(slot);
    const value = keptOf(session).get(key);
    if (value) return void shown.set(slot, { key, state: "ready", value });
    const abort = new AbortController();
    running.set(slot, abort);
    shown.set(slot, { key, state: "waiting" });
    session.analysis(name, query, abort.signal).then(
      (found) => {
        keptOf(session).put(key, found);
        settle(slot, abort, { key, state: "ready", value: found });
      },
      (problem) => settle(slot, abort, { key, state: "failed", problem }),
    );
  }

  function settle(slot, abort, result) {
    if (running.get(slot) !== abort) return; // overtaken
    running.delete(slot);
    shown.set(slot, result);
    onChange();
  }

  return { want, now: (slot) => shown.get(slot) ?? null };
}
