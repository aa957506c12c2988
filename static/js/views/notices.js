// What the reader must know about this text, and what went wrong, as sentences with what can be done.

import { el } from "../lib/dom.js";
import { readerOf } from "../lib/choices.js";
import { excerpt } from "../lib/tokens.js";

const LISTED = 3;
const RETRY = new Set(["unreachable", "internal", "busy", "fetch-failed", "model-loading", "trace-not-held", "plotly"]);
const CUT_SHOWN = 60;

export function createNotices(root, { i18n, onRetry, onBeginning, onReplace, onReader }) {
  const doc = root.ownerDocument;
  let shown = {};

  function update({ session, problem, models }) {
    const subject = problem ?? session?.trace;
    if (shown.subject === subject && shown.models === models) return;
    shown = { subject, models };
    const notices = problem ? [] : session?.trace.notices ?? [];
    root.replaceChildren(...(problem ? [problemItem(problem)] : []), ...(notices.length ? [noticeItem(notices, session, models)] : []));
  }

  function problemItem(problem) {
    const actions = [];
    if (problem.code === "too-many-tokens" && problem.facts.reason !== "pair") actions.push(action("problem.beginning", { limit: problem.facts.limit }, onBeginning));
    if (problem.code === "unknown-words") actions.push(...replacements(problem).map((one) => action("problem.replace", one, () => onReplace(one.word, one.near))));
    if (RETRY.has(problem.code)) actions.push(action("problem.retry", {}, onRetry));
    return el(doc, "div", { class: "notice bad", role: "alert" }, el(doc, "p", { text: problemSentence(i18n, problem) }), ...actions);
  }

  function noticeItem(notices, session, models) {
    return el(doc, "div", { class: "notice" }, ...notices.map((notice) => el(doc, "p", { text: noticeSentence(i18n, notice, session) })),
      ...notices.flatMap((notice) => offers(notice, models)));
  }

  // A text in a language that this model has not learned: one click to a model that has.
  function offers({ code, language }, models) {
    const model = code === "language" ? readerOf(models, language) : null;
    return model ? [action("notice.language.reader", { model: i18n.model(model) }, () => onReader(model.name))] : [];
  }

  const action = (key, values, onclick) => el(doc, "button", { type: "button", class: "pill", text: i18n.t(key, values), onclick });
  return { update };
}

/** What may stand for the first word that a model does not know: [{ word, near }]. */
export function replacements({ facts: { words = [], suggestions = [] } = {} }) {
  return words.length ? suggestions.slice(0, LISTED).map((near) => ({ word: words[0], near })) : [];
}

/** A problem as a sentence: ours with its facts, or the server's own. */
export function problemSentence(i18n, { code, detail, facts = {} }) {
  const key = keyOf(i18n, code, facts);
  if (!i18n.has(key)) return detail || i18n.t("problem.internal");
  const values = Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, factText(i18n, code, name, value)]));
  const sentence = i18n.t(key, values);
  return /\{\w+\}/.test(sentence) && detail ? detail : sentence;
}

// Some problems have a sentence for a reason of their own, or for when there is something near.
function keyOf(i18n, code, { reason, suggestions }) {
  const special = [reason, suggestions?.length && "near"].map((which) => `problem.${code}.${which}`).find(i18n.has);
  return special ?? `problem.${code}`;
}

function factText(i18n, code, name, value) {
  if (Array.isArray(value)) return value.flat().join(", ");
  const isBytes = code === "out-of-memory" && typeof value === "number";
  return isBytes ? i18n.bytes(value) : value;
}

export function noticeSentence(i18n, notice, { trace }) {
  const values = { ...notice, model: i18n.model(trace.model) };
  if ("kept" in notice) values.kept = trace.model.max_tokens ?? notice.kept;
  if (notice.code === "language") values.language = i18n.language(notice.language);
  if (notice.code === "truncated") values.rest = excerpt(trace.source.text, notice.cut, CUT_SHOWN);
  if (notice.code === "target-truncated") values.rest = excerpt(trace.target.text, notice.cut, CUT_SHOWN);
  const key = `notice.${notice.code}`;
  return i18n.has(key) ? i18n.t(key, values) : notice.code;
}
