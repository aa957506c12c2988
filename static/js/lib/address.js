// The address of the page: which choices are places of their own to come back to, and which take the last one's.

import { isPacked, PLAIN } from "./packing.js";

const ONE_GESTURE = 600; // milliseconds
const TEXTS = ["text", "pair", "target", "versus", "written"];

/**
 * remember(href, how): how is "key", "same" or "written" where a place may be taken over; keep(run, href, pause): what a
 * run has reached so far; read(search): a promise of the query string that the page is at, null for a damaged one;
 * short(href): the address as the bar shows it first.
 *
 * A long query string stands packed in the address. Until it is, and where even that is too long, the place itself keeps
 * it, for this tab, and the address has everything but the texts.
 */
export function createAddress({ history, here, pack, unpack, now = () => performance.now() }) {
  const kept = new WeakMap(); // run -> when it was last written down
  const current = () => (history.state?.search ? here().split("?")[0] + history.state.search : here());
  let lastKey = -Infinity;

  // A promise where something is packed. Keys held down are one gesture: they leave one place to come back to. So do the steps, and a text while it is written.
  function remember(href, how) {
    if (href === current()) return undefined;
    const time = now();
    const same = how === "same" || how === "written" || (how === "key" && time - lastKey < ONE_GESTURE);
    lastKey = how === "key" ? time : -Infinity;
    return write(same ? "replaceState" : "pushState", href);
  }

  function keep(run, href, pause = 0) {
    const time = now();
    if (time - (kept.get(run) ?? -Infinity) < pause) return;
    if (href !== current()) write(kept.has(run) ? "replaceState" : "pushState", href);
    kept.set(run, time);
  }

  function write(how, href) {
    const brief = short(href);
    if (brief === href) return history[how](null, "", href);
    const [path, query] = href.split("?");
    const search = `?${query}`;
    history[how]({ search }, "", brief);
    return pack(search).then((packed) => {
      if (packed !== null && history.state?.search === search) history.replaceState({ search }, "", path + packed);
    });
  }

  const read = async (search) => history.state?.search ?? (isPacked(search) ? unpack(search) : search);

  return { remember, keep, read, short, isKept: (run) => kept.has(run) };
}

// A long address without the texts that make it long; any other as it is.
function short(href) {
  const [path, query = ""] = href.split("?");
  if (query.length <= PLAIN) return href;
  const rest = new URLSearchParams(query);
  for (const name of TEXTS) rest.delete(name);
  return rest.size ? `${path}?${rest}` : path;
}
