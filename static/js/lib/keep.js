// The last few things that were used, by key.

export function createKeep(most) {
  const held = new Map();
  function put(key, value) {
    held.delete(key);
    held.set(key, value);
    if (held.size > most) held.delete(held.keys().next().value);
  }
  function get(key) {
    if (held.has(key)) put(key, held.get(key));
    return held.get(key);
  }
  return { get, put };
}
