// Language link, the buttons for large text and the theme, and on the Explore page the way to the model's head atlas.

import { setText } from "../lib/dom.js";
import { isPlainClick } from "../lib/keys.js";

const THEMES = ["auto", "light", "dark"];
const PREFERENCE = "atlas-theme";
const TEXT = "atlas-text";

/** themeOf(): the theme that the address asks for, or null: the visitor's own. onTheme() when the visitor has chosen another; onLanguage(event) may go there itself. */
export function createHeader(root, { i18n, preferences, onTheme, onLanguage = null, themeOf = () => null }) {
  const doc = root.ownerDocument;
  const button = root.querySelector("[data-theme-button]");
  const language = root.querySelector("[data-language]");
  const atlas = root.querySelector("#atlas");
  const dark = doc.defaultView.matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => themeOf() ?? (THEMES.includes(preferences.get(PREFERENCE)) ? preferences.get(PREFERENCE) : "auto");

  function apply() {
    const choice = chosen();
    const isPrinted = doc.documentElement.classList.contains("printing"); // lib/printing.js: paper is light
    doc.documentElement.dataset.theme = isPrinted ? "light" : choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
    button.dataset.choice = choice;
    const name = i18n.t(`theme.${choice}`);
    setText(button.querySelector("[data-label]"), name);
    button.setAttribute("aria-label", i18n.t("theme.label", { choice: name }));
    button.title = i18n.t("theme.label", { choice: name });
  }
  button.addEventListener("click", () => {
    preferences.set(PREFERENCE, THEMES[(THEMES.indexOf(chosen()) + 1) % THEMES.length]);
    onTheme();
    apply();
  });
  createLargeText(root.querySelector("[data-large-text]"), preferences, onTheme);
  if (onLanguage) language.addEventListener("click", (event) => isPlainClick(event) && onLanguage(event));
  dark.addEventListener("change", () => {
    if (themeOf() !== null) return;
    apply();
    onTheme();
  });
  apply();
  return {
    theme() {
      apply(); // another address may ask for another theme
      return doc.documentElement.dataset.theme;
    },
    update({ languageHref, atlasHref }) {
      language.setAttribute("href", languageHref);
      atlas?.toggleAttribute("hidden", atlasHref === null);
      if (atlasHref) atlas?.setAttribute("href", atlasHref);
    },
  };
}

// For the back row: everything larger, where a screen is wide enough for it. What is drawn is drawn anew, sharp.
function createLargeText(button, preferences, onChange) {
  const page = button.ownerDocument.documentElement;
  const show = () => {
    page.dataset.letters = preferences.get(TEXT) === "large" ? "large" : "usual";
    button.setAttribute("aria-pressed", String(page.dataset.letters === "large"));
  };
  button.addEventListener("click", () => {
    preferences.set(TEXT, page.dataset.letters === "large" ? "usual" : "large");
    show();
    onChange();
  });
  show();
}
