// Which analyses a state asks for: { slot: [name, query] }, with query null where nothing is asked.

import { linkQuery } from "./link.js";
import { isByLength } from "./looked.js";

const CELLS = { unasked: 6e6, asked: 3e7 }; // weights of a kind up to which roles are looked for: always, while a tool is open

/** The slots of the scene that hold what the analyses replied. */
export const SLOTS = ["links", "mentions", "profile"];

// Find the head ranks by what is shown; roles and profiles are defined by weights.
const measured = (query, session) => (query && isByLength(session) ? { ...query, measure: "norm" } : query);
const READS_PROFILE = new Set(["link", "profile"]);

/** Tokens up to which every head of a kind is put into numbers at once. */
export const mostRanked = ({ layers, heads }) => Math.floor(Math.sqrt(CELLS.asked / (layers * heads)));

/** By slot, [name of the analysis, its parameters]. Of a long text roles are asked only while somebody looks at the answers; of a picture nothing is asked. */
export function questionsOf(state, session) {
  const { kind, layers, heads, queries, keys } = session.map;
  const tool = session.trace.picture ? null : state.tool;
  const isShort = layers * heads * queries * keys <= (READS_PROFILE.has(tool) ? CELLS.asked : CELLS.unasked);
  return {
    links: ["link", tool === "link" ? measured(linkQuery(session, state), session) : null],
    mentions: ["mentions", tool === "link" ? { kind } : null],
    profile: ["profile", isShort && !session.trace.picture ? { kind } : null],
  };
}
