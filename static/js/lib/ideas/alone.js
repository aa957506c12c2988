// An idea's figure in somebody's frame: no header, the theme of the address or of the system, and a link to the whole page.

/** Stands where a page has its header. theme: what the address asks for, or null; onTheme() when the system's is another. */
export function createAlone(doc, { theme, onTheme }) {
  const root = doc.documentElement;
  const link = doc.getElementById("whole");
  const dark = doc.defaultView.matchMedia("(prefers-color-scheme: dark)");
  let worn = root.dataset.theme;
  dark.addEventListener("change", () => {
    if (theme) return;
    worn = dark.matches ? "dark" : "light";
    onTheme();
  });
  return {
    theme() {
      root.dataset.theme = root.classList.contains("printing") ? "light" : worn; // lib/printing.js: paper is light
      return root.dataset.theme;
    },
    update: ({ wholeHref }) => link.setAttribute("href", wholeHref),
  };
}
