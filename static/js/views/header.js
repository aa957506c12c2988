// Language link and theme button, and on the Explore page the way to the model's head atlas.

import { setText } from "../lib/dom.js";

const THEMES = ["auto", "light", "dark"];
const PREFERENCE = "atlas-theme";

export function createHeader(root, { i18n, preferences, onTheme }) {
  const doc = root.ownerDocument;
  const button = root.querySelector("[data-theme-button]");
  const language = root.querySelector("[data-language]");
  const atlas = root.querySelector("#atlas");
  const dark = doc.defaultView.matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => (THEMES.includes(preferences.get(PREFERENCE)) ? preferences.get(PREFERENCE) : "auto");

  function apply() {
    const choice = chosen();
    doc.documentElement.dataset.theme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
    button.dataset.choice = choice;
    const name = i18n.t(`theme.${choice}`);
    setText(button.querySelector("[data-label]"), name);
    button.setAttribute("aria-label", i18n.t("theme.label", { choice: name }));
    button.title = i18n.t("theme.label", { choice: name });
  }
  button.addEventListener("click", () => {
    preferences.set(PREFERENCE, THEMES[(THEMES.indexOf(chosen()) + 1) % THEMES.length]);
    apply();
    onTheme();
  });
  dark.addEventListener("change", () => {
    apply();
    onTheme();
  });
  apply();
  return {
    theme: () => doc.documentElement.dataset.theme,
    update({ languageHref, state }) {
      language.setAttribute("href", languageHref);
      atlas?.setAttribute("href", `/models/${encodeURIComponent(state.model)}${state.lang ? `?lang=${state.lang}` : ""}`);
    },
  };
}
