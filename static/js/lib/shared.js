// What sharing asks of the server, and the names of what is shared.

import { exampleOf } from "./choices.js";
import { MOST_PACKED } from "./packing.js";
import { asRead, pictureSearch, USUAL } from "./sharing.js";
import { excerpt } from "./tokens.js";

const NAMED = 60; // characters of a text that name it
const LOOK = 300; // characters that an address needs for how a picture or an embed looks

/**
 * searchOf(state): everything that a state says, as a query string; pack(search): a promise of it as it travels, null
 * where it is too long; file(path, signal): { blob, name }; hold(session): the trace's id once the server has it;
 * words(subject): the alt text of a picture; title(subject): one line that names it; travelling(state, session): a promise
 * of the state that an address carries, the same one unless its text is too long and the model read its beginning only.
 */
export function createSharing({ api, base, searchOf, pack, i18n }) {
  let told = { of: null, text: null };

  // It is the same however the picture looks.
  function words({ state, what }) {
    const search = pictureSearch(state, what, { ...USUAL, theme: "light" }, searchOf);
    if (told.of !== search) told = { of: search, text: describe(search) };
    return told.text;
  }

  async function describe(search) {
    try {
      const packed = await pack(search);
      if (packed === null) return "";
      const { blob } = await api.file(`/figure.json${packed}&values=0`);
      return JSON.parse(await blob.text()).alt_text ?? "";
    } catch (error) {
      if (told.of === search) told = { of: null, text: null };
      throw error;
    }
  }

  function title({ state, session }) {
    const line = (exampleOf(state, session.posted).text ?? "").replace(/\s+/g, " ").trim();
    return i18n.t("card.title", { head: `L${state.layer} H${state.head}`, text: line ? excerpt(line, 0, NAMED) : session.trace.model.full_title });
  }

  async function travelling(state, { posted }) {
    const packed = await pack(searchOf(state));
    return packed !== null && packed.length <= MOST_PACKED - LOOK ? state : (asRead(state, posted) ?? state);
  }

  async function hold({ request, posted }) {
    return request.trace ? posted.id : (await api.trace(request)).id;
  }

  return { base, searchOf, pack, file: api.file, hold, words, title, travelling };
}
