import assert from "node:assert/strict";
import { test } from "node:test";
import { createCache } from "../../static/js/lib/cache.js";
import { cellEdges } from "../../static/js/lib/cells.js";
import { linesOf, strongestOf } from "../../static/js/lib/links.js";
import { createReader } from "../../static/js/lib/reader.js";

// A server of one map whose weights are known: w(layer, head, query, key).
function setUp(n, w, { layers = 3, heads = 2, budget } = {}) {
  const asked = [];
  const span = (text) => (text ? text.split(":").map(Number) : [0, n]);
  async function load({ layer, head, queries, keys, size }) {
    asked.push({ layer, head, queries, keys, size });
    const [q, k] = [span(queries), span(keys)];
    if (head === undefined) {
      const all = Array.from({ length: heads }, (_, h) => Array.from({ length: n * n }, (_, i) => w(layer, h, Math.floor(i / n), i % n))).flat();
      return { shape: [heads, n, n], data: Float32Array.from(all) };
    }
    const [qe, ke] = [cellEdges(q[1] - q[0], size ?? n), cellEdges(k[1] - k[0], size ?? n)];
    const data = [];
    for (let i = 0; i + 1 < qe.length; i++) {
      for (let j = 0; j + 1 < ke.length; j++) {
        let most = 0;
        for (let a = qe[i]; a < qe[i + 1]; a++) for (let b = ke[j]; b < ke[j + 1]; b++) most = Math.max(most, w(layer, head, q[0] + a, k[0] + b));
        data.push(most);
      }
    }
    return { shape: [qe.length - 1, ke.length - 1], data: Float32Array.from(data) };
  }
  const special = Array.from({ length: n }, (_, i) => i === 0 || i === n - 1);
  const map = { kind: "encoder-self", layers, heads, queries: n, keys: n };
  return { reader: createReader({ map, special: { queries: special, keys: special }, load, budget }), asked };
}
const ANY = { query: null, key: null, queries: null, keys: null };
const close = (a, b) => assert.ok(Math.abs(a - b) < 1e-6, `${a} ${b}`);
const value = (l, h, q, k) => ((l * 7 + h * 5 + q * 3 + k * 11) % 97) / 100;

for (const n of [12, 300]) {
  test(`${n} tokens: row, column and window are cuts of the same matrix`, async () => {
    const { reader } = setUp(n, value);
    const view = await reader.view({ layer: 1, head: 1, query: 3, key: 5, queries: [2, 9], keys: [1, 11] });
    assert.deepEqual([view.query, view.key, view.window.exact], [3, 5, true]);
    view.row.forEach((w, k) => close(w, value(1, 1, 3, k)));
    view.column.forEach((w, q) => close(w, value(1, 1, q, 5)));
    for (let i = 0; i < 7; i++) for (let j = 0; j < 10; j++) close(view.window.data[i * view.window.columns + j], value(1, 1, 2 + i, 1 + j));
    close(view.largest, 0.96);
  });

  test(`${n} tokens: without a choice, the strongest weight that is not a special token's`, async () => {
    const w = (l, h, q, k) => (k === 0 ? 0.9 : q === 6 && k === 4 ? 0.5 : q === 8 && k === 2 ? 0.3 : 0.001);
    const { reader } = setUp(n, w);
    const cell = async (want) => {
      const { query, key } = await reader.view({ ...ANY, layer: 0, head: 0, ...want });
      return [query, key];
    };
    assert.deepEqual(await cell({}), [6, 4]);
    assert.deepEqual(await cell({ query: 8 }), [8, 2]);
    assert.deepEqual(await cell({ key: 2 }), [8, 2]);
    assert.deepEqual(await cell({ query: 0, key: 0 }), [0, 0]);
  });
}

test("a text of special tokens only still has a cell", async () => {
  const { reader } = setUp(2, () => 0.5);
  const { query, key } = await reader.view({ ...ANY, layer: 0, head: 0 });
  assert.deepEqual([query, key], [0, 0]);
});

test("a short text's layers come in one request each and are then at hand", async () => {
  const { reader, asked } = setUp(12, value);
  const want = { ...ANY, layer: 1, head: 0 };
  assert.equal(reader.ready(want), null);
  await reader.view(want);
  await reader.prefetch(want);
  assert.equal(asked.length, 3);
  for (let layer = 0; layer < 3; layer++) for (let head = 0; head < 2; head++) assert.ok(reader.ready({ ...want, layer, head }));
  assert.equal(asked.length, 3);
});

test("the same head asked for twice at once is loaded once", async () => {
  const { reader, asked } = setUp(12, value);
  await Promise.all([reader.view({ ...ANY, layer: 0, head: 0 }), reader.view({ ...ANY, layer: 0, head: 1 })]);
  assert.equal(asked.length, 1);
});

test("a long text never asks for more than 256 cells a side", async () => {
  const { reader, asked } = setUp(600, value);
  const view = await reader.view({ ...ANY, layer: 0, head: 0, queries: [0, 400], keys: [100, 500] });
  assert.equal(view.window.exact, false);
  assert.equal(view.window.columns, 256);
  for (const { queries = "0:600", keys = "0:600", size } of asked) {
    const [rows, columns] = [queries, keys].map((text) => text.split(":").reduce((from, to) => to - from));
    assert.ok(size === 256 || rows * columns <= 600, JSON.stringify({ queries, keys, size }));
  }
});

test("a failed load can be tried again", async () => {
  let calls = 0;
  const load = async () => {
    calls += 1;
    if (calls === 1) throw new Error("away");
    return { shape: [1, 2, 2], data: new Float32Array(4) };
  };
  const map = { kind: "x", layers: 1, heads: 1, queries: 2, keys: 2 };
  const reader = createReader({ map, special: { queries: [false, false], keys: [false, false] }, load });
  await assert.rejects(reader.view({ ...ANY, layer: 0, head: 0 }), /away/);
  assert.ok(await reader.view({ ...ANY, layer: 0, head: 0 }));
});

test("the cache stays within its budget and lets the oldest go", () => {
  const cache = createCache(100);
  const piece = (bytes) => ({ data: new Uint8Array(bytes) });
  cache.put("a", piece(40));
  cache.put("b", piece(40));
  cache.get("a");
  cache.put("c", piece(40));
  assert.deepEqual(["a", "b", "c"].map(cache.has), [true, false, true]);
  assert.equal(cache.size(), 80);
  cache.put("huge", piece(500));
  assert.deepEqual(["a", "c", "huge"].map(cache.has), [false, false, true]);
});

test("short windows draw every line, long texts the chosen token's strongest", () => {
  const window = { exact: true, queries: [2, 4], keys: [5, 8], columns: 3, data: Float32Array.from([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]) };
  const all = linesOf({ window, query: 2, row: [] });
  assert.equal(all.partial, false);
  assert.deepEqual([all.queries, all.keys, all.lines.length], [[2, 3], [5, 6, 7], 6]);
  close(all.lines[5].weight, 0.6);
  const row = Float32Array.from({ length: 100 }, (_, i) => i / 1000);
  const some = linesOf({ window: { exact: true, queries: [0, 100], keys: [0, 100] }, query: 1, row });
  assert.equal(some.partial, true);
  assert.deepEqual(some.keys, Array.from({ length: 24 }, (_, i) => 76 + i));
  assert.equal(some.queries[some.lines[0].from], 1);
  assert.deepEqual(strongestOf([3, 1, 3, 2], 2), [0, 2]);
});
