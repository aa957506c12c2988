// What the model said: what it holds probable next, its translation, its answers about a picture.

import { el, setText, fill, tokenNode } from "../lib/dom.js";
import { parts, weight } from "../lib/i18n.js";
import { barsOf, placeOf, sameIn } from "../lib/said.js";
import { visible } from "../lib/tokens.js";

export function createSaid(root, { i18n, onPosition }) {
  const doc = root.ownerDocument;
  const title = root.querySelector("[data-title]");
  const hint = root.querySelector("[data-hint]");
  const body = root.querySelector("[data-body]");
  let chosen = -1; // where no row says which place is meant
  let drawn = null;

  function update({ session, view, writing, state }) {
    if (writing?.tokens.length) return live(writing, state);
    const said = session?.posted.predictions;
    const note = session?.posted.predictions_note;
    const sentence = note && i18n.has(`predictions.note.${note}`) ? i18n.t(`predictions.note.${note}`) : null;
    root.hidden = !said?.at.length && !sentence;
    if (root.hidden || (session && !view && drawn === session)) return undefined;
    if (drawn !== session) chosen = -1;
    drawn = session;
    setText(title, i18n.t(said ? `predictions.${said.task}` : "predictions.title"));
    if (!said?.at.length) {
      hint.replaceChildren(sentence);
      body.replaceChildren();
      return undefined;
    }
    DRAW[said.task]({ said, session, view, before: session.whole?.predictions ?? null });
    return own(session.posted.written, state);
  }

  // While the model writes: what it held probable for the newest token.
  function live({ prompt, tokens }, state) {
    const texts = [...prompt, ...tokens.map(({ text }) => text)];
    const { candidates, text, probability } = tokens.at(-1);
    const entry = { candidates, actual: { text, probability } };
    root.hidden = false;
    drawn = null;
    setText(title, i18n.t("predictions.next-token"));
    names("predictions.after", { token: tokenNode(doc, visible(texts.at(-2)), { class: "query" }) });
    body.replaceChildren(bars(entry, null), ...legend(entry, null));
    own(true, state);
  }
  // Drawn tokens had other chances than the model's own.
  function own(isWritten, { method }) {
    if (isWritten && method === "sample") hint.append(" ", i18n.t("writing.own"));
  }

  const bars = (entry, before) => barList(doc, i18n, barsOf(entry, before));
  const names = (sentence, slots) => hint.replaceChildren(...fill(doc, parts(i18n.t(sentence)), slots));
  const spanOf = ({ queryTokens }, { query }) => (queryTokens.positions ? queryTokens.positions[query] : [query]);
  const readText = ({ posted }, position) => visible((posted.decoder_input ?? posted.source).texts[position]);

  // What the thin marks and "before" are of: all heads on, or the model as it is.
  const asBefore = (key, { posted }, values) => i18n.t(posted.what_if?.length ? `${key}.changed` : key, values);

  const DRAW = {
    "next-token"({ said, session, view, before }) {
      const at = view ? placeOf(said, session.map.kind, spanOf(session, view)) : -1;
      const index = at < 0 ? said.at.length - 1 : at;
      const entry = said.at[index];
      names("predictions.after", { token: tokenNode(doc, readText(session, entry.position), { class: "query" }) });
      body.replaceChildren(bars(entry, sameIn(before, said, index)), ...legend(entry, before, session));
    },
    translation: (shown) => inOrder(shown, shown.session.map.kind !== "encoder-self"),
    answer: (shown) => inOrder(shown, true),
    classes({ said, session, before }) {
      names("predictions.questions", {});
      body.replaceChildren(el(doc, "div", { class: "questions" }, ...said.at.map((entry, index) =>
        el(doc, "div", {}, el(doc, "h3", { text: labelOf(i18n, entry.label) }), bars(answered(i18n, entry), answeredOrNull(i18n, sameIn(before, said, index)))))),
      ...legend({}, before, session));
    },
    "masked-token"({ said, session, before }) {
      names("predictions.gaps", {});
      body.replaceChildren(...said.at.flatMap((entry, index) => [
        el(doc, "h3", {}, tokenNode(doc, readText(session, entry.position)), ` ${index + 1}`), bars(entry, sameIn(before, said, index))]), ...legend({}, before, session));
    },
  };

  // Words in order, one for each place; `inRows`: a row of the map is about one of them.
  function inOrder({ said, session, view, before }, inRows) {
    const at = view ? placeOf(said, session.map.kind, spanOf(session, view)) : -1;
    const index = at >= 0 ? at : Math.max(0, chosen);
    const entry = said.at[index];
    const words = said.at.map((one, i) => wordButton(one, i === index, () => {
      chosen = i;
      if (inRows) onPosition(one.position);
      else update({ session, view, state: {} });
    }));
    names(said.task === "answer" ? "predictions.places" : "predictions.words", {});
    const same = said.task === "answer" ? "predictions.was-same-answer" : "predictions.was-same";
    const other = before ? [el(doc, "p", { class: "was", text: sameSaid(said, before) ? asBefore(same, session) : asBefore("predictions.was", session, { text: wordsOf(before) }) })] : [];
    body.replaceChildren(el(doc, "div", { class: "words", role: "group", "aria-label": i18n.t(`predictions.${said.task}`) }, ...words), ...other,
      bars(entry, sameIn(before, said, index)));
  }

  function wordButton({ actual, candidates }, isChosen, onclick) {
    const { text, probability } = actual ?? candidates[0];
    return el(doc, "button", { type: "button", class: "said", "aria-pressed": String(isChosen), onclick },
      tokenNode(doc, visible(text)), el(doc, "span", { class: "num", text: weight(probability, 2) }));
  }
  function legend({ actual }, before, session) {
    const said = [...(actual ? [i18n.t("predictions.follows")] : []), ...(before ? [asBefore("predictions.before", session)] : [])];
    return said.length ? [el(doc, "p", { class: "note", text: said.join(" ") })] : [];
  }
  return { update };
}

