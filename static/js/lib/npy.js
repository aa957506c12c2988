// Reads the .npy format (numpy.lib.format, versions 1 to 3) for the two types the API sends, and writes them.

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const TYPES = { "<f4": Float32Array, "|u1": Uint8Array };

/** { shape, data } of an .npy buffer; data is a typed array in C order. */
export function readNpy(buffer) {
  const bytes = new Uint8Array(buffer);
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte)) throw new Error("npy: not an .npy file");
  const view = new DataView(buffer);
  const wide = bytes[6] >= 2;
  const start = wide ? 12 : 10;
  const offset = start + (wide ? view.getUint32(8, true) : view.getUint16(8, true));
  const header = new TextDecoder().decode(bytes.subarray(start, offset));
  const { type, shape } = readHeader(header);
  const length = shape.reduce((product, n) => product * n, 1);
  if (bytes.length !== offset + length * type.BYTES_PER_ELEMENT) {
    throw new Error(`npy: ${bytes.length} bytes do not hold shape (${shape.join(", ")})`);
  }
  // A copy where the data does not begin on a multiple of its size.
  const aligned = offset % type.BYTES_PER_ELEMENT === 0;
  return { shape, data: aligned ? new type(buffer, offset, length) : new type(buffer.slice(offset), 0, length) };
}

/** The .npy buffer of { shape, data }, data a Float32Array or a Uint8Array in C order. */
export function writeNpy({ shape, data }) {
  const [descr] = Object.entries(TYPES).find(([, type]) => data instanceof type);
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  // The format wants the data to begin on a multiple of 64 bytes, with a line break before it.
  const header = new TextEncoder().encode(`${dict.padEnd(Math.ceil((dict.length + 11) / 64) * 64 - 11)}\n`);
  const bytes = new Uint8Array(10 + header.length + data.byteLength);
  bytes.set([...MAGIC, 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(header, 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length);
  return bytes.buffer;
}

function readHeader(header) {
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (!descr || !order || shape === undefined) throw new Error("npy: unreadable header");
  if (!Object.hasOwn(TYPES, descr)) throw new Error(`npy: type ${descr} is not read here`);
  if (order === "True") throw new Error("npy: Fortran order is not read here");
  return { type: TYPES[descr], shape: shape.split(",").map((n) => n.trim()).filter(Boolean).map(Number) };
}
