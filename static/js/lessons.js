// The pages of lessons: the header, and live views that are as tall as what they show.

import { createHeader } from "./views/header.js";
import { createI18n } from "./lib/i18n.js";
import { adopt, recolour } from "./lib/lesson/frames.js";
import { createPrinted } from "./lib/lesson/printed.js";
import { createPreferences } from "./lib/storage.js";

const boot = JSON.parse(document.getElementById("boot").textContent);
const i18n = createI18n(boot.lang, boot.messages);
const header = createHeader(document.getElementById("header"), {
  i18n, preferences: createPreferences(() => window.localStorage), onTheme: () => recolour(document, header.theme()),
});

for (const frame of document.querySelectorAll("iframe[data-view]")) adopt(frame);

// On paper a view is its picture.
const PATIENCE = 1500; // milliseconds, so that the views on screen come first
const printed = createPrinted([...document.querySelectorAll("img.printed")]);
setTimeout(printed.gather, PATIENCE);
addEventListener("beforeprint", printed.ready); // from the browser's own menu, which waits briefly, if at all

const button = document.querySelector("[data-print]"); // not on the list of lessons
async function print() {
  const status = document.querySelector(".preparing");
  button.disabled = true;
  if (!printed.isReady()) status.textContent = i18n.t("share.files.waiting");
  await printed.ready();
  status.textContent = "";
  button.disabled = false;
  window.print();
}
if (button) button.hidden = false;
button?.addEventListener("click", print);
document.addEventListener("keydown", (event) => {
  if (!button || !(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== "p") return;
  event.preventDefault();
  print();
});

function languageHref() {
  const given = new URLSearchParams(location.search);
  given.set("lang", boot.lang === "en" ? "ko" : "en");
  return `${location.pathname}?${given}${location.hash}`;
}
const place = () => header.update({ languageHref: languageHref(), state: {} });
addEventListener("hashchange", place);
place();
