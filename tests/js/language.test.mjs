// The language a voice reads a token in: only where it is not the page's.

import assert from "node:assert/strict";
import test from "node:test";

import { otherLanguage } from "../../static/js/lib/dom.js";

const page = (lang) => ({ documentElement: { lang } });

test("letters of the page's other language say so", () => {
  assert.equal(otherLanguage(page("en"), "학교에"), "ko");
  assert.equal(otherLanguage(page("ko"), "school"), "en");
  assert.equal(otherLanguage(page("ko"), "[CLS]"), "en");
});

test("everything else is read as the page is", () => {
  assert.equal(otherLanguage(page("en"), "school"), null);
  assert.equal(otherLanguage(page("ko"), "학교에"), null);
  assert.equal(otherLanguage(page("ko"), "it은 고양이일까?"), null);
  for (const lang of ["en", "ko"]) for (const text of ["", "0.49", "→", "مرحبا"]) assert.equal(otherLanguage(page(lang), text), null);
});
