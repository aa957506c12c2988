// "Find the head": which heads tie the chosen token to another one, more than every token is tied to it.

import { unseenOf } from "../lib/atlas.js";
import { el, fill, setText, tokenNode } from "../lib/dom.js";
import { parts, weight } from "../lib/i18n.js";
import { isAhead, isOneSequence, linkQuery, listed, nearest, rivalsOf, spanOf, wordsAt } from "../lib/link.js";
import { originalAt, shownAt } from "../lib/looked.js";
import { shorten } from "../lib/labels.js";
import { describeTokens } from "../lib/tokens.js";

const SAID = new Set(["masked", "itself", "rival"]);

/** onChoice({ query, key, rivals, words }), onRival(position), onSwap(), onHead(layer, head). Positions are original ones. */
export function createLink(root, { i18n, onChoice, onRival, onSwap, onHead }) {
  const doc = root.ownerDocument;
  const at = (name) => root.querySelector(`[data-${name}]`);
  const [swap, list, said, lift, unseen, wait] = ["swap", "list", "said", "lift", "unseen", "wait"].map(at);
  const selects = { query: at("query"), key: at("key"), rival: at("rival") };
  const chips = { query: at("pronouns"), key: at("candidates"), rival: at("rivals") };
  let scene = null;
  let drawn = {};

  swap.addEventListener("click", () => onSwap());
  for (const axis of ["query", "key"]) {
    selects[axis].addEventListener("change", () => onChoice({ [axis]: Number(selects[axis].value) }));
  }
  selects.rival.addEventListener("change", () => {
    const chosen = Number(selects.rival.value);
    selects.rival.value = "";
    onRival(chosen);
  });

  // ---- what is asked
  function options(select, tokens, empty) {
    const described = describeTokens(tokens);
    select.replaceChildren(el(doc, "option", { value: "", text: i18n.t(empty), disabled: empty === "link.choose" }),
      ...described.map((token, i) => el(doc, "option", { value: originalAt(tokens, i), text: `${shorten(token.text, 24)}${repeated(described, i)}` })));
  }

  function chooseIn(select, tokens, original) {
    const shown = shownAt(tokens, original);
    select.value = shown === null ? "" : String(originalAt(tokens, shown));
  }

  function drawChips(place, words, pressed, onWord) {
    const signature = JSON.stringify(words);
    if (place.dataset.words !== signature) {
      place.dataset.words = signature;
      place.replaceChildren(...words.map((word) => el(doc, "button", { type: "button", class: "chip", onclick: () => onWord(word) }, tokenNode(doc, word.text), word.number ? ` #${word.number}` : null)));
    }
    words.forEach((word, i) => place.children[i].setAttribute("aria-pressed", String(pressed(word))));
    place.hidden = words.length === 0;
  }

  // A word of several pieces is meant whole: from then on the page shows whole words.
  const whole = ({ pieces }) => (pieces > 1 && !scene.state.words ? { words: true } : {});

  function drawAsk({ session, state, mentions }) {
    const { queryTokens, keyTokens, posted, map } = session;
    if (drawn.session !== session) {
      options(selects.query, queryTokens, "link.choose");
      options(selects.key, keyTokens, "link.choose");
      options(selects.rival, keyTokens, "link.add");
    }
    chooseIn(selects.query, queryTokens, state.query);
    chooseIn(selects.key, keyTokens, state.key);
    const original = posted.maps.find(({ kind }) => kind === map.kind);
    const found = mentions?.value ?? { pronouns: [], candidates: [] };
    const [pronouns, candidates] = [wordsAt(found.pronouns, posted[original.query_axis]), wordsAt(found.candidates, posted[original.key_axis])];
    const same = isOneSequence(map);
    const touches = (tokens, chosen, word) => chosen !== null && inside(word.at, spanOf(tokens, chosen));
    const chose = (tokens, chosen) => (word) => chosen !== null && String(spanOf(tokens, chosen)) === String([word.at, word.at + word.pieces]);
    const isQuery = (word) => same && touches(queryTokens, state.query, word);
    const near = (words, keep) => nearest(words, same ? state.query : null, keep);
    drawChips(chips.query, near(pronouns, chose(queryTokens, state.query)), chose(queryTokens, state.query), (word) => onChoice({ query: word.at, ...whole(word) }));
    const meant = near(candidates.filter((word) => !isQuery(word)), chose(keyTokens, state.key));
    drawChips(chips.key, meant, chose(keyTokens, state.key), (word) => onChoice({ key: word.at, ...whole(word) }));
    const rivals = rivalsOf(state.rivals);
    const isRival = ({ at: place }) => rivals.includes(place);
    const others = rivals.filter((place) => !candidates.some((word) => word.at === place) && place < posted[original.key_axis].texts.length);
    const offered = [...candidates, ...wordsAt(others.map((place) => [place, place + 1]), posted[original.key_axis])];
    const free = offered.filter((word) => !isQuery(word) && !touches(keyTokens, state.key, word));
    drawChips(chips.rival, near(free, isRival), isRival, (word) => onRival(word.at, whole(word)));
    swap.hidden = queryTokens !== keyTokens;
    swap.disabled = state.query === null || state.key === null;
  }

  // ---- what was found
  function row(one, scale) {
    const chosen = one.layer === scene.layer && one.head === scene.head;
    const name = `L${one.layer} H${one.head}`;
    const bar = el(doc, "span", { class: "bar", "aria-hidden": "true", style: { "--part": Math.max(0, one.lift ?? 0) / scale } });
    return el(doc, "tr", { class: chosen ? "chosen" : null, "data-link": `${one.layer}.${one.head}`, onclick: () => onHead(one.layer, one.head) },
      el(doc, "th", { scope: "row" }, el(doc, "button", { type: "button", "aria-pressed": String(chosen), text: name }), one.named ? el(doc, "i", { text: i18n.t(`link.named.${one.named}`) }) : null),
      el(doc, "td", { class: "lift" }, el(doc, "div", {}, el(doc, "b", { text: one.lift === null ? "–" : signed(one.lift) }), bar)),
      el(doc, "td", { text: weight(one.weight) }),
      hasSpecial(scene) ? el(doc, "td", { class: "share", text: one.share === null ? "–" : weight(one.share) }) : null,
      scene.links.value.rivals.length ? el(doc, "td", { text: signed(one.margin) }) : null);
  }

  function drawList(links) {
    const { best, plain, rest } = listed(links, scene);
    const columns = ["link.head", "link.lift", "link.weight", ...(hasSpecial(scene) ? ["link.share"] : []), ...(links.rivals.length ? ["link.margin"] : [])];
    const scale = Math.max(0.05, ...links.heads.map((one) => one.lift ?? 0));
    const under = (key, rows) => (rows.length ? [el(doc, "tr", { class: "part" }, el(doc, "td", { colspan: columns.length, text: i18n.t(key) })), ...rows.map((one) => row(one, scale))] : []);
    const held = list.contains(doc.activeElement) ? doc.activeElement.closest("tr")?.dataset.link : null;
    list.classList.toggle("rivalled", links.rivals.length > 0);
    list.replaceChildren(
      el(doc, "caption", { class: "hidden", text: i18n.t("link.list") }),
      el(doc, "thead", {}, el(doc, "tr", {}, ...columns.map((key) => el(doc, "th", { scope: "col", class: key === "link.share" ? "share" : null, text: i18n.t(key) })))),
      el(doc, "tbody", {}, ...best.map((one) => row(one, scale)), ...under("link.plain", plain), ...under("link.focus", rest)));
    if (held) list.querySelector(`[data-link="${held}"] button`)?.focus({ preventScroll: true });
  }

  // Said of the head in focus, in numbers that can be quoted.
  function drawSaid(links) {
    const one = links.heads.find(({ layer, head }) => layer === scene.layer && head === scene.head);
    if (!one) return;
    const key = one.named ? `link.says.${one.named}` : one.lift === null ? "link.says.alone" : "link.says";
    const slots = {
      ...tokens(), head: `L${one.layer} H${one.head}`, weight: weight(one.weight),
      others: one.others === null ? "" : weight(one.others), lift: one.lift === null ? "" : signed(one.lift),
    };
    const share = hasSpecial(scene) && one.share !== null ? [" ", ...fill(doc, parts(i18n.t("link.says.share")), { ...tokens(), share: weight(one.share) })] : [];
    said.replaceChildren(...fill(doc, parts(i18n.t(key)), slots), ...share);
  }

  // What holds beyond this text: how often this head picks the antecedent on sentences it was not chosen on.
  function drawUnseen(found, head) {
    unseen.hidden = found === null;
    if (!found) return;
    const { result: { rows, file, right, interval, chance, nearest: near, first }, twins } = found;
    const [low, high] = interval.map((value) => weight(value));
    const name = i18n.has(`atlas.of.${file}`) ? i18n.t(`atlas.of.${file}`) : file;
    const often = i18n.t("link.unseen", { head, rows, file: name, right: weight(right), low, high, chance: weight(chance), nearest: weight(near), first: weight(first) });
    const why = twins ? i18n.t("link.unseen.prominence", { pairs: twins.pairs, same: weight(twins.same_answer) }) : "";
    setText(unseen, `${often} ${why}`.trim());
  }

  function tokens() {
    const { session: { queryTokens, keyTokens }, state } = scene;
    const named = (axis, original, props) => () => tokenNode(doc, describeTokens(axis)[shownAt(axis, original) ?? -1]?.text ?? "…", props);
    return { query: named(queryTokens, state.query, { class: "query" }), key: named(keyTokens, state.key) };
  }

  function drawFound({ links, session, state, layer, head }) {
    const value = links?.state === "ready" ? links.value : null;
    const isNew = drawn.links !== links || drawn.at !== `${layer} ${head}`;
    // What stands is dimmed while another answer is on its way, so that nothing jumps.
    const stays = links?.state === "waiting" && list.childElementCount > 0 && drawn.session === session;
    for (const node of [list, said, lift]) {
      if (!value && !stays) node.replaceChildren();
      node.hidden = !value && !stays;
    }
    root.setAttribute("aria-busy", String(links?.state === "waiting"));
    if (value && isNew) {
      drawList(value);
      drawSaid(value);
    }
    const hint = stays ? null : hintOf(links, value, linkQuery(session, state));
    setText(wait, hint ?? "");
    wait.hidden = hint === null;
    if (value) lift.replaceChildren(...fill(doc, parts(i18n.t(value.other_count ? (value.words ? "link.lift.words" : "link.lift.is") : "link.lift.none", { count: value.other_count })), tokens()));
    drawUnseen(value ? unseenOf(scene.roles?.atlas, layer, head) : null, `L${layer} H${head}`);
  }

  function hintOf(links, value, query) {
    if (!query) return i18n.t(isAhead(scene.session, scene.state) ? "link.refused.masked" : "link.empty");
    if (links?.state === "failed") return refusalOf(links.problem);
    return value ? null : i18n.t("link.waiting");
  }

  function refusalOf({ code, facts = {} }) {
    if (code !== "invalid-input" && i18n.has(`problem.${code}`)) return i18n.t(`problem.${code}`, facts);
    return i18n.t(SAID.has(facts.reason) ? `link.refused.${facts.reason}` : "link.refused");
  }

  return {
    about: "analysis.link",
    shows: ({ session }) => !session.trace.picture,
    update(next) {
      scene = next;
      drawAsk(next);
      drawFound(next);
      drawn = { session: next.session, links: next.links, at: `${next.layer} ${next.head}` };
    },
  };
}

// Without special tokens a weight is its own share of the row.
const hasSpecial = ({ session: { posted, map } }) => posted[posted.maps.find(({ kind }) => kind === map.kind).key_axis].special.some(Boolean);

const inside = (place, [from, to]) => place >= from && place < to;

const signed = (value) => `${value < 0 ? "−" : ""}${weight(Math.abs(value))}`;

// Where a word stands more than once, which of them it is.
function repeated(described, i) {
  const same = described.filter(({ text }) => text === described[i].text);
  return same.length > 1 ? ` #${same.indexOf(described[i]) + 1}` : "";
}
