// The sentence box, the examples and the summary line.

import { setText } from "../lib/dom.js";
import { isPlainClick } from "../lib/keys.js";

/** Enter sends, but not while an input method is composing and not with Shift. */
export function isSend(event) {
  return event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}

export function createAsk(root, { i18n, examples, hrefOf, onText, onExample }) {
  const doc = root.ownerDocument;
  const form = root.querySelector("form");
  const box = root.querySelector("textarea");
  const button = root.querySelector("[data-look]");
  const summary = root.querySelector("[data-summary]");
  const anchors = root.querySelectorAll("[data-examples] a");
  const links = examples.map((example, i) => ({ example, anchor: anchors[i] }));
  for (const { example, anchor } of links) listen(example, anchor);
  let shown = null;

  // The links work as links too: a new tab opens the example.
  function listen(example, anchor) {
    anchor.addEventListener("click", (event) => {
      if (!isPlainClick(event)) return;
      event.preventDefault();
      onExample(example);
    });
  }
  function fit() {
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight + 2}px`;
  }
  box.addEventListener("input", fit);
  box.addEventListener("keydown", (event) => {
    if (!isSend(event)) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    onText(box.value);
  });
  new (doc.defaultView.ResizeObserver)(fit).observe(form);

  return {
    update({ state, busy, session }) {
      if (shown !== state.text) {
        box.value = shown = state.text;
        fit();
      }
      button.setAttribute("aria-busy", String(busy));
      for (const { example, anchor } of links) {
        anchor.setAttribute("href", hrefOf(example));
        if (example.text === state.text) anchor.setAttribute("aria-current", "true");
        else anchor.removeAttribute("aria-current");
      }
      setText(summary, session ? summaryOf(i18n, session) : "\u00a0");
    },
    focus: () => box.focus(),
  };
}

function summaryOf(i18n, { trace, map }) {
  const tokens = trace.source.texts.length + (trace.target?.texts.length ?? 0);
  return [
    i18n.t("summary.tokens", { count: tokens }),
    i18n.t("summary.heads", { count: map.layers * map.heads }),
    i18n.t("summary.time", { ms: Math.max(1, Math.round(trace.provenance.seconds * 1000)) }),
  ].join(" · ");
}
