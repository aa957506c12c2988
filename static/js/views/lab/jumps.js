// Where heads take up their roles, in words, each of which leads there; and the role whose scores are drawn.

import { el } from "../../lib/dom.js";
import { weight } from "../../lib/i18n.js";

export function createJumps(root, { i18n, naming, onJump, onRole }) {
  const doc = root.ownerDocument;
  const [list, roles, roleList] = ["jumps", "roles", "role-list"].map((name) => root.querySelector(`[data-${name}]`));
  let shown = [];
  let listed = null;

  function item(jump, at) {
    const text = i18n.t(at ? "lab.jump.second" : "lab.jump", {
      head: naming.head(jump.layer, jump.head), role: naming.role(jump.role), low: weight(jump.low, 2), high: weight(jump.high, 2), start: jump.start, end: jump.end,
    });
    return el(doc, "li", {}, el(doc, "button", { type: "button", class: `run${at}`, text, onclick: () => onJump(jump) }));
  }

  function drawRoles({ lab, state, role }) {
    const names = lab?.tasks.find(({ name }) => name === state.choices.task)?.roles ?? [];
    roles.hidden = names.length < 2;
    if (listed !== names.join()) {
      roleList.replaceChildren(...names.map((name) => el(doc, "label", {}, el(doc, "input", { type: "radio", name: "role", value: name, onchange: () => onRole(name) }), el(doc, "span", { text: naming.role(name) }))));
    }
    listed = names.join();
    for (const input of roleList.querySelectorAll("input")) input.checked = input.value === role;
  }

  return {
    update(scene) {
      const { runs } = scene;
      drawRoles(scene);
      const results = runs.map((run) => run?.result ?? null);
      if (results.every((result, at) => result === shown[at]) && shown.length) return;
      shown = results;
      const items = results.flatMap((result, at) => (result?.jumps ?? []).map((jump) => item(jump, at)));
      const quiet = () => el(doc, "li", { class: "quiet", text: i18n.t(results.some(Boolean) ? "lab.jumps.none" : "lab.jumps.before") });
      list.replaceChildren(...(items.length ? items : [quiet()]));
    },
  };
}
