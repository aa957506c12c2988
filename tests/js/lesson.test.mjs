import assert from "node:assert/strict";
import { test } from "node:test";
import { clean, fromFile, hasContent, line, obstacle, slug, toFile, viewBlock } from "../../static/js/lib/lesson/file.js";
import { fresh, readKept, step } from "../../static/js/lib/lesson/history.js";
import { apply, blockOf, emptyLesson, joined, replaced, shifted, touched } from "../../static/js/lib/lesson/lesson.js";
import { slideAt, slidesOf } from "../../static/js/lib/lesson/slides.js";
import { createStore } from "../../static/js/lib/lesson/store.js";

const text = (id, markdown = id) => ({ id, type: "text", markdown });
const lessonOf = (...ids) => ({ ...emptyLesson(), blocks: ids.map((id) => text(id)) });
const order = ({ blocks }) => blocks.map(({ id }) => id).join("");
const done = (lesson, ...operations) => operations.reduce((now, one) => apply(now, one)[0], lesson);
const change = (operation, at = 0, tab = "a") => ({ type: "change", operation, at, tab });

test("blocks are put, moved and removed by their names, whatever happened in between", () => {
  const abc = lessonOf("a", "b", "c");
  assert.equal(order(done(abc, { do: "insert", block: text("x"), after: "a" })), "axbc");
  assert.equal(order(done(abc, { do: "insert", block: text("x"), after: null })), "xabc");
  assert.equal(order(done(abc, { do: "insert", block: text("x"), after: "gone" })), "abcx");
  assert.equal(order(done(abc, { do: "move", id: "c", after: null })), "cab");
  assert.equal(order(done(abc, { do: "move", id: "a", after: "c" })), "bca");
  assert.equal(order(done(abc, { do: "remove", id: "b" })), "ac");
  assert.equal(order(done(abc, shifted(abc, "c", -1))), "acb");
  assert.equal(order(done(abc, shifted(abc, "a", 1))), "bac");
  assert.equal(order(done(abc, shifted(abc, "b", -1))), "bac");
  assert.equal(shifted(abc, "a", -1), null);
  assert.equal(shifted(abc, "c", 1), null);
  for (const nothing of [{ do: "move", id: "a", after: null }, { do: "move", id: "gone", after: "a" }, { do: "remove", id: "gone" }, { do: "edit", id: "a", patch: { markdown: "a" } }, { do: "set", field: "title", value: "" }, { do: "set", field: "blocks", value: [] }]) {
    assert.deepEqual(apply(abc, nothing), [abc, null]);
  }
});

test("a block that was removed elsewhere comes back with what was written into it", () => {
  const after = done(lessonOf("a", "b"), { do: "remove", id: "a" }, { do: "edit", id: "a", patch: { markdown: "new" }, block: text("a") });
  assert.equal(order(after), "ba");
  assert.equal(blockOf(after, "a").markdown, "new");
});

test("two lessons become one, and one takes the other's place", () => {
  const [mine, other] = [{ ...lessonOf("a", "b"), title: "Mine" }, { ...lessonOf("c"), title: "Other", summary: "Said" }];
  const both = done(mine, joined(mine, other));
  assert.deepEqual([order(both), both.title, both.summary], ["abc", "Mine", "Said"]);
  const [instead, back] = apply(mine, replaced(mine, other));
  assert.deepEqual([order(instead), instead.title], ["c", "Other"]);
  assert.deepEqual(done(instead, back), mine);
});

// ---- undo

test("letters typed in one breath are one step; a pause, another field and another tab begin a new one", () => {
  const edit = (markdown, at, tab) => change({ do: "edit", id: "a", patch: { markdown } }, at, tab);
  let kept = step(fresh("en"), change({ do: "insert", block: text("a", ""), after: null }));
  for (const [markdown, at] of [["H", 10], ["He", 200], ["Hey", 900]]) kept = step(kept, edit(markdown, at));
  assert.equal(kept.undo.length, 2);
  kept = step(kept, edit("Hey you", 9000));
  assert.equal(kept.undo.length, 3);
  kept = step(kept, edit("Theirs", 9100, "b"));
  kept = step(kept, edit("Hey you!", 9200));
  assert.equal(kept.undo.length, 5);
  const seen = [];
  while (kept.undo.length) seen.push((kept = step(kept, { type: "undo" })).lesson.blocks[0]?.markdown);
  assert.deepEqual(seen, ["Theirs", "Hey you", "Hey", "", undefined]);
  while (kept.redo.length) kept = step(kept, { type: "redo" });
  assert.equal(kept.lesson.blocks[0].markdown, "Hey you!");
  assert.deepEqual(step(step(kept, { type: "undo" }), change({ do: "set", field: "title", value: "x" })).redo, []);
});

