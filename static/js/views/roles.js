// What the head in focus does in this text, as badges: each with its score, and the score that it had to reach.

import { el } from "../lib/dom.js";
import { weight } from "../lib/i18n.js";

export function createRoles(root, { i18n }) {
  const doc = root.ownerDocument;
  let drawn = "";

  function badge({ name, score, threshold }, number) {
    const id = `role-${number}`;
    return el(doc, "span", { class: "role" },
      el(doc, "button", { type: "button", "aria-describedby": id }, i18n.t(`role.${name}`), " ", el(doc, "b", { text: weight(score, 2) })),
      el(doc, "span", { class: "role-tip", role: "tooltip", id, text: i18n.t(`role.${name}.help`, { score: weight(score), threshold: weight(threshold, 2) }) }));
  }

  return {
    update({ profile, layer, head, session }) {
      const heads = profile?.state === "ready" && session ? profile.value.heads : [];
      const one = heads.find((its) => its.layer === layer && its.head === head);
      const roles = one?.roles ?? [];
      const signature = heads.length ? JSON.stringify(roles) : "";
      if (drawn === signature) return;
      drawn = signature;
      const none = heads.length && !roles.length ? [el(doc, "span", { class: "note", text: i18n.t("role.none") })] : [];
      root.replaceChildren(...roles.map(badge), ...none);
    },
  };
}
