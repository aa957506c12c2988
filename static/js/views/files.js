// A trace file is opened by a button, or dropped anywhere on the page.

import { el, setText } from "../lib/dom.js";
import { fileOf, holdsFiles, isTraceFile } from "../lib/dropped.js";

/** onFile(file, count) is told the first of so many, and settles when the file is answered, well or not. Pictures that are dropped where there is a place for them are not its own. */
export function createFiles(button, { i18n, may, onFile }) {
  const doc = button.ownerDocument;
  const input = el(doc, "input", { type: "file", accept: ".safetensors", hidden: true, onchange: () => take(input) });
  const place = el(doc, "div", { id: "dropping", "aria-hidden": "true", hidden: true }, el(doc, "p", { text: i18n.t("file.drop") }));
  button.after(input);
  button.hidden = !may;
  button.addEventListener("click", () => input.click());
  doc.body.append(place);
  let pictures = false; // whether the page takes pictures now

  async function take(transfer) {
    const file = fileOf(transfer);
    const count = transfer.files.length;
    input.value = ""; // the same file may be opened again
    if (!file || button.getAttribute("aria-busy") === "true") return;
    wait(true);
    try {
      await onFile(file, count);
      doc.defaultView.scrollTo(0, 0); // where the new text stands, or what is wrong with the file
    } finally {
      wait(false);
    }
  }
  function wait(is) {
    button.setAttribute("aria-busy", String(is));
    setText(button, i18n.t(is ? "file.opening" : "file.open"));
  }

  // A file that nobody takes would make the browser leave the page.
  doc.addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    place.hidden = pictures;
  });
  doc.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) place.hidden = true;
  });
  doc.addEventListener("drop", (event) => {
    place.hidden = true;
    if (!holdsFiles(event)) return;
    event.preventDefault();
    if (!pictures || isTraceFile(fileOf(event.dataTransfer))) take(event.dataTransfer);
  });

  return { update: ({ input: kind }) => (pictures = kind === "picture") };
}
