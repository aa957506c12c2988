// The list of steps, a step back and forth, and a button that plays them.

import { el } from "../dom.js";
import { createRoving } from "../roving.js";
import { beside } from "./steps.js";

const BEAT = 4000; // milliseconds that a step is on show while they play

/** update(names, step), rest(); onStep(name, names). */
export function createCourse(root, { i18n, onStep }) {
  const doc = root.ownerDocument;
  const [list, back, play, forth] = ["course", "back", "play", "forth"].map((name) => root.querySelector(`[data-${name}]`));
  const buttons = () => [...list.querySelectorAll("button")];
  const roving = createRoving(list, buttons);
  let [names, step, timer, expected] = [[], null, 0, null];

  function go(to) {
    if (to === null || to === step) return;
    expected = to;
    onStep(to, names);
  }
  function rest() {
    clearInterval(timer);
    timer = 0;
    label();
  }
  function label() {
    const name = i18n.t(timer ? "writing.pause" : "compute.play");
    play.setAttribute("aria-label", name);
    play.title = name;
    play.classList.toggle("playing", timer !== 0);
  }
  function beat() {
    const next = beside(step, names, 1);
    if (next === null) return rest();
    go(next);
    return beside(next, names, 1) === null ? rest() : undefined;
  }
  function move(by) {
    rest();
    go(beside(step, names, by));
  }
  back.addEventListener("click", () => move(-1));
  forth.addEventListener("click", () => move(1));
  play.addEventListener("click", () => {
    if (timer) return rest();
    timer = setInterval(beat, BEAT);
    label();
    return go(beside(step, names, 1) ?? names[0]);
  });
  // In the list the arrows lead to a step and show it; on the buttons beside it they do what these do.
  list.addEventListener("focusin", (event) => event.target.dataset.step && event.target.matches(":focus-visible") && choose(event.target.dataset.step));
  list.addEventListener("click", (event) => {
    const { step: name } = event.target.closest("button")?.dataset ?? {};
    if (name) choose(name);
  });
  for (const button of [back, play, forth]) {
    button.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      move(by);
    });
  }
  doc.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || !timer) return;
    event.preventDefault();
    rest();
  });
  function choose(name) {
    if (name !== step) rest();
    go(name);
  }
  label();

  function build() {
    const held = list.contains(doc.activeElement) ? doc.activeElement.dataset.step : null;
    list.replaceChildren(...names.map((name, i) => el(doc, "li", {}, el(doc, "button", { type: "button", "data-step": name },
      el(doc, "b", { text: String(i + 1) }), el(doc, "span", { text: i18n.t(`step.${name}`) })))));
    if (held) (list.querySelector(`[data-step="${held}"]`) ?? list.querySelector("button")).focus({ preventScroll: true });
  }

  return {
    rest,
    update(next, now) {
      if (timer && now !== expected && now !== step) rest();
      const isOther = next.join() !== names.join();
      const isMoved = now !== step;
      [names, step] = [next, now];
      if (isOther) build();
      buttons().forEach((button) => (button.dataset.step === step ? button.setAttribute("aria-current", "step") : button.removeAttribute("aria-current")));
      roving.stop(names.indexOf(step));
      back.disabled = beside(step, names, -1) === null;
      forth.disabled = beside(step, names, 1) === null;
      // Within its own box: the page stays where it is.
      const button = list.querySelector('[aria-current="step"]');
      if ((isMoved || isOther) && list.scrollWidth > list.clientWidth) list.scrollTo({ left: button.offsetLeft - (list.clientWidth - button.offsetWidth) / 2 });
    },
  };
}
