// Undo, redo, whether everything is kept, and the ways to look at the lesson.

import { setText } from "../../lib/dom.js";

export function createBar(root, { i18n, onUndo, onRedo, onPreview, onPresent, onPrint }) {
  const at = (name) => root.querySelector(`[data-${name}]`);
  const [undo, redo, kept, preview, present, print] = ["undo", "redo", "kept", "preview", "present", "print"].map(at);
  for (const [button, act] of [[undo, onUndo], [redo, onRedo], [preview, onPreview], [present, onPresent], [print, onPrint]]) button.addEventListener("click", act);
  return {
    update({ state, isKept, isReading, hasContent }) {
      undo.disabled = !state.undo.length;
      redo.disabled = !state.redo.length;
      for (const button of [preview, present, print]) button.disabled = !hasContent;
      preview.disabled &&= !isReading;
      preview.setAttribute("aria-pressed", String(isReading));
      setText(preview, i18n.t(isReading ? "tray.edit" : "tray.preview"));
      setText(kept, i18n.t(isKept ? "tray.kept" : "tray.not-kept"));
    },
  };
}
