import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createI18n, parts, power, probable, short, weight } from "../../static/js/lib/i18n.js";
import { escapeLabel, labelled, shorten, ticks } from "../../static/js/lib/labels.js";
import { directionOf, describeTokens, excerpt, visible, wordGroups, hasParts } from "../../static/js/lib/tokens.js";
import { withWord } from "../../static/js/lib/words.js";
import { isSend } from "../../static/js/views/ask.js";
import { badgeText } from "../../static/js/lib/badge.js";
import { noticeSentence, problemSentence, replacements } from "../../static/js/views/notices.js";

const read = (path) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"));
const messages = { en: read("app/messages/en.json"), ko: read("app/messages/ko.json") };
const en = createI18n("en", messages.en);
const ko = createI18n("ko", messages.ko);
const slots = (message) => [...message.matchAll(/\{(\w+)\}/g)].map(([, slot]) => slot).sort();

test("both languages hold the same messages with the same placeholders", () => {
  assert.deepEqual(Object.keys(messages.ko), Object.keys(messages.en));
  for (const key of Object.keys(messages.en)) assert.deepEqual(slots(messages.ko[key]), slots(messages.en[key]), key);
});

test("every example has a name in both languages", () => {
  for (const { name } of read("app/examples.json").filter(({ text }) => text)) assert.ok(en.has(`example.${name}`) && ko.has(`example.${name}`), name);
});

test("placeholders are filled once, and numbers are grouped", () => {
  const { t } = createI18n("en", { a: "{x} and {y}", b: "{count} tokens", "b.one": "{count} token" });
  assert.equal(t("a", { x: "{y}", y: "$&" }), "{y} and $&");
  assert.equal(t("a", { x: 1 }), "1 and {y}");
  assert.equal(t("b", { count: 12345 }), "12,345 tokens");
  assert.equal(t("b", { count: 1 }), "1 token");
  assert.deepEqual([0, 2, 21, "1"].map((count) => t("b", { count })), ["0 tokens", "2 tokens", "21 tokens", "1 tokens"]);
  const korean = createI18n("ko", { b: "토큰 {count}개", "b.one": "not Korean" }); // which has one form for all counts
  assert.equal(korean.t("b", { count: 1 }), "토큰 1개");
  assert.throws(() => t("missing"), /missing/);
  assert.throws(() => t("constructor"), /constructor/);
});

test("a message is cut at its placeholders", () => {
  assert.deepEqual(parts("How {token} looks in {head}."), [{ text: "How " }, { slot: "token" }, { text: " looks in " }, { slot: "head" }, { text: "." }]);
});

test("numbers are written as designed", () => {
  assert.equal(weight(0.48651), "0.487");
  assert.equal(short(0.487), ".49");
  assert.equal(short(0.9999), "1.0");
  assert.equal(power(2.1e-6), "2.1·10⁻⁶");
  assert.equal(power(2.11e-6), "2.2·10⁻⁶");
  assert.equal(power(9.99e-6), "1·10⁻⁵");
  assert.equal(power(1e-6), "1·10⁻⁶");
  assert.equal(power(0), "0");
});