test("of two tabs that write into one block the newest stands, and undo has the other's", () => {
  const typed = (markdown, at, tab) => change({ do: "edit", id: "a", patch: { markdown }, block: text("a") }, at, tab);
  const both = [typed("mine", 10, "a"), typed("theirs", 20, "b"), typed("mine too", 30, "a")].reduce(step, { ...fresh("en"), lesson: lessonOf("a") });
  assert.equal(both.lesson.blocks[0].markdown, "mine too");
  assert.equal(step(both, { type: "undo" }).lesson.blocks[0].markdown, "theirs");
});

test("what can be undone has a bound, and the newest step is always one", () => {
  let kept = { ...fresh("en"), lesson: lessonOf("a") };
  for (let at = 0; at < 300; at++) kept = step(kept, change({ do: "set", field: "title", value: String(at) }, at * 5000));
  assert.equal(kept.undo.length, 200);
  const large = "x".repeat(1_600_000);
  kept = step(kept, change({ do: "edit", id: "a", patch: { markdown: large } }));
  kept = step(kept, change({ do: "edit", id: "a", patch: { markdown: "small" } }, 9e9));
  assert.equal(kept.undo.length, 1);
  assert.equal(step(kept, { type: "undo" }).lesson.blocks[0].markdown, large);
});

test("what somebody else left in the storage is no lesson", () => {
  for (const found of [undefined, null, 7, "x", {}, { version: 2, lesson: emptyLesson(), undo: [], redo: [] }, { version: 1, lesson: {}, undo: [], redo: [] }]) {
    assert.deepEqual(readKept(found, "ko"), fresh("ko"));
  }
  const kept = step(fresh("en"), change({ do: "set", field: "title", value: "x" }));
  assert.equal(readKept(kept, "ko"), kept);
});

// ---- two tabs

const random = (seed) => () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};

function any(next, lesson, name) {
  const pick = (list) => list[Math.floor(next() * list.length)];
  const one = () => pick(lesson.blocks)?.id ?? "gone";
  return pick([
    () => ({ do: "insert", block: text(name), after: pick([null, undefined, one()]) }),
    () => ({ do: "insert", block: text(name), after: one() }),
    () => ({ do: "move", id: one(), after: pick([null, one()]) }),
    () => ({ do: "remove", id: one() }),
    () => ({ do: "set", field: pick(["title", "summary"]), value: name }),
    () => {
      const block = pick(lesson.blocks);
      return block ? { do: "edit", id: block.id, patch: { markdown: name }, block } : { do: "set", field: "title", value: name };
    },
  ])();
}

test("any interleaving of two tabs' changes loses no block, and all of it can be undone and redone", () => {
  for (let seed = 1; seed <= 400; seed++) {
    const next = random(seed);
    const queues = [[], []];
    const seen = [emptyLesson(), emptyLesson()]; // what each tab had last heard of
    let kept = fresh("en");
    const put = new Set();
    const removed = new Set();
    for (let at = 0; at < 40; at++) {
      const tab = Number(next() < 0.5);
      const operation = any(next, queues[tab].reduce((lesson, { operation: one }) => apply(lesson, one)[0], seen[tab]), `n${seed}-${at}`);
      queues[tab].push(change(operation, at * 2000, String(tab)));
      if (next() < 0.5) { // one of the tabs gets through to the disk, and hears what is there
        const who = Number(next() < 0.5);
        for (const action of queues[who].splice(0, 1 + Math.floor(next() * 3))) {
          const { operation: one } = action;
          if (one.do === "insert") put.add(one.block.id);
          if (one.do === "remove" && put.has(one.id)) removed.add(one.id);
          if (one.do === "edit") removed.delete(one.id);
          kept = step(kept, action);
        }
        if (!queues[who].length) seen[who] = kept.lesson;
      }
    }
    const there = kept.lesson.blocks.map(({ id }) => id);
    assert.equal(new Set(there).size, there.length, `seed ${seed}: a block stands twice`);
    assert.deepEqual([...there].sort(), [...put].filter((id) => !removed.has(id)).sort(), `seed ${seed}`);
    const whole = kept.lesson;
    while (kept.undo.length) kept = step(kept, { type: "undo" });
    assert.deepEqual(kept.lesson, emptyLesson(), `seed ${seed}: undone`);
    while (kept.redo.length) kept = step(kept, { type: "redo" });
    assert.deepEqual(kept.lesson, whole, `seed ${seed}: redone`);
  }
});

