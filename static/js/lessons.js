// The pages of lessons: the header, and live views that are as tall as what they show.

import { createHeader } from "./views/header.js";
import { createI18n } from "./lib/i18n.js";
import { createPreferences } from "./lib/storage.js";

const boot = JSON.parse(document.getElementById("boot").textContent);
const i18n = createI18n(boot.lang, boot.messages);
const frames = [...document.querySelectorAll("iframe[data-view]")];
const header = createHeader(document.getElementById("header"), {
  i18n, preferences: createPreferences(() => window.localStorage), onTheme: () => frames.forEach(colour),
});

const inside = (frame) => (frame.contentDocument?.URL === "about:blank" ? null : frame.contentDocument);

// A view has read the reader's own theme when it opened; it is drawn anew in another.
function colour(frame) {
  const own = inside(frame)?.documentElement.dataset.theme;
  if (own && own !== header.theme()) frame.contentWindow.location.reload();
}

function fit(frame) {
  const body = inside(frame)?.body;
  if (!body) return;
  const measure = () => frame.style.setProperty("height", `${Math.ceil(body.getBoundingClientRect().height) + 2}px`);
  new frame.contentWindow.ResizeObserver(measure).observe(body);
}

// What is printed in place of a view that was seen is fetched after it: a browser that prints waits only briefly.
const PATIENCE = 1500; // milliseconds, so that the view itself comes first
function ready(frame) {
  if (!inside(frame)) return;
  fit(frame);
  setTimeout(() => frame.parentNode.querySelectorAll("img.printed").forEach((image) => (image.loading = "eager")), PATIENCE);
}

for (const frame of frames) {
  frame.addEventListener("load", () => ready(frame));
  ready(frame);
}

function languageHref() {
  const given = new URLSearchParams(location.search);
  given.set("lang", boot.lang === "en" ? "ko" : "en");
  return `${location.pathname}?${given}${location.hash}`;
}
const place = () => header.update({ languageHref: languageHref(), state: {} });
addEventListener("hashchange", place);
place();
