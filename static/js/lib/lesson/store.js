// The lesson of this browser, as a tab sees it: what is kept, and on top of it what this tab has done and the disk has
// not confirmed yet. A change is a transaction at once, with those that came while another was on its way; the disk puts
// those of all tabs into one order.

import { fresh, isSame, step } from "./history.js";

/**
 * shelf: read() and update(change) are promises of what is kept, update one that no other tab can come between;
 * channel: post() tells the other tabs, listen(heard) hears them. onChange(kept, where) with where "here" or "there";
 * onTrouble(reason) when something could not be kept, "full" or "closed", and with null when that is over.
 */
export function createStore({ shelf, channel, language, tab, now = Date.now, onChange = () => {}, onTrouble = () => {} }) {
  let known = fresh(language); // as the disk has it
  let waiting = []; // this tab's actions that the disk has not confirmed
  let shown = known;
  let trouble = null; // why something could not be kept
  let newest = 0; // the order in which replies were asked for; a late one must not undo a newer

  function show(where) {
    const next = waiting.reduce(step, known);
    if (next === shown) return;
    shown = next;
    onChange(shown, where);
  }

  function tell(reason) {
    if (reason === trouble) return;
    trouble = reason;
    onTrouble(trouble);
  }

  // What did not change stays the same object, so that nobody draws it again.
  const ours = (found) => (isSame(found, known) ? known : found);

  function learn(kept, asked, done = []) {
    waiting = waiting.filter((action) => !done.includes(action));
    if (asked > newest) {
      newest = asked;
      known = ours(kept);
    }
    show("there");
  }

  let turn = 0;
  async function act(action) {
    waiting.push(action);
    show("here");
    await flush(action);
  }

  let writing = null;
  async function flush(action = null) {
    while (writing) await writing;
    if (action ? action.tried || !waiting.includes(action) : !waiting.length) return;
    writing = write([...waiting]);
    await writing;
  }

  // What could not be kept before goes along.
  async function write(mine) {
    const asked = ++turn;
    try {
      const kept = await shelf.update((found) => mine.reduce(step, ours(found)));
      learn(kept, asked, mine);
      tell(null);
      channel.post();
    } catch (error) {
      for (const action of mine) action.tried = true;
      tell(error.name === "QuotaExceededError" ? "full" : "closed");
    } finally {
      writing = null;
    }
  }

  let looking = null; // others write faster than this tab can read: it reads once more at the end
  let isOld = false;
  function refresh() {
    isOld = true;
    looking ??= look().finally(() => (looking = null));
    return looking;
  }

  async function look() {
    while (isOld) {
      isOld = false;
      await read();
    }
  }

  async function read() {
    const asked = ++turn;
    try {
      learn(await shelf.read(), asked);
    } catch {
      tell(trouble ?? "closed");
      return;
    }
    if (waiting.length) await flush(); // what could not be kept, once more
    else tell(null);
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
    trouble: () => trouble,
  };
}
