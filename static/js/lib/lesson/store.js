// The lesson of this browser, as a tab sees it: what is kept, and on top of it what this tab has done and the disk has
// not confirmed yet. Every change is one transaction at once; the disk puts those of all tabs into one order.

import { fresh, step } from "./history.js";

/**
 * shelf: read() and update(change) are promises of what is kept, update one that no other tab can come between;
 * channel: post() tells the other tabs, listen(heard) hears them. onChange(kept, where) with where "here" or "there";
 * onTrouble(reason, isOver) when something could not be kept: "full" or "closed".
 */
export function createStore({ shelf, channel, language, tab, now = Date.now, onChange = () => {}, onTrouble = () => {} }) {
  let known = fresh(language); // as the disk has it
  let waiting = []; // this tab's actions that the disk has not confirmed
  let shown = known;
  let troubled = false;
  let newest = 0; // the order in which replies were asked for; a late one must not undo a newer

  function show(where) {
    const next = waiting.reduce(step, known);
    if (next === shown) return;
    shown = next;
    onChange(shown, where);
  }

  function learn(kept, asked, done = []) {
    waiting = waiting.filter((action) => !done.includes(action));
    if (asked > newest) {
      newest = asked;
      known = kept;
    }
    show("there");
  }

  let turn = 0;
  async function act(action) {
    waiting.push(action);
    show("here");
    await flush();
  }

  // What could not be kept before goes along.
  async function flush() {
    const mine = waiting.filter((action) => !action.sent);
    if (!mine.length) return;
    const asked = ++turn;
    for (const action of mine) action.sent = true;
    try {
      const kept = await shelf.update((found) => mine.reduce(step, found));
      learn(kept, asked, mine);
      if (troubled) onTrouble(null, true);
      troubled = false;
      channel.post();
    } catch (error) {
      for (const action of mine) action.sent = false;
      troubled = true;
      onTrouble(error.name === "QuotaExceededError" ? "full" : "closed", false);
    }
  }

  async function refresh() {
    const asked = ++turn;
    try {
      learn(await shelf.read(), asked);
    } catch {
      if (!troubled) onTrouble("closed", false);
      troubled = true;
    }
  }
  channel.listen(refresh);

  return {
    /** A promise that what is kept was read. */
    open: refresh,
    now: () => shown,
    lesson: () => shown.lesson,
    /** Settles when the change is on the disk, or cannot be. */
    change: (operation) => act({ type: "change", operation, at: now(), tab }),
    undo: () => act({ type: "undo" }),
    redo: () => act({ type: "redo" }),
    flush,
    isKept: () => !waiting.length,
    isTroubled: () => troubled,
  };
}
