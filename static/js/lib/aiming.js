// Choosing what an experiment watches: which outcome of the model, and whose weight stands beside it.

import { aimOf, aimsOf, ontoOf, takesKey, taskOf } from "./aim.js";
import { el } from "./dom.js";
import { shorten } from "./labels.js";
import { visible } from "./tokens.js";

const LONGEST = 24;

/** { node, update(posted, state) }: selects for the row of a posted trace and, with `withKey`, for the key; onAim({ aim, onto }). */
export function createAiming(doc, { i18n, name, withKey = false, onAim }) {
  const [aim, onto] = ["aim", "onto"].map((one) => el(doc, "select", { id: `${name}-${one}`, [`data-${one}`]: true }));
  const labels = [el(doc, "label", { for: aim.id, text: i18n.t("aim.label") }), el(doc, "label", { for: onto.id, text: i18n.t("aim.onto") })];
  const node = el(doc, "div", { class: "choices" }, labels[0], el(doc, "div", {}, aim), ...(withKey ? [labels[1], el(doc, "div", {}, onto)] : []));
  const read = (select) => (select.value === "" ? null : Number(select.value));
  aim.addEventListener("change", () => onAim({ aim: read(aim), onto: null }));
  onto.addEventListener("change", () => onAim({ onto: read(onto) }));
  let drawn = null;

  const quoted = (text, row, texts) => {
    const same = row === null ? [] : texts.flatMap((one, at) => (one === texts[row] ? [at] : []));
    return `${shorten(visible(text), LONGEST)}${same.length > 1 ? ` #${same.indexOf(row) + 1}` : ""}`;
  };
  function nameOf({ row, text }, task, texts) {
    if (text === null) return i18n.t(`aim.${task}.all`);
    return i18n.t(`aim.${task}`, { token: task === "translation" ? shorten(visible(text), LONGEST) : quoted(text, row, texts) });
  }

  return {
    node,
    update(posted, state) {
      const task = taskOf(posted);
      const aims = aimsOf(posted);
      const { texts } = posted.source;
      if (drawn !== posted) {
        drawn = posted;
        aim.replaceChildren(...aims.map((one) => el(doc, "option", { value: one.row ?? "", text: nameOf(one, task, texts) })));
        onto.replaceChildren(el(doc, "option", { value: "", text: i18n.t("aim.onto.largest") }),
          ...texts.map((text, at) => el(doc, "option", { value: at, text: quoted(text, at, texts) })));
      }
      aim.value = String(aimOf(state, posted) ?? "");
      onto.value = String(ontoOf(state, posted) ?? "");
      labels[0].hidden = aim.parentElement.hidden = aims.length < 2;
      if (withKey) labels[1].hidden = onto.parentElement.hidden = !takesKey(state, posted);
      const last = posted.maps[0].kind === "decoder-self" ? aimOf(state, posted) : null;
      [...onto.options].forEach((option, at) => (option.disabled = last !== null && at - 1 > last));
    },
  };
}
