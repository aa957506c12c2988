// The lesson of this browser: one store for every page that shows it, adds to it or edits it.

import { createIds } from "./file.js";
import { createChannel, createShelf } from "./shelf.js";
import { createStore } from "./store.js";

const EDITING = "atlas-lesson-view"; // in this tab: the view that was opened from the lesson, to be changed

const opened = new WeakMap(); // window -> its store and who wants to hear of it

/** The store (see store.js) on this browser's own database; a page has one, whoever on it asks. */
export function openMine(view, hooks = {}) {
  if (!opened.has(view)) opened.set(view, open(view));
  const { mine, listeners } = opened.get(view);
  listeners.push(hooks);
  return mine;
}

function open(view) {
  const listeners = [];
  const tell = (name) => (...said) => listeners.forEach((one) => one[name]?.(...said));
  const language = view.document.documentElement.lang === "ko" ? "ko" : "en";
  const newId = createIds(view.crypto);
  const shelf = createShelf(view, language);
  const store = createStore({ shelf, channel: createChannel(view), language, tab: newId(), onChange: tell("onChange"), onTrouble: tell("onTrouble") });
  return { mine: { ...store, newId }, listeners };
}

/** Which view of the lesson this tab is changing: get(), set(id), null for none. Without storage there is none. */
export function createEditing(view) {
  const storage = () => {
    try {
      return view.sessionStorage;
    } catch {
      return null;
    }
  };
  return {
    get: () => storage()?.getItem(EDITING) ?? null,
    set(id) {
      try {
        if (id === null) storage()?.removeItem(EDITING);
        else storage()?.setItem(EDITING, id);
      } catch {
        // it is added as another view then
      }
    },
  };
}
