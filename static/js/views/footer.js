// How far the numbers can be trusted, where they come from, and a link to what is on show.

import { badgeText } from "../lib/badge.js";
import { copyText } from "../lib/clipboard.js";
import { el, setText } from "../lib/dom.js";

const CONFIRMED = 2500; // milliseconds
const EXPLAINED = 8000;

/** linkOf() resolves to { href, isCut }: null for what no address can say; whether its text ends where the model stopped reading. */
export function createFooter(root, { i18n, linkOf }) {
  const badge = root.querySelector("[data-badge]");
  const origin = root.querySelector("[data-origin]");
  const button = root.querySelector("[data-copy]");
  const state = root.querySelector("[data-copied]");
  const made = root.querySelector("[data-made]");
  const facts = made.querySelector("dl");
  let told = null;
  let timer = 0;

  button.addEventListener("click", async () => {
    const { href, isCut } = await linkOf();
    const copied = href !== null && (await copyText(root.ownerDocument, href));
    setText(state, i18n.t(href === null ? "copy.long" : !copied ? "copy.failed" : isCut ? "copy.cut" : "copy.done"));
    button.classList.toggle("done", copied);
    state.classList.toggle("not", !copied);
    clearTimeout(timer);
    timer = setTimeout(() => {
      setText(state, "");
      button.classList.remove("done");
    }, copied && !isCut ? CONFIRMED : EXPLAINED);
  });

  // Which commit of the hub: one that nobody had seen before it was downloaded here says so.
  function versionOf(hub) {
    if (!hub?.commit) return [];
    return [i18n.t(hub.recorded ? "origin.recorded" : "origin.hub", { repo: hub.repo, commit: hub.commit.slice(0, 7) })];
  }

  // How a model of ours was made: what it saw, for how long, and how well it does.
  function drawMade(training) {
    made.hidden = !training;
    const said = (name) => training[name]?.[i18n.lang] ?? training[name]?.en ?? training[name];
    facts.replaceChildren(...["data", "steps", "score"].filter((name) => training?.[name]).flatMap((name) =>
      [el(root.ownerDocument, "dt", { text: i18n.t(`made.${name}`) }), el(root.ownerDocument, "dd", { text: said(name) })]));
  }

  return {
    update({ session, model: entry }) {
      if (told !== entry) drawMade(entry?.training);
      told = entry;
      root.classList.toggle("waiting", !session);
      if (!session) return;
      const { model, provenance } = session.trace;
      setText(badge, badgeText(i18n, session.trace));
      badge.classList.toggle("given", provenance.back_end === "eager" || session.trace.checked === false);
      setText(origin, [
        model.full_title, ...versionOf(entry?.hub), name(i18n, "back-end", provenance.back_end), name(i18n, "device", provenance.device),
        provenance.dtype, ...(model.precision === "exact" ? [] : [name(i18n, "precision", model.precision)]),
      ].join(", "));
    },
  };
}

function name(i18n, what, value) {
  const key = `${what}.${value}`;
  return i18n.has(key) ? i18n.t(key) : String(value);
}
