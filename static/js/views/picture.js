// The picture that the model saw, twice: on one side the patch that looks, on the other what it looks at.

import { el, setText, tokenNode } from "../lib/dom.js";
import { weight } from "../lib/i18n.js";
import { createPane } from "../lib/pane.js";
import { CLASS_TOKEN, onPatches, overlayPixels, patchOf, positionAt, shownAt, tokenCount, weightsAt } from "../lib/patches.js";

/**
 * Positions in onQuery(index, how) and onCell(query, key, how) are those of the shown tokens, as in every view; how is
 * "click" or "key". pictureUrl(traceId) is where the picture is.
 */
export function createPicture(root, { i18n, pictureUrl, onQuery, onCell = () => {} }) {
  const doc = root.ownerDocument;
  const reading = el(doc, "p", { class: "read reading" });
  const note = el(doc, "p", { class: "note" });
  const source = createSource(doc, () => paint());
  const shared = { i18n, onPoint: (position) => point(position) };
  const from = createPane(doc, { ...shared, name: "from", title: i18n.t("picture.from"), label: i18n.t("picture.grid-from"), onChoose: chooseQuery });
  const at = createPane(doc, { ...shared, name: "at", title: i18n.t("picture.at"), label: i18n.t("picture.grid-at"), onChoose: chooseKey });
  root.replaceChildren(el(doc, "div", { class: "sides" }, from.node, at.node), reading, note);
  let scene = null;
  let now = null; // what is drawn, by the positions of the model's tokens

  function chooseQuery(position, how) {
    if (now?.queries[position] >= 0) onQuery(now.queries[position], how);
  }
  function chooseKey(position, how) {
    if (now?.keys[position] >= 0) onCell(scene.view.query, now.keys[position], how);
  }

  function read({ session: { trace: { picture }, queryTokens, keyTokens }, view }) {
    const count = tokenCount(picture);
    return {
      ...weightsAt(view.row, keyTokens, count), picture,
      queries: shownAt(queryTokens, count), keys: shownAt(keyTokens, count),
      query: positionAt(queryTokens, view.query), key: positionAt(keyTokens, view.key),
      token: queryTokens.special[0] ? queryTokens.texts[0] : "[CLS]",
    };
  }

  // A pointer over a patch shows the same patch in both pictures, and its exact weight below.
  function point(position) {
    if (!now) return;
    from.point(position);
    at.point(position);
    const key = position ?? now.key;
    const [query, looked] = [now.query, key].map((place) => nameOf(i18n, now, place));
    reading.replaceChildren(tokenNode(doc, query, { class: "query" }), el(doc, "span", { class: "arrow", text: "→" }), tokenNode(doc, looked), el(doc, "b", { text: numberOf(i18n, now, key) }));
  }

  function paint() {
    const image = source.now();
    setText(note, i18n.t(source.failed() ? "picture.failed" : "picture.note"));
    const { palette, view } = scene;
    const tint = overlayPixels(now.weights, palette, view.largest);
    for (const pane of [from, at]) pane.draw(image, palette, tint, now.picture);
  }

  function label() {
    const { palette, view } = scene;
    const value = now.weights[CLASS_TOKEN];
    const hidden = { from: now.queries[CLASS_TOKEN] < 0, at: Number.isNaN(value) };
    from.mark({ chosen: now.query, query: now.query, hidden: hidden.from });
    from.add(hidden.from ? i18n.t("picture.choose-patch") : i18n.t("picture.choose", { token: now.token }));
    from.labelToken(now.token, i18n.t(hidden.from ? "picture.hidden" : "picture.class"));
    at.mark({ chosen: now.key, query: now.query, hidden: hidden.at });
    at.labelToken(now.token, numberOf(i18n, now, CLASS_TOKEN), hidden.at ? null : palette.rgb(value, view.largest));
    at.labelPatches((position, row, column) => i18n.t("picture.weight", { row, column, weight: numberOf(i18n, now, position) }));
    at.add(now.exact ? i18n.t("picture.on-patches", { weight: weight(onPatches(now.weights)) }) : "");
  }

  return {
    update(next) {
      if (!next.view || !next.session?.trace.picture) return;
      scene = next;
      now = read(next);
      for (const pane of [from, at]) pane.rebuild(now.picture);
      source.want(pictureUrl(next.session.trace.id), now.picture);
      label();
      paint();
      point(null);
    },
  };
}

function nameOf(i18n, { picture, token }, position) {
  const patch = patchOf(position, picture.columns);
  return patch ? i18n.t("picture.patch", { row: patch.row + 1, column: patch.column + 1 }) : token;
}

function numberOf(i18n, { weights, exact }, position) {
  const value = weights[position];
  if (Number.isNaN(value)) return i18n.t("picture.hidden");
  return exact ? weight(value) : `≤ ${weight(value)}`;
}

// The picture's pixels, once they are here: { width, height, data }.
function createSource(doc, onChange) {
  let wanted = null;
  let found = null;
  let failed = false;

  function read(image, { width, height }) {
    const canvas = el(doc, "canvas", { width, height });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(image, 0, 0, width, height);
    return pen.getImageData(0, 0, width, height);
  }
  function settle(url, pixels) {
    if (wanted !== url) return;
    found = pixels;
    failed = pixels === null;
    if (failed) wanted = null; // the next update asks again
    onChange();
  }
  return {
    want(url, size) {
      if (wanted === url) return;
      wanted = url;
      found = null;
      const image = new doc.defaultView.Image();
      image.onload = () => settle(url, read(image, size));
      image.onerror = () => settle(url, null);
      image.src = url;
    },
    now: () => found,
    failed: () => failed,
  };
}
