// Live views in frames of our own: as tall as what they show, and in the reader's theme.

import { el } from "../dom.js";

const inside = (frame) => (frame.contentDocument?.URL === "about:blank" ? null : frame.contentDocument);

function fit(frame) {
  const { body } = inside(frame);
  const measure = () => frame.style.setProperty("height", `${Math.ceil(body.getBoundingClientRect().height) + 2}px`);
  new frame.contentWindow.ResizeObserver(measure).observe(body);
}

/** Fits a frame to its view whenever one has come, also before this was asked; onView(document) has it then. */
export function adopt(frame, onView = () => {}) {
  const ready = () => {
    if (!inside(frame)?.body) return;
    fit(frame);
    onView(inside(frame));
  };
  frame.addEventListener("load", ready);
  ready();
}

/** The frame of a view; onKey(event) hears what is pressed inside. */
export function frameOf(doc, { embed, parts, title, eager = false, onKey = null }) {
  const frame = el(doc, "iframe", { class: parts.join(" "), title, loading: eager ? "eager" : "lazy", "data-view": "" });
  adopt(frame, (view) => onKey && view.addEventListener("keydown", onKey));
  frame.src = embed;
  return frame;
}

/** A view has read the reader's theme when it opened; it is drawn anew in another. */
export function recolour(root, theme) {
  for (const frame of root.querySelectorAll("iframe[data-view]")) {
    const own = inside(frame)?.documentElement.dataset.theme;
    if (own && own !== theme) frame.contentWindow.location.reload();
  }
}
