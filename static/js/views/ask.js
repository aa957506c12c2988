// The sentence box, the box for a translation or a second sentence, the examples of the chosen model and the summary line.

import { el, otherLanguage, setText } from "../lib/dom.js";
import { exampleOf } from "../lib/choices.js";
import { isPlainClick } from "../lib/keys.js";

/** Enter sends, but not while an input method is composing and not with Shift. */
export function isSend(event) {
  return event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}

/** drafts: see lib/draft.js; keep() takes what is typed along to the page in the other language. */
export function createAsk(root, { i18n, examples, hrefOf, onText, onExample, onDraft, drafts }) {
  const form = root.querySelector("form");
  const box = root.querySelector("[data-text]");
  const target = root.querySelector("[data-target]");
  const second = createSecond(root, { onDraft: () => draft(), onRemove: () => onText(box.value.trim() ? box.value : shown.text ?? "", null, null), onChange: () => fit() });
  const button = root.querySelector("[data-look]");
  const tries = createTries(root, { i18n, examples, hrefOf, onExample });
  const summary = root.querySelector("[data-summary]");
  const lead = root.ownerDocument.getElementById("lead");
  const shown = { text: undefined, pair: undefined, target: undefined };
  let pending = drafts.take();

  function fit() {
    for (const field of [box, second.box, target]) {
      field.style.height = "auto";
      field.style.height = `${field.scrollHeight + 2}px`;
      const lang = otherLanguage(root.ownerDocument, field.value);
      if (lang) field.setAttribute("lang", lang);
      else field.removeAttribute("lang");
    }
  }
  const draft = () => onDraft(box.value, second.value());
  for (const field of [box, second.box, target]) {
    field.addEventListener("input", fit);
    field.addEventListener("keydown", (event) => {
      if (!isSend(event)) return;
      event.preventDefault();
      form.requestSubmit();
    });
  }
  box.addEventListener("input", draft);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    onText(box.value, target.hidden || !target.value.trim() ? null : target.value, second.value());
  });
  new (root.ownerDocument.defaultView.ResizeObserver)(fit).observe(form);

  // What is typed stays until something else is asked for.
  function write(field, name, value) {
    if (shown[name] === value) return;
    field.value = value ?? "";
    shown[name] = value;
    fit();
  }
  function takeUp({ text, pair, target: written }) {
    pending = null;
    box.value = text;
    target.value = written;
    second.write(pair);
    fit();
    draft();
  }
  function keep() {
    const typed = { text: box.value, pair: second.value(), target: target.value };
    if (Object.entries(typed).some(([name, value]) => (value ?? "") !== (shown[name] ?? ""))) drafts.keep({ of: shown.text, ...typed });
  }
  // Of a trace of a file the box says what the file is about; what is asked for from there is asked of a model.
  function show({ input, state: asked, session, bare, model }) {
    const state = exampleOf(asked, session?.posted);
    const hasTarget = input === "translation";
    if (form.hidden !== (input === "picture") || target.hidden === hasTarget) {
      form.hidden = input === "picture";
      target.hidden = !hasTarget;
      form.classList.toggle("two", hasTarget);
      fit();
    }
    second.update({ possible: input === "text" && (model ? Boolean(model.pairs) : state.pair !== null), asked: state.pair !== null, fresh: shown.text !== state.text || shown.pair !== state.pair });
    if (input !== "picture") write(box, "text", state.text ?? "");
    write(second.box, "pair", state.pair);
    write(target, "target", state.target);
    if (pending && pending.of === shown.text) takeUp(pending);
    if (session) pending = null;
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
    keep,
  };
}

// The second sentence: behind a quiet button until somebody wants one. An empty box that was opened is the page's own;
// it closes when something else is asked for.
function createSecond(root, { onDraft, onRemove, onChange }) {
  const form = root.querySelector("form");
  const place = root.querySelector("[data-second]");
  const first = root.querySelector("[data-first]");
  const add = root.querySelector("[data-add]");
  const box = root.querySelector("[data-pair]");
  const now = { possible: false, asked: false, opened: false };

  function draw() {
    const open = now.possible && (now.asked || now.opened);
    add.hidden = !now.possible || open;
    if (place.hidden === !open) return;
    place.hidden = first.hidden = !open;
    form.classList.toggle("pair", open);
    onChange();
  }
  add.addEventListener("click", () => {
    now.opened = true;
    draw();
    box.focus();
  });
  root.querySelector("[data-remove]").addEventListener("click", () => {
    const { asked } = now;
    Object.assign(now, { opened: false, asked: false });
    box.value = "";
    draw();
    add.focus();
    onDraft();
    if (asked) onRemove();
  });
  box.addEventListener("input", onDraft);

  return {
    box,
    write(value) {
      box.value = value ?? "";
      now.opened = Boolean(value);
      draw();
    },
    value: () => (place.hidden || !box.value.trim() ? null : box.value),
    update({ possible, asked, fresh }) {
      Object.assign(now, { possible, asked, opened: now.opened && !fresh });
      draw();
    },
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
      const name = i18n.t(`example.${example.name}`); // in the reader's language, whatever the example is in
      const anchor = el(doc, "a", { href: "/", lang: otherLanguage(doc, name), title: titleOf(example), text: name });
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
        const isChosen = example.text === state.text && (example.target ?? null) === state.target && (example.pair ?? null) === state.pair;
        if (isChosen) anchor.setAttribute("aria-current", "true");
        else anchor.removeAttribute("aria-current");
      }
    },
  };
}

const titleOf = ({ text, pair }) => (text.length > 120 ? null : [text, pair].filter(Boolean).join(" · "));

function summaryOf(i18n, { posted, map }) {
  const tokens = posted.source.texts.length + (posted.target?.texts.length ?? 0);
  return [
    posted.picture ? i18n.t("summary.patches", { count: posted.picture.rows * posted.picture.columns }) : i18n.t("summary.tokens", { count: tokens }),
    i18n.t("summary.heads", { count: map.layers * map.heads }),
    i18n.t("summary.time", { ms: Math.max(1, Math.round(posted.provenance.seconds * 1000)) }),
  ].join(" · ");
}
