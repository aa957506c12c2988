import assert from "node:assert/strict";
import { test } from "node:test";
import { readNpy, writeNpy } from "../../static/js/lib/npy.js";

function npy({ descr = "<f4", order = "False", shape = "(2, 3)", data = new Float32Array([1, 2, 3, 4, 5, 6]), major = 1, pad = 64, magic = "\x93NUMPY", drop = 0 } = {}) {
  const lead = major >= 2 ? 12 : 10;
  let header = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
  header = `${header.padEnd(Math.ceil((lead + header.length + 1) / pad) * pad - lead - 1)}\n`;
  const bytes = new Uint8Array(lead + header.length + data.byteLength);
  bytes.set([...magic].map((c) => c.charCodeAt(0)));
  bytes.set([major, 0], 6);
  const view = new DataView(bytes.buffer);
  if (major >= 2) view.setUint32(8, header.length, true);
  else view.setUint16(8, header.length, true);
  bytes.set([...header].map((c) => c.charCodeAt(0)), lead);
  bytes.set(new Uint8Array(data.buffer), lead + header.length);
  return bytes.buffer.slice(0, bytes.length - drop);
}

test("float32 and uint8 come back with their shape", () => {
  const { shape, data } = readNpy(npy());
  assert.deepEqual(shape, [2, 3]);
  assert.deepEqual([...data], [1, 2, 3, 4, 5, 6]);
  const bytes = readNpy(npy({ descr: "|u1", shape: "(1, 1, 2, 2)", data: new Uint8Array([0, 7, 128, 255]) }));
  assert.deepEqual(bytes.shape, [1, 1, 2, 2]);
  assert.deepEqual([...bytes.data], [0, 7, 128, 255]);
});

test("one axis, no axis and nothing at all", () => {
  assert.deepEqual(readNpy(npy({ shape: "(6,)" })).shape, [6]);
  assert.deepEqual([...readNpy(npy({ shape: "()", data: new Float32Array([0.5]) })).data], [0.5]);
  assert.equal(readNpy(npy({ shape: "(0, 3)", data: new Float32Array() })).data.length, 0);
});

test("versions 2 and 3 have a longer header length", () => {
  assert.deepEqual([...readNpy(npy({ major: 2 })).data], [1, 2, 3, 4, 5, 6]);
  assert.deepEqual([...readNpy(npy({ major: 3 })).data], [1, 2, 3, 4, 5, 6]);
});

test("data that does not begin on a multiple of four is still read", () => {
  assert.deepEqual([...readNpy(npy({ pad: 7 })).data], [1, 2, 3, 4, 5, 6]);
});

test("what cannot be read is refused", () => {
  assert.throws(() => readNpy(npy({ magic: "\x93NUMPZ" })), /not an \.npy file/);
  assert.throws(() => readNpy(new ArrayBuffer(3)), /not an \.npy file/);
  assert.throws(() => readNpy(npy({ order: "True" })), /Fortran order/);
  assert.throws(() => readNpy(npy({ descr: "<f8" })), /type <f8/);
  assert.throws(() => readNpy(npy({ descr: "constructor" })), /type constructor/);
  assert.throws(() => readNpy(npy({ drop: 4 })), /do not hold shape \(2, 3\)/);
  assert.throws(() => readNpy(npy({ shape: "(2, 2)" })), /do not hold shape/);
  assert.throws(() => readNpy(npy({ shape: "'x'" })), /unreadable header/);
});

test("what is written is read again, and begins where the format wants it", () => {
  for (const [shape, data] of [[[2, 3], new Float32Array([1, 2, 3, 4, 5, 6.5])], [[1, 1, 2, 2], new Uint8Array([0, 7, 128, 255])], [[4], new Float32Array(4)], [[0, 3], new Float32Array()]]) {
    const buffer = writeNpy({ shape, data });
    assert.deepEqual(readNpy(buffer), { shape, data });
    const start = 10 + new DataView(buffer).getUint16(8, true);
    assert.equal(start % 64, 0);
    assert.equal(new Uint8Array(buffer)[start - 1], 10);
  }
  const part = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
  assert.deepEqual([...readNpy(writeNpy({ shape: [2], data: part })).data], [1, 2]);
});
