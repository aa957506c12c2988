// Many heads: those of one model that do most of something in one sentence, live; a guess; and the way to switch one off.

import { el } from "../../lib/dom.js";
import { drawHeat } from "../../lib/ideas/heat.js";
import { plain } from "../../lib/ideas/numbers.js";
import { createBar, createExercise, createWords } from "../../lib/ideas/parts.js";
import { doesOf, evenOf, pick, quizOf } from "../../lib/ideas/roles.js";
import { LONGEST, SWITCHES } from "../../lib/ideas/state.js";
import { frameOf } from "../../lib/lesson/frames.js";

const LETTERS = ["A", "B", "C", "D"];
const EVEN = 0.9; // of the most entropy there is
const SMALL = 190; // pixels of a guess's picture

export function createHeads(root, { i18n, sentenceOf, taking, choose, again, lang, theme }) {
  const doc = root.ownerDocument;
  const { t } = i18n;
  const words = createWords(doc, { i18n, label: t("idea.heads.text"), longest: LONGEST.heads, onWords: (text) => choose({ text, switch: null }) });
  const bar = createBar(doc, { i18n, sentenceOf, taking, onAgain: () => ["heads", "switch"].forEach(again) }, words.node);
  const guesses = el(doc, "div", { class: "guesses", role: "group", "aria-label": t("idea.try") });
  const exercise = createExercise(doc, { i18n }, guesses);
  const switches = SWITCHES.map((what) => el(doc, "button", { type: "button", class: "pill", "aria-pressed": "false", text: t(`idea.heads.switch.${what}`), onclick: () => choose({ switch: what }) }));
  const evening = createExercise(doc, { i18n, title: t("idea.heads.switch.title") }, el(doc, "div", { class: "switches" }, ...switches));
  const cards = el(doc, "div", { class: "heads-of" });
  root.append(bar.node, exercise.node, evening.node, cards);
  exercise.ask(t("idea.heads.ask"));
  let shown = null;
  let known = null; // the heads that are picked for what is shown
  let coloured = null;

  const nameOf = ({ layer, head }) => `L${layer} H${head}`;

  function drawGuesses({ trace, heads }, special, picked, palette) {
    const tokens = trace.source.texts;
    const [right] = picked;
    guesses.replaceChildren(...quizOf(picked, heads, special).map((one, i) => {
      const letter = LETTERS[i];
      const say = () => {
        const isRight = one === right;
        for (const other of guesses.children) other.classList.remove("found-it");
        button.classList.toggle("found-it", isRight);
        exercise.say(t(isRight ? "idea.heads.ask.right" : "idea.heads.ask.wrong", { letter, head: nameOf(one), share: plain(one.does.previous) }), isRight);
      };
      const button = el(doc, "button", { type: "button", class: "guess", onclick: say },
        el(doc, "b", { text: t("idea.heads.ask.one", { letter }) }),
        drawHeat(doc, { rows: tokens, columns: tokens, matrix: one.rows, width: SMALL, palette, label: t("idea.heads.ask.alt", { letter }), labels: false }));
      return button;
    }));
  }

  function card({ kind, trace }, special, one) {
    const name = nameOf(one);
    const role = t(`idea.heads.role.${one.role}`);
    const view = { text: trace.source.text, model: trace.model.name, kind, layer: one.layer, head: one.head, lang };
    const even = evenOf(one.role, special);
    const said = one.role === "broad" ? t("idea.heads.even", { head: name, entropy: plain(one.value), most: plain(even) })
      : t("idea.heads.share", { head: name, share: plain(one.value), chance: plain(even) });
    const off = new URLSearchParams({ ...view, tool: "switch", off: `${kind}.${one.layer}.${one.head}` });
    return el(doc, "figure", { class: "view card" },
      el(doc, "div", { class: "what" }, el(doc, "h2", { text: role }), el(doc, "p", { text: said })),
      frameOf(doc, { embed: `/embed?${new URLSearchParams({ ...view, ...(theme && { theme }) })}&show=heatmap`, parts: ["heatmap"], title: t("idea.heads.frame", { role, head: name }) }),
      el(doc, "img", { class: "printed", loading: "lazy", src: `/figure.svg?${new URLSearchParams(view)}&theme=print`, alt: t("idea.heads.frame", { role, head: name }) }),
      el(doc, "figcaption", {}, el(doc, "a", { href: `/?${off}`, text: t("idea.heads.without") }),
        ...["csv", "svg"].map((ending) => el(doc, "a", { href: `/figure.${ending}?${new URLSearchParams(view)}`, download: "", text: t(`idea.${ending}`) })), el(doc, "a", { class: "open", href: `/?${new URLSearchParams(view)}`, text: t("lesson.open") })));
  }

  // Of the head that looks at the token before, the sharpest there is: how even its rows are, before and after.
  function judge(special, [one], what, { value: changed, problem, busy }) {
    const numbers = { head: nameOf(one), before: plain(one.does.broad), most: plain(evenOf("broad", special)) };
    evening.ask(t("idea.heads.switch.ask", numbers));
    switches.forEach((button, i) => button.setAttribute("aria-pressed", String(SWITCHES[i] === what)));
    if (!what || busy || problem || !changed) return evening.say(what && busy ? t("idea.computing") : "");
    const { rows } = changed.heads.find(({ layer, head }) => layer === one.layer && head === one.head);
    const after = doesOf(rows, special).broad;
    const isEven = after >= EVEN * evenOf("broad", special);
    return evening.say(t(isEven ? "idea.heads.switch.even" : "idea.heads.switch.uneven", { ...numbers, after: plain(after) }), isEven);
  }

  return {
    update({ state, answer, palette }) {
      const { value: found, ...how } = answer("heads");
      words.update(state.text);
      bar.update({ busy: how.busy, problem: how.problem ?? (state.switch && answer("switch").problem) });
      root.setAttribute("aria-busy", String(how.busy && !found));
      if (!found) return exercise.say(how.problem ? "" : t("idea.computing"));
      const special = found.trace.source.special;
      const picked = shown === found ? known : pick(found.heads, special);
      const switched = answer("switch");
      judge(special, picked, state.switch, { ...switched, busy: switched.busy || how.busy });
      if (shown === found && coloured === palette.name) return;
      known = picked;
      drawGuesses(found, special, picked, palette);
      coloured = palette.name;
      if (shown === found) return;
      shown = found;
      exercise.say("");
      cards.replaceChildren(...picked.map((one) => card(found, special, one)));
    },
  };
}
