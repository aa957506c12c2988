// The time of the training: a slider over its checkpoints, a step back and forth, and a button that plays them.

import { setText } from "../../lib/dom.js";
import { weight } from "../../lib/i18n.js";
import { nearest, pointAt, stepBy, stepsOf } from "../../lib/lab/time.js";

const BEAT = 280; // milliseconds that a checkpoint is shown while they play

export function createTime(root, { i18n, onStep }) {
  const doc = root.ownerDocument;
  const [slider, back, play, forth, now] = ["slider", "back", "play", "forth", "now"].map((name) => root.querySelector(`[data-${name}]`));
  let steps = [];
  let step = null;
  let timer = 0;
  let expected = null;

  function go(to) {
    expected = to;
    onStep(to);
  }
  function halt() {
    clearInterval(timer);
    timer = 0;
    label();
  }
  function label() {
    const name = i18n.t(timer ? "lab.time.pause" : "lab.time.play");
    play.setAttribute("aria-label", name);
    play.title = name;
    play.classList.toggle("playing", timer !== 0);
  }
  function by(key) {
    halt();
    const to = stepBy(key, steps, step ?? 0);
    if (to !== null && to !== step) go(to);
    return to !== null;
  }
  slider.addEventListener("input", () => {
    halt();
    if (steps.length) go(nearest(steps, Number(slider.value)));
  });
  slider.addEventListener("keydown", (event) => {
    if (by(event)) event.preventDefault();
  });
  back.addEventListener("click", () => by({ key: "ArrowLeft" }));
  forth.addEventListener("click", () => by({ key: "ArrowRight" }));
  play.addEventListener("click", () => {
    if (timer) return halt();
    timer = setInterval(() => (step === steps.at(-1) ? halt() : go(stepBy({ key: "ArrowRight" }, steps, step))), BEAT);
    label();
    return go(step === steps.at(-1) ? steps[0] : stepBy({ key: "ArrowRight" }, steps, step));
  });
  doc.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || !timer) return;
    event.preventDefault();
    halt();
  });
  label();

  function sentence(runs) {
    const points = runs.filter(Boolean).map((run) => pointAt(run, step)).filter(Boolean);
    if (step === null || !points.length) return i18n.t("lab.time.none");
    const [one, other] = points;
    const values = { step, accuracy: weight(one.accuracy), loss: weight(one.loss) };
    return other ? i18n.t("lab.time.both", { ...values, other: weight(other.accuracy), second: weight(other.loss) }) : i18n.t("lab.time.at", values);
  }

  return {
    update(scene) {
      const runs = scene.runs.filter(Boolean);
      steps = stepsOf(runs);
      step = scene.step;
      if (timer && step !== expected) halt();
      const isSet = steps.length > 1;
      for (const control of [slider, play]) control.disabled = !isSet;
      back.disabled = !isSet || step === steps[0];
      forth.disabled = !isSet || step === steps.at(-1);
      slider.max = scene.steps;
      slider.value = step ?? 0;
      const said = sentence(scene.runs);
      slider.setAttribute("aria-valuetext", said);
      setText(now, said);
    },
  };
}
