// A figure of an idea: its title, what is drawn, the numbers as a table, and files of both.

import { saveFile } from "../clipboard.js";
import { el, setText } from "../dom.js";
import { csv, plain } from "./numbers.js";
import { pngBlob, svgText } from "./saving.js";

/** { node, update({ title, note, draw, rows }) }: draw(width) returns SVGs, rows(): the table with its head first; null where nothing is there yet. */
export function createPanel(doc, { i18n, name, height = 260, title: first = "" }) {
  const title = el(doc, "h2", { text: first });
  const note = el(doc, "p", { class: "note" });
  const plot = el(doc, "div", { class: "plot", style: { "min-height": `${height}px` } });
  const table = el(doc, "table", { class: "links numbers" });
  const details = el(doc, "details", { class: "explained" }, el(doc, "summary", { text: i18n.t("idea.table") }), el(doc, "div", { class: "scroll", tabindex: "0", role: "region", "aria-label": i18n.t("idea.table") }, table));
  const trouble = el(doc, "span", { role: "status" });
  const button = (key, onclick) => el(doc, "button", { type: "button", class: "file", text: i18n.t(`idea.${key}`), onclick });
  const files = el(doc, "p", { class: "files" }, button("csv", saveNumbers), button("svg", saveSvg), button("png", savePng), trouble);
  const node = el(doc, "figure", { class: "panel card empty" }, el(doc, "figcaption", {}, title), plot, note, details, files);
  let shown = null;
  let drawnAt = 0;

  const pictures = () => [...plot.querySelectorAll("svg")];
  const nameOf = (i, ending) => `attention-atlas-${name}${pictures().length > 1 && i !== null ? `-${i + 1}` : ""}.${ending}`;
  function saveNumbers() {
    // The mark at the beginning tells spreadsheets that Korean is not something else.
    saveFile(doc, new Blob(["\ufeff", csv(shown.rows())], { type: "text/csv;charset=utf-8" }), nameOf(null, "csv"));
  }
  function saveSvg() {
    pictures().forEach((svg, i) => saveFile(doc, new Blob([svgText(svg)], { type: "image/svg+xml" }), nameOf(i, "svg")));
  }
  async function savePng() {
    setText(trouble, "");
    try {
      for (const [i, svg] of pictures().entries()) saveFile(doc, await pngBlob(svg), nameOf(i, "png"));
    } catch {
      setText(trouble, i18n.t("idea.picture.failed"));
    }
  }

  function draw() {
    drawnAt = plot.clientWidth;
    if (shown && drawnAt) plot.replaceChildren(...shown.draw(drawnAt));
  }
  function fillTable() {
    if (!details.open || !shown?.rows) return;
    const [head, ...rows] = shown.rows();
    const cellOf = (value, i) => (i ? el(doc, "td", { text: typeof value === "number" ? plain(value) : value }) : el(doc, "th", { scope: "row", text: typeof value === "number" ? plain(value) : value }));
    table.replaceChildren(
      el(doc, "thead", {}, el(doc, "tr", {}, ...head.map((text) => el(doc, "th", { scope: "col", text })))),
      el(doc, "tbody", {}, ...rows.map((row) => el(doc, "tr", {}, ...row.map(cellOf)))));
  }
  details.addEventListener("toggle", fillTable);
  new doc.defaultView.ResizeObserver(() => plot.clientWidth !== drawnAt && draw()).observe(plot);

  return {
    node,
    update(next) {
      shown = next;
      setText(title, next.title);
      setText(note, next.note ?? "");
      note.hidden = !next.note;
      node.classList.toggle("empty", !next.rows);
      draw();
      fillTable();
    },
  };
}
