// Clicks told apart from drags, and two clicks in one place from two clicks.

const STILL = 5;
const TWICE = 350;

/** Where an event is within an element, in the element's own pixels, whatever it is zoomed by. */
export function placeIn(element, { clientX, clientY }) {
  const box = element.getBoundingClientRect();
  const zoom = zoomOf(element);
  return [(clientX - box.left) / zoom, (clientY - box.top) / zoom];
}

/** How many pixels of the page one of the element's own takes: 1, but where text is large. */
export function zoomOf(element) {
  const zoom = element.offsetWidth > 0 ? element.getBoundingClientRect().width / element.offsetWidth : 1;
  return Math.abs(zoom - 1) < 0.02 ? 1 : zoom; // one of the two widths is rounded
}

/** How many pixels of the screen one of the element's own takes: a canvas that has as many is sharp. */
export const sharpness = (element) => (element.ownerDocument.defaultView.devicePixelRatio || 1) * zoomOf(element);

/** onMove(event or null), onClick(event), onTwice() for one element. Plotly's own drag stays as it is. */
export function listenToPointer(element, { onMove, onClick, onTwice }) {
  const doc = element.ownerDocument;
  let pressed = null;
  let last = { time: -Infinity, x: 0, y: 0 };

  const isStill = (event, from, room) => Math.hypot(event.clientX - from.x, event.clientY - from.y) <= room;
  function release(event) {
    const from = pressed;
    pressed = null;
    if (!from || !isStill(event, from, STILL)) return;
    const twice = event.timeStamp - last.time < TWICE && isStill(event, last, 2 * STILL);
    last = { time: twice ? -Infinity : event.timeStamp, ...from };
    if (twice) onTwice();
    else onClick(event);
  }
  element.addEventListener("pointermove", (event) => event.pointerType !== "touch" && onMove(event));
  element.addEventListener("pointerleave", () => onMove(null));
  element.addEventListener("pointerdown", (event) => {
    pressed = event.button === 0 ? { x: event.clientX, y: event.clientY } : null;
  }, true);
  doc.addEventListener("pointercancel", () => (pressed = null), true);
  doc.addEventListener("pointerup", release, true);
}
