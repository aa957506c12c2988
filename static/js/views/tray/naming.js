// What the lesson is called, what it is about, and the language it is in.

import { clean, line } from "../../lib/lesson/file.js";
import { grow, put } from "../../lib/lesson/fields.js";

export function createNaming(root, { onField }) {
  const [title, summary, language] = ["title", "summary", "lesson-language"].map((name) => root.querySelector(`[data-${name}]`));
  title.addEventListener("input", () => onField("title", line(title.value)));
  summary.addEventListener("input", () => {
    onField("summary", line(clean(summary.value)));
    grow(summary);
  });
  summary.addEventListener("keydown", (event) => event.key === "Enter" && !event.isComposing && event.preventDefault());
  language.addEventListener("change", () => onField("language", language.value));
  return {
    update({ lesson }) {
      put(title, lesson.title);
      put(summary, lesson.summary);
      grow(summary);
      language.value = lesson.language;
      root.lang = lesson.language;
    },
  };
}
