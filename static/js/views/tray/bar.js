// Undo, redo, whether everything is kept, and the ways to look at the lesson.

import { setText } from "../../lib/dom.js";

const SLOW = 600; // milliseconds: what is kept sooner needs no word

export function createBar(root, { i18n, onUndo, onRedo, onPreview, onPresent, onPrint }) {
  const at = (name) => root.querySelector(`[data-${name}]`);
  const [undo, redo, kept, preview, present, print] = ["undo", "redo", "kept", "preview", "present", "print"].map(at);
  for (const [button, act] of [[undo, onUndo], [redo, onRedo], [preview, onPreview], [present, onPresent], [print, onPrint]]) button.addEventListener("click", act);

  let timer = 0;
  function say(how) {
    kept.dataset.kept = how;
    if (how === "not-kept") {
      timer ||= setTimeout(() => setText(kept, i18n.t("tray.not-kept")), SLOW);
      return;
    }
    clearTimeout(timer);
    timer = 0;
    setText(kept, i18n.t(`tray.${how}`));
  }

  return {
    update({ state, isKept, isTroubled, isReading, hasContent }) {
      const held = root.ownerDocument.activeElement;
      undo.disabled = !state.undo.length;
      redo.disabled = !state.redo.length;
      if (held === undo && undo.disabled) redo.focus();
      else if (held === redo && redo.disabled) undo.focus();
      for (const button of [preview, present, print]) button.disabled = !hasContent;
      preview.disabled &&= !isReading;
      preview.setAttribute("aria-pressed", String(isReading));
      setText(preview, i18n.t(isReading ? "tray.edit" : "tray.preview"));
      say(isTroubled ? "unkept" : isKept ? "kept" : "not-kept");
    },
  };
}
