// "Add to lesson" on the Explore page; and where a view of the lesson was opened to be changed, "Update this view".

import { el, setText } from "../../lib/dom.js";
import { viewBlock } from "../../lib/lesson/file.js";
import { blockOf, LIMITS } from "../../lib/lesson/lesson.js";
import { obstacleOf, subjectOf, USUAL } from "../../lib/sharing.js";

const SAID = 2500; // milliseconds

/** mine: the lesson's store; editing: see lib/lesson/mine.js; searchOf(state): everything that a state says. */
export function createAdding(root, { i18n, mine, editing, searchOf }) {
  const doc = root.ownerDocument;
  const [add, renew, told, refused] = ["add", "renew", "told", "refused"].map((name) => root.querySelector(`[data-lesson-${name}]`));
  let scene = null;
  let timer = 0;
  let done = {}; // what a button says for a moment

  const edited = () => blockOf(mine.lesson(), editing.get());

  function blockNow(id) {
    const { state, samples } = subjectOf(scene, USUAL, i18n.lang);
    const obstacle = obstacleOf(state, samples, "");
    const block = viewBlock(searchOf({ ...state, view: scene.tab === "difference" ? "difference" : state.view }), scene.tab, id);
    const isFull = !edited() && mine.lesson().blocks.length >= LIMITS.blocks;
    const why = obstacle ?? (block ? (isFull ? "full" : null) : "long");
    refused.hidden = !why;
    if (why) setText(refused, i18n.t(`tray.refused.${why}`));
    return why ? null : block;
  }

  async function keep(button, operation, said) {
    say(button, said);
    await mine.change(operation);
    if (mine.trouble()) {
      refused.hidden = false;
      setText(refused, i18n.t(`tray.trouble.${mine.trouble()}`));
    }
  }

  function say(button, said) {
    clearTimeout(timer);
    done = { button, said };
    draw();
    told.replaceChildren(`${i18n.t(said)} `, el(doc, "a", { href: `/lesson?lang=${i18n.lang}`, text: i18n.t("tray.back") }));
    timer = setTimeout(() => {
      const had = renew.contains(doc.activeElement);
      done = {};
      draw();
      if (had && renew.hidden) add.focus();
    }, SAID);
  }

  add.addEventListener("click", () => {
    const block = blockNow(mine.newId());
    if (block) keep(add, { do: "insert", block, after: undefined }, "tray.added");
  });
  renew.addEventListener("click", () => {
    const old = edited();
    const block = old && blockNow(old.id);
    if (!block) return draw();
    editing.set(null);
    const show = block.show && old.show ? { show: old.show.includes(block.show[0]) ? old.show : block.show } : { show: block.show ?? null };
    keep(renew, { do: "edit", id: old.id, patch: { address: block.address, ...show }, block: old }, "tray.updated");
    return undefined;
  });

  function draw() {
    if (!scene) return;
    add.disabled = renew.disabled = !scene.session || !scene.view;
    renew.hidden = !edited() && done.button !== renew;
    for (const [button, usual] of [[add, "tray.add"], [renew, "tray.update"]]) {
      setText(button.querySelector("[data-label]"), i18n.t(done.button === button ? done.said : usual));
    }
  }

  return {
    update(given) {
      if (!scene || ["session", "layer", "head", "tab"].some((name) => given[name] !== scene[name])) refused.hidden = true;
      scene = given;
      draw();
    },
  };
}
