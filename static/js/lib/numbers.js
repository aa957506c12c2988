// What a length is made of: the weight α and the length ‖f(x)‖ of one token that looks and one that is looked at.

import { createCache } from "./cache.js";
import { spanAt } from "./looked.js";

const BUDGET = 2_000_000; // bytes of rows that a session keeps

/**
 * weights(query) answers a window of weights, norms() all lengths (layer, head, key), both of the tokens as the model
 * read them. of(place) resolves to { weight, norm } of a place { layer, head, query, key }.
 */
export function createNumbers({ weights, norms }) {
  const rows = createCache(BUDGET);
  let lengths = null;

  async function row({ layer, head, query }) {
    const name = `${layer} ${head} ${query}`;
    return rows.get(name) ?? rows.once(name, async () => {
      const found = await weights({ layer, head, queries: `${query}:${query + 1}` });
      rows.put(name, found);
      return found;
    });
  }
  async function all() {
    lengths ??= norms().catch((error) => {
      lengths = null;
      throw error;
    });
    return lengths;
  }
  async function of(place) {
    const [{ data }, { data: every, shape: [, heads, keys] }] = await Promise.all([row(place), all()]);
    return { weight: data[place.key], norm: every[(place.layer * heads + place.head) * keys + place.key] };
  }
  return { of };
}

/** The tokens of the model that a shown cell stands for, { query, key }; null where it stands for several. */
export function placeOf({ queryTokens, keyTokens }, { query, key }) {
  const [[from, to], [first, last]] = [spanAt(queryTokens, query), spanAt(keyTokens, key)];
  return from === to && first === last ? { query: from, key: first } : null;
}

/** What the chosen cell is made of, as it becomes known: want(session, place or null), now(): { weight, norm } or null. */
export function createChosenNumbers({ onChange }) {
  let wanted = { session: null, name: null };
  let found = null;

  return {
    want(session, place) {
      const name = place && JSON.stringify(place);
      if (wanted.session === session && wanted.name === name) return;
      const mine = { session, name };
      wanted = mine;
      found = null;
      if (!place) return;
      session.numbers.of(place).then((value) => {
        if (wanted !== mine) return;
        found = value;
        onChange();
      }, () => {
        if (wanted === mine) wanted = { session: null, name: null }; // the next move asks again
      });
    },
    now: () => found,
  };
}
