import assert from "node:assert/strict";
import { test } from "node:test";
import { createBlocked } from "../../static/js/lib/allowed.js";
import { cellEdges } from "../../static/js/lib/cells.js";
import { createPalette, RAMPS } from "../../static/js/lib/color.js";
import { blankCells, rampRows } from "../../static/js/lib/figure.js";
import { linesOf } from "../../static/js/lib/links.js";
import { thumbnailPixels } from "../../static/js/lib/thumbs.js";

const tokens = (n, positions = null) => ({ texts: Array(n).fill("x"), positions });
const blocked = (mask, n, { kind = "decoder-self", positions = null } = {}) => createBlocked(mask, kind, tokens(n, positions), tokens(n, positions));
const CAUSAL = { mask: "causal", offset: 0 };

// What the masks themselves say, pair by pair (attention_core/masks.py).
const allowed = {
  full: () => true,
  causal: ({ offset = 0 }, q, k) => k <= q + offset,
  "sliding-window": ({ size, offset = 0 }, q, k) => Math.abs(q + offset - k) < size,
  "all-of": ({ parts }, q, k) => parts.every((part) => allowed[part.mask](part, q, k)),
};
const MASKS = [
  CAUSAL, { mask: "causal", offset: 3 }, { mask: "sliding-window", size: 4, offset: 0 }, { mask: "sliding-window", size: 3, offset: 2 },
  { mask: "all-of", parts: [CAUSAL, { mask: "sliding-window", size: 3, offset: 0 }] }, { mask: "all-of", parts: [{ mask: "full" }, CAUSAL] },
];

for (const mask of MASKS) {
  test(`${JSON.stringify(mask)}: a cell is blank exactly when every pair in it is blocked`, () => {
    const n = 23;
    for (const size of [23, 8, 5, 2]) {
      const edges = cellEdges(n, size);
      const rule = blocked(mask, n);
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) {
          let every = true;
          for (let q = edges[i]; q < edges[i + 1]; q++) for (let k = edges[j]; k < edges[j + 1]; k++) every &&= !allowed[mask.mask](mask, q, k);
          assert.equal(rule.cell([edges[i], edges[i + 1]], [edges[j], edges[j + 1]], 0), every, `${size}: ${i} ${j}`);
        }
      }
    }
  });
}

test("nothing is blank where everything may be looked at", () => {
  assert.equal(blocked({ mask: "full" }, 4), null);
  assert.equal(blocked(undefined, 4), null);
  assert.equal(blocked({ mask: "words" }, 4, { kind: "encoder-self" }), null);
  assert.equal(blocked({ mask: "words" }, 4, { kind: "cross" }), null);
  assert.equal(blocked({ mask: "all-of", parts: [{ mask: "full" }] }, 4), null);
});

test("what has a weight is never blank, whatever a description says", () => {
  assert.equal(blocked(CAUSAL, 4).pair(0, 3, 0.2), false);
  assert.equal(blocked(CAUSAL, 4).pair(0, 3, 0), true);
});

test("merged and hidden tokens are compared by where they stand in the text", () => {
  const rule = blocked({ mask: "words" }, 3, { positions: [[1], [2, 3], [4]] });
  assert.deepEqual([rule.pair(0, 1, 0), rule.pair(1, 0, 0), rule.pair(1, 1, 0), rule.pair(1, 2, 0)], [true, false, false, true]);
});

test("one sentence of a pair keeps the window that its mask draws over the whole", () => {
  const mask = { mask: "words", of: { mask: "sliding-window", size: 2, offset: 0 } };
  const rule = createBlocked(mask, "encoder-self", { positions: [[0], [1], [2]] }, { positions: [[3], [4]] });
  assert.deepEqual([rule.pair(2, 0, 0), rule.pair(2, 1, 0), rule.pair(0, 0, 0), rule.pair(0, 0, 0.1)], [false, true, true, false]);
});

test("a mask without a rule is read from exact weights, and never from rounded ones", () => {
  const rule = blocked({ mask: "explicit" }, 4, { kind: "encoder-self" });
  assert.deepEqual([rule.pair(0, 3, 0), rule.pair(0, 3, 1e-30), rule.cell([0, 1], [3, 4], 0, true)], [true, false, false]);
  assert.equal(blocked({ mask: "padding" }, 4, { kind: "decoder-self" }).pair(0, 3, 0), true);
});

test("blocked cells are not drawn: not in thumbnails, heatmaps or lines, and never in the ramp's first colour", () => {
  const palette = createPalette({ theme: "dark", scale: "linear", range: "unit" });
  const rule = blocked(CAUSAL, 2);
  const map = { queries: 2, keys: 2 };
  const { pixels } = thumbnailPixels({ shape: [1, 1, 2, 2], data: new Uint8Array([255, 0, 0, 255]) }, 0, 0, palette, rule, map);
  assert.deepEqual([3, 7, 11, 15].map((i) => pixels[i]), [255, 0, 255, 255]);
  assert.deepEqual([...pixels.slice(8, 11)], RAMPS.dark[0]);
  const window = { queries: [0, 2], keys: [0, 2], queryEdges: [0, 1, 2], keyEdges: [0, 1, 2], rows: 2, columns: 2, exact: true, data: Float32Array.from([1, 0, 0, 1]) };
  const rows = rampRows(window, palette, 1, blankCells(window, rule));
  assert.deepEqual(rows.map((row) => [...row]), [[1, NaN], [0, 1]]);
  assert.deepEqual(linesOf({ window, query: 0, row: [1, 0] }, rule).lines.map(({ from, to }) => [from, to]), [[0, 0], [1, 0], [1, 1]]);
});

test("of words in another order what is blocked is read from the weights, whatever the kind", () => {
  const rule = createBlocked({ mask: "explicit" }, null, tokens(3), tokens(3)); // what a session of such a trace asks for
  assert.deepEqual([rule.pair(2, 0, 0), rule.pair(0, 2, 0), rule.pair(0, 2, 1e-9)], [true, true, false]);
});
