// The code of a step: the lines of this project that compute it, and Python that prints its numbers, to be copied.

import { copyText } from "../clipboard.js";
import { el, setText } from "../dom.js";
import { createTelling } from "../telling.js";

/**
 * { node, update(one, isOwn) }: one { file, function, first, lines, snippet } of GET /code, or null while it is read; isOwn:
 * these very lines computed it, and not another library.
 */
export function createCode(doc, { i18n }) {
  const place = el(doc, "span", { class: "place-of", "data-place": true });
  const lines = el(doc, "pre", { class: "source", "data-lines": true, tabindex: "0", role: "region", "aria-label": i18n.t("compute.code.ours") });
  const snippet = el(doc, "pre", { "data-snippet": true, tabindex: "0", role: "region", "aria-label": i18n.t("compute.code.python") });
  const told = el(doc, "span", { class: "copied", role: "status" });
  const telling = createTelling(told);
  const copy = el(doc, "button", { type: "button", class: "pill", "data-copy-code": true, text: i18n.t("compute.code.copy") });
  const title = el(doc, "h4");
  const node = el(doc, "div", { class: "code-of" },
    el(doc, "div", { class: "head-of" }, title, place), lines,
    el(doc, "div", { class: "head-of" }, el(doc, "h4", { text: i18n.t("compute.code.python") }), told, copy), snippet);
  let shown = null;

  copy.addEventListener("click", async () => {
    const done = await copyText(doc, shown.snippet);
    telling.say(done ? i18n.t("compute.code.copied") : { not: i18n.t("compute.code.not-copied") });
  });

  return {
    node,
    update(one, isOwn) {
      setText(title, i18n.t(isOwn ? "compute.code.ours" : "compute.code.same"));
      node.setAttribute("aria-busy", String(!one));
      copy.disabled = !one;
      if (!one || one === shown) return;
      shown = one;
      telling.say("");
      setText(place, i18n.t("compute.code.place", { file: one.file, line: one.first, function: one.function }));
      lines.replaceChildren(...one.lines.map((line, i) => el(doc, "code", { "data-line": String(one.first + i), text: `${line}\n` })));
      setText(snippet, one.snippet);
    },
  };
}