// A disk that takes its time, and puts what it is asked into an order.
function disk(next = Math.random) {
  let kept = fresh("en");
  let order = Promise.resolve();
  const fault = { error: null, writes: 0 };
  const late = (work) => (order = order.catch(() => {}).then(() => new Promise((ready) => setTimeout(ready, next() * 2))).then(() => {
    if (fault.error) throw fault.error;
    return work();
  }));
  function write(what) {
    const now = what(structuredClone(kept));
    kept = structuredClone(now);
    fault.writes += 1;
    return now;
  }
  const heard = new Set();
  const channel = () => {
    let own = null;
    return { listen: (one) => heard.add((own = one)), post: () => heard.forEach((one) => one !== own && one()) };
  };
  return { fault, channel, shelf: { read: () => late(() => structuredClone(kept)), update: (what) => late(() => write(what)) } };
}

test("two tabs on one disk end with the same lesson, and each shows its own changes at once", async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const next = random(seed);
    const { shelf, channel } = disk(next);
    const tabs = ["a", "b"].map((tab) => createStore({ shelf, channel: channel(), language: "en", tab }));
    const writing = [];
    for (let at = 0; at < 20; at++) {
      const tab = tabs[Number(next() < 0.5)];
      const block = text(`n${at}`);
      writing.push(tab.change({ do: "insert", block, after: undefined }));
      assert.ok(blockOf(tab.lesson(), block.id));
      if (next() < 0.3) await new Promise((ready) => setTimeout(ready, 1));
    }
    await Promise.all(writing);
    await Promise.all(tabs.map((tab) => tab.open()));
    assert.equal(tabs[0].lesson().blocks.length, 20);
    assert.deepEqual(tabs[0].lesson(), tabs[1].lesson());
    assert.ok(tabs.every((tab) => tab.isKept()));
  }
});

test("a full disk is said at once; nothing is lost, and what could not be kept goes along with the next change", async () => {
  const { shelf, channel, fault } = disk();
  const troubles = [];
  const make = () => createStore({ shelf, channel: channel(), language: "en", tab: "a", onTrouble: (reason) => troubles.push(reason) });
  const tab = make();
  fault.error = Object.assign(new Error("no room"), { name: "QuotaExceededError" });
  await tab.change({ do: "insert", block: text("a"), after: null });
  assert.deepEqual(troubles, ["full"]);
  assert.equal(order(tab.lesson()), "a");
  assert.equal(tab.isKept(), false);
  fault.error = null;
  await tab.change({ do: "insert", block: text("b"), after: "a" });
  assert.deepEqual(troubles, ["full", null]);
  assert.equal(tab.trouble(), null);
  const later = make();
  await later.open();
  assert.equal(order(later.lesson()), "ab");
  fault.error = new Error("SecurityError");
  await make().open();
  assert.deepEqual(troubles, ["full", null, "closed"]);
});

test("a letter in a long lesson leaves the other blocks the objects they were, and fast typing is few writes", async () => {
  const { shelf, channel, fault } = disk();
  const tab = createStore({ shelf, channel: channel(), language: "en", tab: "a" });
  await tab.open();
  await tab.change({ do: "all", steps: Array.from({ length: 200 }, (_, at) => ({ do: "insert", block: text(`b${at}`), after: undefined })) });
  const before = tab.lesson().blocks;
  const letters = Array.from({ length: 30 }, (_, at) => tab.change({ do: "edit", id: "b7", patch: { markdown: "x".repeat(at + 1) } }));
  await Promise.all(letters);
  await tab.open();
  assert.deepEqual(tab.lesson().blocks.flatMap((block, at) => (block === before[at] ? [] : [at])), [7]);
  assert.equal(blockOf(tab.lesson(), "b7").markdown, "x".repeat(30));
  assert.ok(tab.isKept());
  assert.ok(fault.writes <= 4, `${fault.writes} writes`);
});

