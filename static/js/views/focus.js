// The head in focus: its name, the chosen pair with its exact weight, and the ways to look at it.

import { el, setText, tokenNode } from "../lib/dom.js";
import { weight } from "../lib/i18n.js";
import { rove } from "../lib/roving.js";
import { segmentMark, spoken as spokenToken } from "../lib/segments.js";
import { describeTokens } from "../lib/tokens.js";
import { changesSaid } from "../lib/whatif.js";

/** panels: { picture, heatmap, lines, table, compute, difference }, each with update(scene). Picture and difference stand where there is one. */
export function createFocus(root, { i18n, panels, onView }) {
  const doc = root.ownerDocument;
  const name = root.querySelector("[data-name]");
  const fromOne = root.querySelector("[data-from-one]");
  const changed = root.querySelector("[data-changed]");
  const read = root.querySelector("[data-read]");
  const spoken = root.querySelector("[data-spoken]");
  const everyTab = [...root.querySelectorAll('[role="tab"]')];
  let tabs = everyTab;

  for (const tab of everyTab) {
    tab.addEventListener("click", () => onView(tab.dataset.view));
    tab.addEventListener("keydown", (event) => {
      const at = tabs.indexOf(tab);
      const to = rove(event.key, at, tabs.length);
      if (to === null || to === at) return;
      event.preventDefault();
      onView(tabs[to].dataset.view);
      tabs[to].focus();
    });
  }

  function chooseTab(view, { session, compared }) {
    const has = { picture: Boolean(session?.trace.picture), difference: Boolean(session && compared) };
    tabs = everyTab.filter((tab) => has[tab.dataset.view] ?? true);
    for (const tab of everyTab) {
      tab.hidden = !tabs.includes(tab);
      const chosen = tab.dataset.view === view;
      tab.setAttribute("aria-selected", String(chosen));
      tab.setAttribute("tabindex", chosen ? "0" : "-1");
      doc.getElementById(tab.getAttribute("aria-controls")).hidden = !chosen;
    }
  }

  function readOut({ session, view, blocked }) {
    const query = describeTokens(session.queryTokens)[view.query];
    const key = describeTokens(session.keyTokens)[view.key];
    const isBlocked = Boolean(blocked?.pair(view.query, view.key, view.row[view.key]));
    const value = isBlocked ? i18n.t("focus.blocked") : weight(view.row[view.key]);
    const named = (token, props) => [tokenNode(doc, token.text, props), segmentMark(doc, i18n, token.segment)].filter(Boolean);
    read.replaceChildren(...named(query, { class: "query" }), el(doc, "span", { class: "arrow", text: "→" }), ...named(key), el(doc, "b", { text: value }));
    return i18n.t("focus.spoken", { query: spokenToken(query), key: spokenToken(key), weight: value });
  }

  // Whose picture this is, where it is not the model's as it is.
  function drawChanged({ posted }) {
    changed.hidden = !posted.what_if?.length;
    setText(changed, changed.hidden ? "" : i18n.t("what-if.mark"));
    changed.title = changed.hidden ? "" : changesSaid(i18n, posted.what_if, Boolean(posted.picture));
  }

  return {
    update(scene) {
      chooseTab(scene.tab, scene);
      if (scene.tab !== "compute") panels.compute?.rest();
      read.hidden = scene.tab === "difference"; // which reads its own cells out
      root.setAttribute("aria-busy", String(scene.busy));
      if (!scene.session) return;
      setText(name, `L${scene.layer} H${scene.head}`);
      drawChanged(scene.session);
      setText(fromOne, i18n.t("focus.from-one", { layer: scene.layer + 1, head: scene.head + 1 }));
      if (!scene.view) return;
      const sentence = readOut(scene);
      // A grid that has the keyboard reads its own cell out.
      if (scene.moved && doc.activeElement?.getAttribute("role") !== "grid") setText(spoken, sentence);
      panels[scene.tab].update(scene);
    },
  };
}
