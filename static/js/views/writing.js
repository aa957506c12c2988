// The card that continues a text: how the model is to go on, and a stop while it does.

import { setText } from "../lib/dom.js";
import { createSpeaker } from "../lib/writing.js";

const TWICE = 400; // the second click of a double one does not stop what the first began
const NUMBERS = ["tokens", "temperature", "topk", "seed"];
const DRAWN = ["temperature", "topk", "seed"]; // only what is drawn at random has these
const NARROW = "(max-width: 760px)"; // as writing.css

export function createWritingCard(root, { i18n, onWrite, onStop, onChoice, onChat, onClear }) {
  const doc = root.ownerDocument;
  const at = (name) => root.querySelector(`[data-${name}]`);
  const form = root.querySelector("form");
  const [go, again, clear, method, chat, spoken, help, more, over] = ["go", "again", "clear", "method", "chat", "spoken", "help", "more", "over"].map(at);
  const fields = Object.fromEntries(NUMBERS.map((name) => [name, at(name)]));
  const shown = {};
  let scene = null;
  let say = createSpeaker();
  let begun = -Infinity;
  let heard = null;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!scene?.writing) return go.getAttribute("aria-disabled") !== "true" && begin(false);
    return event.timeStamp - begun > TWICE && onStop();
  });
  again.addEventListener("click", () => begin(true));
  clear.addEventListener("click", () => {
    onClear();
    go.focus(); // the button that was pressed goes
  });
  method.addEventListener("change", () => onChoice({ method: method.value }));
  chat.addEventListener("change", () => onChat(chat.checked));
  for (const [name, field] of Object.entries(fields)) {
    field.addEventListener("change", () => check(name) && onChoice({ [name]: field.valueAsNumber }));
    field.addEventListener("input", () => isRight(name) && check(name));
  }
  doc.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || !scene?.writing) return;
    event.preventDefault();
    onStop();
  });

  // On a small screen the explanation waits until somebody asks for it.
  const narrow = doc.defaultView.matchMedia(NARROW);
  const fold = () => (more.open = !narrow.matches);
  narrow.addEventListener("change", fold);
  fold();

  const isRight = (name) => fields[name].value !== "" && fields[name].validity.valid;
  // What is wrong with a number is said beside it.
  function check(name) {
    const right = isRight(name);
    doc.getElementById(`writing-wrong-${name}`).hidden = right;
    if (right) fields[name].removeAttribute("aria-invalid");
    else fields[name].setAttribute("aria-invalid", "true");
    return right;
  }
  function begin(isAgain) {
    const wrong = NUMBERS.filter((name) => (scene?.state.method === "sample" || !DRAWN.includes(name)) && !check(name));
    if (wrong.length) return fields[wrong[0]].focus();
    begun = performance.now();
    return onWrite(isAgain);
  }
  // What is typed stays until the state says something else.
  function write(name, value) {
    if (shown[name] === value) return;
    shown[name] = value;
    fields[name].value = value;
    check(name);
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
  function acts({ state, writing, room }) {
    const isOver = Boolean(state.written) && !writing;
    setText(go, i18n.t(writing ? "writing.stop" : isOver ? "writing.on" : "writing.go"));
    go.classList.toggle("stop", Boolean(writing));
    go.setAttribute("aria-busy", String(Boolean(writing)));
    go.setAttribute("aria-disabled", String(writing ? writing.state === "stopping" : Boolean(room?.over)));
    clear.hidden = !isOver;
    again.hidden = !isOver || state.method !== "sample"; // the most probable text is the same every time
    setText(over, writing || !room ? "" : roomSentence(room, state.tokens));
    over.hidden = over.textContent === "";
  }
  function roomSentence({ over: why, left, limit }, wanted) {
    if (why) return i18n.t(`writing.over.${why}`, { limit });
    return wanted > left ? i18n.t("writing.left", { count: left }) : "";
  }
  function tell({ writing }, { writing: ended, model }) {
    if (writing) {
      speak(writing.state === "waiting" ? i18n.t("writing.state.waiting") : say(writing.tokens));
    } else if (heard) {
      const why = ["end", "room"].includes(ended?.reason) ? i18n.t(`writing.over.${ended.reason}`, { limit: model.max_tokens }) : "";
      speak([say(heard.tokens, true), heard.tokens.length ? i18n.t("writing.ended", { count: heard.tokens.length }) : "", why].join(" ").trim());
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
      tell(next, given);
    },
  };
}
