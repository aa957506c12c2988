// The dialog that shares what is on show. It keeps how a picture was last wished for; each tab is a view of its own.

import { setText } from "../lib/dom.js";
import { rove } from "../lib/roving.js";
import { subjectOf, USUAL } from "../lib/sharing.js";

/** panels(refine): { picture, link, files }, each with update(subject) and leave(); openers are the buttons that open the dialog; travelling: see lib/shared.js. */
export function createShare(root, { i18n, openers, panels: make, travelling }) {
  const doc = root.ownerDocument;
  const tabs = [...root.querySelectorAll('[role="tab"]')];
  const of = root.querySelector("[data-of]");
  let chosen = USUAL;
  let tab = "picture";
  let scene = null;
  let turn = 0;

  const panels = make((patch) => {
    chosen = { ...chosen, ...patch };
    draw();
  });

  async function draw() {
    const mine = ++turn;
    if (!root.open || !scene?.session) return;
    for (const one of tabs) {
      const isOn = one.dataset.tab === tab;
      one.setAttribute("aria-selected", String(isOn));
      one.setAttribute("tabindex", isOn ? "0" : "-1");
      doc.getElementById(one.getAttribute("aria-controls")).hidden = !isOn;
    }
    const { session, layer, head } = scene;
    setText(of, `L${layer} H${head} · ${session.trace.model.full_title}`);
    const subject = subjectOf(scene, chosen, i18n.lang);
    const state = await travelling(subject.state, session);
    if (mine === turn) panels[tab].update({ ...subject, state, isCut: state !== subject.state, session });
  }

  function choose(name) {
    tab = name;
    draw();
  }

  for (const one of tabs) {
    one.addEventListener("click", () => choose(one.dataset.tab));
    one.addEventListener("keydown", (event) => {
      const at = tabs.indexOf(one);
      const to = rove(event.key, at, tabs.length);
      if (to === null || to === at) return;
      event.preventDefault();
      choose(tabs[to].dataset.tab);
      tabs[to].focus();
    });
  }
  for (const opener of openers) {
    opener.addEventListener("click", () => {
      root.showModal();
      draw();
      tabs.find(({ dataset }) => dataset.tab === tab).focus();
    });
  }
  root.querySelector("[data-close]").addEventListener("click", () => root.close());
  root.addEventListener("click", (event) => event.target === root && root.close());
  root.addEventListener("close", () => Object.values(panels).forEach((panel) => panel.leave()));

  return {
    update(given) {
      scene = given;
      for (const opener of openers) opener.disabled = !given.session;
      draw();
    },
  };
}
