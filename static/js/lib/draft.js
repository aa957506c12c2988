// What stands in the boxes and was not asked for yet, taken along while the page opens in the other language.

import { createPreferences } from "./storage.js";

const KEY = "atlas-draft";

/** keep(draft), plain data, for the next page of this tab; take(): that draft, once; null for none. */
export function createDraft(storageOf) {
  const storage = createPreferences(storageOf);
  return {
    keep: (draft) => storage.set(KEY, JSON.stringify(draft)),
    take() {
      const found = storage.get(KEY);
      storage.set(KEY, "");
      return found ? JSON.parse(found) : null;
    },
  };
}
