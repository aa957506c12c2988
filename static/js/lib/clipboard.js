// Into the clipboard, and onto the disk. Where a page may not write to the clipboard, the caller says what to do instead.

/** Whether a text was copied. */
export async function copyText(doc, text) {
  try {
    await doc.defaultView.navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(doc, text);
  }
}

// Where the clipboard interface is closed (plain http on another host), the older way. What holds the focus keeps it,
// and in a dialog only what stands inside of it can be selected.
function copyBySelection(doc, text) {
  const focus = doc.activeElement;
  const field = doc.createElement("textarea");
  field.value = text;
  field.style.position = "fixed";
  field.style.opacity = "0";
  (doc.querySelector("dialog[open]") ?? doc.body).append(field);
  field.select();
  try {
    return doc.execCommand("copy");
  } catch {
    return false;
  } finally {
    field.remove();
    focus?.focus();
  }
}

/**
 * Whether a PNG was copied; draw() is a promise of its blob. The browser is asked at once, while the click still counts
 * as the person's wish, and waits for the picture itself. What goes wrong with the picture is thrown.
 */
export async function copyPicture(view, draw) {
  const { ClipboardItem, navigator } = view;
  if (!ClipboardItem || !navigator.clipboard?.write) return false;
  const picture = draw();
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
    return true;
  } catch {
    await picture;
    return false;
  }
}

/** Gives a blob to the visitor as a file. */
export function saveFile(doc, blob, name) {
  const { URL } = doc.defaultView;
  const link = doc.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
