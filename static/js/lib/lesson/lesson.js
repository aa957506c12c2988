// A lesson in the making, as plain data: { name, language, title, summary, minutes, blocks: [{ id, type, … }] }, and what
// can be done to it. Pure. An operation names blocks by their ids, never by their places, so that one that was thought of
// while another tab changed the lesson still means the same.

/** What app/lessons/format.py takes at most. */
export const LIMITS = { blocks: 200, text: 20_000, address: 8192, title: 200, summary: 1000, caption: 500, bytes: 1024 * 1024 };
/** What a view may show, in the order it stands in. */
export const PARTS = ["strip", "grid", "heatmap", "lines", "table"];
const FIELDS = ["name", "language", "title", "summary", "minutes"];

export const emptyLesson = (language = "en") => ({ name: null, language, title: "", summary: "", minutes: null, blocks: [] });

/** Whether nothing was put into it yet. */
export const isEmpty = ({ title, summary, blocks }) => !blocks.length && !title && !summary;

/** How many views it has; a chip says so. */
export const blockCount = ({ blocks }) => blocks.length;

export const blockOf = ({ blocks }, id) => blocks.find((block) => block.id === id) ?? null;

/** The id of the block before one, null for the first and for one that is not there. */
export function before({ blocks }, id) {
  const at = blocks.findIndex((block) => block.id === id);
  return at > 0 ? blocks[at - 1].id : null;
}

/** The id of the first block that another state of the lesson has elsewhere or otherwise; null where none has. */
export function touched(was, { blocks }) {
  const places = new Map(was.blocks.map((block, at) => [block, at]));
  const other = blocks.find((block, at) => !places.has(block)) ?? (blocks.length === was.blocks.length ? blocks.find((block, at) => places.get(block) !== at) : null);
  return other?.id ?? null;
}

// ---- operations
//   { do: "set", field, value }            a field of the lesson itself
//   { do: "insert", block, after }         after: the id of a block; null: as the first; unknown: as the last
//   { do: "edit", id, patch, block }       block: what the tab saw, so that one that was removed elsewhere comes back
//   { do: "remove", id }
//   { do: "move", id, after }
//   { do: "all", steps: [operation, …] }   all of them, as one step

/** [the lesson after an operation, the operation that takes it back]; the second is null where nothing changed. */
export function apply(lesson, operation) {
  return DOING[operation.do](lesson, operation);
}

const DOING = {
  set(lesson, { field, value }) {
    if (!FIELDS.includes(field) || lesson[field] === value) return [lesson, null];
    return [{ ...lesson, [field]: value }, { do: "set", field, value: lesson[field] }];
  },
  insert(lesson, { block, after }) {
    const old = blockOf(lesson, block.id);
    if (old) return changed(lesson, old, block);
    return [{ ...lesson, blocks: placed(lesson.blocks, block, after) }, { do: "remove", id: block.id }];
  },
  edit(lesson, { id, patch, block }) {
    const old = blockOf(lesson, id);
    if (old) return changed(lesson, old, { ...old, ...patch });
    return block ? DOING.insert(lesson, { block: { ...block, ...patch, id }, after: undefined }) : [lesson, null];
  },
  remove(lesson, { id }) {
    const block = blockOf(lesson, id);
    if (!block) return [lesson, null];
    return [{ ...lesson, blocks: lesson.blocks.filter((one) => one !== block) }, { do: "insert", block, after: before(lesson, id) }];
  },
  move(lesson, { id, after }) {
    const block = blockOf(lesson, id);
    const was = before(lesson, id);
    if (!block || after === id) return [lesson, null];
    const blocks = placed(lesson.blocks.filter((one) => one !== block), block, after);
    return blocks.every((one, at) => one === lesson.blocks[at]) ? [lesson, null] : [{ ...lesson, blocks }, { do: "move", id, after: was }];
  },
  all(lesson, { steps }) {
    const back = [];
    let now = lesson;
    for (const step of steps) {
      const [next, inverse] = apply(now, step);
      now = next;
      if (inverse) back.unshift(inverse);
    }
    return [now, back.length ? { do: "all", steps: back } : null];
  },
};

function changed(lesson, old, block) {
  if (same(old, block)) return [lesson, null];
  return [{ ...lesson, blocks: lesson.blocks.map((one) => (one === old ? block : one)) }, { do: "insert", block: old, after: undefined }];
}

function placed(blocks, block, after) {
  if (after === null) return [block, ...blocks];
  const at = blocks.findIndex(({ id }) => id === after);
  return at < 0 ? [...blocks, block] : [...blocks.slice(0, at + 1), block, ...blocks.slice(at + 1)];
}

const same = (one, other) => JSON.stringify(one, Object.keys(one).sort()) === JSON.stringify(other, Object.keys(other).sort());

// ---- what a person does, as operations

/** One place up (-1) or down (1); null at the ends. */
export function shifted({ blocks }, id, by) {
  const at = blocks.findIndex((block) => block.id === id);
  const to = at + by;
  if (at < 0 || to < 0 || to >= blocks.length) return null;
  const after = by < 0 ? (blocks[to - 1]?.id ?? null) : blocks[to].id;
  return { do: "move", id, after };
}

/** Another lesson in place of this one: its fields and blocks, which have ids of their own. */
export function replaced(lesson, other) {
  return { do: "all", steps: [...lesson.blocks.map(({ id }) => ({ do: "remove", id })), ...FIELDS.map((field) => ({ do: "set", field, value: other[field] })), ...appended(other)] };
}

/** Another lesson's blocks behind this one's; its fields where this one has none. */
export function joined(lesson, other) {
  const missing = ["title", "summary"].filter((field) => !lesson[field] && other[field]);
  return { do: "all", steps: [...missing.map((field) => ({ do: "set", field, value: other[field] })), ...appended(other)] };
}

const appended = ({ blocks }) => blocks.map((block) => ({ do: "insert", block, after: undefined }));
