// The card of tools: one question each. What is chosen stands open beneath the list; a click on it again closes it.

import { el, setText } from "../lib/dom.js";
import { createRoving } from "../lib/roving.js";

/**
 * tools: { name: { about, update(scene), shows?(scene), asItIs? } }, each drawing in the panel that has its name as id; about is
 * what the messages of its question and its reference begin with, several where it answers more than one; asItIs: it runs the
 * model as it is, whatever is changed in what is on show. onTool(name, or null for none).
 */
export function createTools(root, { i18n, tools, onTool }) {
  const doc = root.ownerDocument;
  const at = (name) => root.querySelector(`[data-${name}]`);
  const heading = doc.getElementById("tools-title");
  const [list, close, question, reference, asItIs] = ["tabs", "close", "question", "reference", "as-it-is"].map(at);
  const names = Object.keys(tools);
  const panels = Object.fromEntries(names.map((name) => [name, doc.getElementById(name)]));
  const tabs = Object.fromEntries(names.map((name) => [name, tabOf(name)]));
  let open = null;
  list.append(...Object.values(tabs));
  const roving = createRoving(list, shown);

  function tabOf(name) {
    panels[name].setAttribute("role", "tabpanel");
    panels[name].setAttribute("aria-labelledby", `tab-${name}`);
    return el(doc, "button", {
      type: "button", role: "tab", id: `tab-${name}`, "aria-controls": name, "aria-selected": "false", "data-tool": name,
      text: i18n.t(`tool.${name}`), onclick: () => onTool(open === name ? null : name),
    });
  }
  close.addEventListener("click", () => {
    const tab = tabs[open];
    onTool(null);
    tab?.focus(); // the button that was pressed goes
  });

  function shown() {
    return Object.values(tabs).filter((tab) => !tab.hidden);
  }

  function choose(name) {
    for (const [its, tab] of Object.entries(tabs)) {
      tab.setAttribute("aria-selected", String(its === name));
      panels[its].hidden = its !== name;
    }
    const held = shown().indexOf(doc.activeElement);
    roving.stop(held < 0 ? Math.max(0, shown().indexOf(tabs[name])) : held);
    close.hidden = name === null;
    setText(question, i18n.t(name ? `${aboutOf(name)[0]}.help` : "tools.question"));
    setText(reference, name ? i18n.t("tools.reference", { reference: aboutOf(name).map((about) => i18n.t(`${about}.reference`)).join("; ") }) : "");
    reference.hidden = name === null;
  }

  return {
    update(scene) {
      const { session, state, bare } = scene;
      root.hidden = !session || bare || !names.some((name) => isShown(name, scene));
      if (!session) return;
      setText(heading, i18n.t(scene.input === "picture" ? "tools.title.picture" : "tools.title"));
      for (const name of names) tabs[name].hidden = !isShown(name, scene);
      open = tabs[state.tool]?.hidden === false ? state.tool : null;
      choose(open);
      asItIs.hidden = !(open && tools[open].asItIs && state.what_if);
      if (open) tools[open].update(scene);
    },
  };

  function aboutOf(name) {
    return [tools[name].about].flat();
  }
  function isShown(name, scene) {
    return Boolean(scene.session) && (tools[name].shows?.(scene) ?? true);
  }
}
