// A row of buttons with one tab stop: arrows, Home and End move the focus along it.

const BACK = new Set(["ArrowLeft", "ArrowUp"]);
const FORTH = new Set(["ArrowRight", "ArrowDown"]);

const MIRRORED = { ArrowLeft: "ArrowRight", ArrowRight: "ArrowLeft" };

/** The place a key leads to among n, or null; in a row that runs from right to left, left leads on. */
export function rove(pressed, at, n, dir = "ltr") {
  const key = dir === "rtl" ? (MIRRORED[pressed] ?? pressed) : pressed;
  if (BACK.has(key)) return Math.max(0, at - 1);
  if (FORTH.has(key)) return Math.min(n - 1, at + 1);
  if (key === "Home") return 0;
  if (key === "End") return n - 1;
  return null;
}

/** Makes the buttons inside root one tab stop. items() lists them in order; stop(i) moves the stop there. */
export function createRoving(root, items) {
  function stop(at) {
    items().forEach((item, i) => item.setAttribute("tabindex", i === at ? "0" : "-1"));
  }
  root.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const list = items();
    const at = list.indexOf(event.target.closest("button"));
    const to = at < 0 ? null : rove(event.key, at, list.length, root.dir);
    if (to === null) return;
    event.preventDefault();
    stop(to);
    list[to].focus();
  });
  return { stop };
}
