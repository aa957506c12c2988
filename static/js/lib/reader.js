// Reads one head of one trace for the views: the window on show, the chosen row and column, the head's
// largest weight. Short texts are read whole and cut here; long ones are read in the pieces that are shown.

import { createCache } from "./cache.js";
import { cellEdges, windowWithin } from "./cells.js";

export const WHOLE = 256;
const LAYER_BYTES = 600_000;
const ALL_BYTES = 2_000_000;
const BUDGET = 48_000_000;

/**
 * load(query) answers one /weights request as { shape, data }. special.queries and special.keys say which
 * positions are special tokens. view(want) resolves to what views draw; ready(want) is the same at once, or null.
 */
export function createReader({ map, special, load, budget = BUDGET }) {
  const { kind } = map;
  const small = map.queries <= WHOLE && map.keys <= WHOLE;
  const byLayer = small && layerBytes(map) <= LAYER_BYTES;
  const pieces = createPieces({ map, load, byLayer, budget });

  function assemble(want) {
    const missing = [];
    const get = (spec) => {
      const piece = pieces.get(spec);
      if (!piece) missing.push(spec);
      return piece;
    };
    const view = (small ? fromWhole : fromPieces)(get, want, { map, special });
    return missing.length ? { missing } : { view };
  }

  async function view(want) {
    for (;;) {
      const { view: found, missing } = assemble(want);
      if (!missing) return found;
      await Promise.all(missing.map(pieces.fetch));
    }
  }

  return {
    view,
    ready: (want) => assemble(want).view ?? null,
    async prefetch(want) {
      for (const [layer, head] of neighbours(map, want, byLayer)) await view({ ...want, layer, head });
    },
    /** The strongest exact weight of a small block, for a click on an overview's cell. */
    async strongestIn({ layer, head }, q, k) {
      const { shape, data } = await load({ kind, layer, head, queries: q.join(":"), keys: k.join(":") });
      return strongest(matrix(data, shape[1]), null, [q[0], k[0]]);
    },
    layers: map.layers,
    whole: (layer, head) => (small ? pieces.get({ layer, head }) : null),
  };
}

// Pieces by what they were asked as: { layer, head } is the whole matrix; queries, keys, size cut or shrink it.
function createPieces({ map: { kind, heads, queries, keys }, load, byLayer, budget }) {
  const cache = createCache(budget);

  async function fetchLayer(layer) {
    const { data } = await cache.once(`layer ${layer}`, () => load({ kind, layer }));
    const size = queries * keys;
    for (let h = 0; h < heads; h++) cache.put(name({ layer, head: h }), matrix(data.subarray(h * size, (h + 1) * size), keys));
  }
  async function fetch(spec) {
    const { layer, head, ...window } = spec;
    if (byLayer && Object.keys(window).length === 0) return fetchLayer(layer);
    const { shape, data } = await cache.once(name(spec), () => load({ kind, ...spec }));
    return cache.put(name(spec), matrix(data, shape[1]));
  }
  return { get: (spec) => cache.get(name(spec)) ?? null, fetch };
}

// A short text: everything is cut from the head's whole matrix.
function fromWhole(get, want, { map, special }) {
  const whole = get({ layer: want.layer, head: want.head });
  if (!whole) return null;
  const { query, key } = chosenCell(whole, want, special);
  const [q, k] = windowsOf(want, map);
  return {
    query, key, largest: largestOf(whole.data), row: rowOf(whole, query), column: columnOf(whole, key),
    window: { ...cut(whole, q, k), ...placeOf(q, k) },
  };
}

// A long text: an overview of the head, the chosen row and column, and the window on show.
function fromPieces(get, want, { map, special }) {
  const of = { layer: want.layer, head: want.head };
  const overview = get({ ...of, size: WHOLE });
  const cell = overview && longCell(get, of, overview, want, { map, special });
  if (!cell) return null;
  const row = get({ ...of, queries: `${cell.query}:${cell.query + 1}` });
  const column = get({ ...of, queries: `0:${map.queries}`, keys: `${cell.key}:${cell.key + 1}` });
  const [q, k] = windowsOf(want, map);
  const shown = windowPiece(get, of, overview, [q, k], map);
  if (!row || !column || !shown) return null;
  return { ...cell, largest: largestOf(overview.data), row: row.data, column: column.data, window: { ...shown, ...placeOf(q, k) } };
}

function windowPiece(get, of, overview, [q, k], { queries, keys }) {
  if (q[1] - q[0] === queries && k[1] - k[0] === keys) return overview;
  const large = q[1] - q[0] > WHOLE || k[1] - k[0] > WHOLE;
  return get({ ...of, queries: q.join(":"), keys: k.join(":"), ...(large && { size: WHOLE }) });
}

