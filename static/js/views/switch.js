// "Switch off": what changes when heads pass nothing on, some together or every one alone; attention against effect.

import { wholeOf } from "../lib/aim.js";
import { createAiming } from "../lib/aiming.js";
import { el, fill, setText, tokenNode } from "../lib/dom.js";
import { parts, weight } from "../lib/i18n.js";
import { isOff, offHeads } from "../lib/off.js";
import { createRunning } from "../lib/running.js";
import { createScatter } from "../lib/scatter.js";
import { answerOf, compared, headId, kindsOf, MOST_ROWS, pointsOf } from "../lib/switched.js";
import { visible } from "../lib/tokens.js";

/** onAim(patch), onHow(how), onOff(kind, layer, head), onScan(on), onHead(kind, layer, head), onCancel(slot), onAgain(slot). */
export function createSwitch(root, { i18n, sentenceOf, onAim, onHow, onOff, onScan, onHead, onCancel, onAgain }) {
  const doc = root.ownerDocument;
  const text = (tag, key, props = {}) => el(doc, tag, { ...props, text: i18n.t(key) });
  const aiming = createAiming(doc, { i18n, name: "switch", withKey: true, onAim });
  const how = el(doc, "select", { id: "switch-how", "data-how": true }, ...["zero", "mean"].map((one) => el(doc, "option", { value: one, text: i18n.t(`switch.how.${one}`) })));
  how.addEventListener("change", () => onHow(how.value));
  aiming.node.append(el(doc, "label", { for: how.id, text: i18n.t("switch.how") }), el(doc, "div", {}, how));
  const together = createTogether(doc, { i18n, text, sentenceOf, onOff, onCancel, onAgain });
  const alone = createAlone(doc, { i18n, text, sentenceOf, onScan, onHead, onCancel, onAgain });
  root.append(aiming.node, ...together.nodes, ...alone.nodes);

  return {
    about: ["experiment.switch-off", "experiment.scan"],
    asItIs: true,
    shows: ({ model }) => Boolean(model?.switchable),
    update(scene) {
      aiming.update(wholeOf(scene.session), scene.state);
      how.value = scene.state.how;
      together.update(scene);
      alone.update(scene);
    },
  };
}

const nameOf = (i18n, { kind, layer, head }, several) => `L${layer} H${head}${several ? ` · ${i18n.t(`kind.${kind}`)}` : ""}`;

// ---- some heads together: chosen by a click, what the model says before and after
function createTogether(doc, { i18n, text, sentenceOf, onOff, onCancel, onAgain }) {
  const chips = el(doc, "div", { class: "chips", role: "group", "aria-label": i18n.t("switch.off"), "data-heads": true });
  const toggle = el(doc, "button", { type: "button", class: "pill", "data-toggle": true });
  const running = createRunning(doc, { i18n, sentenceOf, label: i18n.t("switch.together"), onCancel: () => onCancel("switched"), onAgain: () => onAgain("switched") });
  const words = el(doc, "dl", { class: "said-both", hidden: true });
  const table = el(doc, "table", { class: "links both", "data-both": true });
  const found = el(doc, "div", { class: "found" }, words, table);
  let scene = null;
  let drawn = null;
  toggle.addEventListener("click", () => onOff(scene.session.map.kind, scene.layer, scene.head));

  function drawHeads({ state, session, layer, head }) {
    const several = session.posted.maps.length > 1;
    const heads = offHeads(state.off);
    if (chips.dataset.off !== (state.off ?? "")) {
      const held = chips.contains(doc.activeElement);
      chips.dataset.off = state.off ?? "";
      chips.replaceChildren(...heads.map((one) => el(doc, "button", {
        type: "button", class: "chip", "aria-label": i18n.t("off.on-again", { head: nameOf(i18n, one, several) }), onclick: () => onOff(one.kind, one.layer, one.head),
      }, nameOf(i18n, one, several), el(doc, "span", { class: "cross", "aria-hidden": "true", text: "×" }))));
      if (held) (chips.lastChild ?? toggle).focus();
    }
    chips.hidden = heads.length === 0;
    const pressed = isOff(state.off, session.map.kind, layer, head);
    setText(toggle, i18n.t(pressed ? "off.on-again" : "off.switch", { head: `L${layer} H${head}` }));
  }

  // Where a row is a place, each side names what stands there; where it is a word, the row does. A word that is not among
  // the candidates of one side is at most as probable as the last of them.
  function cell(one, names, last) {
    const rest = last && !names ? `≤ ${weight(last.probability)}` : "–";
    const number = el(doc, "b", { text: one ? weight(one.probability) : rest });
    const bar = el(doc, "span", { class: "bar", "aria-hidden": "true", style: { "--part": one?.probability ?? 0 } });
    return el(doc, "td", { class: "lift" }, el(doc, "div", {}, names && one ? tokenNode(doc, spelled(i18n, one.text, true), { class: "word-of" }) : null, number, bar));
  }

  function drawTable(value) {
    const rows = compared(value);
    const named = rows.some((one) => one.text !== null);
    const asked = rows.some((one) => one.question !== null);
    const first = named ? "switch.candidate" : "switch.question";
    const lines = ["before", "after"].map((when) => [`switch.${when}`, value.written?.[when] ?? null]).filter(() => value.written?.before && value.written.after);
    const columns = [...(named || asked ? [first] : []), "switch.before", "switch.after"];
    table.hidden = rows.length === 0;
    table.classList.toggle("placed", !named);
    table.replaceChildren(
      text("caption", "switch.both", { class: "hidden" }),
      el(doc, "thead", {}, el(doc, "tr", {}, ...columns.map((key) => text("th", key, { scope: "col" })))),
      el(doc, "tbody", {}, ...rows.map((one) => el(doc, "tr", {},
        named ? el(doc, "th", { scope: "row" }, tokenNode(doc, spelled(i18n, one.text))) : asked ? el(doc, "th", { scope: "row", text: questionOf(i18n, one.question) }) : null, cell(one.before, !named, value.before.at(-1)), cell(one.after, !named, value.after.at(-1))))));
    words.hidden = lines.length === 0;
    words.replaceChildren(...lines.flatMap(([key, one]) => [text("dt", key), el(doc, "dd", {}, tokenNode(doc, one))]));
  }

  return {
    nodes: [text("h3", "switch.together"), el(doc, "div", { class: "acts-of" }, chips, toggle), running.node, found],
    update(next) {
      scene = next;
      drawHeads(next);
      const { switched, state } = next;
      const value = switched?.state === "ready" ? switched.value : null;
      running.update(switched, value ? i18n.t(`switch.effect.${value.aim.task}`, { effect: weight(value.effect) }) : state.off ? "" : i18n.t("switch.none"));
      found.hidden = !state.off;
      found.setAttribute("aria-busy", String(Boolean(switched) && !value));
      found.style.setProperty("--rows", rowsOf(next.session));
      if (drawn === value || !value) return;
      drawn = value;
      drawTable(value);
    },
  };
}

