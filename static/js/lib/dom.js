// Elements from data. Text always goes through text nodes, never through markup.

/** An element: properties, data-, aria- and plain attributes, listeners as on… functions, then children. */
export function el(doc, tag, props = {}, ...children) {
  const [name, space] = tag.startsWith("svg:") ? [tag.slice(4), "http://www.w3.org/2000/svg"] : [tag, null];
  const node = space ? doc.createElementNS(space, name) : doc.createElement(name);
  for (const [key, value] of Object.entries(props)) set(node, key, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function set(node, key, value) {
  if (value === null || value === undefined || value === false) return;
  if (typeof value === "function") node.addEventListener(key.slice(2), value);
  else if (key === "text") node.textContent = value;
  else if (key === "style") for (const [name, rule] of Object.entries(value)) node.style.setProperty(name, rule);
  else node.setAttribute(key, value === true ? "" : value);
}

/** A token in a sentence: isolated from the direction of what surrounds it, and read by a voice of its language. */
export function tokenNode(doc, text, props = {}) {
  return el(doc, "bdi", { lang: otherLanguage(doc, text), ...props }, text);
}

const HANGUL = /\p{Script=Hangul}/u;
const LATIN = /\p{Script=Latin}/u;

/** "ko" or "en" where a text's letters are of the one of the page's two languages that the page is not in; else null. */
export function otherLanguage(doc, text) {
  const isKorean = doc.documentElement?.lang === "ko";
  if (HANGUL.test(text)) return isKorean ? null : "ko";
  return isKorean && LATIN.test(text) ? "en" : null;
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A message whose {slots} are filled with elements, strings, or functions that make one for each place. */
export function fill(doc, pieces, slots) {
  return pieces.map((piece) => {
    if ("text" in piece) return piece.text;
    const slot = slots[piece.slot] ?? "";
    return typeof slot === "function" ? slot() : slot;
  });
}
