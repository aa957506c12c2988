// Where the lesson lies: the browser's own database, which puts the changes of all tabs into one order and writes each
// whole or not at all. Nothing of it ever leaves this computer.

import { readKept } from "./history.js";

const [DATABASE, STORE, KEY] = ["attention-atlas-lesson", "lessons", "mine"];
const CHANNEL = "attention-atlas-lesson";

/** indexedDB may be missing or forbidden: then every promise is refused, with the reason. */
export function createShelf(view, language) {
  let opening = null;

  function database() {
    opening ??= new Promise((done, failed) => {
      const request = view.indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => {
        request.result.onversionchange = () => forget(request.result);
        request.result.onclose = () => (opening = null);
        done(request.result);
      };
      request.onerror = () => failed(request.error);
      request.onblocked = () => failed(new Error("blocked"));
    }).catch((error) => {
      opening = null;
      throw error;
    });
    return opening;
  }
  function forget(open) {
    open.close();
    opening = null;
  }

  // A strict transaction is done when the disk has it, not when the system has promised to write it.
  async function transaction(mode, change) {
    const open = await database();
    return new Promise((done, failed) => {
      const running = open.transaction(STORE, mode, { durability: "strict" });
      const store = running.objectStore(STORE);
      const request = store.get(KEY);
      let kept = null;
      let wrong = null;
      request.onsuccess = () => {
        try {
          const found = readKept(request.result, language);
          kept = change(found);
          if (kept !== found) store.put(kept, KEY);
        } catch (error) {
          wrong = error;
          running.abort();
        }
      };
      running.oncomplete = () => done(kept);
      running.onabort = () => failed(wrong ?? running.error ?? new Error("aborted"));
    });
  }

  return {
    read: () => transaction("readonly", (found) => found),
    update: (change) => transaction("readwrite", change),
  };
}

/** Tells the other tabs that something changed; a browser without channels looks when it is looked at again. */
export function createChannel(view) {
  const channel = view.BroadcastChannel ? new view.BroadcastChannel(CHANNEL) : null;
  return {
    post: () => channel?.postMessage("changed"),
    listen(heard) {
      channel?.addEventListener("message", () => heard());
      view.addEventListener("focus", () => heard());
      view.addEventListener("pageshow", (event) => event.persisted && heard());
    },
  };
}
