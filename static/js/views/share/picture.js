// "Picture": a preview that the server draws, how it is to look, and the ways to take it along.

import { copyPicture, copyText, saveFile } from "../../lib/clipboard.js";
import { el, setText } from "../../lib/dom.js";
import { FONTS, fileSearch, hasNumbers, pictureSearch, within, WIDTHS } from "../../lib/sharing.js";
import { createTelling } from "../../lib/telling.js";

const PAUSE = 180; // milliseconds between a choice and the picture that is asked for, so that a number can be typed
const SHARP = 2; // pixels of the preview for one of the picture

/** server: see lib/shared.js; onLook(patch) says how the picture is wished for. */
export function createSharePicture(root, { i18n, server, sentenceOf, onLook }) {
  const doc = root.ownerDocument;
  const at = (name) => root.querySelector(`[data-${name}]`);
  const [preview, wrong, size, said, alt] = ["preview", "wrong", "size", "said", "alt"].map(at);
  const image = el(doc, "img", { "data-image": true, alt: "" }); // on the page only while it shows something
  const form = at("style");
  const buttons = [at("copy-alt"), at("copy-picture"), at("download")];
  const tell = createTelling(at("told"));
  let now = null; // { subject, search, packed }
  let asked = null; // what the preview is of
  let words = "";
  let stop = null;
  let timer = 0;

  function read() {
    const { elements } = form;
    const numberOf = (field, bounds) => {
      const value = within(field.value, bounds);
      const isWrong = value === null && (field.value.trim() !== "" || field.validity.badInput);
      if (isWrong) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
      return value;
    };
    onLook({
      what: elements.what.value, format: elements.format.value, x: Number(elements.x.value), theme: elements.theme.value, palette: elements.palette.value,
      numbers: { 1: true, 0: false }[elements.numbers.value] ?? null, caption: elements.caption.checked, transparent: elements.transparent.checked,
      width: numberOf(elements.width, WIDTHS), font: numberOf(elements.font, FONTS),
    });
  }
  form.addEventListener("input", read);
  form.addEventListener("submit", (event) => event.preventDefault());

  function show({ what, whats, look }) {
    const { elements } = form;
    const names = whats.join();
    if (elements.what.dataset.names !== names) {
      elements.what.dataset.names = names;
      elements.what.replaceChildren(...whats.map((one) => el(doc, "option", { value: one, text: i18n.t(`share.what.${one}`) })));
    }
    elements.what.value = what;
    elements.theme.value = look.theme;
    elements.format.value = look.format;
    at("pixels").hidden = look.format !== "png";
    at("numbers").hidden = !hasNumbers(what);
    at("transparent").hidden = look.format === "html";
    preview.classList.toggle("clear", look.transparent && look.format !== "html");
  }

  // ---- the preview: a PNG, or the SVG itself
  async function draw() {
    const { subject, search } = now;
    const kind = subject.look.format === "svg" ? "svg" : "png";
    if (asked === kind + search) return preview.hasAttribute("aria-busy") ? undefined : describe();
    asked = kind + search;
    stop?.abort();
    stop = new AbortController();
    const { signal } = stop;
    preview.setAttribute("aria-busy", "true");
    clearTimeout(timer);
    await new Promise((done) => (timer = setTimeout(done, image.isConnected ? PAUSE : 0)));
    if (signal.aborted) return undefined;
    const packed = await server.pack(search);
    if (signal.aborted) return undefined;
    if (packed === null) return fail(i18n.t("share.refused.drawing"));
    try {
      const { blob } = await server.file(`/figure.${kind}${fileSearch(packed, { format: kind, x: SHARP })}`, signal);
      await put(blob);
      if (!signal.aborted) settle();
    } catch (error) {
      if (error.name !== "AbortError") fail(sentenceOf(error));
    }
    return undefined;
  }

  async function put(blob) {
    const before = image.src;
    image.src = URL.createObjectURL(blob);
    await image.decode();
    preview.prepend(image);
    if (before.startsWith("blob:")) URL.revokeObjectURL(before);
  }

  function settle() {
    preview.removeAttribute("aria-busy");
    wrong.hidden = true;
    for (const button of buttons) button.disabled = false;
    describe();
  }

  function fail(sentence) {
    asked = null;
    preview.removeAttribute("aria-busy");
    image.remove();
    wrong.hidden = false;
    setText(wrong, sentence);
    setText(size, "\u00a0");
    said.hidden = true;
    for (const button of buttons) button.disabled = true;
  }

  function describe() {
    const { format, x } = now.subject.look;
    const pixels = (side) => Math.round((side * x) / SHARP);
    setText(size, i18n.t(`share.drawn.${format}`, { width: pixels(image.naturalWidth), height: pixels(image.naturalHeight) }));
  }

  async function tellAlt(subject) {
    try {
      const text = await server.words(subject);
      if (now.subject !== subject) return;
      words = text;
      said.hidden = !text;
      setText(alt, text);
      image.alt = text;
    } catch {
      words = ""; // the picture itself says what is wrong
    }
  }

  // ---- taking it along
  const path = async (look) => `/figure.${look.format}${fileSearch(await server.pack(now.search), look)}`;
  const png = async () => (await server.file(await path({ format: "png", x: now.subject.look.x }))).blob;
  at("download").addEventListener("click", () => tell.during(at("download"), async () => {
    const { blob, name } = await server.file(await path(now.subject.look));
    saveFile(doc, blob, name);
    return i18n.t("share.files.done", { name });
  }, sentenceOf));
  at("copy-picture").addEventListener("click", () => tell.during(at("copy-picture"), async () => {
    if (await copyPicture(doc.defaultView, png)) return i18n.t("share.copy-picture.done");
    return { not: i18n.t("share.copy-picture.closed") };
  }, sentenceOf));
  at("copy-alt").addEventListener("click", async () => {
    if (await copyText(doc, words)) tell.say(i18n.t("share.copy-alt.done"));
    else tell.say({ not: i18n.t("share.copy.failed") });
  });

  return {
    update(subject) {
      now = { subject, search: pictureSearch(subject.state, subject.what, subject.look, server.searchOf) };
      show(subject);
      draw();
      tellAlt(subject);
    },
    leave() {
      stop?.abort();
      asked = null;
      preview.removeAttribute("aria-busy");
      tell.say("");
    },
  };
}
