// What a page that works without a server carries: parts of itself, compressed, in elements that nothing runs.

/** The bytes of a part, unpacked: the element "packed-<name>" holds them as gzip in base64. */
export async function carriedBytes(doc, name) {
  const packed = atob(doc.getElementById(`packed-${name}`).textContent);
  const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

export async function carriedJson(doc, name) {
  return JSON.parse(new TextDecoder().decode(await carriedBytes(doc, name)));
}

/** A loader as createPlotly makes them, for a script that the page carries; load(url) is given where it may be run from. */
export function createCarriedLoader(bytes, createLoader) {
  let loader = null;

  async function load() {
    if (!loader) loader = createLoader(URL.createObjectURL(new Blob([await bytes()], { type: "text/javascript" })));
    return loader.load();
  }
  return { load, now: () => loader?.now() ?? null };
}
