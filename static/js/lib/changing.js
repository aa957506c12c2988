// The form of "What if": what a model of ours can do otherwise, each with a sentence that says what it shows.

import { el, setText } from "./dom.js";
import { anotherSeed, canChange, chosen, isOrderless, messageOf, readAs, SORTS, TEMPERATURES, withChoice } from "./whatif.js";

/** Fills `root`; onWhatIf(names, or null for the model as it is), onWay(way) opens another way to compare. update(scene). */
export function createChanging(root, { i18n, onWhatIf, onWay }) {
  const doc = root.ownerDocument;
  const why = el(doc, "p", { class: "note", "data-why": true, hidden: true });
  const intro = el(doc, "p", { class: "note", text: i18n.t("what-if.hint") });
  const rows = Object.fromEntries(SORTS.map((sort) => [sort, sort === "temperature" ? temperatureRow() : checkRow(sort)]));
  const again = el(doc, "button", { type: "button", class: "pill", "data-another": true, text: i18n.t("what-if.another"), onclick: () => choose("shuffle", anotherSeed(chosen(now(), "shuffle"))) });
  const order = el(doc, "p", { class: "order", dir: "auto", "aria-live": "polite", "data-order": true });
  rows.shuffle.node.append(el(doc, "div", { class: "acts-of" }, again), order);
  const link = (way, key) => el(doc, "button", { type: "button", class: "pill", "data-way": way, text: i18n.t(key), onclick: () => onWay(way) });
  const others = el(doc, "div", { class: "acts-of" }, el(doc, "span", { class: "note", text: i18n.t("what-if.others") }), link("switch", "what-if.head-off"), link("text", "what-if.word"));
  const undo = el(doc, "button", { type: "button", class: "pill", "data-undo": true, text: i18n.t("what-if.undo"), onclick: () => (wish(null), rows.unscaled.input.focus()) });
  const list = el(doc, "div", { class: "what-ifs", role: "group", "aria-label": i18n.t("compare.way.what-if") }, ...SORTS.map((sort) => rows[sort].node));
  root.append(why, intro, list, el(doc, "div", { class: "acts-of" }, undo), others);

  let wished = null; // the newest wish: the next one may come before the picture of this one

  const now = () => wished;
  const choose = (sort, value) => wish(withChoice(now(), sort, value));
  function wish(names) {
    wished = names;
    onWhatIf(names);
  }

  function row(sort, ...nodes) {
    const help = el(doc, "p", { class: "note", id: `what-if-${SORTS.indexOf(sort)}` });
    return { help, node: el(doc, "div", { class: "what-if", "data-sort": sort }, ...nodes, help) };
  }
  function checkRow(sort) {
    const input = el(doc, "input", { type: "checkbox", "data-what-if": sort, "aria-describedby": `what-if-${SORTS.indexOf(sort)}` });
    input.addEventListener("change", () => choose(sort, input.checked && (sort !== "shuffle" || anotherSeed(null))));
    const text = el(doc, "span");
    return { input, text, ...row(sort, el(doc, "label", { class: "check" }, input, text)) };
  }
  // A link may say another temperature than those that are offered: it stands among them.
  function temperatureRow() {
    const name = el(doc, "span", { id: "what-if-temperature", text: i18n.t("what-if.temperature") });
    const choices = el(doc, "div", { class: "segments", role: "radiogroup", "aria-labelledby": name.id, "aria-describedby": "what-if-1" });
    return { choices, ...row("temperature", el(doc, "div", { class: "temperature" }, name, choices)) };
  }

  function drawTemperature() {
    const value = chosen(now(), "temperature") ?? "1";
    const { choices } = rows.temperature;
    const held = choices.dataset.offered?.split(",") ?? TEMPERATURES; // what was offered stays, and keeps the keyboard
    const offered = [...new Set([...held, value])].sort((one, other) => one - other);
    if (choices.dataset.offered !== offered.join()) {
      choices.dataset.offered = offered.join();
      choices.replaceChildren(...offered.map((one) => {
        const input = el(doc, "input", { type: "radio", name: "what-if-temperature", value: one });
        input.addEventListener("change", () => choose("temperature", one));
        return el(doc, "label", {}, input, el(doc, "span", { text: one }));
      }));
    }
    for (const input of choices.querySelectorAll("input")) input.checked = input.value === value;
  }

  function drawRows({ session, model }) {
    const isPicture = Boolean(session.trace.picture);
    for (const sort of SORTS) {
      const { node, input, text, help } = rows[sort];
      node.hidden = !canChange(model, sort);
      const more = sort === "positions:none" && !isOrderless(withChoice(now(), sort, true), model.kinds) ? ".help.masked" : ".help";
      setText(help, i18n.t(messageOf(i18n, sort, more, isPicture)));
      if (!input) continue;
      input.checked = chosen(now(), sort) !== null;
      setText(text, i18n.t(messageOf(i18n, sort, "", isPicture)));
    }
    drawTemperature();
    again.hidden = order.hidden = chosen(now(), "shuffle") === null;
    const { places, source, picture } = session.posted;
    setText(order, places && !picture ? i18n.t("what-if.read-as", { text: readAs(source, places) }) : "");
  }

  return {
    update(next) {
      wished = next.state.what_if;
      const { model, session } = next;
      const can = Boolean(model?.rewirable);
      why.hidden = can || !model;
      setText(why, why.hidden ? "" : i18n.t("what-if.not-ours", { model: i18n.model(model) }));
      for (const node of [intro, list]) node.hidden = !can;
      undo.hidden = !can || !now();
      for (const node of others.querySelectorAll("[data-way]")) node.hidden = node.dataset.way === "text" ? Boolean(session.trace.picture) : !model?.switchable;
      if (can) drawRows(next);
    },
  };
}
