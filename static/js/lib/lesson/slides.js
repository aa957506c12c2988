// A lesson as slides: a heading begins one, and a view ends one, so that no answer stands beside its question.

/**
 * Slides of what a reader sees, in order: items of { heading: bool, view: bool } and whatever else they carry. A slide is
 * a list of items.
 */
export function slidesOf(items) {
  const slides = [];
  for (const item of items) {
    const last = slides.at(-1);
    const begins = !last || item.heading || last.at(-1).view;
    if (begins) slides.push([item]);
    else last.push(item);
  }
  return slides;
}

const STEPS = {
  ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, Enter: 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1, Backspace: -1, Home: -Infinity, End: Infinity,
};

/** The slide that a key leads to from one of `count`; null for a key that leads nowhere. */
export function slideAt(key, shift, at, count) {
  const by = key === " " && shift ? -1 : STEPS[key];
  return by === undefined ? null : Math.max(0, Math.min(count - 1, at + by));
}
