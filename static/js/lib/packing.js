// Long addresses: a query string travels as z=, the base64url of its deflate without a header. app/packing.py reads the same.

export const PLAIN = 2000; // characters of a query string that travels as it is
export const MOST_PACKED = 8192; // characters of one that travels packed, "z=" counted
const MOST_BYTES = 128 * 1024; // of what is unpacked
const MOST_PARAMETERS = 256; // in it
const CHUNK = 0x8000;

const PACKED = /^\?z=([A-Za-z0-9_-]+)((?:&.*)?)$/s;
const BESIDE = ["theme", "lang"]; // what a page must know before anything can be unpacked
const names = (query) => /(?:^|[?&])z=/.test(query);

/** Whether a query string holds a packed one. */
export const isPacked = (search) => names(search);

/** The query string as it travels, with its "?": itself while it is short, packed when it is long, null when it is too long for an address. */
export async function pack(search) {
  const query = search.replace(/^\?/, "");
  if (query.length <= PLAIN) return query ? `?${query}` : "";
  const [inside, beside] = [new URLSearchParams(query), new URLSearchParams()];
  for (const name of BESIDE) {
    if (inside.has(name)) beside.append(name, inside.get(name));
    inside.delete(name);
  }
  const large = new TextEncoder().encode(inside.toString());
  if (large.length > MOST_BYTES) return null; // however small it packs, nobody unpacks it
  const small = await through(large, new CompressionStream("deflate-raw"), Infinity);
  const written = `?z=${toBase64(small)}${beside.size ? `&${beside}` : ""}`;
  return written.length - 1 <= MOST_PACKED ? written : null;
}

/** The query string that a packed one stands for, with what follows it; any other as it is, and null for one that cannot be unpacked. */
export async function unpack(search) {
  if (!names(search)) return search;
  const [, written, beside] = PACKED.exec(search) ?? [];
  if (!written || search.length - 1 > MOST_PACKED || names(beside)) return null;
  try {
    const large = await through(fromBase64(written), new DecompressionStream("deflate-raw"), MOST_BYTES);
    const query = new TextDecoder("utf-8", { fatal: true }).decode(large);
    return names(query) || query.split("&").length > MOST_PARAMETERS ? null : `?${query}${beside}`;
  } catch {
    return null;
  }
}

// What comes out of a stream of the browser's, which is let go as soon as it is more than wanted.
async function through(bytes, stream, most) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts = [];
  let size = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    parts.push(next.value);
    size += next.value.length;
    if (size > most) {
      await reader.cancel();
      throw new RangeError("larger than an address");
    }
  }
  const whole = new Uint8Array(size);
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  return whole;
}

function toBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

const fromBase64 = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
