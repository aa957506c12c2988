// The blocks in their order: moved by dragging, by buttons and by Alt with an arrow key.

import { el, setText } from "../../lib/dom.js";

const UP = "M8 12.5V4M8 4 4.5 7.500M8 4l3.5 3.5";
const DOWN = "M8 3.5V12M8 12l3.5-3.5M8 12 4.5 8.5";
const MORE = "M8 3.5v9M3.5 8h9";
const AWAY = "M4 4l8 8M12 4l-8 8";
const GRIP = "M6 4h.01M10 4h.01M6 8h.01M10 8h.01M6 12h.01M10 12h.01";

/** kinds: for each type of block make(id) returns { root, focus, update }; onMove(id, after), onShift(id, by), onRemove(id), onAdd(after); say(text) tells what happened to who does not see it. */
export function createBlocks(root, { i18n, kinds, onMove, onShift, onRemove, onAdd, say }) {
  const doc = root.ownerDocument;
  const items = new Map(); // id -> { root, inside, name, tools, drawn }
  let dragged = null;
  let aimed = null; // { after } where it would stand

  function icon(path) {
    return el(doc, "svg:svg", { viewBox: "0 0 16 16", "aria-hidden": "true" },
      el(doc, "svg:path", { d: path, fill: "none", stroke: "currentColor", "stroke-width": path === GRIP ? "2.2" : "1.5", "stroke-linecap": "round", "stroke-linejoin": "round" }));
  }

  function make({ id, type }) {
    const button = (name, path, act) => el(doc, "button", { type: "button", [`data-${name}`]: "", onclick: act }, icon(path));
    const tools = {
      up: button("up", UP, () => shift(id, -1)), down: button("down", DOWN, () => shift(id, 1)),
      add: button("add", MORE, () => onAdd(id)), remove: button("remove", AWAY, () => remove(id)),
    };
    const grip = el(doc, "span", { class: "grip", draggable: "true", title: i18n.t("tray.drag"), "aria-hidden": "true" }, icon(GRIP));
    const name = el(doc, "span", { class: "kind" });
    const inside = kinds[type](id);
    const item = el(doc, "li", { class: `block card of-${type}`, "data-block": id }, el(doc, "div", { class: "head" }, grip, name, ...Object.values(tools)), inside.root);
    item.addEventListener("keydown", (event) => {
      if (!event.altKey || event.ctrlKey || event.metaKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
      event.preventDefault();
      shift(id, event.key === "ArrowUp" ? -1 : 1);
    });
    grip.addEventListener("dragstart", (event) => {
      dragged = id;
      event.dataTransfer.setData("text/plain", "");
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setDragImage(item, 20, 20);
      item.classList.add("dragged");
    });
    grip.addEventListener("dragend", end);
    return { root: item, inside, name, tools, drawn: [] };
  }

  function shift(id, by) {
    const held = doc.activeElement;
    onShift(id, by);
    if (held?.isConnected) held.focus(); // an element that moves in the document loses the focus
    if (doc.activeElement?.disabled || doc.activeElement === doc.body) items.get(id)?.inside.focus();
    show(id);
    say(i18n.t("tray.moved", { number: places().indexOf(id) + 1, total: items.size }));
  }
  const places = () => [...root.children].map((item) => item.dataset.block);
  const show = (id) => items.get(id)?.root.scrollIntoView({ block: "nearest" });

  function remove(id) {
    const { root: item } = items.get(id);
    const next = item.nextElementSibling ?? item.previousElementSibling;
    const number = places().indexOf(id) + 1;
    (next?.querySelector("[data-remove]") ?? doc.querySelector("[data-add-text]"))?.focus();
    onRemove(id);
    say(i18n.t("tray.removed", { number }));
  }

  // ---- dragging: a line shows where the block will stand
  function aim(event) {
    if (dragged === null) return;
    event.preventDefault();
    const item = event.target.closest?.("[data-block]");
    if (!item) return; // between two of them the line stays where it is
    const box = item.getBoundingClientRect();
    const isBefore = event.clientY < box.top + box.height / 2;
    for (const { root: one } of items.values()) one.classList.remove("before", "after");
    item.classList.add(isBefore ? "before" : "after");
    aimed = { after: isBefore ? (item.previousElementSibling?.dataset.block ?? null) : item.dataset.block };
  }
  function end() {
    dragged = aimed = null;
    for (const { root: one } of items.values()) one.classList.remove("before", "after", "dragged");
  }
  root.addEventListener("dragover", aim);
  root.addEventListener("drop", (event) => {
    if (dragged === null) return;
    aim(event);
    const [id, to] = [dragged, aimed];
    end();
    if (to && to.after !== id) onMove(id, to.after);
  });

  function place(blocks) {
    for (const [id, { root: item }] of items) {
      if (blocks.some((block) => block.id === id)) continue;
      const isHere = item.contains(doc.activeElement);
      const near = item.previousElementSibling ?? item.nextElementSibling;
      item.remove();
      items.delete(id);
      if (isHere) (items.get(near?.dataset.block)?.inside ?? doc.querySelector("[data-add-text]")).focus(); // who wrote there goes on beside it
    }
    const held = doc.activeElement;
    const caret = held?.selectionStart;
    blocks.forEach((block, at) => {
      if (!items.has(block.id)) items.set(block.id, make(block));
      const item = items.get(block.id).root;
      if (root.children[at] !== item) root.insertBefore(item, root.children[at] ?? null);
    });
    if (held !== doc.activeElement && held?.isConnected) {
      held.focus();
      if (caret !== null && caret !== undefined) held.setSelectionRange?.(caret, held.selectionEnd);
    }
  }

  return {
    focus: (id) => items.get(id)?.inside.focus(),
    show,
    update(scene) {
      const { blocks, language } = scene.lesson;
      place(blocks);
      blocks.forEach((block, at) => {
        const { inside, name, tools } = items.get(block.id);
        const rendering = scene.renderingOf(block);
        if (isDrawn(items.get(block.id), [block, rendering, at, blocks.length, language, scene.theme, scene.isFull, scene.isReading])) return;
        const number = i18n.t(`tray.block.${block.type}`, { number: at + 1 });
        setText(name, number);
        for (const [what, button] of Object.entries(tools)) {
          const says = i18n.t(`tray.block.${what}`);
          button.setAttribute("aria-label", `${says}: ${number}`);
          button.title = says;
        }
        tools.up.disabled = at === 0;
        tools.down.disabled = at === blocks.length - 1;
        tools.add.disabled = scene.isFull;
        inside.update({ block, language, name: number, rendering, theme: scene.theme, lang: i18n.lang });
      });
    },
  };
}

// Whether an item shows this already: a letter in one block of two hundred draws that one.
function isDrawn(item, now) {
  const same = item.drawn.length === now.length && now.every((one, index) => one === item.drawn[index]);
  item.drawn = now;
  return same;
}
