// Fields to write in that another tab, or an undo, may change while somebody writes.

/** Puts a value into a field; what is written already, and the place of the caret, stay where nothing changed. */
export function put(field, value) {
  if (field.value === value || field.dataset.composing) return;
  const isHere = field === field.ownerDocument.activeElement;
  const [before, from] = [field.value, field.selectionStart];
  field.value = value;
  if (!isHere) return;
  const behind = before.length - from; // letters behind the caret stay behind it, where they are the same
  const at = value.endsWith(before.slice(from)) ? value.length - behind : Math.min(from, value.length);
  field.setSelectionRange(at, at);
}

const GROWS = globalThis.CSS?.supports("field-sizing", "content"); // then style sheets do it, and nothing is measured

/** As tall as what is written. */
export function grow(field) {
  if (GROWS || !field.offsetParent) return;
  field.style.setProperty("height", "auto");
  field.style.setProperty("height", `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`);
}
