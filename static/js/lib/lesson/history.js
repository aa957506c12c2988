// The lesson that a browser keeps, with what can be undone and redone: one history, whichever tab changed something, and
// still there after a reload. Pure: step(kept, action) is what all tabs do, one action after the other.

import { apply, emptyLesson } from "./lesson.js";

export const VERSION = 1;
const MOST_STEPS = 200;
const MOST_LETTERS = 1_500_000; // of all that can be undone, as JSON
const ONE_BREATH = 1200; // milliseconds: letters typed without a longer pause are one step

export const fresh = (language) => ({ version: VERSION, count: 0, lesson: emptyLesson(language), undo: [], redo: [] });

/** What is kept, or a fresh one for what another version of this page, or somebody else, left there. */
export function readKept(found, language) {
  const isOurs = found?.version === VERSION && Array.isArray(found.lesson?.blocks) && Array.isArray(found.undo) && Array.isArray(found.redo);
  return isOurs ? found : fresh(language);
}

/** Whether two readings of the disk are one and the same: what is kept has one line of changes, each of which counts. */
export const isSame = (one, other) => one.count === other.count && stamp(one) === stamp(other);
const stamp = ({ undo }) => `${undo.length} ${undo.at(-1)?.tab} ${undo.at(-1)?.at}`;

/**
 * What is kept after an action: { type: "change", operation, at, tab } | { type: "undo" } | { type: "redo" }. It is the
 * same object where nothing changed. `at` is in milliseconds.
 */
export function step(kept, action) {
  if (action.type === "undo") return turned(kept, "undo", "redo");
  if (action.type === "redo") return turned(kept, "redo", "undo");
  const { operation, at, tab } = action;
  const [lesson, inverse] = apply(kept.lesson, operation);
  if (!inverse) return kept;
  const entry = { operation: inverse, of: placeOf(operation), to: valueAt(lesson, operation), tab, at, size: sizeOf({ operation: inverse }) };
  return { ...kept, count: kept.count + 1, lesson, undo: bounded(typedOn(kept, entry) ?? [...kept.undo, entry]), redo: [] };
}

function turned(kept, from, to) {
  const entry = kept[from].at(-1);
  if (!entry) return kept;
  const [lesson, inverse] = apply(kept.lesson, entry.operation);
  const there = inverse ? [...kept[to], { operation: inverse }] : kept[to];
  return { ...kept, count: kept.count + 1, lesson, [from]: kept[from].slice(0, -1), [to]: there };
}

// Letters in one field by one tab, one after the other: the step that began them takes all of them back. Where another
// tab wrote in between, what it wrote is a step to come back to.
function typedOn({ lesson, undo }, { of, to, tab, at }) {
  const last = undo.at(-1);
  const goesOn = last && of && last.of === of && last.tab === tab && at >= last.at && at - last.at < ONE_BREATH;
  if (!goesOn || last.to !== valueAt(lesson, null, of)) return null;
  return [...undo.slice(0, -1), { ...last, at, to }];
}

const WRITTEN = ["markdown", "caption"];
const FIELDS = ["title", "summary"];

// The field that an operation types into, as one word, or null.
function placeOf(operation) {
  if (operation.do === "set" && FIELDS.includes(operation.field)) return operation.field;
  const [name, ...more] = operation.do === "edit" ? Object.keys(operation.patch) : [];
  return name && !more.length && WRITTEN.includes(name) ? `${operation.id}/${name}` : null;
}

function valueAt(lesson, operation, of = placeOf(operation)) {
  if (!of) return undefined;
  const [id, name] = of.split("/");
  return name ? lesson.blocks.find((block) => block.id === id)?.[name] : lesson[id];
}

const sizeOf = ({ operation, size }) => size ?? JSON.stringify(operation).length;

function bounded(undo) {
  let room = MOST_LETTERS;
  const from = undo.findLastIndex((entry, at) => {
    room -= sizeOf(entry);
    return undo.length - at > MOST_STEPS || (room < 0 && at < undo.length - 1);
  });
  return undo.slice(from + 1);
}
