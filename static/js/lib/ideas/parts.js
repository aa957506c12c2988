// Small parts that the pages of ideas share.

import { el, setText } from "../dom.js";
import { createTaking } from "./taking.js";

const MOST_SEED = 2 ** 32 - 1;

/** The line of choices above a figure, with ways to take it along (null where it stands in a frame), and what goes wrong. update({ busy, problem }). */
export function createBar(doc, { i18n, sentenceOf, taking, onAgain = () => {} }, ...choices) {
  const ways = taking && createTaking(doc, { i18n, ...taking });
  const text = el(doc, "span");
  const wrong = el(doc, "p", { class: "notice bad", role: "alert", hidden: true }, text, " ", el(doc, "button", { type: "button", class: "pill", text: i18n.t("problem.retry"), onclick: onAgain }));
  const node = el(doc, "div", { class: "bar-of" }, el(doc, "div", { class: "choices" }, ...choices, ways?.buttons), ways?.field, wrong);
  return {
    node,
    update({ busy, problem }) {
      ways?.update();
      wrong.hidden = !problem;
      setText(text, problem ? sentenceOf(problem) : "");
      node.classList.toggle("busy", Boolean(busy));
    },
  };
}

/** Other random numbers, and which they are. */
export function createSeed(doc, { i18n, onSeed, label = i18n.t("idea.draw") }) {
  let seed = 0;
  const shown = el(doc, "span", { class: "seed" });
  const button = el(doc, "button", { type: "button", class: "pill", text: label, onclick: () => onSeed(seed < MOST_SEED ? seed + 1 : 0) });
  return {
    node: el(doc, "span", { class: "seed-of" }, button, shown),
    update(value) {
      seed = value;
      setText(shown, i18n.t("idea.seed", { seed: String(value) }));
    },
  };
}

/** A choice of a few: [[value, name]]. */
export function createSegments(doc, { name, label, options, onChoice }) {
  const inputs = options.map(([value]) => el(doc, "input", { type: "radio", name, value, onchange: () => onChoice(value) }));
  const node = el(doc, "fieldset", { class: "segments" }, el(doc, "legend", { class: "hidden", text: label }),
    ...options.map(([, text], i) => el(doc, "label", {}, inputs[i], el(doc, "span", { text }))));
  return { node, update: (value) => inputs.forEach((input) => { input.checked = input.value === String(value); }) };
}

/** A list to choose from: [[value, name]]. */
export function createSelect(doc, { label, options, onChoice }) {
  const select = el(doc, "select", { onchange: () => onChoice(select.value) }, ...options.map(([value, text]) => el(doc, "option", { value, text })));
  return { node: el(doc, "label", { class: "choice" }, el(doc, "span", { text: label }), select), update: (value) => { select.value = String(value); } };
}

/** A line to write in, and a button that looks. */
export function createWords(doc, { i18n, label, longest, onWords }) {
  const field = el(doc, "input", { type: "text", maxlength: longest, autocomplete: "off", spellcheck: "false" });
  const node = el(doc, "form", { class: "line-of", onsubmit: (event) => {
    event.preventDefault();
    if (field.value.trim()) onWords(field.value.replace(/\s+/g, " ").trim());
  } }, el(doc, "label", { class: "choice" }, el(doc, "span", { text: label }), field), el(doc, "button", { class: "pill", text: i18n.t("idea.order.look") }));
  let shown = null;
  return { node, update: (text) => {
    if (text !== shown) field.value = text;
    shown = text;
  } };
}

/** A question with a button that checks, or parts of its own, and the answer to what was done. */
export function createExercise(doc, { i18n, title = i18n.t("idea.try"), onCheck = null }, ...parts) {
  const question = el(doc, "p");
  const answer = el(doc, "p", { class: "answer", role: "status" });
  const button = onCheck && el(doc, "button", { type: "button", class: "pill", disabled: true, text: i18n.t("idea.check"), onclick: onCheck });
  const node = el(doc, "section", { class: "exercise" }, el(doc, "h2", { text: title }), question, ...parts, button, answer);
  return {
    node,
    /** The question; until it is put nothing can be checked. */
    ask(text) {
      setText(question, text);
      if (button) button.disabled = false;
    },
    say(text, isRight = false) {
      answer.classList.toggle("good", isRight);
      setText(answer, text);
    },
  };
}
