// What a person can choose, each as a patch of the state. What is asked of the server or of the browser besides is not here.

import { exampleOf, forExample, forKind, forModel, forReader, rangeOf, tabOf, withTarget } from "./choices.js";
import { withRival } from "./link.js";
import { toggled } from "./off.js";
import { mapOf } from "./session.js";
import { cellOf, orWhole, windowsWith } from "./want.js";

/** Both axes as long as they are. */
export const WHOLE = { queries: null, keys: null };
const NO_ROW = { query: null, key: null, ...WHOLE };

/**
 * The choices by name; each ends in choose(patch, how, moved), where how "text" asks for another trace or another look.
 * now() is { state, session, draft }.
 */
export function createChoices({ now, choose, examples, startOf, modelOf }) {
  const set = (name, how) => (value) => choose({ [name]: value }, how);
  const seen = (name) => (value) => choose({ [name]: value, ...WHOLE }, "text");
  const link = (patch) => choose({ ...patch, ...WHOLE }, patch.words ? "text" : "click");

  function model(name) {
    const { state, session, draft } = now();
    const own = state.trace ? exampleOf(state, session?.posted) : draft;
    choose(forModel({ ...state, ...own }, own?.text ?? null, modelOf(state.model), modelOf(name) ?? { name }, examples, startOf), "text");
  }
  function hint(kind, layer, head) {
    const { state, session } = now();
    if (kind === session.map.kind) choose({ layer, head, key: null });
    else choose({ ...forKind(state, mapOf(session.trace, kind), session.map.kind), layer, head }, "text");
  }
  function cell(query, key, how) {
    const { state, session } = now();
    choose({ ...cellOf(session, { query, key }), ...windowsWith(state, session.map, query, key) }, how, true);
  }
  function without(patch, how) {
    const { state, session } = now();
    choose(withTarget(patch, state, session), how);
  }

  return {
    example: (example) => choose(forExample(now().state, example), "text"),
    image: (image) => choose({ image, trace: null, rev: null, text: null, pair: null, target: null, truncate: false, scan: false, ...NO_ROW }, "text"),
    newest: () => choose({ rev: null }, "same"),
    beginning: () => choose({ truncate: true }, "text"),
    model, hint, cell, link,
    reader: (name, words) => choose(forReader(now().state, name, startOf, words), "text"),
    kind: (kind) => choose(forKind(now().state, mapOf(now().session.trace, kind), now().session.map.kind), "text"),
    head: (layer, head, how) => choose({ layer, head }, how),
    // "Find the head" keeps its key: another word is asked the same question.
    query: (query, how) => choose(cellOf(now().session, now().state.tool === "link" ? { query } : { query, key: null }), how),
    tool: (tool) => choose({ tool, ...(tool !== "link" && { rivals: null }) }),
    rival: (at, more = {}) => link({ rivals: withRival(now().state.rivals, at), ...more }),
    swap: () => choose({ query: now().state.key, key: now().state.query, rivals: null, ...WHOLE }),
    position: (query) => choose({ query, key: null }),
    window: ({ queries, keys, ...at }) => choose({ ...orWhole(now().session.map, { queries, keys }), ...cellOf(now().session, at) }),
    view: (name) => choose({ view: name === tabOf({ view: null }, now().session?.trace) ? null : name }),
    range: (range) => choose({ range: range === rangeOf({ range: null }, now().session?.trace) ? null : range }),
    special: seen("special"), words: seen("words"), segments: seen("segments"),
    measure: set("measure", "text"), sort: set("sort"), mark: set("mark"), scale: set("scale"),
    compare: (patch) => choose(patch),
    whatIf: (patch) => choose(patch, "text"),
    asItIs: () => choose({ what_if: null }, "text"),
    aim: (patch) => choose(patch),
    sampling: (patch) => choose(patch),
    off: (kind, layer, head) => without({ off: toggled(now().state.off, kind, layer, head) }, "text"),
    allOn: () => choose({ off: null }, "text"),
    how: (how) => without({ how }, now().state.off ? "text" : "click"),
    clear: () => choose({ written: null, ...NO_ROW }, "text"),
    computeStep: (step) => choose({ step }, "same"),
    computeKey: (key, how) => choose({ key }, how),
    step: (query) => choose({ query, key: null, ...WHOLE }, "same"),
  };
}
