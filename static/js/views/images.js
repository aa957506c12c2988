// For models that look at pictures: our samples, and a picture of one's own by button, drop or paste.

import { el, setText } from "../lib/dom.js";
import { fileOf, holdsFiles, isTraceFile } from "../lib/dropped.js";

export const ACCEPTED = ["image/png", "image/jpeg", "image/webp"];
const MOST_BYTES = 8 * 1024 * 1024;

/** The message that says why a file is not sent, or null. A file whose type the system does not know is tried. */
export function refusalOf({ type, size }) {
  if (type && !ACCEPTED.includes(type)) return "images.wrong-type";
  return size > MOST_BYTES ? "images.too-large" : null;
}

/**
 * The samples are the model's own, names each with a message "images.sample.NAME"; sampleUrl(name or id) is where a
 * picture is. onImage(name) chooses one; onFile(file) sends a file and settles when it is answered, well or not.
 */
export function createImages(root, { i18n, sampleUrl, onImage, onFile }) {
  const doc = root.ownerDocument;
  const input = el(doc, "input", { type: "file", accept: ACCEPTED.join(","), hidden: true, onchange: () => take(fileOf(input)) });
  const words = el(doc, "span", { text: i18n.t("images.choose") });
  const button = el(doc, "button", { type: "button", class: "pill own", onclick: () => input.click() }, plus(doc), words);
  const problem = el(doc, "p", { class: "problem", role: "alert" });
  const list = el(doc, "div", { class: "samples", role: "group", "aria-label": i18n.t("images.samples") });
  root.replaceChildren(list, el(doc, "div", { class: "upload" }, button, input, el(doc, "p", { class: "note", text: i18n.t("images.hint") })), problem);
  let sending = false;
  let own = null; // the id of the last picture that is no sample
  let shown = "";

  // One button a sample, and one for the visitor's own picture once there is one.
  function rebuild(samples, chosen) {
    if (chosen && !samples.includes(chosen)) own = chosen;
    const names = own && !samples.includes(own) ? [...samples, own] : samples;
    // Set anew only when they change: a button that stays keeps the focus.
    if (names.join() !== [...list.children].map((node) => node.dataset.image).join()) {
      list.replaceChildren(...names.map((name) => tile(name, name === own ? i18n.t("images.yours") : nameOf(name))));
    }
    for (const node of list.children) {
      if (node.dataset.image === chosen) node.setAttribute("aria-current", "true");
      else node.removeAttribute("aria-current");
    }
  }
  const nameOf = (name) => (i18n.has(`images.sample.${name}`) ? i18n.t(`images.sample.${name}`) : name);

  function tile(name, text) {
    const image = el(doc, "img", { src: sampleUrl(name), alt: "", width: 56, height: 56, draggable: "false" });
    return el(doc, "button", { type: "button", class: "sample", "data-image": name, onclick: () => choose(name) }, image, el(doc, "span", { text }));
  }
  function choose(name) {
    setText(problem, "");
    onImage(name);
  }

  async function take(file) {
    if (!file || sending) return;
    const refusal = refusalOf(file);
    setText(problem, refusal ? i18n.t(refusal, { limit: i18n.bytes(MOST_BYTES) }) : "");
    input.value = "";
    if (refusal) return;
    busy(true);
    try {
      await onFile(file);
    } catch {
      // whoever sends it says what went wrong
    }
    busy(false);
  }
  function busy(is) {
    sending = is;
    button.setAttribute("aria-busy", String(is));
    button.setAttribute("aria-disabled", String(is));
    setText(words, i18n.t(is ? "images.sending" : "images.choose"));
  }
  listenToFiles(root, take);

  return {
    update({ input: kind, model, state }) {
      root.hidden = kind !== "picture";
      const key = `${model?.name} ${state.image}`;
      // Before the models are known nobody can tell a sample from an upload.
      if (root.hidden || !model || shown === key) return;
      shown = key;
      setText(problem, "");
      rebuild(model.samples ?? [], state.image);
    },
  };
}

// Files dropped or pasted anywhere while the row is there: one that misses it would make the browser leave the page.
function listenToFiles(root, take) {
  const doc = root.ownerDocument;
  const holds = (event) => !root.hidden && holdsFiles(event);
  doc.addEventListener("dragover", (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    root.classList.add("over");
  });
  doc.addEventListener("dragleave", (event) => event.relatedTarget === null && root.classList.remove("over"));
  doc.addEventListener("drop", (event) => {
    root.classList.remove("over");
    if (!holds(event) || isTraceFile(fileOf(event.dataTransfer))) return;
    event.preventDefault();
    take(fileOf(event.dataTransfer));
  });
  doc.addEventListener("paste", (event) => {
    const file = root.hidden ? null : fileOf(event.clipboardData);
    if (!file) return;
    event.preventDefault();
    take(file);
  });
}

function plus(doc) {
  return el(doc, "svg:svg", { viewBox: "0 0 16 16", "aria-hidden": "true" },
    el(doc, "svg:path", { d: "M8 2.5v11M2.5 8h11", stroke: "currentcolor", "stroke-width": "1.6", "stroke-linecap": "round" }));
}
