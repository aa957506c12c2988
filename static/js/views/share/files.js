// "Files": the numbers of a picture, a page that works without a server, and the trace itself.

import { saveFile } from "../../lib/clipboard.js";
import { el, setText } from "../../lib/dom.js";
import { pictureSearch, pictureState, USUAL } from "../../lib/sharing.js";
import { createTelling } from "../../lib/telling.js";

const NUMBERS = ["csv", "json", "npy"];

/** server: see lib/shared.js. */
export function createShareFiles(root, { i18n, server, sentenceOf, onLook }) {
  const doc = root.ownerDocument;
  const at = (name) => root.querySelector(`[data-${name}]`);
  const [whats, refused, wrong] = ["what", "refused", "wrong"].map(at);
  const buttons = [...root.querySelectorAll("[data-file]")];
  const tell = createTelling(at("told"));
  let subject = null;
  let turn = 0;

  whats.addEventListener("change", () => onLook({ what: whats.value }));

  function searchFor(file) {
    const { state, what } = subject;
    return file === "offline" ? server.searchOf(pictureState(state, null)) : pictureSearch(state, what, { ...USUAL, theme: "light" }, server.searchOf);
  }

  async function pathOf(file) {
    if (file === "trace") return `/api/v1/traces/${await server.hold(subject.session)}/file`;
    const search = await server.pack(searchFor(file));
    return file === "offline" ? `/offline.html${search}` : `/figure.${file}${search}`;
  }

  for (const button of buttons) {
    const { file } = button.dataset;
    button.addEventListener("click", () => tell.during(button, async () => {
      wrong.hidden = true;
      setText(button, i18n.t("share.files.waiting"));
      try {
        const { blob, name } = await server.file(await pathOf(file));
        saveFile(doc, blob, name);
        return i18n.t("share.files.done", { name });
      } catch (error) {
        wrong.hidden = false;
        setText(wrong, sentenceOf(error));
        return "";
      } finally {
        setText(button, i18n.t("share.download"));
      }
    }, sentenceOf));
  }

  async function update(given) {
    subject = given;
    const mine = ++turn;
    whats.replaceChildren(...given.whats.map((what) => el(doc, "option", { value: what, text: i18n.t(`share.what.${what}`) })));
    whats.value = given.what;
    const isLong = (await server.pack(searchFor("csv"))) === null;
    if (mine !== turn) return;
    refused.hidden = !isLong;
    setText(refused, isLong ? i18n.t("share.refused.long") : "");
    for (const button of buttons) button.disabled = isLong && button.dataset.file !== "trace";
  }

  return {
    update,
    leave() {
      tell.say("");
      wrong.hidden = true;
    },
  };
}
