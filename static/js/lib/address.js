// The address of the page: which choices are places of their own to come back to, and which take the last one's.

const ONE_GESTURE = 600; // milliseconds

/** remember(href, how): how is "key", "same" or "written" where a place may be taken over; keep(run, href, pause): what a run has reached so far. */
export function createAddress({ history, here, now = () => performance.now() }) {
  const kept = new WeakMap(); // run -> when it was last written down
  let lastKey = -Infinity;

  // Keys held down are one gesture: they leave one place to come back to. So do the steps, and a text while it is written.
  function remember(href, how) {
    if (href === here()) return;
    const time = now();
    const same = how === "same" || how === "written" || (how === "key" && time - lastKey < ONE_GESTURE);
    lastKey = how === "key" ? time : -Infinity;
    history[same ? "replaceState" : "pushState"](null, "", href);
  }

  function keep(run, href, pause = 0) {
    const time = now();
    if (time - (kept.get(run) ?? -Infinity) < pause) return;
    if (href !== here()) history[kept.has(run) ? "replaceState" : "pushState"](null, "", href);
    kept.set(run, time);
  }

  return { remember, keep, isKept: (run) => kept.has(run) };
}
