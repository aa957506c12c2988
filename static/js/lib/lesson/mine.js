// The lesson of this browser: one store for every page that shows it, adds to it or edits it.

import { createIds } from "./file.js";
import { createChannel, createShelf } from "./shelf.js";
import { createStore } from "./store.js";

const EDITING = "atlas-lesson-view"; // in this tab: the view that was opened from the lesson, to be changed

/** A store (see store.js) on this browser's own database. */
export function openMine(view, hooks = {}) {
  const language = view.document.documentElement.lang === "ko" ? "ko" : "en";
  const newId = createIds(view.crypto);
  const store = createStore({ shelf: createShelf(view, language), channel: createChannel(view), language, tab: newId(), ...hooks });
  return { ...store, newId };
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
