// What each head of a model does in one sentence, from its weights alone.

import { bitsOf } from "../bits.js";

/** The roles that cards are made of; "broad" is measured by its entropy in bits, the others by their share of the weights. */
export const ROLES = ["previous", "next", "ends", "broad"];

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * What a head's rows (query, key) do: each role's number, a mean over the queries that could. Special tokens do not
 * count as queries: what they look at says nothing of the sentence.
 */
export function doesOf(rows, special) {
  const words = rows.map((_, i) => i).filter((i) => !special[i]);
  const offset = (by) => mean(words.filter((i) => i + by >= 0 && i + by < rows.length).map((i) => rows[i][i + by]));
  return {
    previous: offset(-1), next: offset(1),
    ends: mean(words.map((i) => rows[i].reduce((sum, weight, j) => (special[j] ? sum + weight : sum), 0))),
    broad: mean(words.map((i) => bitsOf(rows[i]))),
  };
}

/** Of heads { layer, head, rows } the one that does most of each role: [{ role, layer, head, rows, value }]. */
export function pick(heads, special) {
  const all = heads.map((one) => ({ ...one, does: doesOf(one.rows, special) }));
  return ROLES.map((role) => {
    const best = all.reduce((top, one) => (one.does[role] > top.does[role] ? one : top));
    return { role, layer: best.layer, head: best.head, rows: best.rows, value: best.does[role], does: best.does };
  });
}

/** What a row that looks at all alike would give a role: a share, or the entropy that is the most there is. */
export function evenOf(role, special) {
  const count = special.length;
  if (role === "broad") return Math.log2(count);
  return role === "ends" ? special.filter(Boolean).length / count : 1 / count;
}

/** Four heads to guess from, of which the first picked is the right one, in an order that the sentence draws. */
export function quizOf(picked, heads, special) {
  const [one] = picked;
  const four = [];
  const rest = heads.map((other) => ({ ...other, does: doesOf(other.rows, special) }));
  for (const other of [...picked, ...rest]) if (four.length < 4 && !four.some(({ layer, head }) => layer === other.layer && head === other.head)) four.push(other);
  const turn = (one.layer + one.head) % four.length;
  return [...four.slice(turn), ...four.slice(0, turn)];
}
