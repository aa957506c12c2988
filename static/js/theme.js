// Runs before the first paint: the chosen theme, or the system's. Not a module, so that nothing flashes.
(() => {
  let choice = null;
  try {
    choice = window.localStorage.getItem("atlas-theme");
  } catch {
    // no storage: the system decides
  }
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = choice === "light" || choice === "dark" ? choice : dark ? "dark" : "light";
})();
