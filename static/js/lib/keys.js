// Where a key leads in a grid of rows × columns; null for a key that leads nowhere.

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export function moveInGrid({ key, ctrlKey = false, metaKey = false, altKey = false }, [row, column], [rows, columns]) {
  if (altKey || metaKey) return null;
  if (key in STEPS && !ctrlKey) {
    const [down, right] = STEPS[key];
    return [Math.min(rows - 1, Math.max(0, row + down)), Math.min(columns - 1, Math.max(0, column + right))];
  }
  if (key === "Home") return [ctrlKey ? 0 : row, 0];
  if (key === "End") return [ctrlKey ? rows - 1 : row, columns - 1];
  return null;
}

/** A plain left click that the page may answer itself; others open tabs and windows. */
export function isPlainClick(event) {
  return event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
}
