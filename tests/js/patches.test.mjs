import assert from "node:assert/strict";
import { test } from "node:test";
import { createPalette } from "../../static/js/lib/color.js";
import { fadedPixels, moveOnPicture, onPatches, overlayPixels, patchOf, positionAt, positionOf, shownAt, tokenCount, weightsAt } from "../../static/js/lib/patches.js";

const picture = { rows: 2, columns: 3 }; // [CLS] and six patches
const names = (...list) => ({ texts: list });
const tokens = names("[CLS]", "1,1", "1,2", "1,3", "2,1", "2,2", "2,3");
const hidden = { texts: tokens.texts.slice(1), positions: [[1], [2], [3], [4], [5], [6]] };
const palette = (theme, range = "unit") => createPalette({ theme, scale: "linear", range });

test("patches count row by row after the class token", () => {
  assert.equal(tokenCount(picture), 7);
  assert.equal(patchOf(0, 3), null);
  assert.deepEqual(patchOf(1, 3), { row: 0, column: 0 });
  assert.deepEqual(patchOf(3, 3), { row: 0, column: 2 });
  assert.deepEqual(patchOf(4, 3), { row: 1, column: 0 });
  for (let position = 1; position < 7; position++) {
    const { row, column } = patchOf(position, 3);
    assert.equal(positionOf(row, column, 3), position);
  }
});

test("shown tokens are found by the model's positions, and hidden ones are not", () => {
  assert.deepEqual(shownAt(tokens, 7), [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(shownAt({ ...tokens, positions: null }, 7), [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(shownAt(hidden, 7), [-1, 0, 1, 2, 3, 4, 5]);
  assert.deepEqual(shownAt({ texts: ["a", "b"], positions: [[0, 1, 2], [4, 5, 6]] }, 7), [0, 0, 0, -1, 1, 1, 1]);
  assert.equal(positionAt(tokens, 4), 4);
  assert.equal(positionAt(hidden, 4), 5);
});

test("a row falls on its patches, the class token apart", () => {
  const row = Float32Array.of(0.5, 0.25, 0, 0, 0.125, 0, 0.125);
  const { weights, exact } = weightsAt(row, tokens, 7);
  assert.ok(exact);
  assert.deepEqual(weights, [...row]);
  assert.equal(onPatches(weights), 0.5);
});

test("without the class token every patch keeps its own weight", () => {
  const { weights, exact } = weightsAt(Float32Array.of(0.25, 0, 0, 0.125, 0, 0.125), hidden, 7);
  assert.ok(exact);
  assert.deepEqual(weights, [NaN, 0.25, 0, 0, 0.125, 0, 0.125]);
  assert.equal(onPatches(weights), 0.5);
});

test("an overview's row covers its cells and is not exact", () => {
  const { weights, exact } = weightsAt(Float32Array.of(0.5, 0.25, 0.75), tokens, 7);
  assert.equal(exact, false);
  assert.deepEqual(weights, [0.5, 0.5, 0.25, 0.25, 0.75, 0.75, 0.75]); // edges 0, 2, 4, 7
});

test("the overlay is the strong colour, a pixel a patch, as opaque as the weight", () => {
  const pixels = overlayPixels([1, 0, 0.5, NaN], palette("light"), 0.5);
  assert.deepEqual([...pixels], [49, 54, 149, 0, 49, 54, 149, 117, 49, 54, 149, 0]);
  const stretched = overlayPixels([0, 0.5], palette("dark", "head"), 0.5);
  assert.deepEqual([...stretched], [255, 209, 102, 235]);
});

test("the picture beneath is grey and stays near the ramp's first colour, in either theme", () => {
  const shades = Uint8ClampedArray.of(0, 0, 0, 255, 255, 255, 255, 255, 200, 30, 30, 255);
  const light = fadedPixels(shades, palette("light"));
  assert.deepEqual([...light.slice(4, 8)], [255, 255, 255, 255]);
  assert.ok(light[0] === light[1] && light[1] === light[2] && light[0] > 150 && light[0] < light[8] && light[8] < 255);
  const dark = fadedPixels(shades, palette("dark"));
  assert.deepEqual([...dark.slice(0, 4)], [27, 30, 37, 255]);
  assert.ok(dark[4] > dark[8] && dark[8] > dark[0] && dark[4] < 130);
});

test("keys lead over the patches and to the class token, and never out of the picture", () => {
  const to = (key, position, more = {}) => moveOnPicture({ key, ctrlKey: false, metaKey: false, altKey: false, ...more }, position, picture);
  assert.equal(to("ArrowRight", 1), 2);
  assert.equal(to("ArrowRight", 3), 3);
  assert.equal(to("ArrowDown", 2), 5);
  assert.equal(to("ArrowDown", 5), 5);
  assert.equal(to("ArrowLeft", 4), 4);
  assert.equal(to("ArrowUp", 6), 3);
  assert.equal(to("Home", 5), 0);
  assert.equal(to("End", 2), 6);
  assert.equal(to("ArrowDown", 0), 1);
  assert.equal(to("ArrowUp", 0), null);
  assert.equal(to("a", 4), null);
  assert.equal(to("ArrowRight", 1, { ctrlKey: true }), null);
  assert.equal(to("Home", 4, { altKey: true }), null);
});
