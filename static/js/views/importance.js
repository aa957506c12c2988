// "Importance": how much each token matters to what the model says, by several methods side by side.

import { taskOf } from "../lib/aim.js";
import { createAiming } from "../lib/aiming.js";
import { el, tokenNode } from "../lib/dom.js";
import { weight } from "../lib/i18n.js";
import { rowsOf, sharesOf } from "../lib/importance.js";
import { createRunning } from "../lib/running.js";
import { describeTokens, visible } from "../lib/tokens.js";

const METHODS = ["weight", "norm", "rollout", "gradient", "value-zeroing", "leave-one-out"];

/** onAim(patch), onCancel(slot), onAgain(slot). */
export function createImportance(root, { i18n, sentenceOf, onAim, onCancel, onAgain }) {
  const doc = root.ownerDocument;
  const aiming = createAiming(doc, { i18n, name: "importance", onAim });
  const running = createRunning(doc, { i18n, sentenceOf, label: i18n.t("experiment.importance.title"), onCancel: () => onCancel("importance"), onAgain: () => onAgain("importance") });
  const table = el(doc, "table", { class: "methods", "data-methods": true });
  const scroll = el(doc, "div", { class: "scroll", tabindex: "0", role: "region", "aria-label": i18n.t("importance.list") }, table);
  const notes = el(doc, "div", { class: "notes-of", "data-notes": true });
  const words = el(doc, "dl", {}, ...METHODS.flatMap((name) => [el(doc, "dt", { text: i18n.t(`importance.method.${name}`) }), el(doc, "dd", { text: i18n.t(`importance.method.${name}.help`) })]));
  const help = el(doc, "details", { class: "explained" }, el(doc, "summary", { text: i18n.t("importance.explained") }), words);
  root.append(aiming.node, running.node, scroll, notes, help);
  let drawn = null;

  const score = (value) => (value === null ? "–" : `${value < 0 ? "−" : ""}${weight(Math.abs(value))}`);
  const heading = (name) => el(doc, "th", { scope: "col", text: i18n.t(`importance.method.${name}`) });
  const agreed = ({ name, agreement }) => el(doc, "td", { text: name === "leave-one-out" || agreement === undefined ? "" : agreement === null ? "–" : `${agreement < 0 ? "−" : ""}${weight(Math.abs(agreement), 2)}` });

  function lines(rows, shares, names) {
    return rows.map((row, at) => el(doc, "tr", { class: row.special ? "special" : null },
      el(doc, "th", { scope: "row" }, tokenNode(doc, visible(row.text))),
      ...row.scores.map((value, method) => el(doc, "td", { "data-method": names[method], style: { "--part": (shares?.[method]?.[at] ?? 0).toFixed(3) } }, el(doc, "span", { text: value === undefined ? "" : score(value) })))));
  }

  // The whole table stands from the start, so that the numbers arrive in their places.
  function draw(value, tokens, isSilent) {
    const names = value ? value.methods.map(({ name }) => name) : METHODS;
    const rows = value ? rowsOf(value) : describeTokens(tokens).map(({ text, special }) => ({ text, special, scores: names.map(() => undefined) }));
    const methods = value?.methods ?? names.map((name) => ({ name, agreement: undefined, note: name === "gradient" && isSilent ? "no-prediction" : "" }));
    const foot = el(doc, "tfoot", {}, el(doc, "tr", { "data-agreement": true }, el(doc, "th", { scope: "row", text: i18n.t("importance.agreement") }), ...methods.map(agreed)));
    table.replaceChildren(
      el(doc, "caption", { class: "hidden", text: i18n.t("importance.list") }),
      el(doc, "thead", {}, el(doc, "tr", {}, el(doc, "th", { scope: "col", text: i18n.t("table.token") }), ...names.map(heading))),
      el(doc, "tbody", {}, ...lines(rows, value && sharesOf(value), names)), foot);
    const missing = methods.filter(({ note }) => note);
    const said = missing.map(({ name, note }) => i18n.t("importance.missing", { method: i18n.t(`importance.method.${name}`), why: i18n.has(`importance.note.${note}`) ? i18n.t(`importance.note.${note}`) : note }));
    const isFew = value && methods.every(({ agreement }) => agreement === null);
    notes.replaceChildren(...[...said, i18n.t(isFew ? "importance.few" : "importance.agrees")].map((text) => el(doc, "p", { class: "note", text })));
  }

  return {
    about: "experiment.importance",
    asItIs: true,
    shows: ({ model, session }) => Boolean(model?.switchable) && !session.trace.picture,
    update(scene) {
      const { importance, session } = scene;
      aiming.update(session.posted, scene.state);
      const value = importance?.state === "ready" ? importance.value : null;
      running.update(importance, value ? i18n.t(`importance.aim.${value.aim.task}`) : "");
      root.setAttribute("aria-busy", String(["waiting", "running"].includes(importance?.state)));
      // Why there is nothing stands alone: empty places would wait for numbers that never come.
      scroll.hidden = notes.hidden = importance?.state === "failed";
      const now = value ?? session;
      if (drawn === now) return;
      drawn = now;
      draw(value, session.request.words ? session.trace.source : session.posted.source, taskOf(session.posted) === "embedding");
    },
  };
}
