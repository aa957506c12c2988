// The line below a view that stands elsewhere: what is on show, in which model, and the way to the whole of it.

import { el, setText } from "../lib/dom.js";
import { badgeText } from "../lib/badge.js";

/** linkOf() resolves to where the whole view is, or to null where there is none. */
export function createSource(root, { i18n, linkOf }) {
  const doc = root.ownerDocument;
  const place = root.querySelector("[data-place]");
  const badge = root.querySelector("[data-badge]");
  let turn = 0;

  async function point(said) {
    const mine = ++turn;
    const href = await linkOf();
    if (turn !== mine) return;
    place.replaceChildren(href
      ? el(doc, "a", { href, target: "_blank", rel: "noopener", title: i18n.t("viewer.open"), text: said })
      : el(doc, "span", { text: said }));
  }

  return {
    update({ session, layer, head }) {
      root.classList.toggle("waiting", !session);
      if (!session) return;
      const { model } = session.trace;
      const said = `Attention Atlas · L${layer} H${head} · ${i18n.model(model)}`;
      point(said);
      setText(badge, badgeText(i18n, session.trace));
      badge.title = [model.full_title, model.revision && i18n.t("viewer.revision", { revision: model.revision.slice(0, 12) })].filter(Boolean).join(", ");
    },
  };
}
