import assert from "node:assert/strict";
import { test } from "node:test";
import { createRendering } from "../../static/js/lib/lesson/rendering.js";

const text = (id, markdown) => ({ id, type: "text", markdown });
const MOST_BYTES = 1024 * 1024; // app/lessons/format.py

// A server that may be away, and what was asked of it.
function make() {
  const asked = [];
  const problems = [];
  const server = { isAway: false };
  let timer = null;
  const rendering = createRendering({
    preview: async (lesson) => {
      asked.push(lesson);
      if (server.isAway) throw new Error("away");
      if (lesson.blocks.some(({ markdown }) => markdown === "slow")) throw Object.assign(new Error("slow"), { status: 422 });
      return { blocks: lesson.blocks.map(({ markdown }) => ({ html: markdown })) };
    },
    onChange: () => {}, onProblem: (problem) => problems.push(problem?.message ?? null),
    wait: (work) => (timer = work), stop: () => (timer = null),
  });
  const settle = () => new Promise((ready) => setTimeout(ready));
  return { rendering, asked, problems, server, settle, pause: () => (timer?.(), settle()) };
}

test("a lesson larger than a question may be is asked for in several", async () => {
  const { rendering, asked } = make();
  const blocks = Array.from({ length: 60 }, (_, at) => text(`b${at}`, `${at}${"가".repeat(19_000)}`));
  rendering.want(blocks);
  await rendering.whole();
  assert.ok(asked.length > 3);
  for (const lesson of asked) assert.ok(new TextEncoder().encode(JSON.stringify(lesson)).length < MOST_BYTES);
  assert.deepEqual(blocks.map((block) => rendering.of(block)?.html), blocks.map(({ markdown }) => markdown));
});

test("a server that is away is asked again when something is written or wanted, and not on its own", async () => {
  const { rendering, asked, problems, server, settle, pause } = make();
  server.isAway = true;
  rendering.want([text("a", "one")]);
  await settle();
  rendering.want([text("a", "one")]);
  await settle();
  assert.deepEqual([asked.length, problems], [1, ["away"]]);
  rendering.want([text("a", "one more")]);
  await pause();
  assert.equal(asked.length, 2);
  server.isAway = false;
  await rendering.whole();
  assert.equal(rendering.of(text("a", "one more")).html, "one more");
});

test("one text that is refused does not take the others along, and is not asked for again", async () => {
  const { rendering, asked, problems, settle, pause } = make();
  const blocks = Array.from({ length: 16 }, (_, at) => text(`b${at}`, at === 5 ? "slow" : `${at}`));
  rendering.want(blocks);
  await rendering.whole();
  assert.deepEqual(blocks.map((block) => rendering.of(block)?.html ?? null), blocks.map(({ markdown }) => (markdown === "slow" ? null : markdown)));
  assert.deepEqual(problems, ["slow"]);
  const before = asked.length;
  const other = blocks.map((block) => (block.id === "b1" ? text("b1", "another") : block));
  rendering.want(other);
  await pause();
  assert.deepEqual(asked.slice(before).map((lesson) => lesson.blocks.map(({ markdown }) => markdown)), [["another"]]);
  assert.deepEqual(problems, ["slow"]);
  rendering.want(other.filter(({ markdown }) => markdown !== "slow"));
  await settle();
  assert.deepEqual(problems, ["slow", null]);
});

test("what cannot be shown is no problem any more once it is not there", async () => {
  const { rendering, problems, server, settle } = make();
  rendering.want([text("a", "fine")]);
  await settle();
  server.isAway = true;
  rendering.want([text("a", "fine"), text("b", "other")]);
  await settle();
  rendering.want([text("a", "fine")]);
  assert.deepEqual(problems, ["away", null]);
});
