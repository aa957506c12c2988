// "Compare": what the text is set against, edited in place, and the heads by how much they change.

import { el, fill, setText, tokenNode } from "../lib/dom.js";
import { createChanging } from "../lib/changing.js";
import { isChange, listedChanges, rivalModels, WAYS } from "../lib/compare.js";
import { originalCell } from "../lib/cursor.js";
import { signedChange } from "../lib/diverging.js";
import { parts, weight } from "../lib/i18n.js";
import { editedParts, labelsOf, withPart, wordsOf } from "../lib/pairs.js";
import { createRoving } from "../lib/roving.js";

const MOST_WORDS = 60; // words that can be edited one by one; a longer text is edited as a whole
const NOTHING = 0.0005; // what is printed as 0.000 has no place

/** onCompare(patch) patches the state; onWhatIf(patch) as well, and another trace is read. */
export function createCompare(root, { i18n, sentenceOf, onCompare, onWhatIf }) {
  const doc = root.ownerDocument;
  const at = (name) => root.querySelector(`[data-${name}]`);
  const [words, whole, text, set, clear, model, off, wait, said, list, note] = ["words", "whole", "other", "set", "clear", "model", "off-note", "wait", "said", "list", "note"].map(at);
  const invitation = at("hint");
  const ways = [...root.querySelectorAll('input[type="radio"]')];
  const panels = Object.fromEntries(WAYS.map((way) => [way, root.querySelector(`[data-part="${way}"]`)]));
  const changing = createChanging(panels["what-if"], { i18n, onWhatIf: changeModel, onWay: openWay });
  const roving = createRoving(words, () => [...words.querySelectorAll("button")]);
  let scene = null;
  let way = null; // the way on show, until the state says another
  let drawn = {};

  // Another choice of one way gives up the others.
  const NONE = { versus: null, versus_model: null, versus_layer: null, versus_head: null };
  for (const radio of ways) radio.addEventListener("change", () => openWay(radio.value));
  function openWay(name) {
    way = name;
    if (way === "switch") onCompare({ ...NONE });
    else drawWay(scene);
    ways.find(({ value }) => value === name).focus();
  }
  function changeModel(names) {
    way = "what-if"; // the form stays open when nothing is left of it
    const isLeft = !names && !scene.state.off && scene.state.view === "difference";
    onWhatIf({ ...NONE, what_if: names, ...(names && { view: "difference" }), ...(isLeft && { view: null }) });
  }
  const compareText = (other) => {
    const isOther = other.trim() && other !== scene.state.text;
    onCompare({ ...NONE, versus: isOther ? other : null, ...(isOther && { view: "difference" }) });
  };
  set.addEventListener("click", () => compareText(text.value));
  clear.addEventListener("click", () => onCompare({ ...NONE, ...(scene.state.view === "difference" && { view: null }) }));
  model.addEventListener("change", () => onCompare({ ...NONE, versus_model: model.value || null, ...(model.value && { view: "difference" }) }));
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    compareText(text.value);
  });

  // ---- the other text, word by word
  const otherText = ({ state }) => state.versus ?? state.text ?? "";

  function drawWords({ state }) {
    const other = otherText({ state });
    const written = wordsOf(other);
    const many = written.length > 2 * MOST_WORDS;
    const edited = many ? new Set() : editedParts(other, state.text ?? "");
    words.hidden = invitation.hidden = many;
    whole.open = many || whole.open;
    text.value = other;
    clear.hidden = state.versus === null;
    if (!many) words.replaceChildren(...written.map((part, i) => (part.word ? word(part.text, i, edited.has(i)) : doc.createTextNode(part.text))));
    roving.stop(0);
  }

  function word(written, i, isEdited) {
    const button = el(doc, "button", { type: "button", class: isEdited ? "word edited" : "word", "data-word": i, dir: "auto", title: i18n.t("compare.text.edit", { word: written }), text: written });
    button.addEventListener("click", () => edit(button, written, i));
    return button;
  }

  // The word becomes a field; Enter or leaving it sets the text, Escape gives it up.
  function edit(button, written, i) {
    const field = el(doc, "input", { type: "text", class: "word", dir: "auto", "aria-label": i18n.t("compare.text.edit", { word: written }), value: written, spellcheck: "false", autocomplete: "off" });
    let isOver = false;
    const fit = () => field.style.setProperty("width", `${Math.max(3, Array.from(field.value).length * (/[\u1100-\uffff]/u.test(field.value) ? 2 : 1) + 2)}ch`);
    const end = (value, back) => {
      if (isOver) return;
      isOver = true;
      const other = value === null ? null : withPart(otherText(scene), i, value);
      field.replaceWith(button);
      if (back) button.focus();
      if (other !== null && other.trim() && other !== otherText(scene)) compareText(other);
      if (back) (words.querySelector(`[data-word="${i}"]`) ?? words.querySelector("button"))?.focus();
    };
    field.addEventListener("input", fit);
    field.addEventListener("blur", () => end(field.value, false));
    field.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key !== "Enter" && event.key !== "Escape") return event.stopPropagation();
      event.preventDefault();
      end(event.key === "Enter" ? field.value : null, true);
    });
    button.replaceWith(field);
    fit();
    field.focus();
    field.select();
  }

  // ---- the other ways
  function drawModels({ models, session, state }) {
    const offered = rivalModels(models, session.request, session.map.kind);
    const options = offered.map((one) => el(doc, "option", { value: one.name, disabled: !one.ready, text: one.ready ? i18n.model(one) : i18n.t("compare.model.absent", { model: i18n.model(one) }) }));
    model.replaceChildren(el(doc, "option", { value: "", text: i18n.t("compare.model.choose") }), ...options);
    model.value = offered.some(({ name }) => name === state.versus_model) ? state.versus_model : "";
  }

  function drawWay(next) {
    const isPicture = Boolean(next.session.trace.picture);
    const on = way ?? next.compared?.way ?? (isPicture ? "what-if" : "text");
    for (const radio of ways) {
      radio.checked = radio.value === on;
      radio.parentElement.hidden = isPicture && !isChange(radio.value); // nobody writes another picture word by word
    }
    changing.update(next);
    for (const [name, panel] of Object.entries(panels)) panel.hidden = name !== on;
    const names = (next.state.off ?? "").split(",").filter(Boolean).map((name) => name.split(".")).map(([, layer, head]) => `L${layer} H${head}`);
    const said = [names.length ? i18n.t("compare.switch.on", { heads: names.join(", ") }) : i18n.t("compare.switch.none"), ...(next.state.what_if ? [i18n.t("compare.switch.changed")] : [])];
    setText(off, said.join(" "));
  }

  // ---- what was found
  function row(one, { comparison, labels, scale, isChosen, onChoose }) {
    const { largest } = one;
    const moved = signedChange(largest.after - largest.before, 2);
    const where = one.change < NOTHING ? ["–"]
      : [tokenNode(doc, labels.queries[largest.query].text, { class: "query" }), " → ", tokenNode(doc, labels.keys[largest.key].text), " ", el(doc, "b", { text: moved })];
    return el(doc, "tr", { class: isChosen ? "chosen" : null, "data-change": `${one.layer}.${one.head}`, onclick: () => onChoose(one) },
      el(doc, "th", { scope: "row" }, el(doc, "button", { type: "button", "aria-pressed": String(isChosen), text: `L${one.layer} H${one.head}` })),
      el(doc, "td", { class: "lift" }, el(doc, "div", {}, el(doc, "b", { text: weight(one.change) }), el(doc, "span", { class: "bar", "aria-hidden": "true", style: { "--part": one.change / scale } }))),
      comparison.way === "model" ? null : el(doc, "td", { class: "where" }, ...where));
  }

  function drawList(comparison) {
    const { ranks: { value }, way: how, other } = comparison;
    const isModel = how === "model";
    const focus = isModel && other ? other : scene;
    const { best, rest } = listedChanges(value.heads, focus);
    const more = {
      comparison, labels: { queries: labelsOf(value.queries, comparison.first.queries, comparison.second.queries), keys: labelsOf(value.keys, comparison.first.keys, comparison.second.keys) },
      scale: Math.max(0.05, ...best.map(({ change }) => change), ...rest.map(({ change }) => change)),
      onChoose: isModel
        ? ({ layer, head }) => onCompare({ versus_layer: layer, versus_head: head, view: "difference" })
        : ({ layer, head, largest }) => onCompare({ layer, head, ...originalCell(comparison, largest), view: "difference" }),
    };
    const rows = (some) => some.map((one) => row(one, { ...more, isChosen: one.layer === focus.layer && one.head === focus.head }));
    const columns = ["link.head", isModel ? "compare.distance" : "compare.change", ...(isModel ? [] : ["compare.where"])];
    const held = list.contains(doc.activeElement) ? doc.activeElement.closest("tr")?.dataset.change : null;
    list.replaceChildren(
      el(doc, "caption", { class: isModel ? null : "hidden", text: i18n.t(isModel ? "compare.list.model" : "compare.list", { head: `L${scene.layer} H${scene.head}`, model: i18n.model(comparison.second.model) }) }),
      el(doc, "thead", {}, el(doc, "tr", {}, ...columns.map((key) => el(doc, "th", { scope: "col", text: i18n.t(key) })))),
      el(doc, "tbody", {}, ...rows(best), ...(rest.length ? [el(doc, "tr", { class: "part" }, el(doc, "td", { colspan: columns.length, text: i18n.t("link.focus") })), ...rows(rest)] : [])));
    if (held) list.querySelector(`[data-change="${held}"] button`)?.focus({ preventScroll: true });
    drawSaid(comparison, more.labels, focus);
  }

  // The head in focus in a sentence that can be quoted.
  function drawSaid(comparison, labels, focus) {
    const one = comparison.ranks.value.heads.find(({ layer, head }) => layer === focus.layer && head === focus.head);
    if (!one) return said.replaceChildren();
    const { largest } = one;
    const slots = {
      head: `L${scene.layer} H${scene.head}`, other: `L${one.layer} H${one.head}`, model: i18n.model(comparison.second.model), change: weight(one.change),
      query: () => tokenNode(doc, labels.queries[largest.query].text, { class: "query" }), key: () => tokenNode(doc, labels.keys[largest.key].text),
      before: weight(largest.before), after: weight(largest.after),
    };
    return said.replaceChildren(...fill(doc, parts(i18n.t(`compare.says.${comparison.way}`)), slots));
  }

  function drawFound({ comparison, compared }) {
    const value = comparison?.ranks?.state === "ready" ? comparison : null;
    const stays = !value && comparison && drawn.session === scene.session && list.childElementCount > 0;
    const isRanked = Boolean(value?.ranks.value.heads.length);
    root.setAttribute("aria-busy", String(Boolean(comparison) && !value && !comparison.problem));
    for (const node of [said, list, note]) {
      node.hidden = !isRanked && !stays;
      if (node.hidden) node.replaceChildren();
    }
    const head = `${scene.layer} ${scene.head} ${value?.other?.layer} ${value?.other?.head}`;
    if (isRanked && (drawn.ranks !== value.ranks.value || drawn.head !== head)) {
      drawList(value);
      const unknown = isChange(value.way) ? null : value.second.notices.find(({ code }) => code === "unknown-tokens");
      const sentence = i18n.t(`compare.note.${value.way}`, { count: value.ranks.value.queries.length });
      setText(note, unknown ? `${sentence} ${i18n.t("compare.unknown", { count: unknown.count })}` : sentence);
    }
    drawn = { ...drawn, ranks: isRanked ? value.ranks.value : null, head };
    const hint = hintOf(comparison, compared, value, isRanked);
    setText(wait, hint ?? "");
    wait.hidden = hint === null || Boolean(stays && !comparison.problem);
  }

  function hintOf(comparison, compared, value, isRanked) {
    if (!compared) return null;
    if (comparison?.problem) {
      const { reason } = comparison.problem.facts ?? {};
      return reason === "apart" || reason === "shapes" ? i18n.t(`difference.refused.${reason}`) : sentenceOf(comparison.problem);
    }
    if (value) return isRanked ? null : i18n.t("compare.long");
    return i18n.t(`difference.waiting.${compared.way}`);
  }

  return {
    about: "analysis.difference",
    shows: ({ session, model }) => !session.request.trace && (!session.trace.picture || Boolean(model?.switchable || model?.rewirable)),
    update(next) {
      scene = next;
      const { session, state, models, compared } = next;
      if (drawn.compared !== compared?.way && compared) way = null;
      if (drawn.text !== state.text || drawn.versus !== state.versus) drawWords(next);
      if (drawn.session !== session || drawn.models !== models || drawn.versus_model !== state.versus_model) drawModels(next);
      drawWay(next);
      drawFound(next);
      drawn = { ...drawn, session, models, compared: compared?.way, text: state.text, versus: state.versus, versus_model: state.versus_model };
    },
  };
}
