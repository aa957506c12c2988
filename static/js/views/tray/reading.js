// The lesson as its readers see it: texts, live views, captions; on paper the views' pictures.

import { el } from "../../lib/dom.js";
import { frameOf } from "../../lib/lesson/frames.js";
import { elementsOf } from "../../lib/lesson/rendering.js";

/** whyNot(path): a promise of why a picture is not drawn. */
export function createReading(root, { i18n, whyNot }) {
  const doc = root.ownerDocument;
  const made = new WeakMap(); // rendering -> element; a frame that is moved in the document loads again

  let drawn = [];

  function draw({ lesson, renderingOf, title }) {
    const parts = lesson.blocks.map((block) => renderingOf(block)).filter(Boolean);
    const summary = lesson.summary.trim();
    const now = [lesson.title, summary, lesson.language, ...parts];
    if (now.length === drawn.length && now.every((one, index) => one === drawn[index])) return;
    drawn = now;
    root.lang = lesson.language;
    root.replaceChildren(el(doc, "article", {}, el(doc, "h1", { text: lesson.title.trim() || title, dir: "auto" }),
      ...(summary ? [el(doc, "p", { class: "lead", text: summary, dir: "auto" })] : []), ...parts.map(partOf)));
  }

  function partOf(rendering) {
    if (!made.has(rendering)) made.set(rendering, rendering.html === undefined ? viewOf(rendering) : el(doc, "div", { class: "prose", dir: "auto" }, ...elementsOf(doc, rendering.html)));
    return made.get(rendering);
  }

  function viewOf({ embed, explore, pictures, parts, title, still, caption }) {
    const printed = pictures.map((path) => {
      const image = el(doc, "img", { class: still ? "still" : "printed", alt: title });
      image.addEventListener("error", async () => image.replaceWith(el(doc, "p", { class: "missing", text: await whyNot(path) })));
      image.src = path;
      return image;
    });
    return el(doc, "figure", { class: "view card" }, ...(still ? [] : [frameOf(doc, { embed, parts, title })]), ...printed,
      el(doc, "figcaption", {}, ...(caption ? [el(doc, "span", { class: "says", dir: "auto" }, ...elementsOf(doc, caption))] : []),
        el(doc, "a", { class: "open", href: explore, text: i18n.t("lesson.open"), lang: i18n.lang })));
  }

  return {
    draw,
    /** A promise that its pictures are there, or cannot be. */
    ready: () => Promise.all([...root.querySelectorAll("img")].map((image) => image.decode().catch(() => {}))),
    leave() {
      drawn = [];
      if (root.firstChild) root.replaceChildren();
    },
  };
}
