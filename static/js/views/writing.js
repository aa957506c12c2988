// The card "Writing on": how the model is to go on, a stop while it does, and afterwards its steps one by one.

import { fill, setText, tokenNode } from "../lib/dom.js";
import { parts, weight } from "../lib/i18n.js";
import { visible } from "../lib/tokens.js";
import { createSpeaker, placesOf, rowOf, stepOf, writtenAt } from "../lib/writing.js";

const BEAT = 700; // milliseconds a step is shown while the steps play
const TWICE = 400; // the second click of a double one does not stop what the first began
const NUMBERS = ["tokens", "temperature", "topk", "seed"];

export function createWritingCard(root, { i18n, onWrite, onStop, onChoice, onChat, onClear, onStep }) {
  const doc = root.ownerDocument;
  const at = (name) => root.querySelector(`[data-${name}]`);
  const form = root.querySelector("form");
  const [go, again, clear, method, chat, spoken, help] = ["go", "again", "clear", "method", "chat", "spoken", "help"].map(at);
  const fields = Object.fromEntries(NUMBERS.map((name) => [name, at(name)]));
  const shown = {};
  const steps = createSteps(root, { i18n, onStep });
  let scene = null;
  let say = createSpeaker();
  let begun = -Infinity;
  let heard = null;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!scene?.writing) begin(false);
    else if (event.timeStamp - begun > TWICE) onStop();
  });
  again.addEventListener("click", () => form.reportValidity() && begin(true));
  clear.addEventListener("click", () => {
    onClear();
    go.focus(); // the button that was pressed goes
  });
  method.addEventListener("change", () => onChoice({ method: method.value }));
  chat.addEventListener("change", () => onChat(chat.checked));
  for (const [name, field] of Object.entries(fields)) {
    field.addEventListener("change", () => field.value !== "" && field.validity.valid && onChoice({ [name]: field.valueAsNumber }));
  }
  doc.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || !scene?.writing) return;
    event.preventDefault();
    onStop();
  });

  function begin(isAgain) {
    begun = performance.now();
    onWrite(isAgain);
  }
  // What is typed stays until the state says something else.
  function write(name, value) {
    if (shown[name] === value) return;
    shown[name] = value;
    fields[name].value = value;
  }
  function choices({ state, model, writing }) {
    const isSampled = state.method === "sample";
    method.value = state.method;
    chat.checked = state.chat;
    chat.parentNode.hidden = !model.chat;
    for (const name of NUMBERS) write(name, state[name]);
    form.classList.toggle("sampled", isSampled);
    for (const node of root.querySelectorAll("[data-sampled]")) node.hidden = !isSampled;
    for (const field of [...Object.values(fields), method, chat]) field.disabled = Boolean(writing);
    const sentences = [i18n.t(isSampled ? "writing.help.sample" : "writing.help.greedy", { k: state.topk })];
    if (model.chat && state.chat) sentences.push(i18n.t("writing.help.chat"));
    setText(help, sentences.join(" "));
  }
  function acts({ state, writing }) {
    const isOver = Boolean(state.written) && !writing;
    setText(go, i18n.t(writing ? "writing.stop" : isOver ? "writing.on" : "writing.go"));
    go.classList.toggle("stop", Boolean(writing));
    go.setAttribute("aria-busy", String(Boolean(writing)));
    go.toggleAttribute("aria-disabled", writing?.state === "stopping");
    again.hidden = clear.hidden = !isOver;
  }
  function tell({ writing }) {
    if (writing) {
      speak(say(writing.tokens));
    } else if (heard) {
      speak([say(heard.tokens, true), heard.tokens.length ? i18n.t("writing.ended", { count: heard.tokens.length }) : ""].join(" ").trim());
      say = createSpeaker();
    }
    heard = writing;
  }
  const speak = (text) => text && setText(spoken, text);

  return {
    update(given) {
      const { model, writing } = given;
      const running = writing?.state === "ended" ? null : writing;
      const next = { ...given, writing: running };
      scene = next;
      root.hidden = !model?.writes || !model.ready;
      if (root.hidden) return;
      choices(next);
      acts(next);
      tell(next);
      steps.update(given);
    },
  };
}

// The steps of what was written: a slider, a step back and forth, and a button that plays them.
function createSteps(root, { i18n, onStep }) {
  const box = root.querySelector("[data-steps]");
  const [slider, back, play, forth, said] = ["slider", "back", "play", "forth", "said-step"].map((name) => box.querySelector(`[data-${name}]`));
  let places = null;
  let step = null;
  let timer = 0;
  let expected = null;

  const go = (to, how) => {
    expected = to;
    onStep(rowOf(places, to), how);
  };
  function move(by) {
    halt();
    go(Math.min(places.written, Math.max(1, (step ?? places.written) + by)), "key");
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
    return go((step ?? 0) + 1, "play");
  }
  slider.addEventListener("input", () => {
    halt();
    go(Number(slider.value), "key");
  });
  back.addEventListener("click", () => move(-1));
  forth.addEventListener("click", () => move(1));
  play.addEventListener("click", () => {
    if (timer) return halt();
    timer = setInterval(beat, BEAT);
    label();
    return go(step === null || step === places.written ? 1 : step + 1, "play");
  });
  label();

  function describe(posted) {
    const { text, probability } = writtenAt(posted, places, step ?? places.written);
    const values = { step, count: places.written, probability: weight(probability ?? 0, 2) };
    const sentence = (more) => {
      if (step === null) return i18n.t("writing.whole", values);
      return i18n.t(probability === null ? "writing.step" : "writing.step.probable", { ...values, ...more });
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
      return describe(session.posted);
    },
  };
}
