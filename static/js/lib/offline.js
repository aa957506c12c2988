// One trace that the page carries itself, answered as the HTTP API answers: an object with the functions of api.js that
// a session uses. Looks are computed here as attention_core/looking.py and lengths.py compute them; which positions a
// look shows comes with the page.

import { cellEdges } from "./cells.js";
import { createKeep } from "./keep.js";
import { writeNpy } from "./npy.js";

const LOOKS = 3; // of which all weights are kept

/**
 * documents: the trace's document in every look, by lookKey; a problem document where a look is not to be had.
 * weights(kind) and norms(kind) resolve to { shape, data }: all weights (layer, head, query, key), all lengths of what
 * keys hand on (layer, head, key). problemOf makes an error of a problem document.
 */
export function createOffline({ documents, weights, norms, problemOf }) {
  const seen = createKeep(LOOKS);

  function documentOf(look) {
    const found = documents[lookKey(look)];
    if (!found || found.type) throw problemOf(found ?? { type: "/problems/not-available" });
    return { ...found, looking: { ...found.looking, measure: look.measure ?? "weight" } };
  }

  // All weights of a kind in one look: { shape, data, removed }.
  async function matrices({ kind, ...look }) {
    const key = `${kind} ${lookKey(look)} ${look.measure ?? "weight"}`;
    const held = seen.get(key) ?? lookAt(kind, look);
    seen.put(key, held);
    return held;
  }
  async function lookAt(kind, look) {
    const [base, lengths] = await Promise.all([weights(kind), look.measure === "norm" ? norms(kind) : null]);
    return looked(lengths ? byLength(base, lengths) : base, groupsOf(documents, kind, look), look.special === "renormalise");
  }

  return {
    models: async () => ({ models: [modelOf(documentOf({}))] }),
    trace: async () => documentOf({}),
    seen: async (_id, look) => documentOf(look),
    thumbnails: async (_id, { size, ...query }) => writeNpy(thumbnails(await matrices(query), size)),
    weights: async (_id, { layer, head, queries, keys, ...query }) => writeNpy(windowOf(await matrices(query), layer, head, queries, keys)),
    removed: async (_id, { layer, ...query }) => writeNpy(removedOf(await matrices(query), layer)),
    valueNorms: async (_id, { kind }) => writeNpy(await norms(kind)),
  };
}

/** A look's name among the documents. */
export const lookKey = ({ words, special = "show", segments = "all" }) => `${Number(words ?? 0)} ${special} ${segments}`;

// What the list of models would say of this one, as far as a session asks.
function modelOf({ model, picture, decoder_input, maps }) {
  const input = picture ? "picture" : decoder_input ? "translation" : "text";
  const kinds = maps.map(({ kind }) => kind);
  return { ...model, input, kinds, layers: maps[0].layers, heads: maps[0].heads, ready: true, state: "ready", pairs: true, writes: true, chat: true, switchable: true, samples: [] };
}

// Which positions each shown query and key stands for; which keys are hidden; which stand in the other sentence of a pair.
function groupsOf(documents, kind, look) {
  const tokensOf = (document, axis) => document[document.maps.find((map) => map.kind === kind)[axis]];
  const shown = documents[lookKey(look)];
  const [all, whole] = [documents[lookKey({})], documents[lookKey({ ...look, segments: "all" })]];
  const groups = (document, axis) => {
    const { positions, texts } = tokensOf(document, axis);
    return positions ?? texts.map((_, i) => [i]);
  };
  const keys = groups(shown, "key_axis");
  const inside = new Set(keys.map(([first]) => first));
  const special = tokensOf(all, "key_axis").special;
  return {
    queries: groups(shown, "query_axis"), keys,
    hidden: (look.special ?? "show") === "show" ? [] : [...special.keys()].filter((i) => special[i]),
    elsewhere: groups(whole, "key_axis").filter(([first]) => !inside.has(first)),
  };
}

// Weights as shares of the lengths of what is handed on (Kobayashi et al. 2020, eq. 4).
function byLength({ shape, data }, { data: norms }) {
  const [, , queries, keys] = shape;
  const shares = new Float32Array(data.length);
  for (let row = 0; row < data.length; row += keys) {
    const at = Math.floor(row / (queries * keys)) * keys;
    let total = 0;
    for (let k = 0; k < keys; k++) total += data[row + k] * norms[at + k];
    for (let k = 0; k < keys; k++) shares[row + k] = (data[row + k] * norms[at + k]) / (total || 1);
  }
  return { shape, data: shares };
}

// To a word the sum over its pieces, from a word the mean over them (Clark et al. 2019, section 4.1).
function looked({ shape, data }, { queries, keys, hidden, elsewhere }, renormalise) {
  const [layers, heads, queryCount, keyCount] = shape;
  const out = new Float32Array(layers * heads * queries.length * keys.length);
  const removed = new Float32Array(layers * heads * queries.length);
  let at = 0;
  for (let base = 0; base < data.length; base += queryCount * keyCount) {
    for (const query of queries) {
      const to = (group) => query.reduce((sum, q) => group.reduce((part, k) => part + data[base + q * keyCount + k], sum), 0) / query.length;
      const row = keys.map(to);
      const total = renormalise ? [...row, ...elsewhere.map(to)].reduce((sum, weight) => sum + weight, 0) : 1;
      out.set(row.map((weight) => weight / (total || 1)), at * keys.length);
      removed[at++] = to(hidden);
    }
  }
  return { shape: [layers, heads, queries.length, keys.length], data: out, removed };
}

function windowOf({ shape: [, heads, queryCount, keyCount], data }, layer, head, queries, keys) {
  const [q0, q1] = spanOf(queries, queryCount);
  const [k0, k1] = spanOf(keys, keyCount);
  const some = head === undefined ? Array.from({ length: heads }, (_, h) => h) : [head];
  const out = new Float32Array(some.length * (q1 - q0) * (k1 - k0));
  let at = 0;
  for (const h of some) {
    for (let q = q0; q < q1; q++) {
      const row = ((layer * heads + h) * queryCount + q) * keyCount;
      out.set(data.subarray(row + k0, row + k1), at);
      at += k1 - k0;
    }
  }
  const shape = [q1 - q0, k1 - k0];
  return { shape: head === undefined ? [heads, ...shape] : shape, data: out };
}

const spanOf = (span, count) => span?.split(":").map(Number) ?? [0, count];

function removedOf({ shape: [, heads, queries], removed }, layer) {
  return { shape: [heads, queries], data: removed.slice(layer * heads * queries, (layer + 1) * heads * queries) };
}

// The largest weight under each cell as round(255·√w).
function thumbnails({ shape: [layers, heads, queries, keys], data }, size) {
  const cellsOf = (count) => {
    const edges = cellEdges(count, size);
    return { count: edges.length - 1, of: Array.from({ length: count }, (_, i) => edges.findLastIndex((edge) => edge <= i)) };
  };
  const [rows, columns] = [cellsOf(queries), cellsOf(keys)];
  const out = new Uint8Array(layers * heads * rows.count * columns.count);
  for (let i = 0; i < data.length; i++) {
    const row = Math.floor(i / keys);
    const cell = (Math.floor(row / queries) * rows.count + rows.of[row % queries]) * columns.count + columns.of[i % keys];
    const byte = Math.round(255 * Math.sqrt(Math.min(1, Math.max(0, data[i]))));
    if (byte > out[cell]) out[cell] = byte;
  }
  return { shape: [layers, heads, rows.count, columns.count], data: out };
}
