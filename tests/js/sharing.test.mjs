import assert from "node:assert/strict";
import { test } from "node:test";
import {
  asRead, embedSearch, escaped, fileSearch, frameCode, hasNumbers, isLocal, markdownCode, moodleCode, obstacleOf, pictureSearch, plain, subjectOf, USUAL, whatOf, whatsOf, within,
} from "../../static/js/lib/sharing.js";
import { createStarts, format, parse } from "../../static/js/state.js";

const startOf = createStarts([{ model: "minilm", text: "The cat", layer: 3, head: 1, query: 8, key: 2 }], "minilm");
const nowhere = () => ({});
const searchOf = (state) => format(state, nowhere);
const cat = { ...startOf(), scale: "sqrt", tool: "switch", scan: true, aim: 2, versus: "The dog", seed: 7, lang: "ko", theme: "dark" };
const LIGHT = { ...USUAL, theme: "light" };
const read = (search) => Object.fromEntries(new URLSearchParams(search));

test("a shared address says everything, so that no other first example or default model changes what it means", () => {
  const other = createStarts([{ model: "other", text: "Something else", layer: 0, head: 0 }], "other");
  const state = { ...startOf(), rev: "0123456789ab" };
  assert.equal(format(state, startOf), "?rev=0123456789ab");
  assert.deepEqual(parse(searchOf(state), other), state);
  assert.deepEqual(parse(searchOf(state), startOf), state);
});

test("a picture's address carries what it shows and nothing else", () => {
  const search = pictureSearch(cat, "lines", LIGHT, searchOf);
  assert.deepEqual(read(search), { text: "The cat", model: "minilm", layer: "3", head: "1", query: "8", key: "2", view: "lines", scale: "sqrt", lang: "ko" });
  assert.deepEqual(read(pictureSearch(cat, "grid", LIGHT, searchOf)).figure, "grid");
  assert.equal(read(pictureSearch(cat, "difference", LIGHT, searchOf)).versus, "The dog");
  assert.equal("view" in read(pictureSearch({ ...cat, view: "difference" }, "strip", LIGHT, searchOf)), false);
});

test("how a picture looks follows, and only what is not usual", () => {
  const look = { ...USUAL, theme: "print", palette: "cividis", numbers: false, caption: false, transparent: true, width: 900, font: 16 };
  const own = read(pictureSearch(cat, "heatmap", look, searchOf));
  assert.deepEqual(["theme", "palette", "numbers", "caption", "transparent", "width", "font"].map((name) => own[name]), ["print", "cividis", "0", "0", "1", "900", "16"]);
  assert.equal(read(pictureSearch(cat, "heatmap", { ...LIGHT, numbers: true }, searchOf)).numbers, "1");
  assert.equal(fileSearch("?text=a", { format: "png", x: 3 }), "?text=a&x=3");
  for (const one of [{ format: "png", x: 1 }, { format: "svg", x: 3 }]) assert.equal(fileSearch("?text=a", one), "?text=a");
});

test("an embed names its parts, and shows the view where nothing was chosen", () => {
  const part = (show, controls = []) => read(embedSearch(cat, { view: "lines", show, controls }, searchOf));
  assert.equal(part(["view", "strip"]).show, "strip,lines");
  assert.equal(part(["grid"]).show, "grid");
  assert.equal(part([]).show, "lines");
  assert.equal(part(["view"], ["colour", "heads"]).controls, "heads,colour");
  assert.equal("controls" in part(["view"]), false);
  assert.deepEqual(["versus", "tool", "seed", "view"].filter((name) => name in part(["view"])), []);
  assert.equal(part(["view"]).theme, "dark");
  const compared = read(embedSearch(cat, { view: "difference", show: ["view"], controls: [] }, searchOf));
  assert.deepEqual([compared.show, compared.versus], ["difference", "The dog"]);
});

test("a text that was cut travels as far as it was read, to the end of a word and one more", () => {
  const state = { ...cat, text: "a 😀 catamaran sails far away", target: null };
  assert.equal(asRead(state, { source: { cut: 7 } }).text, "a 😀 catamaran sails"); // counted in code points
  assert.equal(asRead(state, { source: { cut: 13 } }).text, "a 😀 catamaran sails");
  assert.equal(asRead({ ...state, target: "one two three four" }, { source: { cut: null }, target: { cut: 3 } }).target, "one two");
  assert.equal(asRead(state, { source: { cut: null }, target: null }), null);
  assert.equal(asRead({ ...state, text: "가".repeat(900) }, { source: { cut: 300 } }).text.length, 360); // words without an end
});

test("what can be drawn, and what is drawn first", () => {
  const text = whatsOf({ picture: false, compared: false, written: false });
  assert.deepEqual(text, ["heatmap", "lines", "strip", "grid", "profile"]);
  assert.deepEqual(whatsOf({ picture: true, compared: false, written: true }), ["picture", "heatmap", "lines", "grid", "profile"]);
  assert.ok(whatsOf({ picture: false, compared: true, written: true }).includes("difference"));
  assert.equal(whatOf(null, "lines", text), "lines");
  assert.equal(whatOf("grid", "lines", text), "grid");
  assert.equal(whatOf("difference", "table", text), "heatmap");
});

