// The tasks, each with a sentence and an example: the tokens that a model reads, and what it is to say.

import { el, tokenNode } from "../../lib/dom.js";

export function createTasks(root, { i18n, onTask }) {
  const doc = root.ownerDocument;
  const list = root.querySelector("[data-tasks]");
  let shown = null;

  // Of a task that foretells, what is asked for is what comes next.
  function example({ name, probe }) {
    const answers = name === "induction" ? probe.answers.slice(-1) : probe.answers;
    const tokens = (texts) => texts.flatMap((text, i) => [i ? " " : "", tokenNode(doc, text)]);
    return el(doc, "span", { class: "example" }, el(doc, "span", { class: "hidden", text: `${i18n.t("lab.example")}: ` }),
      el(doc, "span", { class: "given" }, ...tokens(probe.tokens)), " ", el(doc, "span", { class: "arrow", text: "→" }), " ", el(doc, "b", {}, ...tokens(answers)));
  }

  function build({ tasks }) {
    list.replaceChildren(...tasks.map((task) => el(doc, "label", { class: "task" },
      el(doc, "input", { type: "radio", name: "task", value: task.name, onchange: () => onTask(task.name) }),
      el(doc, "span", { class: "what" }, el(doc, "span", { class: "name", text: i18n.t(`lab.task.${task.name}`) }),
        el(doc, "span", { class: "about", text: i18n.t(`lab.task.${task.name}.about`) }), example(task)))));
  }

  return {
    update({ lab, state }) {
      if (!lab) return;
      if (shown !== lab) build(lab);
      shown = lab;
      for (const input of list.querySelectorAll("input")) input.checked = input.value === state.choices.task;
    },
  };
}
