// "Compute": one row of the head in focus, from what comes in to what goes out, step by step with its own numbers.

import { createCode } from "../lib/compute/code.js";
import { createCourse } from "../lib/compute/course.js";
import { createHeads } from "../lib/compute/heads.js";
import { createKeys } from "../lib/compute/keys.js";
import { createLights } from "../lib/compute/lights.js";
import { footOf, stripsColumnsOf, stripsOf } from "../lib/compute/pictures.js";
import { columnsOf, ENDS, formulaOf, namesOf, sentenceOf as factsOf, stepOf, wordsOf } from "../lib/compute/steps.js";
import { createStrips } from "../lib/compute/strips.js";
import { vectorsOf } from "../lib/compute/vectors.js";
import { el, fill, setText, tokenNode } from "../lib/dom.js";
import { parts, power } from "../lib/i18n.js";
import { createRunning } from "../lib/running.js";
import { describeTokens } from "../lib/tokens.js";

/** onStep(name or null), onKey(key, how), onWhatIf() where there is a tool for it, onCancel(slot), onAgain(slot). */
export function createCompute(root, { i18n, sentenceOf, onStep, onKey, onWhatIf = null, onCancel, onAgain }) {
  const doc = root.ownerDocument;
  const at = (name) => root.querySelector(`[data-${name}]`);
  const [refused, body, title, formulas, said, words, notes, whatIf, stage] = ["refused", "body", "title", "formulas", "said", "words", "notes", "what-if", "step-on-show"].map(at);
  const symbolOf = (name) => at("symbols").querySelector(`[data-symbol="${name}"]`)?.closest("math").cloneNode(true) ?? null;
  const course = createCourse(root, { i18n, onStep: (name, names) => onStep(name === names[0] ? null : name) });
  const running = createRunning(doc, { i18n, sentenceOf, label: i18n.t("experiment.sublayer.title"), onCancel: () => onCancel("ends"), onAgain: () => onAgain("ends") });
  const strips = createStrips(doc, { i18n, symbolOf });
  const heads = createHeads(doc, { i18n });
  const keys = createKeys(doc, { i18n, symbolOf, onKey });
  const code = createCode(doc, { i18n });
  at("running").append(running.node);
  at("strips").append(heads.node, strips.node);
  at("keys").append(keys.node);
  at("code").append(code.node);
  createLights(stage);
  whatIf.addEventListener("click", () => onWhatIf());
  let known = null; // the last row that was here: it says which steps there are while another one is read
  let drawn = null; // the sentence

  function refuse(problem) {
    refused.hidden = !problem;
    body.hidden = Boolean(problem);
    if (problem) setText(refused, sentenceOf(problem));
    return Boolean(problem);
  }

  const named = (one) => () => tokenNode(doc, one.text);
  const message = (key, values, tokens) => fill(doc, parts(i18n.t(key, values)), tokens);

  function drawSaid(facts, tokens, instead) {
    if (!facts) {
      drawn = null;
      return setText(said, i18n.t(instead));
    }
    const written = `${facts.key} ${JSON.stringify(facts.values)} ${tokens.texts}`;
    if (drawn === written) return undefined; // a live region that is filled anew is read out anew
    drawn = written;
    return said.replaceChildren(...message(`compute.says.${facts.key}`, facts.values, tokens));
  }

  function drawNotes(scene, name, value, ends) {
    const { session, compute } = scene;
    const some = [];
    if (session.posted.what_if?.length) some.push(i18n.t("compute.changed"));
    if (session.posted.off?.length) some.push(i18n.t("compute.off"));
    if (value.sharing.length > 1 && ["project", "dot", "weigh"].includes(name)) some.push(i18n.t("compute.shared", { heads: value.sharing.filter((head) => head !== scene.head).map((head) => `H${head}`).join(", ") }));
    if (compute.before?.state === "ready" && name === "softmax") some.push(i18n.t("compute.before"));
    if (session.trace !== session.posted && session.trace.looking) some.push(i18n.t("compute.whole-tokens"));
    if (name === "join" && ends) some.push(i18n.t("compute.error", { error: power(ends.error) }));
    notes.hidden = some.length === 0;
    notes.replaceChildren(...some.flatMap((one, i) => (i ? [el(doc, "br"), one] : [one])));
  }

  // What the model is asked once more. What is said while its numbers are not here: of a file, that nobody can be asked.
  function drawRunning({ compute, session }, name) {
    const isFile = Boolean(session.request.trace);
    const isAsked = ENDS.includes(name) && !isFile;
    running.node.hidden = !isAsked || compute.ends?.state === "ready";
    if (!running.node.hidden) running.update(compute.ends);
    const instead = isFile ? "compute.no-model" : ["failed", "stopped"].includes(isAsked && compute.ends?.state) ? "compute.unknown" : "compute.reading";
    return { asks: isAsked, instead };
  }

  function draw(scene) {
    const { compute, session, theme, palette } = scene;
    const value = compute.steps?.state === "ready" ? compute.steps.value : null;
    known = value ?? known;
    const names = namesOf(known);
    const name = stepOf(scene.state.step, names);
    course.update(names, name);
    body.setAttribute("aria-busy", String(!value));
    if (!value) return undefined; // what stands stays until the new is there: half of each would be of neither
    setText(title, i18n.t(`step.${name}`));
    const { asks, instead } = drawRunning(scene, name);
    const ends = compute.ends?.state === "ready" ? compute.ends.value : null;
    const kind = session.posted.maps.find((map) => map.kind === session.map.kind);
    const [queries, keyTokens] = [kind.query_axis, kind.key_axis].map((axis) => describeTokens(session.posted[axis]));
    const place = { query: value.query, key: Math.min(compute.place.key, keyTokens.length - 1) };
    const tokens = { query: () => tokenNode(doc, queries[place.query].text, { class: "query" }), key: named(keyTokens[place.key]), texts: `${place.query} ${place.key} ${queries[place.query].text} ${keyTokens[place.key].text}` };
    const vectors = vectorsOf(compute, value, place.key);
    for (const one of formulas.children) one.hidden = one.dataset.formula !== formulaOf(name, value);
    drawSaid(factsOf(name, value, place.key, vectors, ends), tokens, instead);
    setText(words, i18n.t(`compute.words.${wordsOf(name, value)}`));
    const texts = { query: queries[place.query].text, key: keyTokens[place.key].text };
    strips.update({ theme, ...stripsOf(name, { steps: value, at: place.key, vectors, ends, asks, i18n, texts, message, tokens }) });
    heads.update(name === "join" ? ends : null, { theme });
    const before = compute.before?.state === "ready" ? compute.before.value : null;
    const columns = columnsOf(name, value, before);
    keys.update({
      tokens: keyTokens, chosen: place.key, columns, theme, palette, isFree: (key) => value.allowed[key],
      foot: columns.length ? footOf(name, value, before, i18n) : [],
      strips: name === "weigh" ? { columns: stripsColumnsOf(value, vectors) } : null,
    });
    code.update(compute.code?.state === "ready" ? (compute.code.value.steps.find((one) => one.step === name) ?? null) : null, session.posted.provenance.back_end === "in-house");
    whatIf.hidden = !onWhatIf || !scene.model?.rewirable || Boolean(session.request.trace);
    return drawNotes(scene, name, value, ends);
  }

  return {
    update(scene) {
      if (refuse(scene.compute.steps?.state === "failed" ? scene.compute.steps.problem : null)) return;
      draw(scene);
    },
    /** Stops what plays: another tab is on show. */
    rest: () => course.rest(),
  };
}
