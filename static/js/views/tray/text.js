// A text block: its Markdown, and beside it what readers will see.

import { el, setText } from "../../lib/dom.js";
import { clean } from "../../lib/lesson/file.js";
import { grow, put } from "../../lib/lesson/fields.js";
import { LIMITS } from "../../lib/lesson/lesson.js";
import { elementsOf } from "../../lib/lesson/rendering.js";

/** onEdit(patch) for every letter. */
export function createTextBlock(doc, { i18n, onEdit }) {
  const field = el(doc, "textarea", { rows: "3", maxlength: String(LIMITS.text), dir: "auto", placeholder: i18n.t("tray.text.placeholder"), spellcheck: "true" });
  const shown = el(doc, "div", { class: "prose", dir: "auto" });
  const room = el(doc, "p", { class: "hint", role: "status", hidden: true });
  const root = el(doc, "div", { class: "texting" }, el(doc, "div", {}, field, room), shown);
  let drawn = null;
  // While a syllable is put together the field is the person's alone.
  field.addEventListener("compositionstart", () => (field.dataset.composing = "1"));
  field.addEventListener("compositionend", () => {
    delete field.dataset.composing;
    onEdit({ markdown: clean(field.value) });
  });
  field.addEventListener("input", () => {
    grow(field);
    onEdit({ markdown: clean(field.value) });
  });

  return {
    root,
    focus: () => field.focus(),
    update({ block, rendering, name, language }) {
      field.setAttribute("aria-label", name);
      field.lang = language;
      shown.lang = language;
      put(field, block.markdown);
      grow(field);
      const isFull = block.markdown.length >= LIMITS.text; // the browser takes no letter more, and says nothing
      room.hidden = !isFull;
      if (isFull) setText(room, i18n.t("tray.text.room", { number: block.markdown.length, most: LIMITS.text }));
      const html = rendering?.html ?? "";
      if (html === drawn) return;
      drawn = html;
      shown.replaceChildren(...elementsOf(doc, html));
      for (const link of shown.querySelectorAll("a[href]")) link.target = "_blank"; // who writes stays here
    },
  };
}
