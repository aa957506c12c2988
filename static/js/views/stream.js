// The text while a model writes it: its tokens so far, coloured by where the newest step looked.

import { el, fill, tokenNode } from "../lib/dom.js";
import { css, inkOn } from "../lib/color.js";
import { parts, weight } from "../lib/i18n.js";
import { describeTokens, directionOf, visible } from "../lib/tokens.js";
import { joins } from "../lib/writing.js";

const NEAR_END = 60; // pixels: who has scrolled further up is left there

export function createStream(root, { i18n }) {
  const doc = root.ownerDocument;
  const caption = root.querySelector("[data-caption]");
  const place = root.querySelector("[data-stream]");
  let run = null;
  let nodes = [];
  let groups = [];

  function begin({ prompt, request }, session) {
    nodes = [];
    groups = [];
    place.replaceChildren();
    place.dir = directionOf(request.text ?? "");
    const source = session?.posted.source;
    const same = source && source.texts.length === prompt.length && source.texts.every((text, i) => text === prompt[i]);
    const described = same ? describeTokens(source) : prompt.map((text) => ({ text: visible(text), special: false, first: true }));
    for (const token of described) add(token);
  }
  function add({ text, special, first }) {
    const node = el(doc, "span", { class: `tok still${special ? " special" : ""}` }, tokenNode(doc, text), el(doc, "span", { class: "num" }));
    nodes.push(node);
    if (first || groups.length === 0) {
      groups.push(el(doc, "span", { class: "word" }));
      place.append(groups.at(-1));
    }
    groups.at(-1).append(node);
  }

  function paint({ prompt, tokens, row }, palette) {
    const weights = row?.weights ?? [];
    const largest = weights.reduce((most, value) => Math.max(most, value), 0);
    const query = prompt.length + (row?.step ?? 0) - 1;
    nodes.forEach((node, i) => {
      const value = weights[i];
      const rgb = value === undefined ? null : palette.rgb(value, largest);
      node.style.background = rgb ? css(rgb) : "";
      node.style.color = rgb ? inkOn(rgb) : "";
      node.classList.toggle("chosen", Boolean(row) && i === query);
      node.classList.toggle("now", tokens.length > 0 && i === nodes.length - 1);
      node.lastChild.textContent = value === undefined ? "\u00a0" : weight(value, 2);
    });
  }

  function say({ prompt, tokens, row }) {
    if (!tokens.length || !row) return caption.replaceChildren(i18n.t("writing.begins"));
    const texts = [...prompt, ...tokens.map(({ text }) => text)];
    return caption.replaceChildren(...fill(doc, parts(i18n.t("writing.caption")), {
      token: tokenNode(doc, visible(texts.at(-2)), { class: "query" }), next: tokenNode(doc, visible(texts.at(-1)), { class: "now" }),
      head: `L${row.layer} H${row.head}`,
    }));
  }

  return {
    update({ writing, session, palette }) {
      place.hidden = !writing?.prompt;
      if (place.hidden) {
        run = null;
        return;
      }
      const isNew = run !== writing;
      const follows = isNew || place.scrollHeight - place.scrollTop - place.clientHeight < NEAR_END;
      if (isNew) begin(writing, session);
      run = writing;
      const { prompt, tokens } = writing;
      for (let i = nodes.length - prompt.length; i < tokens.length; i++) {
        const { text, special, spelled } = tokens[i];
        add({ text: visible(text), special, first: special || !joins(spelled, i ? tokens[i - 1].spelled : prompt.at(-1)) });
      }
      paint(writing, palette);
      say(writing);
      if (follows) place.scrollTop = place.scrollHeight;
      if (isNew) place.scrollIntoView({ block: "nearest" }); // on a phone it begins below the fold
    },
  };
}
