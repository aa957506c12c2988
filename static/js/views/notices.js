// What the reader must know about this text, and what went wrong, as sentences with what can be done.

import { el } from "../lib/dom.js";
import { readerOf } from "../lib/choices.js";
import { nearest } from "../lib/models.js";
import { originNotices } from "../lib/origin.js";
import { excerpt } from "../lib/tokens.js";

const LISTED = 3;
const RETRY = new Set(["unreachable", "internal", "busy", "model-loading", "trace-not-held", "plotly", "checkpoint"]);
const IN_BYTES = new Set(["out-of-memory", "trace-file-too-large"]);
const CUT_SHOWN = 60;
const UNCUT = new Set(["pair", "room", "experiment"]); // too long in a way that showing the beginning does not mend

export function createNotices(root, { i18n, examples, onRetry, onBeginning, onReplace, onReader, onModel, onText, onNewest, onOpen }) {
  const doc = root.ownerDocument;
  let shown = {};

  function update({ session, problem, models, model, state }) {
    const subject = problem ?? session?.trace;
    if (shown.subject === subject && shown.models === models && shown.rev === state.rev) return;
    shown = { subject, models, rev: state.rev };
    const notices = problem || !session ? [] : [...originNotices(session, state), ...session.trace.notices];
    root.replaceChildren(...(problem ? [problemItem(problem, models)] : []), ...(notices.length ? [noticeItem(notices, session, models, model)] : []));
  }

  function problemItem(problem, models) {
    const actions = [];
    if (problem.code === "too-many-tokens" && !UNCUT.has(problem.facts.reason)) actions.push(action("problem.beginning", { limit: problem.facts.limit }, onBeginning));
    if (problem.code === "unknown-words") actions.push(...replacements(problem).map((one) => action("problem.replace", one, () => onReplace(one.word, one.near))));
    if (isUnknownModel(problem)) actions.push(...nearest(models).map((model) => pill(i18n.model(model), () => onModel(model.name))));
    if (RETRY.has(problem.code) && problem.facts.reason !== "file") actions.push(action("problem.retry", {}, onRetry));
    if (problem.code === "trace-file" || problem.facts.reason === "file") actions.push(action("file.open", {}, onOpen));
    return el(doc, "div", { class: "notice bad", role: "alert" }, el(doc, "p", { text: problemSentence(i18n, problem) }), ...actions);
  }

  function noticeItem(notices, session, models, model) {
    return el(doc, "div", { class: "notice" }, ...notices.map((notice) => el(doc, "p", { text: noticeSentence(i18n, notice, session) })),
      ...notices.flatMap((notice) => [...offers(notice, models, model), ...turns(notice, session, models)]));
  }

  // From a file one comes to the model itself, where it is here; of another revision one has read once.
  function turns({ code }, { posted }, models) {
    if (code === "revision") return [action("notice.revision.close", {}, onNewest)];
    const here = code === "file" && posted.source.text.trim() ? models.find(({ name, ready }) => ready && name === posted.model.name) : null;
    return here ? [action("notice.file.model", { model: i18n.model(here) }, () => onText(posted.source.text, null, posted.source.pair))] : [];
  }

  // A text in a language that this model has not learned: one click to a model that has, and that writes where this one does.
  function offers({ code, language }, models, from) {
    const writes = Boolean(from?.writes);
    const model = code === "language" ? readerOf(models, language, { writes, examples }) : null;
    if (!model) return [];
    const way = !writes ? "reader" : model.ready ? "writer" : "writer.absent";
    return [action(`notice.language.${way}`, { model: i18n.model(model) }, () => onReader(model.name, !writes))];
  }

  const pill = (text, onclick) => el(doc, "button", { type: "button", class: "pill", text, onclick });
  const action = (key, values, onclick) => pill(i18n.t(key, values), onclick);
  return { update };
}

const isUnknownModel = ({ code, facts }) => code === "unknown-name" && facts?.what === "model";

/** What may stand for the first word that a model does not know: [{ word, near }]. */
export function replacements({ facts: { words = [], suggestions = [] } = {} }) {
  return words.length ? suggestions.slice(0, LISTED).map((near) => ({ word: words[0], near })) : [];
}

/** A problem as a sentence: ours with its facts, or the server's own. `alone`: where no buttons offer what can be done. */
export function problemSentence(i18n, { code, detail, facts = {} }, alone = false) {
  const key = (alone && keyAlone(i18n, code, facts)) || keyOf(i18n, code, facts);
  if (!i18n.has(key)) return detail || i18n.t("problem.internal");
  const values = Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, factText(i18n, { code, reason: facts.reason }, value)]));
  const sentence = i18n.t(key, values);
  return /\{\w+\}/.test(sentence) && detail ? detail : sentence;
}

function keyAlone(i18n, code, facts) {
  if (isUnknownModel({ code, facts })) return "problem.unknown-name.listed";
  const key = `problem.${code}.${facts.reason}.alone`;
  return i18n.has(key) ? key : null;
}

// Some problems have a sentence for a reason of their own, or for when there is something near.
function keyOf(i18n, code, { reason, suggestions, what }) {
  if (isUnknownModel({ code, facts: { what } })) return "problem.unknown-name.model";
  const special = [reason, suggestions?.length && "near"].map((which) => `problem.${code}.${which}`).find(i18n.has);
  return special ?? `problem.${code}`;
}

function factText(i18n, { code, reason }, value) {
  if (Array.isArray(value)) return value.flat().join(", ");
  const isBytes = IN_BYTES.has(code) && typeof value === "number";
  return isBytes && reason !== "weights" ? i18n.bytes(value) : value;
}

export function noticeSentence(i18n, notice, { trace }) {
  const values = { ...notice, model: i18n.model(trace.model) };
  if ("kept" in notice) values.kept = trace.model.max_tokens ?? notice.kept;
  if (notice.language) values.language = i18n.language(notice.language);
  // A file may say anything of a text that it does not have.
  if (notice.code === "truncated") values.rest = excerpt(trace.source.text, notice.cut ?? 0, CUT_SHOWN);
  if (notice.code === "target-truncated") values.rest = excerpt(trace.target?.text ?? "", notice.cut ?? 0, CUT_SHOWN);
  const key = `notice.${notice.code}`;
  return i18n.has(key) ? i18n.t(key, values) : notice.code;
}
