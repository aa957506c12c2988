// Matrices held up to a number of bytes; the one unused for longest goes first. Loads in flight are shared.

export function createCache(budget) {
  const held = new Map();
  const flying = new Map();
  let bytes = 0;

  function get(key) {
    const value = held.get(key);
    if (value === undefined) return undefined;
    held.delete(key);
    held.set(key, value);
    return value;
  }
  function put(key, value) {
    if (held.has(key)) return;
    held.set(key, value);
    bytes += value.data.byteLength;
    for (const [oldest, { data }] of held) {
      if (bytes <= budget || oldest === key) break;
      held.delete(oldest);
      bytes -= data.byteLength;
    }
  }
  function once(key, work) {
    if (!flying.has(key)) flying.set(key, work().finally(() => flying.delete(key)));
    return flying.get(key);
  }
  return { get, put, once, has: (key) => held.has(key), size: () => bytes };
}