test("what the page decides by itself is said in what is shared", () => {
  const tokens = { texts: ["[CLS]", "the", "cat"], positions: null };
  const session = { trace: { model: { revision: "53aa51172d142c89d901" }, picture: null }, queryTokens: { ...tokens, positions: [[1], [2, 3]] }, keyTokens: tokens };
  const scene = { state: { ...startOf(), layer: 99, query: null, key: null, range: "unit" }, session, view: { query: 1, key: 2 }, tab: "table", theme: "dark", model: { samples: ["a"] }, compared: null, layer: 0, head: 0 };
  const { state, what, view, look, samples } = subjectOf(scene, USUAL, "ko");
  assert.deepEqual([state.layer, state.head, state.query, state.key, state.rev, state.theme, state.lang], [0, 0, 2, 2, "53aa51172d14", "dark", "ko"]);
  assert.deepEqual([what, view, look.theme, samples], ["heatmap", "table", "dark", ["a"]]);
  const chosen = subjectOf({ ...scene, session: { ...session, trace: { model: { revision: "v1" }, picture: null } } }, { ...USUAL, what: "grid", theme: "print" }, "en");
  assert.deepEqual([chosen.state.rev, chosen.what, chosen.look.theme], [null, "grid", "print"]);
  const compared = subjectOf({ ...scene, tab: "difference", compared: {} }, USUAL, "en"); // marks what changes most by itself
  assert.deepEqual([compared.what, compared.state.query, compared.state.key], ["difference", null, null]);
  assert.ok(hasNumbers("heatmap") && !hasNumbers("lines"));
});

test("what only this server holds, or no address holds, says so", () => {
  assert.equal(obstacleOf({ trace: null, image: null }, [], "?text=a"), null);
  assert.equal(obstacleOf({ trace: null, image: null }, [], null), "long");
  assert.equal(obstacleOf({ trace: null, image: "stars" }, ["stars"], "?image=stars"), null);
  assert.equal(obstacleOf({ trace: null, image: "5f2b" }, ["stars"], "?image=5f2b"), "upload");
  assert.equal(obstacleOf({ trace: "file-00", image: null }, [], "?trace=file-00"), "file");
  for (const host of ["localhost", "127.0.0.1", "127.8.9.10", "[::1]", "0.0.0.0"]) assert.ok(isLocal(host), host);
  for (const host of ["atlas.example", "127.0.0.1.example", "mylocalhost", "10.0.0.1"]) assert.ok(!isLocal(host), host);
});

test("a size is a whole number within its bounds or nothing", () => {
  assert.equal(within("640", [160, 4000]), 640);
  for (const raw of ["", " ", "159", "4001", "640.5", "1e3x", "NaN", "-640"]) assert.equal(within(raw, [160, 4000]), null, raw);
});

// ---- escaping: each piece of code is read again by other means than it was written with.

const HOSTILE = [
  '"><script>alert(1)</script>', "' onload='x", "a & b &amp; &lt;b&gt;", "]( javascript:alert(1) )", "`code` *bold* _it_ ~~x~~ $x$ |", "line\nbreak\r\ttab",
  "![x](y)", "</iframe>", "\\](x)", "나는 학교에 갔다 👩‍👩‍👧", "مرحبا",
];
const ENTITIES = { amp: "&", lt: "<", gt: ">", "#34": '"', "#39": "'", "#96": "`" };
const decoded = (text) => text.replace(/&([#\w]+);/g, (whole, name) => ENTITIES[name] ?? assert.fail(whole));

test("attributes end where they were begun, and say what was meant", () => {
  for (const text of HOSTILE) {
    const code = frameCode({ embed: `http://a.example/embed${searchOf({ ...startOf(), text })}`, title: text, size: [640, 560] });
    const parts = /^<iframe src="([^"<>]*)" title="([^"<>]*)" width="640" height="560" style="[^"<>]*" loading="lazy" allowfullscreen><\/iframe>$/.exec(code);
    assert.ok(parts, code);
    assert.equal(decoded(parts[2]), text.replace(/[\r\n]/g, " "));
    assert.equal(new URL(decoded(parts[1])).searchParams.get("text"), text);
  }
  assert.equal(escaped(`<a b="c">'&`), "&lt;a b=&#34;c&#34;&gt;&#39;&amp;");
});

test("a frame as wide as there is room has no width of its own", () => {
  const code = frameCode({ embed: "/e", title: "t", size: [null, 560] });
  assert.match(code, /style="border: 0; width: 100%"/);
  assert.doesNotMatch(code, /width="/);
});

test("Moodle's code holds one frame and one link", () => {
  for (const title of HOSTILE) {
    const code = moodleCode({ embed: "http://a.example/embed?text=a", link: "http://a.example/?text=a&b=c", title, size: [640, 560] });
    assert.equal(code.match(/<iframe /g).length, 1);
    assert.equal(code.match(/<a /g).length, 1);
    assert.ok(code.includes('href="http://a.example/?text=a&amp;b=c"'));
    assert.doesNotMatch(code, /<script|javascript:alert\(1\)"/);
  }
});

test("a picture in Markdown is one picture: no bracket of the text closes it", () => {
  for (const alt of HOSTILE) {
    const picture = `http://a.example/figure.png${searchOf({ ...startOf(), text: alt })}`;
    const code = markdownCode({ alt, picture });
    const parts = /^!\[((?:\\[\s\S]|[^\\[\]\n])*)\]\(([^\s()<>]*)\)$/.exec(code);
    assert.ok(parts, code);
    assert.equal(parts[1].replace(/\\([\s\S])/g, "$1"), alt.replace(/\s+/g, " ").trim());
    assert.equal(new URL(parts[2]).searchParams.get("text"), alt);
  }
  assert.equal(plain("a[b]"), "a\\[b\\]");
  assert.equal(markdownCode({ alt: "x", picture: "http://a.example/(1) 2" }), "![x](http://a.example/%281%29%202)");
});
