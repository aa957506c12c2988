// Onto paper: in the light theme, in one column as wide as a sheet, and with the address of what is on show.

const LONGEST = 400; // characters of an address that somebody might still type

/** redraw() draws the page again for the room that it now has, and in the light theme while the class "printing" is there; linkOf() is what stands at the foot of a page that has one. */
export function createPrinting(view, { redraw, linkOf = null }) {
  const { document: doc } = view;
  const root = doc.documentElement;
  const footer = doc.getElementById("footer");

  function begin() {
    root.classList.add("printing");
    const link = linkOf?.();
    if (link) footer.dataset.link = link.length <= LONGEST ? link : "";
    redraw();
  }

  function end() {
    root.classList.remove("printing");
    redraw();
  }
  view.addEventListener("beforeprint", begin);
  view.addEventListener("afterprint", end);
}
