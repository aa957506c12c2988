// A line that says what came of a click, and goes away by itself.

import { setText } from "./dom.js";

const SHOWN = 6000; // milliseconds

/** say(text) or say({ not: text }) for what did not work, which stays; during(button, work, sentenceOf) says what work returns. */
export function createTelling(line) {
  let timer = 0;

  function say(what) {
    clearTimeout(timer);
    const failed = typeof what === "object";
    line.classList.toggle("not", failed);
    setText(line, failed ? what.not : what);
    if (!failed) timer = setTimeout(() => setText(line, ""), SHOWN);
  }

  async function during(button, work, sentenceOf) {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      say(await work());
    } catch (error) {
      say({ not: sentenceOf(error) });
    } finally {
      button.removeAttribute("aria-busy");
    }
  }
  return { say, during };
}
