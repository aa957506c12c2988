// The roles that the data give to heads: each with its score, what it had to pass, and what it was measured on.

import { el, setText } from "../../lib/dom.js";
import { weight } from "../../lib/i18n.js";
import { pictureOf, rolesByName } from "../../lib/atlas.js";

export function createRoleTables(root, { i18n, hrefOf, ofRole, onPicture }) {
  const doc = root.ownerDocument;
  const body = root.querySelector("[data-body]");
  let drawn = null;

  function row(role, pictures) {
    const picture = pictureOf(pictures, role);
    const on = ofRole(role);
    return el(doc, "tr", {},
      el(doc, "th", { scope: "row" }, el(doc, "a", { href: hrefOf(picture, role.layer, role.head, role.name), text: `L${role.layer} H${role.head}` })),
      el(doc, "td", { text: weight(role.score) }),
      el(doc, "td", { text: weight(role.threshold) }),
      el(doc, "td", { class: "of" }, picture ? el(doc, "button", { type: "button", onclick: () => onPicture(picture, true), text: on }) : on));
  }

  function table({ name, roles }, pictures) {
    const columns = ["atlas.column.head", "atlas.column.score", "atlas.column.passed", "atlas.column.of"];
    return [
      el(doc, "h3", { id: `role-${name}`, text: i18n.t(`role.${name}`) }),
      el(doc, "p", { class: "hint", text: i18n.t(`atlas.role.${name}`, { threshold: weight(roles[0].threshold, 2) }) }),
      el(doc, "div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": `role-${name}` },
        el(doc, "table", { "aria-labelledby": `role-${name}` },
          el(doc, "thead", {}, el(doc, "tr", {}, ...columns.map((key) => el(doc, "th", { scope: "col", text: i18n.t(key) })))),
          el(doc, "tbody", {}, ...roles.map((role) => row(role, pictures))))),
    ];
  }

  return {
    update({ atlas, pictures, model }) {
      if (!atlas || !model || drawn === atlas) return;
      drawn = atlas;
      const found = rolesByName(atlas);
      if (found.length) body.replaceChildren(...found.flatMap((one) => table(one, pictures)));
      else setText(body, i18n.t("atlas.roles.none", { model: i18n.model(model) }));
    },
  };
}
