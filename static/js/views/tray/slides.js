// The lesson for the back row: a slide at a time, over the whole screen, stepped through with keys.

import { el, setText } from "../../lib/dom.js";
import { frameOf } from "../../lib/lesson/frames.js";
import { elementsOf } from "../../lib/lesson/rendering.js";
import { slideAt, slidesOf } from "../../lib/lesson/slides.js";

const WITHIN = new Set(["PageDown", "PageUp", "Escape"]); // what a view inside does not need itself

export function createSlides(root, { i18n, onEnd }) {
  const doc = root.ownerDocument;
  const [place, counter, back, on, end] = ["slide", "at", "back", "on", "end"].map((name) => root.querySelector(`[data-${name}]`));
  let slides = [];
  let at = 0;
  let before = null; // what had the focus

  function itemsOf({ lesson, renderingOf, title }) {
    const summary = lesson.summary.trim();
    const first = [el(doc, "h1", { text: lesson.title.trim() || title, dir: "auto" }), ...(summary ? [el(doc, "p", { class: "lead", text: summary, dir: "auto" })] : [])];
    const items = first.map((node, index) => ({ node: () => node, heading: index === 0, view: false }));
    lesson.blocks.forEach((block, index) => {
      const rendering = renderingOf(block);
      if (!rendering) return;
      if (rendering.html === undefined) items.push({ node: () => viewOf(rendering), heading: false, view: true });
      else items.push(...textsOf(rendering.html, items.length === first.length && index === 0));
    });
    return items;
  }

  // What comes before the first heading has a slide of its own, too.
  function textsOf(html, isFirst) {
    const nodes = elementsOf(doc, html).filter(({ nodeType }) => nodeType === 1);
    return nodes.map((node, index) => ({ node: () => node, heading: node.localName === "h2" || (isFirst && index === 0), view: false }));
  }

  function viewOf({ embed, parts, title, still, pictures, caption }) {
    const shown = still ? pictures.map((path) => el(doc, "img", { class: "still", src: path, alt: title })) : [frameOf(doc, { embed, parts, title, eager: true, onKey: pressedInside })];
    return el(doc, "figure", { class: "view card" }, ...shown, ...(caption ? [el(doc, "figcaption", {}, el(doc, "span", { class: "says", dir: "auto" }, ...elementsOf(doc, caption)))] : []));
  }

  function show(next) {
    at = next;
    const texts = slides[at].filter(({ view }) => !view).map(({ node }) => node());
    const views = slides[at].filter(({ view }) => view).map(({ node }) => node());
    place.className = `slide${views.length && texts.length ? " both" : ""}${at === 0 ? " first" : ""}`;
    place.replaceChildren(...(texts.length ? [el(doc, "div", { class: "prose" }, ...texts)] : []), ...views);
    place.scrollTop = 0;
    setText(counter, i18n.t("tray.slide.at", { number: at + 1, count: slides.length }));
    back.disabled = at === 0;
    on.disabled = at === slides.length - 1;
  }

  function pressed(event) {
    if (root.hidden || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") return leave();
    const isButton = event.target.closest?.("button, a") && [" ", "Enter"].includes(event.key);
    const to = isButton ? null : slideAt(event.key, event.shiftKey, at, slides.length);
    if (to === null) return;
    event.preventDefault();
    if (to !== at) show(to);
  }
  function pressedInside(event) {
    if (!WITHIN.has(event.key)) return;
    root.focus();
    pressed(event);
  }

  // What is behind the slides is out of reach, also where they fill only the window.
  function cover(on) {
    for (const one of [...doc.body.children, ...root.parentNode.children]) if (!one.contains(root) && one.localName !== "dialog") one.inert = on;
  }

  async function leave() {
    if (root.hidden) return;
    root.hidden = true;
    cover(false);
    doc.documentElement.classList.remove("presenting");
    place.replaceChildren();
    onEnd();
    if (doc.fullscreenElement) await doc.exitFullscreen().catch(() => {});
    before?.focus();
  }

  doc.addEventListener("keydown", pressed);
  back.addEventListener("click", () => at > 0 && show(at - 1));
  on.addEventListener("click", () => at < slides.length - 1 && show(at + 1));
  end.addEventListener("click", leave);
  doc.addEventListener("fullscreenchange", () => !doc.fullscreenElement && leave());

  return {
    isOn: () => !root.hidden,
    /** opener has the focus again at the end. */
    start(scene, opener) {
      before = opener;
      slides = slidesOf(itemsOf(scene));
      root.lang = scene.lesson.language;
      root.hidden = false;
      doc.documentElement.classList.add("presenting");
      cover(true);
      show(0);
      root.focus();
      // Where a browser does not let a page fill the screen, it fills the window.
      root.requestFullscreen?.().catch(() => {});
    },
  };
}
