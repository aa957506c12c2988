// Saving, opening and exporting: the dialog, and files that are dropped onto the page.

import { saveFile } from "../../lib/clipboard.js";
import { setText } from "../../lib/dom.js";
import { fileOf, holdsFiles } from "../../lib/dropped.js";
import { createTelling } from "../../lib/telling.js";

/**
 * save(kind): a promise of { blob, name }; read(file): a promise of the checked lesson; onOpen(lesson, how) with how
 * "append" or "replace"; fits(lesson): whether there is room for it behind; onClear() empties the lesson.
 */
export function createFiles(root, { i18n, opener, asking, dropping, sentenceOf, save, read, onOpen, onClear, obstacle, isEmpty, fits }) {
  const doc = root.ownerDocument;
  const at = (name) => root.querySelector(`[data-${name}]`);
  const [hindered, input, wrong, clear] = ["obstacle", "input", "wrong", "clear"].map(at);
  const savers = [...root.querySelectorAll("[data-save]")];
  const tell = createTelling(at("told"));
  let opened = null;

  opener.addEventListener("click", () => {
    wrong.hidden = true;
    tell.say("");
    root.showModal();
    update();
  });
  for (const dialog of [root, asking]) dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  at("close").addEventListener("click", () => root.close());
  at("open").addEventListener("click", () => input.click());
  input.addEventListener("change", () => take(fileOf(input)));
  clear.addEventListener("click", () => {
    root.close();
    onClear();
  });
  for (const button of savers) {
    button.addEventListener("click", () => tell.during(button, async () => {
      wrong.hidden = true;
      setText(button, i18n.t("share.files.waiting"));
      try {
        const { blob, name } = await save(button.dataset.save);
        saveFile(doc, blob, name);
        return i18n.t("share.files.done", { name });
      } catch (error) {
        say(error);
        return "";
      } finally {
        setText(button, i18n.t("share.download"));
      }
    }, sentenceOf));
  }

  function say(error) {
    if (!root.open) root.showModal();
    update();
    wrong.hidden = false;
    setText(wrong, sentenceOf(error));
    wrong.scrollIntoView({ block: "nearest" });
  }

  async function take(file) {
    input.value = ""; // the same file may be opened again
    if (!file) return;
    wrong.hidden = true;
    try {
      opened = await read(file);
    } catch (error) {
      say(error);
      return;
    }
    if (root.open) root.close();
    if (isEmpty()) return onOpen(opened, "replace");
    setText(asking.querySelector("[data-named]"), opened.title);
    const isRoom = fits(opened);
    asking.querySelector("[data-append]").disabled = !isRoom;
    asking.querySelector("[data-many]").hidden = isRoom;
    asking.showModal();
    return undefined;
  }
  const answer = (how) => () => {
    asking.close();
    if (how) onOpen(opened, how);
  };
  for (const [name, how] of [["cancel", null], ["append", "append"], ["replace", "replace"]]) asking.querySelector(`[data-${name}]`).addEventListener("click", answer(how));

  // A file that nobody takes would make the browser leave the page.
  doc.addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    dropping.hidden = false;
  });
  doc.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) dropping.hidden = true;
  });
  doc.addEventListener("drop", (event) => {
    dropping.hidden = true;
    if (!holdsFiles(event)) return;
    event.preventDefault();
    take(fileOf(event.dataTransfer));
  });

  function update() {
    if (!root.open) return;
    const why = obstacle();
    hindered.hidden = !why;
    if (why) setText(hindered, i18n.t(`tray.obstacle.${why}`));
    for (const button of savers) button.disabled = Boolean(why);
    clear.disabled = isEmpty();
  }
  return { update };
}
