// The head in focus: its name, the chosen pair with its exact weight, and three ways to look at it.

import { el, setText, tokenNode } from "../lib/dom.js";
import { weight } from "../lib/i18n.js";
import { rove } from "../lib/roving.js";
import { visible } from "../lib/tokens.js";

/** panels: { heatmap, lines, table }, each with update(scene) and hide(). */
export function createFocus(root, { i18n, panels, onView }) {
  const doc = root.ownerDocument;
  const name = root.querySelector("[data-name]");
  const fromOne = root.querySelector("[data-from-one]");
  const read = root.querySelector("[data-read]");
  const spoken = root.querySelector("[data-spoken]");
  const tabs = [...root.querySelectorAll('[role="tab"]')];

  tabs.forEach((tab, at) => {
    tab.addEventListener("click", () => onView(tab.dataset.view));
    tab.addEventListener("keydown", (event) => {
      const to = rove(event.key, at, tabs.length);
      if (to === null || to === at) return;
      event.preventDefault();
      onView(tabs[to].dataset.view);
      tabs[to].focus();
    });
  });

  function chooseTab(view) {
    for (const tab of tabs) {
      const chosen = tab.dataset.view === view;
      tab.setAttribute("aria-selected", String(chosen));
      tab.setAttribute("tabindex", chosen ? "0" : "-1");
      doc.getElementById(tab.getAttribute("aria-controls")).hidden = !chosen;
    }
  }

  function readOut({ session, view }) {
    const query = visible(session.queryTokens.texts[view.query]);
    const key = visible(session.keyTokens.texts[view.key]);
    const value = weight(view.row[view.key]);
    read.replaceChildren(tokenNode(doc, query, { class: "query" }), el(doc, "span", { class: "arrow", text: "→" }), tokenNode(doc, key), el(doc, "b", { text: value }));
    return i18n.t("focus.spoken", { query, key, weight: value });
  }

  return {
    update(scene) {
      chooseTab(scene.state.view);
      root.setAttribute("aria-busy", String(scene.busy));
      if (!scene.session) return;
      setText(name, `L${scene.layer} H${scene.head}`);
      setText(fromOne, i18n.t("focus.from-one", { layer: scene.layer + 1, head: scene.head + 1 }));
      if (!scene.view) return;
      const sentence = readOut(scene);
      if (scene.moved) setText(spoken, sentence);
      for (const [view, panel] of Object.entries(panels)) if (view === scene.state.view) panel.update(scene);
    },
  };
}
