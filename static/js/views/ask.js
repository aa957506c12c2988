// The sentence box, the box for a translation, the examples of the chosen model and the summary line.

import { el, setText } from "../lib/dom.js";
import { isPlainClick } from "../lib/keys.js";

/** Enter sends, but not while an input method is composing and not with Shift. */
export function isSend(event) {
  return event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}

export function createAsk(root, { i18n, examples, hrefOf, onText, onExample, onDraft }) {
  const form = root.querySelector("form");
  const box = root.querySelector("[data-text]");
  const target = root.querySelector("[data-target]");
  const button = root.querySelector("[data-look]");
  const tries = createTries(root, { i18n, examples, hrefOf, onExample });
  const summary = root.querySelector("[data-summary]");
  const lead = root.ownerDocument.getElementById("lead");
  const shown = { text: undefined, target: undefined };

  function fit() {
    for (const field of [box, target]) {
      field.style.height = "auto";
      field.style.height = `${field.scrollHeight + 2}px`;
    }
  }
  for (const field of [box, target]) {
    field.addEventListener("input", fit);
    field.addEventListener("keydown", (event) => {
      if (!isSend(event)) return;
      event.preventDefault();
      form.requestSubmit();
    });
  }
  box.addEventListener("input", () => onDraft(box.value));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    onText(box.value, target.hidden || !target.value.trim() ? null : target.value);
  });
  new (root.ownerDocument.defaultView.ResizeObserver)(fit).observe(form);

  // What is typed stays until something else is asked for.
  function write(field, name, value) {
    if (shown[name] === value) return;
    field.value = value ?? "";
    shown[name] = value;
    fit();
  }
  function show({ input, state, session, bare }) {
    const hasTarget = input === "translation";
    if (form.hidden !== (input === "picture") || target.hidden === hasTarget) {
      form.hidden = input === "picture";
      target.hidden = !hasTarget;
      form.classList.toggle("two", hasTarget);
      fit();
    }
    if (input !== "picture") write(box, "text", state.text ?? "");
    write(target, "target", state.target);
    const ghost = hasTarget && !bare ? ghostOf(session) : null;
    const placeholder = ghost ?? i18n.t("ask.target.placeholder");
    if (target.getAttribute("placeholder") === placeholder) return;
    target.setAttribute("placeholder", placeholder);
    target.classList.toggle("ghosted", ghost !== null);
    fit();
  }

  return {
    update(scene) {
      show(scene);
      tries.update(scene);
      setText(lead, i18n.t(scene.input === "picture" ? "page.lead.picture" : "page.lead"));
      button.setAttribute("aria-busy", String(scene.busy));
      setText(summary, scene.session && !scene.bare ? summaryOf(i18n, scene.session) : "\u00a0");
    },
    focus: () => box.focus(),
  };
}

// The model's own translation stands in the empty box as what would be used.
function ghostOf(session) {
  if (!session?.posted.target || session.request.target) return null;
  const { texts, special, text } = session.posted.target;
  return text || texts.filter((_, i) => !special[i]).join(" ");
}

// The examples of the model; the links work as links too: a new tab opens the example.
function createTries(root, { i18n, examples, hrefOf, onExample }) {
  const doc = root.ownerDocument;
  const place = root.querySelector("[data-tries]");
  const list = root.querySelector("[data-examples]");
  let links = [];
  let drawn = null;

  function rebuild(model) {
    links = examples.filter((example) => example.model === model && example.text).map((example) => {
      const anchor = el(doc, "a", { href: "/", lang: example.lang === i18n.lang ? null : example.lang, title: example.text.length <= 120 ? example.text : null, text: i18n.t(`example.${example.name}`) });
      anchor.addEventListener("click", (event) => {
        if (!isPlainClick(event)) return;
        event.preventDefault();
        onExample(example);
      });
      return { example, anchor };
    });
    list.replaceChildren(...links.map(({ anchor }) => el(doc, "li", {}, anchor)));
    place.hidden = links.length === 0;
  }

  return {
    update({ state }) {
      if (drawn !== state.model) rebuild(state.model);
      drawn = state.model;
      for (const { example, anchor } of links) {
        anchor.setAttribute("href", hrefOf(example));
        const isChosen = example.text === state.text && (example.target ?? null) === state.target;
        if (isChosen) anchor.setAttribute("aria-current", "true");
        else anchor.removeAttribute("aria-current");
      }
    },
  };
}

function summaryOf(i18n, { posted, map }) {
  const tokens = posted.source.texts.length + (posted.target?.texts.length ?? 0);
  return [
    posted.picture ? i18n.t("summary.patches", { count: posted.picture.rows * posted.picture.columns }) : i18n.t("summary.tokens", { count: tokens }),
    i18n.t("summary.heads", { count: map.layers * map.heads }),
    i18n.t("summary.time", { ms: Math.max(1, Math.round(posted.provenance.seconds * 1000)) }),
  ].join(" · ");
}
