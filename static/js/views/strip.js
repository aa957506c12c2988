// The sentence as tokens, coloured by how much the chosen token looks at each; a click chooses another.

import { el, setText, fill, tokenNode } from "../lib/dom.js";
import { css, inkOn } from "../lib/color.js";
import { parts, weight } from "../lib/i18n.js";
import { createRoving } from "../lib/roving.js";
import { describeTokens, wordGroups } from "../lib/tokens.js";

export function createStrip(root, { i18n, onQuery }) {
  const doc = root.ownerDocument;
  const list = root.querySelector("[data-tokens]");
  const caption = root.querySelector("[data-caption]");
  let tokens = [];
  let buttons = [];
  let drawn = null;
  let scene = null;
  const roving = createRoving(list, () => buttons);

  function rebuild(session) {
    tokens = describeTokens(session.queryTokens);
    buttons = tokens.map(tokenButton);
    list.replaceChildren(...wordGroups(tokens).map((group) => el(doc, "span", { class: "word" }, ...group.map((i) => buttons[i]))));
    list.classList.toggle("long", tokens.length > 80);
  }

  function tokenButton(token) {
    return el(doc, "button", {
      type: "button", class: `tok${token.special ? " special" : ""}`, "data-token": token.index,
      onclick: () => onQuery(token.index),
      onpointerenter: () => help(token), onpointerleave: () => help(null),
      onfocus: () => help(token), onblur: () => help(null),
    }, tokenNode(doc, token.text), el(doc, "span", { class: "num" }));
  }

  // The line above the tokens says what the colours mean, or what a special token under the pointer is.
  function help(token) {
    if (!scene?.view) return;
    if (token?.help) return setText(caption, i18n.t(`special.${token.help}`, { token: token.text }));
    const message = parts(i18n.t("strip.caption"));
    const chosen = tokenNode(doc, tokens[scene.view.query].text, { class: "query" });
    caption.replaceChildren(...fill(doc, message, { token: chosen, head: `L${scene.layer} H${scene.head}` }));
  }

  function paint({ view, palette }) {
    buttons.forEach((button, i) => {
      const value = view.row[i];
      const rgb = palette.rgb(value, view.largest);
      button.style.background = css(rgb);
      button.style.color = inkOn(rgb);
      setText(button.lastChild, weight(value, 2));
      button.setAttribute("aria-pressed", String(i === view.query));
      button.classList.toggle("key", i === view.key);
    });
  }

  return {
    update(next) {
      scene = next;
      const { session, view } = next;
      list.setAttribute("aria-busy", String(next.busy));
      if (!session || !view) return;
      const fresh = drawn !== session;
      if (fresh) rebuild(session);
      drawn = session;
      paint(next);
      roving.stop(view.query);
      if (!list.contains(doc.activeElement)) help(null);
      if (fresh || next.moved) reveal(list, buttons[view.query]);
    },
  };
}

// Scrolls the list, never the page.
function reveal(list, button) {
  const top = button.offsetTop - list.offsetTop;
  if (top < list.scrollTop || top + button.offsetHeight > list.scrollTop + list.clientHeight) {
    list.scrollTop = top - list.clientHeight / 2 + button.offsetHeight / 2;
  }
}
