import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const root = fileURLToPath(new URL("../../static/js", import.meta.url));
const files = readdirSync(root, { recursive: true }).filter((name) => name.endsWith(".js"));
const source = (name) => readFileSync(join(root, name), "utf8");
const imports = (name) =>
  [...source(name).matchAll(/(?:import|export)\s[^;]*?from\s+"([^"]+)"|import\(|import\s+"([^"]+)"/g)].map(([whole, from, bare]) => {
    const target = from ?? bare;
    assert.ok(target?.startsWith("."), `${name}: ${whole} is not a relative path`);
    return normalize(join(dirname(name), target));
  });

const layerOf = (name) => (name.startsWith("views/") ? "views/*" : name.startsWith("lib/") ? "lib/*" : name);
const MAY = {
  "main.js": ["api.js", "state.js", "views.js", "lib/*"],
  "atlas.js": ["api.js", "views/*", "lib/*"],
  "lessons.js": ["views/*", "lib/*"],
  "ideas.js": ["api.js", "views/*", "lib/*"],
  "lab.js": ["api.js", "views/*", "lib/*"],
  "chip.js": ["lib/*"],
  "tray.js": ["api.js", "views/*", "lib/*"],
  "viewer.js": ["api.js", "state.js", "views/*", "lib/*"],
  "views.js": ["views/*"],
  "views/*": ["lib/*"],
  "lib/*": ["lib/*"],
  "state.js": [], "api.js": [], "theme.js": [],
};

test("modules import only downwards, and views never one another", () => {
  assert.ok(files.length > 25);
  for (const name of files) {
    assert.ok(layerOf(name) in MAY, `${name} has no place`);
    for (const target of imports(name)) {
      assert.ok(files.includes(target), `${name} imports ${target}, which is not there`);
      assert.ok(MAY[layerOf(name)].includes(layerOf(target)), `${name} may not import ${target}`);
    }
  }
});

test("every module is reached from the page", () => {
  const reached = new Set(["theme.js"]);
  const visit = (name) => {
    if (reached.has(name)) return;
    reached.add(name);
    imports(name).forEach(visit);
  };
  for (const page of ["main.js", "atlas.js", "viewer.js", "lessons.js", "ideas.js", "lab.js", "chip.js", "tray.js"]) visit(page);
  assert.deepEqual(files.filter((name) => !reached.has(name)), []);
});

test("nothing turns text into markup or code, and nothing leaves the server", () => {
  const banned = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?:\/\/(?!www\.w3\.org\/2000\/svg)/;
  for (const name of files) assert.doesNotMatch(source(name), banned, name);
});

test("files stay within 400 lines", () => {
  for (const name of files) assert.ok(source(name).split("\n").length <= 400, name);
});

test("every message the code names exists", () => {
  const messages = JSON.parse(readFileSync(join(root, "../../app/messages/en.json"), "utf8"));
  const templates = ["base.html", "explore.html", "share.html", "atlas.html", "parts.html", "compute.html", "formulas.html", "embed.html", "lessons.html", "lesson.html", "tray.html", "lab.html", "ideas.html", "idea.html", "glossary.html"].map((name) => readFileSync(join(root, "../../templates", name), "utf8"));
  const text = [...files.map(source), ...templates].join("\n");
  for (const [, key] of text.matchAll(/\bt\(["']([a-z][\w.-]*)["'](?! ~)/g)) assert.ok(key in messages, key);
  const used = (key) => text.includes(`"${key}"`) || text.includes(`'${key}'`);
  const families = /^(example|lab\.(?:task|choice|value|role|fault|note|status|run|known)|ideas?|glossary|lesson\.part|lessons\.language|analysis|atlas|mark|experiment|tool|aim|profile|step|compute\.(?:formula|words|says|strip|column)|switch\.(?:effect|how|y)|compare\.(?:way|says|note)|what-if|difference\.(?:legend|before|after|waiting|refused)|importance\.(?:method|note|aim)|link\.(?:named|says|refused|lift)|role|special|share|tray|card|kind|looking|sink|predictions|class|made|pair\.(?:all|cut)|images\.sample|strip\.caption|progress|notice|problem|model\.state|model\.name|model\.group|theme|back-end|device|precision|guide|table|colour\.scale|colour\.range|writing\.(?:state|over))\.|\.one$|\.norm$/;
  for (const key of Object.keys(messages)) assert.ok(used(key) || families.test(key), `${key} is never used`);
});
