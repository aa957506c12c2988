import assert from "node:assert/strict";
import { test } from "node:test";
import { fileOf } from "../../static/js/lib/dropped.js";
import { ACCEPTED, refusalOf } from "../../static/js/views/images.js";

test("what is not sent is said before it is sent", () => {
  for (const type of ACCEPTED) assert.equal(refusalOf({ type, size: 1 }), null);
  for (const type of ["image/gif", "image/svg+xml", "application/pdf", "text/plain"]) assert.equal(refusalOf({ type, size: 1 }), "images.wrong-type");
  assert.equal(refusalOf({ type: "image/png", size: 8 * 1024 * 1024 }), null);
  assert.equal(refusalOf({ type: "image/png", size: 8 * 1024 * 1024 + 1 }), "images.too-large");
});

test("a file whose type the system does not know is for the server to judge", () => {
  assert.equal(refusalOf({ type: "", size: 100 }), null);
  assert.equal(refusalOf({ type: "", size: 9e6 }), "images.too-large");
});

test("a drop or a paste may hold no file, or several", () => {
  assert.equal(fileOf(null), null);
  assert.equal(fileOf({}), null);
  assert.equal(fileOf({ files: [] }), null);
  assert.equal(fileOf({ files: ["a", "b"] }), "a");
});
