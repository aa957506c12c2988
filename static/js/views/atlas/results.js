// Every result as a row of a table, the relations of a treebank beneath, and what was left out of which file.

import { el } from "../../lib/dom.js";
import { weight } from "../../lib/i18n.js";
import { isRole, leftOut } from "../../lib/atlas.js";

export function createResults(root, { i18n, nameOf, hrefOf, onPicture }) {
  const doc = root.ownerDocument;
  const [body, below] = ["body", "relations"].map((name) => root.querySelector(`[data-${name}]`));
  let drawn = null;

  const count = (value) => new Intl.NumberFormat(i18n.lang).format(value);
  const share = (value) => (value === null ? "–" : weight(value));
  const right = ({ right: value, interval: [low, high] }) => [el(doc, "b", { text: weight(value) }), ` ${weight(low)}–${weight(high)}`];
  const headLink = (picture) => el(doc, "a", { href: hrefOf(picture, picture.result.chosen.layer, picture.result.chosen.head), text: `L${picture.result.chosen.layer} H${picture.result.chosen.head}` });
  const cell = (...children) => el(doc, "td", {}, ...children);
  const chooser = (picture, text) => el(doc, "button", { type: "button", onclick: () => onPicture(picture, true), text });

  function table(label, columns, rows) {
    return el(doc, "table", { class: "results", "aria-label": label },
      el(doc, "thead", {}, el(doc, "tr", {}, ...columns.map((key) => el(doc, "th", { scope: "col", text: i18n.t(key) })))),
      el(doc, "tbody", {}, ...rows));
  }

  function row(picture) {
    const { task, result } = picture;
    const twins = result.twins ? `${weight(result.twins.both_right)}, ${weight(result.twins.same_answer)}` : "–";
    return el(doc, "tr", {},
      el(doc, "th", { scope: "row" }, chooser(picture, nameOf(picture)), el(doc, "i", { text: i18n.t(`role.${task}`) })),
      cell(headLink(picture)), cell(count(result.rows)), cell(...right(result)), cell(share(result.chance)), cell(share(result.nearest)), cell(share(result.first)), cell(twins));
  }

  function relationRow(picture, atlas) {
    const { result } = picture;
    return el(doc, "tr", { class: isRole(atlas, picture) ? "role" : null },
      el(doc, "th", { scope: "row" }, chooser(picture, picture.relation), isRole(atlas, picture) ? el(doc, "i", { text: i18n.t("role.syntax") }) : null),
      el(doc, "td", { class: "of", text: i18n.t(`atlas.direction.short.${picture.direction}`) }),
      cell(headLink(picture)), cell(count(result.rows)), cell(...right(result)), cell(`${result.offset > 0 ? "+" : ""}${result.offset} · ${weight(result.offset_right)}`), cell(share(result.chance)));
  }

  function relations(whole, pictures, atlas) {
    const own = pictures.filter((one) => one.file === whole.file && one.task === "syntax" && one.direction);
    const title = i18n.t("atlas.relations", { file: nameOf(whole) });
    const columns = ["relation", "direction", "head", "rows", "right", "offset", "chance"].map((name) => `atlas.column.${name}`);
    return el(doc, "details", {}, el(doc, "summary", { text: title }),
      el(doc, "div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title }, table(title, columns, own.map((one) => relationRow(one, atlas)))));
  }

  function notes(picture, result) {
    const file = nameOf(picture);
    const out = leftOut(result).map(([name, number]) => i18n.t(`atlas.left-out.${name}`, { count: number }));
    // Rows with later candidates stand among what was left out already.
    const known = Object.entries(result.warnings).filter(([code]) => i18n.has(`atlas.warning.${code}`));
    return [
      ...(out.length ? [`${i18n.t("atlas.left-out", { file })} ${out.join(", ")}.`] : []),
      ...known.map(([code, number]) => i18n.t(`atlas.warning.${code}`, { count: number, file })),
    ].map((text) => el(doc, "p", { class: "note", text }));
  }

  return {
    update({ atlas, pictures }) {
      root.hidden = !atlas?.results.length;
      if (root.hidden || drawn === atlas) return;
      drawn = atlas;
      const whole = pictures.filter((one) => !one.direction);
      const columns = ["question", "head", "rows", "right", "chance", "nearest", "first", "twins"].map((name) => `atlas.column.${name}`);
      body.replaceChildren(table(i18n.t("atlas.results.table"), columns, whole.map(row)));
      below.replaceChildren(
        ...whole.flatMap((one) => notes(one, one.result)),
        ...whole.filter(({ task }) => task === "syntax").map((one) => relations(one, pictures, atlas)));
    },
  };
}
