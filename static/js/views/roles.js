// What the head in focus does, as badges: each with its score, and the score that it had to reach. Those that were
// measured on data come first; the others are of this text.

import { el } from "../lib/dom.js";
import { weight } from "../lib/i18n.js";

const NAMED = 4; // sets or relations that a badge names

export function createRoles(root, { i18n }) {
  const doc = root.ownerDocument;
  let drawn = "";

  // Escape takes an explanation away that covers something, until the pointer or the keyboard comes back.
  const speakAgain = (event) => event.currentTarget.classList.remove("quiet-tip");
  doc.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const role of root.querySelectorAll(".role:is(:hover, :focus-within)")) role.classList.add("quiet-tip");
  });

  const nameOf = (file) => (i18n.has(`atlas.of.${file}`) ? i18n.t(`atlas.of.${file}`) : file);

  function measured(on) {
    const named = on.slice(0, NAMED).map(({ of, score, rows }) => i18n.t("role.measured", { of: nameOf(of), score: weight(score), rows }));
    return i18n.t("role.from-data", { list: [...named, ...(on.length > NAMED ? ["…"] : [])].join("; ") });
  }

  function badge({ name, score, threshold, on }, number) {
    const id = `role-${number}`;
    const help = i18n.t(`role.${name}.help`, { score: weight(score), threshold: weight(threshold, 2) });
    return el(doc, "span", { class: on ? "role data" : "role", onpointerleave: speakAgain, onfocusout: speakAgain },
      el(doc, "button", { type: "button", "aria-describedby": id }, i18n.t(`role.${name}`), " ", el(doc, "b", { text: weight(score, 2) })),
      el(doc, "span", { class: "role-tip", role: "tooltip", id, text: on ? `${help} ${measured(on)}` : help }));
  }

  return {
    update({ roles, profile, layer, head, session }) {
      const own = session && roles ? roles.of(layer, head) : [];
      const isKnown = session && profile?.state === "ready";
      const signature = isKnown || own.length ? JSON.stringify(own) : "";
      if (drawn === signature) return;
      drawn = signature;
      const none = isKnown && !own.length ? [el(doc, "span", { class: "note", text: i18n.t("role.none") })] : [];
      root.replaceChildren(...own.map(badge), ...none);
    },
  };
}
