// Runs before the first paint: the chosen theme, or the system's. Not a module, so that nothing flashes.
(() => {
  let choice = null;
  try {
    choice = window.localStorage.getItem("atlas-theme");
  } catch {
    // no storage: the system decides
  }
  const linked = new URLSearchParams(window.location.search).get("theme");
  if (linked === "light" || linked === "dark") choice = linked; // a link may say how it is to look
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = choice === "light" || choice === "dark" ? choice : dark ? "dark" : "light";
})();
