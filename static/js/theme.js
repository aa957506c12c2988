// Runs before the first paint: the chosen theme, or the system's, and the size of the text. Not a module, so that nothing flashes.
(() => {
  let choice = null;
  let text = null;
  try {
    choice = window.localStorage.getItem("atlas-theme");
    text = window.localStorage.getItem("atlas-text");
  } catch {
    // no storage: the system decides
  }
  document.documentElement.dataset.letters = text === "large" ? "large" : "usual";
  const linked = new URLSearchParams(window.location.search).get("theme");
  if (linked === "light" || linked === "dark") choice = linked; // a link may say how it is to look
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = choice === "light" || choice === "dark" ? choice : dark ? "dark" : "light";
})();
