// What the lesson is called, what it is about, and the language it is in.

import { line } from "../../lib/lesson/file.js";
import { grow, put } from "../../lib/lesson/fields.js";

export function createNaming(root, { onField }) {
  const [title, summary, language] = ["title", "summary", "lesson-language"].map((name) => root.querySelector(`[data-${name}]`));
  for (const [field, name] of [[title, "title"], [summary, "summary"]]) {
    field.addEventListener("input", () => {
      onField(name, line(field.value));
      grow(field);
    });
    field.addEventListener("keydown", (event) => event.key === "Enter" && !event.isComposing && event.preventDefault()); // one line, however long
  }
  language.addEventListener("change", () => onField("language", language.value));
  return {
    update({ lesson }) {
      put(title, lesson.title);
      put(summary, lesson.summary);
      for (const field of [title, summary]) grow(field);
      language.value = lesson.language;
      root.lang = lesson.language;
    },
  };
}
