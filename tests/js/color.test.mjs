import assert from "node:assert/strict";
import { test } from "node:test";
import { contrast, createPalette, inkOn, RAMPS, SCALES } from "../../static/js/lib/color.js";
import { thumbnailPixels } from "../../static/js/lib/thumbs.js";
import { tickText } from "../../static/js/views/colour.js";

const INK = { "#000": [0, 0, 0], "#fff": [255, 255, 255] };
const every = function* () {
  for (const theme of ["light", "dark"]) for (const scale of Object.keys(SCALES)) for (const range of ["unit", "head"]) yield createPalette({ theme, scale, range });
};

test("text on every colour of both ramps has a contrast of at least 4.5", () => {
  for (const palette of every()) {
    for (let i = 0; i <= 1000; i++) {
      const rgb = palette.rgb(i / 1000, 0.5);
      assert.ok(contrast(rgb, INK[inkOn(rgb)]) >= 4.5, `${palette.name} ${i}`);
    }
  }
});

test("ink is black or white, whichever contrasts more", () => {
  assert.equal(inkOn([255, 255, 255]), "#000");
  assert.equal(inkOn([49, 54, 149]), "#fff");
  for (const rgb of [[120, 120, 120], [117, 117, 117], [200, 30, 30], [150, 153, 201]]) {
    const other = inkOn(rgb) === "#000" ? "#fff" : "#000";
    assert.ok(contrast(rgb, INK[inkOn(rgb)]) >= contrast(rgb, INK[other]));
  }
});

test("contrast is WCAG's: 21 between black and white, the same both ways", () => {
  assert.ok(Math.abs(contrast([0, 0, 0], [255, 255, 255]) - 21) < 1e-9);
  assert.equal(contrast([10, 20, 30], [200, 210, 220]), contrast([200, 210, 220], [10, 20, 30]));
  assert.ok(Math.abs(contrast([118, 118, 118], [255, 255, 255]) - 4.54) < 0.01);
});

test("a larger weight is never paler, and the ends are the ramp's ends", () => {
  for (const palette of every()) {
    let last = -1;
    for (let i = 0; i <= 200; i++) {
      const t = palette.t(i / 200, 1);
      assert.ok(t >= last && t >= 0 && t <= 1);
      last = t;
    }
    assert.deepEqual(palette.rgb(0, 1), palette.from);
    assert.deepEqual(palette.rgb(1, 1), palette.to);
  }
});

test("the scales are what they are called", () => {
  assert.equal(SCALES.linear(0.25), 0.25);
  assert.equal(SCALES.sqrt(0.25), 0.5);
  assert.equal(SCALES.log(1), 1);
  assert.ok(Math.abs(SCALES.log(0.1) - 2 / 3) < 1e-12);
  assert.equal(SCALES.log(0.0001), 0);
  assert.equal(SCALES.log(0), 0);
});

test("the range 'head' ends at the head's maximum, 'unit' at 1", () => {
  const head = createPalette({ theme: "light", scale: "linear", range: "head" });
  const unit = createPalette({ theme: "light", scale: "linear", range: "unit" });
  assert.equal(head.t(0.2, 0.4), 0.5);
  assert.equal(unit.t(0.2, 0.4), 0.2);
  assert.equal(head.t(0, 0), 0);
  assert.equal(head.top(0), 1);
});

test("a thumbnail's bytes are square roots of weights", () => {
  const palette = createPalette({ theme: "light", scale: "linear", range: "unit" });
  const data = new Uint8Array(2 * 2 * 1 * 3);
  data.set([0, 128, 255], 9); // layer 1, head 1
  const { width, height, pixels } = thumbnailPixels({ shape: [2, 2, 1, 3], data }, 1, 1, palette);
  assert.deepEqual([width, height], [3, 1]);
  const at = (i) => [...pixels.slice(4 * i, 4 * i + 3)];
  assert.deepEqual(at(0), RAMPS.light[0]);
  assert.deepEqual(at(1), palette.rgb((128 / 255) ** 2, 1));
  assert.deepEqual(at(2), RAMPS.light[1]);
  assert.equal(pixels[3], 255);
});

test("the legend writes its numbers short", () => {
  assert.deepEqual([0, 1, 0.25, 0.5, 0.001, 0.1, 0.4869, 0.00012].map(tickText), ["0", "1", "0.25", "0.5", "0.001", "0.1", "0.49", "1e-4"]);
});