test("what an undo changed is found, so that it can be brought into sight", () => {
  const was = lessonOf("a", "b", "c");
  assert.equal(touched(was, was), null);
  assert.equal(touched(was, done(was, { do: "edit", id: "b", patch: { markdown: "new" } })), "b");
  assert.equal(touched(was, done(was, { do: "insert", block: text("d"), after: "b" })), "d");
  assert.equal(touched(was, done(was, { do: "remove", id: "b" })), null);
  assert.equal(touched(was, done(was, { do: "move", id: "c", after: "a" })), "c");
});

// ---- files

test("lesson.json has what the format asks for, and comes back as it was", () => {
  const view = { id: "v", type: "view", address: "text=Owls&layer=3", show: ["heatmap"], caption: "" };
  const lesson = { ...emptyLesson("ko"), title: " Who is “it”? ", blocks: [text("a", "# Hi"), text("b", "  "), view] };
  const file = toFile(lesson, "My lesson");
  assert.deepEqual(file, {
    format: "attention-atlas-lesson", version: 1, name: "who-is-it", language: "ko", title: "Who is “it”?", summary: "Who is “it”?",
    blocks: [{ type: "text", markdown: "# Hi" }, { type: "view", address: "text=Owls&layer=3", show: ["heatmap"] }],
  });
  let count = 0;
  const back = fromFile(file, () => `n${count++}`);
  assert.deepEqual(back.blocks, [text("n0", "# Hi"), { ...view, id: "n1" }]);
  assert.deepEqual(toFile(back, "x"), file);
  assert.deepEqual([slug("나는 학교에 갔다"), slug("Été 2"), slug("a".repeat(63) + " b")], ["my-lesson", "ete-2", "a".repeat(63)]);
  assert.deepEqual([hasContent(emptyLesson()), hasContent(lesson), obstacle(emptyLesson()), obstacle(lesson)], [false, true, "empty", null]);
  assert.equal(obstacle({ ...lesson, blocks: Array.from({ length: 60 }, (_, at) => text(`l${at}`, "가".repeat(10_000))) }), "large");
  assert.equal(obstacle(lessonOf(...Array.from({ length: 201 }, (_, at) => `m${at}`))), "many");
});

test("what is pasted holds no character that the format refuses", () => {
  assert.equal(clean("a\0b\r\nc\ud800d\udc00 \ud83d\ude00\tx\x85"), "ab\ncd 😀\tx");
  assert.equal(line("a\nb\u2028c\u0085d\te"), "a b cd e");
});

test("a view is kept by the address that restores it, without the reader's own theme and language", () => {
  assert.deepEqual(viewBlock("?text=a+b&layer=3&theme=dark&lang=ko", "lines", "i"), { id: "i", type: "view", address: "text=a+b&layer=3", show: ["lines"], caption: "" });
  assert.deepEqual(Object.keys(viewBlock("?text=a&view=difference", "difference", "i")), ["id", "type", "address", "caption"]);
  assert.equal(viewBlock(`?text=${"a".repeat(9000)}`, "heatmap", "i"), null);
});

// ---- slides

test("a heading begins a slide, and a view ends one", () => {
  const items = [..."phpvvpvhv"].map((kind, at) => ({ at, heading: kind === "h", view: kind === "v" }));
  assert.deepEqual(slidesOf(items).map((slide) => slide.map(({ at }) => at)), [[0], [1, 2, 3], [4], [5, 6], [7, 8]]);
  assert.deepEqual(slidesOf([]), []);
});

test("keys lead from slide to slide and stop at the ends", () => {
  const keys = [["ArrowRight", false, 3], ["PageDown", false, 3], [" ", false, 3], [" ", true, 1], ["ArrowLeft", false, 1], ["PageUp", false, 1], ["Home", false, 0], ["End", false, 4]];
  for (const [key, shift, to] of keys) assert.equal(slideAt(key, shift, 2, 5), to, key);
  assert.deepEqual([slideAt("ArrowLeft", false, 0, 5), slideAt("End", false, 4, 5), slideAt("x", false, 2, 5)], [0, 4, null]);
});
