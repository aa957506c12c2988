// A view block: its picture, what of the view is shown, its caption, and the way to Explore and back.

import { el, setText } from "../../lib/dom.js";
import { line, pageOf } from "../../lib/lesson/file.js";
import { put } from "../../lib/lesson/fields.js";
import { LIMITS, PARTS } from "../../lib/lesson/lesson.js";
import { elementsOf, sketch } from "../../lib/lesson/rendering.js";

/** onEdit(patch); onOpen() when the view is opened to be changed; whyNot(path): a promise of why a picture is not drawn. */
export function createViewBlock(doc, { i18n, onEdit, onOpen, whyNot }) {
  const pictures = el(doc, "div", { class: "pictures" });
  const caption = el(doc, "input", { maxlength: String(LIMITS.caption), placeholder: i18n.t("tray.caption"), "aria-label": i18n.t("tray.caption"), dir: "auto", autocomplete: "off" });
  const said = el(doc, "p", { class: "said", dir: "auto" });
  const boxes = PARTS.map((part) => el(doc, "input", { type: "checkbox", value: part, onchange: choose }));
  const parts = el(doc, "fieldset", { class: "showing" }, el(doc, "legend", { text: i18n.t("tray.show") }),
    ...boxes.map((box) => el(doc, "label", { class: "check" }, box, i18n.t(`lesson.part.${box.value}`))));
  const open = el(doc, "a", { class: "open", text: i18n.t("lesson.open"), onclick: onOpen });
  const root = el(doc, "div", { class: "viewing" }, pictures, el(doc, "div", { class: "beside" }, caption, said, parts, open));
  let drawn = "";

  caption.addEventListener("input", () => onEdit({ caption: line(caption.value) }));
  function choose() {
    const show = boxes.filter(({ checked }) => checked).map(({ value }) => value);
    if (show.length) onEdit({ show });
    else this.checked = true; // a view shows something
  }

  function draw(paths, title) {
    const now = paths.join(" ");
    if (now === drawn) return;
    drawn = now;
    pictures.replaceChildren(...paths.map((path) => picture(path, title)));
  }

  function picture(path, title) {
    const image = el(doc, "img", { alt: title, loading: "lazy", "data-waits": "" });
    image.addEventListener("load", () => image.removeAttribute("data-waits"));
    image.addEventListener("error", async () => image.replaceWith(el(doc, "p", { class: "missing", text: await whyNot(path) })));
    image.src = path;
    return image;
  }

  return {
    root,
    focus: () => caption.focus(),
    update({ block, rendering, theme, lang, language }) {
      put(caption, block.caption ?? "");
      caption.lang = language;
      said.lang = language;
      parts.hidden = !block.show;
      for (const box of boxes) box.checked = block.show?.includes(box.value) ?? false;
      open.href = `/${pageOf(block, lang)}`;
      if (!rendering) return;
      draw(rendering.pictures.map((path) => sketch(path, theme)), rendering.title);
      const html = rendering.caption ?? "";
      const isMarked = /[<&]/.test(html); // shown only where it differs from what was typed
      said.hidden = !isMarked;
      if (said.dataset.html !== html) said.replaceChildren(...elementsOf(doc, html));
      said.dataset.html = html;
      setText(open, i18n.t("lesson.open"));
    },
  };
}