function longCell(get, of, overview, { query, key }, { map, special }) {
  if (query !== null && key !== null) return { query, key };
  if (query !== null) {
    const row = get({ ...of, queries: `${query}:${query + 1}` });
    return row && { query, key: strongest(row, special, [query, 0], true).key };
  }
  const [qe, ke] = [cellEdges(map.queries, WHOLE), cellEdges(map.keys, WHOLE)];
  const at = strongestCell(overview, qe, ke, special, key);
  const [q, k] = [[qe[at.query], qe[at.query + 1]], key === null ? [ke[at.key], ke[at.key + 1]] : [key, key + 1]];
  const piece = get({ ...of, queries: q.join(":"), keys: k.join(":") });
  if (!piece) return null;
  const found = strongest(piece, special, [q[0], k[0]], key !== null);
  return { query: found.query, key: found.key };
}

const windowsOf = (want, { queries, keys }) => [windowWithin(want.queries, queries), windowWithin(want.keys, keys)];

// Where a window lies, the edges of its cells, and whether each cell is one token by one token.
function placeOf(q, k) {
  const [rows, columns] = [q[1] - q[0], k[1] - k[0]];
  return { queries: q, keys: k, queryEdges: cellEdges(rows, WHOLE), keyEdges: cellEdges(columns, WHOLE), exact: rows <= WHOLE && columns <= WHOLE };
}

const layerBytes = ({ heads, queries, keys }) => heads * queries * keys * 4;

// All layers where all are small, nearest first; else the heads one arrow key away.
function neighbours(map, { layer, head }, byLayer) {
  if (byLayer && map.layers * layerBytes(map) <= ALL_BYTES) {
    return Array.from({ length: map.layers }, (_, l) => [l, head]).sort(([a], [b]) => Math.abs(a - layer) - Math.abs(b - layer));
  }
  const near = [[layer, head + 1], [layer, head - 1], [layer + 1, head], [layer - 1, head]];
  return near.filter(([l, h]) => l >= 0 && l < map.layers && h >= 0 && h < map.heads);
}

const name = (spec) => JSON.stringify(Object.entries(spec).sort());
const matrix = (data, columns) => ({ data, columns, rows: columns ? data.length / columns : 0 });

export function largestOf(data) {
  let largest = 0;
  for (let i = 0; i < data.length; i++) if (data[i] > largest) largest = data[i];
  return largest;
}

export const rowOf = ({ data, columns }, i) => data.subarray(i * columns, (i + 1) * columns);

export function columnOf({ data, columns, rows }, j) {
  return Float32Array.from({ length: rows }, (_, i) => data[i * columns + j]);
}

/** A window of a matrix, as a matrix. */
export function cut(whole, [q0, q1], [k0, k1]) {
  if (q0 === 0 && q1 === whole.rows && k0 === 0 && k1 === whole.columns) return whole;
  const data = new Float32Array((q1 - q0) * (k1 - k0));
  for (let i = q0; i < q1; i++) data.set(whole.data.subarray(i * whole.columns + k0, i * whole.columns + k1), (i - q0) * (k1 - k0));
  return matrix(data, k1 - k0);
}

/** The chosen cell: what was chosen, completed by the strongest weight that is not a special token's. */
export function chosenCell(whole, { query, key }, special) {
  if (query !== null && key !== null) return { query, key };
  if (query !== null) return { query, key: strongest(matrix(rowOf(whole, query), whole.columns), special, [query, 0], true).key };
  if (key !== null) return { query: strongest(matrix(columnOf(whole, key), 1), special, [0, key], true).query, key };
  return strongest(whole, special, [0, 0]);
}

/** { query, key, weight } of the largest weight; special tokens count only when there is nothing else. */
export function strongest(block, special, [q0, k0], oneSided = false) {
  const found = [null, null];
  for (let i = 0; i < block.rows; i++) {
    for (let j = 0; j < block.columns; j++) {
      const [q, k] = [Boolean(special?.queries[q0 + i]), Boolean(special?.keys[k0 + j])];
      const last = (oneSided ? (block.columns === 1 ? q : k) : q || k) ? 1 : 0;
      const weight = block.data[i * block.columns + j];
      if (!found[last] || weight > found[last].weight) found[last] = { query: q0 + i, key: k0 + j, weight };
    }
  }
  // What has no weight at all is blocked, or as good as: then a special token is what is looked at.
  return found[0]?.weight > 0 || !found[1] ? found[0] : found[1];
}

// The overview's strongest cell that holds no special token, or else its strongest.
function strongestCell(overview, queryEdges, keyEdges, special, key) {
  const mixed = (edges, flags) => Array.from({ length: edges.length - 1 }, (_, i) => flags.slice(edges[i], edges[i + 1]).some(Boolean));
  const keys = mixed(keyEdges, special.keys).map((flag, j) => (key === null ? flag : !(keyEdges[j] <= key && key < keyEdges[j + 1])));
  return strongest(overview, { queries: mixed(queryEdges, special.queries), keys }, [0, 0]);
}
