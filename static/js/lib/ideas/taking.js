// Ways to take a figure along: the address of its page, and the code that puts it into another one.

import { copyText } from "../clipboard.js";
import { el, setText } from "../dom.js";
import { frameCode, isLocal } from "../sharing.js";

/** Pixels that each figure is high where it is as wide as a page of text; what does not fit is scrolled to. */
const HEIGHTS = { scaling: 1060, masking: 640, order: 980, kinds: 820, heads: 960, cost: 900, recurrence: 640 };

/** The code that embeds an idea's figure: base is what our addresses begin with, search the page's parameters. */
export const embedCode = ({ base, name, search, title }) =>
  frameCode({ embed: `${base}/embed/ideas/${name}${search}`, title, size: [null, HEIGHTS[name]] });

/** { buttons, field, update() }; base: see embedCode; code(): what is copied now. */
export function createTaking(doc, { i18n, base, code }) {
  const { t } = i18n;
  const said = el(doc, "span", { class: "copied", role: "status" });
  const text = el(doc, "textarea", { readonly: true, rows: 3, dir: "ltr", spellcheck: "false", "aria-label": t("share.embed"), "aria-describedby": "embed-help", onfocus: () => text.select() });
  const field = el(doc, "div", { class: "taking", id: "embed-code", hidden: true }, text,
    el(doc, "button", { type: "button", class: "pill", text: t("share.copy"), onclick: copyCode }),
    el(doc, "p", { class: "note", id: "embed-help", text: [t("share.code.help.html"), isLocal(new URL(base).hostname) && t("share.local")].filter(Boolean).join(" ") }));
  const link = el(doc, "button", { type: "button", class: "pill", text: t("idea.link"), onclick: async () => setText(said, (await copyText(doc, doc.location.href)) ? t("copy.done") : doc.location.href) });
  const embed = el(doc, "button", { type: "button", class: "pill", text: t("share.embed"), "aria-expanded": "false", "aria-controls": "embed-code", onclick: toggle });

  async function copyCode() {
    setText(said, t((await copyText(doc, text.value)) ? "share.copy.done" : "share.copy.failed"));
  }
  function toggle() {
    field.hidden = !field.hidden;
    embed.setAttribute("aria-expanded", String(!field.hidden));
    setText(said, "");
    update();
  }
  function update() {
    if (!field.hidden && text.value !== code()) text.value = code();
  }
  return { buttons: el(doc, "span", { class: "end" }, link, embed, said), field, update };
}
