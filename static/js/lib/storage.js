// Preferences. Storage may be switched off, full or forbidden: then they last as long as the page.

export function createPreferences(storageOf) {
  const kept = new Map();
  const storage = () => {
    try {
      return storageOf();
    } catch {
      return null;
    }
  };
  return {
    get(name) {
      try {
        return storage()?.getItem(name) ?? kept.get(name) ?? null;
      } catch {
        return kept.get(name) ?? null;
      }
    },
    set(name, value) {
      kept.set(name, value);
      try {
        storage()?.setItem(name, value);
      } catch {
        // kept in memory
      }
    },
  };
}
