// The steps of what was written: a slider, a step back and forth, and a button that plays them.

import { fill, setText, tokenNode } from "../lib/dom.js";
import { parts, probable } from "../lib/i18n.js";
import { visible } from "../lib/tokens.js";
import { placesOf, rowOf, stepOf, writtenAt } from "../lib/writing.js";

const BEAT = 700; // milliseconds a step is shown while the steps play

export function createSteps(root, { i18n, onStep }) {
  const box = root.querySelector("[data-steps]");
  const [slider, back, play, forth, said] = ["slider", "back", "play", "forth", "said-step"].map((name) => box.querySelector(`[data-${name}]`));
  let places = null;
  let step = null;
  let timer = 0;
  let expected = null;

  const go = (to) => {
    expected = to;
    onStep(rowOf(places, to));
  };
  function move(by) {
    halt();
    go(Math.min(places.written, Math.max(1, (step ?? places.written) + by)));
  }
  function halt() {
    clearInterval(timer);
    timer = 0;
    label();
  }
  function label() {
    const name = i18n.t(timer ? "writing.pause" : "writing.play");
    play.setAttribute("aria-label", name);
    play.title = name;
    play.classList.toggle("playing", timer !== 0);
  }
  function beat() {
    if (!places || step === places.written) return halt();
    return go((step ?? 0) + 1);
  }
  slider.addEventListener("input", () => {
    halt();
    go(Number(slider.value));
  });
  back.addEventListener("click", () => move(-1));
  forth.addEventListener("click", () => move(1));
  play.addEventListener("click", () => {
    if (timer) return halt();
    timer = setInterval(beat, BEAT);
    label();
    return go(step === null || step === places.written ? 1 : step + 1);
  });
  label();
  root.ownerDocument.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || !timer) return;
    event.preventDefault();
    halt();
  });

  function describe({ posted }, { method }) {
    const { text, probability } = writtenAt(posted, places, step ?? places.written);
    const values = { step, count: places.written, probability: probable(probability ?? 0) };
    const sentence = (more) => {
      if (step === null) return i18n.t("writing.whole", values);
      if (probability === null) return i18n.t("writing.step", { ...values, ...more });
      return i18n.t(method === "sample" ? "writing.step.sampled" : "writing.step.probable", { ...values, ...more });
    };
    const token = visible(text);
    slider.setAttribute("aria-valuetext", sentence({ token }));
    said.replaceChildren(...fill(root.ownerDocument, parts(sentence()), { token: tokenNode(root.ownerDocument, token) }));
  }

  // While the model writes, the slider fills up in the place where the steps will be.
  function fillUp({ state, tokens, most }) {
    if (timer) halt();
    slider.max = most;
    slider.value = tokens.length;
    const sentence = i18n.t(`writing.state.${state}`, { count: tokens.length, most });
    slider.setAttribute("aria-valuetext", sentence);
    setText(said, sentence);
  }

  return {
    update({ session, state, writing }) {
      box.hidden = !writing && !state.written;
      places = writing || !state.written ? null : placesOf(session?.posted);
      for (const control of [slider, back, play, forth]) control.disabled = !places;
      if (writing) return fillUp(writing);
      if (!places) return timer && halt();
      step = stepOf(places, state.query);
      if (timer && step !== expected) halt();
      slider.max = places.written;
      slider.value = step ?? places.written;
      back.disabled = step === 1;
      forth.disabled = step === null || step === places.written;
      return describe(session, state);
    },
  };
}
