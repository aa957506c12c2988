// Three kinds of attention: the page has the views themselves; here are the ways to take them along.

import { createBar } from "../../lib/ideas/parts.js";

export function createKinds(root, { i18n, sentenceOf, taking }) {
  if (!taking) return { update() {} };
  const bar = createBar(root.ownerDocument, { i18n, sentenceOf, taking });
  root.prepend(bar.node);
  return { update: () => bar.update({}) };
}