// ---- every head alone: ranked by effect, and set against attention
function createAlone(doc, { i18n, text, sentenceOf, onScan, onHead, onCancel, onAgain }) {
  const run = el(doc, "button", { type: "button", class: "pill", "data-run": true, text: i18n.t("switch.run"), onclick: () => onScan(true) });
  const running = createRunning(doc, { i18n, sentenceOf, label: i18n.t("experiment.scan.title"), className: "run long", onCancel: () => onScan(false), onAgain: () => onAgain("scan") });
  const plot = el(doc, "div", { class: "scatter", "data-plot": true });
  const legend = el(doc, "p", { class: "note kinds-of" });
  const note = el(doc, "p", { class: "note watched" });
  const table = el(doc, "table", { class: "links", "data-ranked": true });
  const scroll = el(doc, "div", { class: "scroll", tabindex: "0", role: "region", "aria-label": i18n.t("switch.ranked") }, table);
  const found = el(doc, "div", { class: "found scanned" }, plot, legend, note, scroll);
  let several = false;
  let drawn = {};
  const scatter = createScatter(plot, {
    onChoose: ({ kind, layer, head }) => onHead(kind, layer, head),
    nameOf: ({ layer, head }) => `L${layer} H${head}`,
    sentenceOf: (one) => i18n.t("switch.point", { head: nameOf(i18n, one, several), attention: weight(one.attention), effect: weight(one.effect) }),
  });

  function row(one, chosen, most, isSaid) {
    const share = most > 0 ? one.effect / most : 0;
    return el(doc, "tr", { class: chosen ? "chosen" : null, "data-ranked-head": headId(one), onclick: () => onHead(one.kind, one.layer, one.head) },
      el(doc, "th", { scope: "row" }, el(doc, "button", { type: "button", "aria-pressed": String(chosen), text: nameOf(i18n, one, several) })),
      el(doc, "td", { class: "lift" }, el(doc, "div", {}, el(doc, "b", { text: weight(one.effect) }), el(doc, "span", { class: "bar", "aria-hidden": "true", style: { "--part": share } }))),
      el(doc, "td", { text: weight(one.attention) }),
      isSaid ? el(doc, "td", { class: "then" }, ...(one.after ? [tokenNode(doc, spelled(i18n, one.after.text)), ` ${weight(one.after.probability, 2)}`] : ["–"])) : null);
  }

  function drawTable({ heads }, focus) {
    const isSaid = heads.some(({ after }) => after);
    const columns = ["link.head", "switch.effect", "switch.attention", ...(isSaid ? ["switch.then"] : [])];
    const held = scroll.contains(doc.activeElement) ? doc.activeElement.closest("tr")?.dataset.rankedHead : null;
    table.replaceChildren(
      el(doc, "caption", { class: "hidden", text: i18n.t("switch.ranked") }),
      el(doc, "thead", {}, el(doc, "tr", {}, ...columns.map((key) => text("th", key, { scope: "col" })))),
      el(doc, "tbody", {}, ...heads.map((one) => row(one, headId(one) === focus, heads[0].effect, isSaid))));
    if (held) table.querySelector(`[data-ranked-head="${held}"] button`)?.focus({ preventScroll: true });
  }

  function drawNote(value, { session, scan }) {
    const { row: at, task } = value.aim;
    const key = scan.asked.wish.key ?? null;
    const { texts } = task === "translation" ? wholeOf(session).decoder_input : session.posted.source;
    const token = (place) => () => tokenNode(doc, visible(texts[place] ?? "…"));
    const name = at === null ? "switch.x.rows" : key === null ? "switch.x.row" : "switch.x.key";
    const base = value.base?.[0];
    note.replaceChildren(...fill(doc, parts(i18n.t(name)), { query: token(at), key: token(key) }), " ",
      ...(task === "translation" && at !== null ? [i18n.t("switch.x.encoder"), " "] : []), i18n.t(`switch.y.${task}`),
      ...(base && task !== "translation" && task !== "classes" ? [" ", ...fill(doc, parts(i18n.t("switch.base")), { token: () => tokenNode(doc, visible(base.text)), probability: weight(base.probability) })] : []));
  }

  function draw(value, scene) {
    const focus = headId({ kind: scene.session.map.kind, layer: scene.layer, head: scene.head });
    const kinds = kindsOf(value);
    several = kinds.length > 1;
    scatter.update({ points: pointsOf(value, focus), xLabel: i18n.t("switch.attention"), yLabel: i18n.t("switch.effect"), label: i18n.t("switch.plot") });
    legend.hidden = !several;
    legend.replaceChildren(...(several ? kinds.map((kind) => el(doc, "span", {}, el(doc, "span", { class: `mark-of ${SHAPE[kind]}`, "aria-hidden": "true" }), i18n.t(`kind.${kind}`))) : []));
    drawTable(value, focus);
    drawNote(value, scene);
  }

  function sentenceFor({ agreement, heads: { length: count } }) {
    return agreement === null ? i18n.t("switch.agreement.none", { count }) : i18n.t("switch.agreement", { count, agreement: signed(agreement) });
  }

  return {
    nodes: [text("h3", "experiment.scan.title"), text("p", "experiment.scan.help", { class: "hint" }), el(doc, "div", { class: "acts-of" }, run), running.node, found],
    update(scene) {
      const { scan, state, session, layer, head } = scene;
      const value = scan?.state === "ready" ? scan.value : null;
      const isGoing = ["waiting", "running"].includes(scan?.state);
      const [isRun, isRunning] = [doc.activeElement === run, running.node.contains(doc.activeElement)];
      running.node.hidden = !isGoing && !value && scan?.state !== "failed";
      run.parentElement.hidden = !running.node.hidden;
      running.update(scan?.state === "stopped" ? null : scan, value ? sentenceFor(value) : "");
      if (isRun && isGoing) running.node.querySelector("button").focus();
      if (isRunning && running.node.hidden) run.focus();
      found.hidden = !value && !isGoing;
      found.setAttribute("aria-busy", String(isGoing));
      found.classList.toggle("empty", !value);
      const now = `${layer} ${head} ${session.map.kind}`;
      if (!value || (drawn.value === value && drawn.now === now)) return;
      drawn = { value, now };
      draw(value, { ...scene, state });
    },
  };
}

// A token as a person reads it; an answer about a picture in the reader's language.
function spelled(i18n, text, isShort = false) {
  const found = answerOf(text);
  const key = found && `class.${found.question}.${found.answer}`;
  if (!key || !i18n.has(key)) return visible(text);
  return isShort ? i18n.t(key) : `${questionOf(i18n, found.question)} ${i18n.t(key)}`;
}
const questionOf = (i18n, question) => (i18n.has(`class.${question}`) ? i18n.t(`class.${question}`) : question);

// How many rows the answer will have, so that its place is there before it is.
function rowsOf(session) {
  const said = wholeOf(session).predictions;
  if (!said) return 0;
  return said.task === "translation" ? said.at.length + TRANSLATED : said.task === "classes" ? said.at.length : MOST_ROWS;
}
const TRANSLATED = 2; // lines of the two translations

const SHAPE = { "encoder-self": "round", "decoder-self": "square", cross: "pointed" };
const signed = (value) => `${value < 0 ? "−" : ""}${weight(Math.abs(value), 2)}`;