test("the badge never promises less than was measured", () => {
  for (const error of [1.01e-6, 2.34e-7, 9.94e-6, 9.96e-6, 5e-8]) {
    const [digits, exponent] = power(error).split("·10⁻");
    assert.ok(Number(digits) * 10 ** -"⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(exponent) >= error * (1 - 1e-9), power(error));
  }
});

test("the badge says where the weights come from", () => {
  const trace = (back_end, precision = "exact") => ({ model: { precision }, provenance: { back_end, self_check: { error: 2e-6 } } });
  assert.match(badgeText(en, trace("in-house")), /^exact: .*2·10⁻⁶$/);
  assert.match(badgeText(en, trace("eager")), /given by the model/);
  assert.match(badgeText(en, trace("in-house", "quantised")), /quantised/);
  assert.match(badgeText(en, { model: {}, provenance: { self_check: null } }), /not checked/);
});

test("problems are sentences of ours with their facts, or else the server's", () => {
  assert.equal(problemSentence(en, { code: "too-many-tokens", facts: { count: 700, limit: 512 } }), "This text has 700 tokens; the model reads at most 512.");
  assert.match(problemSentence(ko, { code: "unknown-name", facts: { what: "head", value: "99", accepted: ["0", "1"] } }), /0, 1/);
  const unknown = { code: "unknown-name", facts: { what: "model", value: "nothing", accepted: ["minilm", "gpt2"] } };
  assert.deepEqual([/nothing/, /gpt2/].map((one) => one.test(problemSentence(en, unknown))), [true, false]);
  assert.match(problemSentence(en, { code: "invalid-input", facts: { reason: "written" } }), /Press Look to begin with the text alone/);
  assert.match(problemSentence(ko, { code: "empty-text", facts: { reason: "special" } }), /특수 토큰만/);
  assert.equal(problemSentence(en, { code: "brand-new", detail: "Said by the server." }), "Said by the server.");
  assert.equal(problemSentence(en, { code: "busy", detail: "Said by the server.", facts: {} }), "Said by the server.");
  assert.equal(problemSentence(en, { code: "brand-new" }), messages.en["problem.internal"]);
});

test("words that a model does not know can be replaced by what is near", () => {
  const problem = { code: "unknown-words", facts: { words: ["학규에", "벽"], suggestions: ["학교에", "학교"], known: ["집"] } };
  assert.deepEqual(replacements(problem), [{ word: "학규에", near: "학교에" }, { word: "학규에", near: "학교" }]);
  assert.deepEqual(replacements({ facts: { words: ["x"], suggestions: [] } }), []);
  assert.match(problemSentence(en, problem), /학규에, 벽/);
  assert.match(en.t("problem.replace", replacements(problem)[0]), /학교에.*학규에/);
});

test("memory that is missing is told in megabytes, and what a model does not take with its reason", () => {
  const sentence = problemSentence(en, { code: "out-of-memory", facts: { needed: 512_000_000, available: 90_000_000 } });
  assert.match(sentence, /512 MB.*90 MB/);
  assert.match(problemSentence(ko, { code: "not-available", facts: { reason: "no-picture", model: "MiniLM" } }), /MiniLM/);
  assert.equal(problemSentence(en, { code: "not-available", facts: {} }), messages.en["problem.not-available"]);
});

test("notices name the language and show what was cut, counted in code points", () => {
  const trace = { model: { title: "MiniLM" }, source: { text: "🙂🙂ab cd" } };
  assert.match(noticeSentence(en, { code: "language", language: "ko" }, { trace }), /MiniLM has not learned Korean/);
  assert.match(noticeSentence(ko, { code: "language", language: "ko" }, { trace }), /한국어 글로 배우지 않았어요/);
  assert.match(noticeSentence(en, { code: "truncated", kept: 512, count: 700, cut: 2 }, { trace }), /“ab cd”/);
  assert.equal(excerpt("abcdef", 1, 3), "bcd…");
});

test("labels are drawn as typed: markup and entities are escaped once", () => {
  assert.equal(escapeLabel("<b>"), "&lt;b&gt;");
  assert.equal(escapeLabel("&lt;"), "&amp;lt;");
  assert.equal(escapeLabel('<a href="x">y</a>'), '&lt;a href="x"&gt;y&lt;/a&gt;');
  const { ticktext } = ticks([{ text: "<br>", special: false }, { text: "<i>&amp;", special: true }], [0, 2], 1, 0, "#123456");
  assert.deepEqual(ticktext, ['<b><span style="color:#123456">\u2068&lt;br&gt;\u2069</span></b>', "<i>\u2068&lt;i&gt;&amp;amp;\u2069</i>"]);
});

test("thinned labels keep the chosen one and leave it room", () => {
  assert.deepEqual(labelled([0, 12], 4, null), [0, 4, 8]);
  assert.deepEqual(labelled([0, 12], 4, 6), [0, 6]);
  assert.deepEqual(labelled([0, 12], 4, 8), [0, 4, 8]);
  assert.deepEqual(labelled([4, 8], 1, 2), [4, 5, 6, 7]);
  assert.equal(shorten("antidisestablishmentarianism"), "antidisestabl…");
});

test("what cannot be seen gets a name, the rest stands as typed", () => {
  assert.equal(visible("cat"), "cat");
  assert.equal(visible("<br>"), "<br>");
  assert.equal(visible(" "), "␣");
  assert.equal(visible("\n"), "⏎");
  assert.equal(visible(""), "∅");
  assert.equal(visible("\u200b"), "U+200B");
  assert.equal(visible("\u202e"), "U+202E");
  assert.equal(visible("\u1102"), "ㄴ");
  assert.equal(visible("\u1161"), "ㅏ");
  assert.equal(visible("\u11ab"), "ㄴ");
  assert.equal(visible("가"), "가");
});

test("pieces of a word belong together, special tokens stand alone", () => {
  const tokens = { texts: ["[CLS]", "un", "believ", "able", "it", "it", "[SEP]"], pieces: ["[CLS]", "un", "##believ", "##able", "it", "it", "[SEP]"], special: [true, false, false, false, false, false, true], words: [null, 0, 0, 0, 1, 2, null] };
  const described = describeTokens(tokens);
  assert.deepEqual(wordGroups(described), [[0], [1, 2, 3], [4], [5], [6]]);
  assert.deepEqual(described.map(({ help }) => help), ["start", null, null, null, null, null, "end"]);
});

test("Enter sends, but not while Korean is being composed and not with Shift", () => {
  assert.equal(isSend({ key: "Enter" }), true);
  assert.equal(isSend({ key: "Enter", isComposing: true }), false);
  assert.equal(isSend({ key: "Enter", keyCode: 229 }), false);
  assert.equal(isSend({ key: "Enter", shiftKey: true }), false);
  assert.equal(isSend({ key: "a" }), false);
});

test("a text runs the way its first letter does", () => {
  assert.deepEqual(["القط cat", "123 שלום", "cat القط", "고양이", "", "؟!"].map(directionOf), ["rtl", "rtl", "ltr", "ltr", "ltr", "ltr"]);
});

test("a word is replaced where it stands alone, and nowhere within another", () => {
  assert.equal(withWord("가요 가요를 학교에 가요.", "가요", "간다"), "간다 가요를 학교에 간다.");
  assert.equal(withWord("I went to schools", "schools", "school"), "I went to school");
});

test("a probability never reads as impossible or certain", () => {
  assert.deepEqual([0, 0.0049, 0.005, 0.5, 0.994, 0.9951, 1].map(probable), ["< 0.01", "< 0.01", "0.01", "0.50", "0.99", "> 0.99", "> 0.99"]);
});

test("parts of one character are told from what was typed", () => {
  assert.equal(hasParts({ texts: ["갔¹", "갔²", "다"], spans: [[0, 1], [0, 1], [1, 2]] }), true);
  assert.equal(hasParts({ texts: ["x²", "y²"], spans: [[0, 2], [3, 5]] }), false);
  assert.equal(hasParts({ texts: ["<s>", "a"], spans: [null, null] }), false);
});