const wordOf = ({ actual, candidates }) => (actual ?? candidates[0])?.text ?? "";
const wordsOf = ({ at }) => at.map(wordOf).filter((text) => !/^<\/?s>$|^\[.*\]$/.test(text)).join(" ");
const sameSaid = (one, other) => wordsOf(one) === wordsOf(other);

function labelOf(i18n, label) {
  return i18n.has(`class.${label}`) ? i18n.t(`class.${label}`) : label;
}

// The answers in the reader's language, where they are known.
function answered(i18n, entry) {
  const named = (one) => (i18n.has(`class.${entry.label}.${one.text}`) ? { ...one, text: i18n.t(`class.${entry.label}.${one.text}`) } : one);
  return { ...entry, candidates: entry.candidates.map(named), actual: entry.actual && named(entry.actual) };
}
const answeredOrNull = (i18n, entry) => entry && answered(i18n, entry);

// Candidates with a bar each; the mark at a bar is what it was with all heads on.
function barList(doc, i18n, bars) {
  return el(doc, "ul", { class: bars.some(({ was }) => was !== null) ? "bars compared" : "bars" }, ...bars.map(({ text, probability, actual, was }) =>
    el(doc, "li", { class: actual ? "actual" : null },
      el(doc, "span", { class: "text" }, tokenNode(doc, visible(text)), actual ? el(doc, "span", { class: "hidden", text: ` ${i18n.t("predictions.this-follows")}` }) : null),
      el(doc, "span", { class: "track", "aria-hidden": "true" },
        el(doc, "span", { class: "fill", style: { width: `${100 * probability}%` } }),
        was === null ? null : el(doc, "span", { class: "then", style: { left: `${100 * was}%` } })),
      el(doc, "span", { class: "num", text: weight(probability) }),
      el(doc, "span", { class: "num then", text: was === null ? "" : i18n.t("predictions.was-number", { number: weight(was) }) }))));
}
