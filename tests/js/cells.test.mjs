import assert from "node:assert/strict";
import { test } from "node:test";
import { cellEdges, cellOf, everyNth, windowHolding, windowWithin, zoomed } from "../../static/js/lib/cells.js";
import { cellAt, zoomWindow } from "../../static/js/lib/figure.js";

test("cells are disjoint, complete and never empty", () => {
  for (let n = 1; n <= 130; n++) {
    for (const size of [1, 2, 3, 7, 32, 100, 256]) {
      const edges = cellEdges(n, size);
      assert.equal(edges.length, Math.min(size, n) + 1);
      assert.equal(edges[0], 0);
      assert.equal(edges.at(-1), n);
      for (let i = 1; i < edges.length; i++) assert.ok(edges[i] > edges[i - 1]);
    }
  }
});

test("the contract's edges: floor(i·n/s)", () => {
  assert.deepEqual(cellEdges(10, 4), [0, 2, 5, 7, 10]);
  assert.deepEqual(cellEdges(3, 256), [0, 1, 2, 3]);
});

test("every position lies in the cell that is found for it", () => {
  for (const [n, size] of [[12, 32], [368, 256], [512, 256], [100, 7], [1, 1]]) {
    const edges = cellEdges(n, size);
    for (let p = 0; p < n; p++) {
      const cell = cellOf(edges, p);
      assert.ok(edges[cell] <= p && p < edges[cell + 1], `${p} of ${n}`);
    }
  }
});

test("a stored window is cut to the text, or dropped when it lies outside", () => {
  assert.deepEqual(windowWithin(null, 12), [0, 12]);
  assert.deepEqual(windowWithin([2, 7], 12), [2, 7]);
  assert.deepEqual(windowWithin([8, 40], 12), [8, 12]);
  assert.deepEqual(windowWithin([12, 40], 12), [0, 12]);
});

test("zooming keeps the chosen position inside and ends at the whole", () => {
  for (const around of [0, 5, 150, 366, 367]) {
    const [from, to] = zoomed([0, 368], 368, around, 0.5);
    assert.equal(to - from, 184);
    assert.ok(from <= around && around < to && from >= 0 && to <= 368);
  }
  assert.equal(zoomed([100, 300], 368, 200, 2), null);
  assert.deepEqual(zoomed([3, 7], 12, 5, 0.5), [3, 7]);
  assert.equal(zoomed([0, 2], 2, 0, 0.5), null);
});

test("a window follows a position that leaves it", () => {
  assert.equal(windowHolding(null, 5, 12), null);
  assert.deepEqual(windowHolding([2, 6], 3, 12), [2, 6]);
  assert.deepEqual(windowHolding([2, 6], 6, 12), [3, 7]);
  assert.deepEqual(windowHolding([2, 6], 0, 12), [0, 4]);
  assert.deepEqual(windowHolding([2, 6], 11, 12), [8, 12]);
});

test("a dragged box means the tokens it touches", () => {
  assert.deepEqual(zoomWindow([1.2, 4.4], [0, 12]), [1, 5]);
  assert.deepEqual(zoomWindow([4.4, 1.2], [0, 12]), [1, 5]);
  assert.deepEqual(zoomWindow([-3, 40], [0, 12]), [0, 12]);
  assert.deepEqual(zoomWindow([0.5, 3.5], [0, 12]), [1, 4]);
  assert.deepEqual(zoomWindow([2.01, 2.02], [0, 12]), [2, 3]);
});

test("a point of the drawing is a cell, and outside is none", () => {
  const geometry = { left: 80, top: 60, width: 120, height: 60, cellWidth: 20, cellHeight: 10, queries: [4, 10], keys: [0, 6] };
  assert.deepEqual(cellAt(geometry, 80, 60), { query: 4, key: 0 });
  assert.deepEqual(cellAt(geometry, 199, 119), { query: 9, key: 5 });
  for (const [x, y] of [[79, 70], [200, 70], [90, 59], [90, 120]]) assert.equal(cellAt(geometry, x, y), null);
});

test("labels are thinned only as far as their room asks", () => {
  assert.equal(everyNth(40, 15), 1);
  assert.equal(everyNth(15, 15), 1);
  assert.equal(everyNth(2.5, 15), 6);
});
