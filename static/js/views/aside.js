// Under the head in focus: how a pair's row is shared between its sentences, what a row rests on, what to be careful with, and whether it is switched off, or the model changed.

import { el, setText, fill, tokenNode } from "../lib/dom.js";
import { parts } from "../lib/i18n.js";
import { isOff, offHeads } from "../lib/off.js";
import { sharesOf } from "../lib/segments.js";
import { sinkOf } from "../lib/sinks.js";
import { visible } from "../lib/tokens.js";
import { changesSaid, isMasked, isShuffled } from "../lib/whatif.js";

export function createAside(root, { i18n, onOff, onAllOn, onAsItIs }) {
  const doc = root.ownerDocument;
  const toggle = root.querySelector("[data-off]");
  const shared = root.querySelector("[data-shared]");
  const rest = root.querySelector("[data-rest]");
  const caution = root.querySelector("[data-caution]");
  const off = doc.getElementById("off");
  const list = off.querySelector("[data-off-list]");
  const changed = doc.getElementById("changed");
  const undo = changed.querySelector("[data-undo]");
  let scene = null;
  toggle.addEventListener("click", () => onOff(scene.session.map.kind, scene.layer, scene.head));
  off.querySelector("[data-all-on]").addEventListener("click", () => {
    onAllOn();
    toggle.focus(); // the button that was pressed goes
  });
  undo.addEventListener("click", () => {
    onAsItIs();
    toggle.focus();
  });

  function drawToggle({ model, state, session, layer, head }) {
    toggle.hidden = !model?.switchable;
    const name = `L${layer} H${head}`;
    const pressed = isOff(state.off, session.map.kind, layer, head);
    toggle.classList.toggle("chosen", pressed);
    setText(toggle, i18n.t(pressed ? "off.on-again" : "off.switch", { head: name }));
  }

  function drawRest({ session, view, blocked }) {
    const free = session.keyTokens.texts.length - (blocked ? view.row.filter((weight, key) => blocked.pair(view.query, key, weight)).length : 0);
    const found = sinkOf({
      row: view.row, tokens: session.keyTokens, query: view.query, isSpecial: session.queryTokens.special[view.query],
      cross: session.map.kind === "cross", masked: isMasked(session.posted, session.map.kind) && !isShuffled(session.posted), removed: view.removed?.[view.query], free,
    });
    rest.hidden = !found;
    if (!found) return;
    const slots = {
      query: tokenNode(doc, visible(session.queryTokens.texts[view.query]), { class: "query" }),
      key: found.key === null ? "" : tokenNode(doc, visible(session.keyTokens.texts[found.key])),
      share: `${found.share < 1 ? Math.min(99, Math.round(100 * found.share)) : 100}`,
    };
    rest.replaceChildren(...fill(doc, parts(i18n.t(`sink.${found.what}`)), slots));
  }

  // A pair's row, in one sentence: how much of it lies in which of the two.
  function drawShared({ session, view }) {
    const { segments, special } = session.request;
    const found = sharesOf({ row: view.row, keyTokens: session.keyTokens, removed: view.removed?.[view.query], segments, special });
    shared.hidden = !found;
    if (!found) return;
    const { name, ...facts } = found;
    const slots = { ...facts, query: tokenNode(doc, visible(session.queryTokens.texts[view.query]), { class: "query" }) };
    shared.replaceChildren(...fill(doc, parts(i18n.t(`pair.${name}`)), slots));
  }

  function drawCaution({ model, session }) {
    const said = (model?.cautions ?? []).filter(({ kind }) => !kind || kind === session.map.kind);
    caution.hidden = said.length === 0;
    setText(caution, said.map((one) => one[i18n.lang] ?? one.en).join(" "));
  }

  function drawList({ state, session }) {
    const heads = offHeads(state.off);
    off.hidden = heads.length === 0;
    const several = session.trace.maps.length > 1;
    const names = heads.map(({ kind, layer, head }) => `L${layer} H${head}${several ? ` (${i18n.t(`kind.${kind}`)})` : ""}`);
    setText(list, i18n.t("off.list", { count: heads.length, heads: names.join(", ") }));
  }

  // What a file says of itself nobody can undo here.
  function drawChanged({ state, session: { posted } }) {
    const names = posted.what_if ?? [];
    changed.hidden = names.length === 0;
    undo.hidden = !state.what_if;
    setText(changed.querySelector("[data-changes]"), changed.hidden ? "" : i18n.t("what-if.list", { changes: changesSaid(i18n, names, Boolean(posted.picture)) }));
  }

  return {
    update(next) {
      scene = next;
      if (!next.session) {
        off.hidden = changed.hidden = true;
        return;
      }
      drawChanged(next);
      drawToggle(next);
      drawCaution(next);
      drawList(next);
      if (!next.view) return;
      drawShared(next);
      drawRest(next);
    },
  };
}
