// Every head of a model as a square coloured by its share, and what is said of the head that was chosen.

import { css, inkOn } from "../../lib/color.js";
import { el, fill, setText } from "../../lib/dom.js";
import { parts, short, weight } from "../../lib/i18n.js";
import { moveInGrid } from "../../lib/keys.js";
import { isProminent, isRole } from "../../lib/atlas.js";

const FEW = 6; // heads a layer of which the squares would grow too large
const MANY = 14; // layers of which the squares are lower

export function createPicture(root, { i18n, nameOf, titleOf, hrefOf, onPicture }) {
  const doc = root.ownerDocument;
  const at = (name) => root.querySelector(`[data-${name}]`);
  const [question, hint, grid, ramp, ticks, legend, peek, says] = ["question", "hint", "grid", "ramp", "ticks", "legend", "peek", "says"].map(at);
  let scene = null;
  let drawn = {};
  let cells = [];
  question.addEventListener("change", () => onPicture(scene.pictures[Number(question.value)]));

  function options({ pictures }) {
    const groups = Map.groupBy ? Map.groupBy(pictures, ({ task, file }) => `${task} ${file}`) : groupedBy(pictures);
    question.replaceChildren(...[...groups.values()].map((members) => {
      const [{ task }] = members;
      const label = task === "syntax" ? `${i18n.t("role.syntax")}: ${nameOf(members[0])}` : i18n.t(`role.${task}`);
      return el(doc, "optgroup", { label }, ...members.map((one) => el(doc, "option", { value: pictures.indexOf(one), text: titleOf(one) })));
    }));
  }

  function rebuild({ picture, atlas, palette }) {
    const { heads, chosen } = picture.result;
    // Pale is chance and less: what is coloured does better than guessing.
    const low = picture.result.chance;
    const top = Math.max(...heads.flat(), low + 0.05);
    const header = el(doc, "div", { role: "row", class: "row heads" }, el(doc, "span", { role: "columnheader" }, el(doc, "span", { class: "hidden", text: i18n.t("grid.layer") })),
      ...heads[0].map((_, h) => el(doc, "span", { role: "columnheader", text: `H${h}` })));
    cells = heads.map((row, l) => row.map((share, h) => cell(l, h, share, { low, top, palette, isChosen: l === chosen.layer && h === chosen.head })));
    grid.style.setProperty("--heads", heads[0].length);
    grid.classList.toggle("few", heads[0].length <= FEW);
    grid.classList.toggle("tall", heads.length > MANY);
    grid.replaceChildren(header, ...cells.map((row, l) => el(doc, "div", { role: "row", class: "row" }, el(doc, "span", { role: "rowheader", text: `L${l}` }), ...row)));
    cells[chosen.layer][chosen.head].firstChild.tabIndex = 0;
    drawLegend(low, top, palette);
    drawSays(picture, atlas);
    look(chosen.layer, chosen.head);
  }

  function cell(layer, head, share, { low, top, palette, isChosen }) {
    const colour = palette.rgb(Math.max(0, share - low), top - low);
    const name = `L${layer} H${head}`;
    return el(doc, "div", { role: "gridcell", class: isChosen ? "share chosen" : "share" },
      el(doc, "a", {
        href: hrefOf(scene.picture, layer, head), tabindex: "-1", "data-head": `${layer}.${head}`, style: { background: css(colour), color: inkOn(colour) },
        "aria-label": i18n.t(isChosen ? "atlas.cell.chosen" : "atlas.cell", { head: name, share: weight(share) }),
        onpointerenter: () => look(layer, head), onfocus: () => look(layer, head), text: short(share),
      }));
  }
  grid.addEventListener("keydown", (event) => {
    const from = event.target.dataset?.head?.split(".").map(Number);
    const to = from && moveInGrid(event, from, [cells.length, cells[0].length]);
    if (!to) return;
    event.preventDefault();
    cells[from[0]][from[1]].firstChild.tabIndex = -1;
    const link = cells[to[0]][to[1]].firstChild;
    link.tabIndex = 0;
    link.focus();
  });
  grid.addEventListener("pointerleave", () => look(scene.picture.result.chosen.layer, scene.picture.result.chosen.head));

  function look(layer, head) {
    peek.replaceChildren(el(doc, "b", { text: `L${layer} H${head}` }), ` ${weight(scene.picture.result.heads[layer][head])}`);
  }

  function drawLegend(low, top, palette) {
    ramp.style.setProperty("background", `linear-gradient(90deg, ${[0, 0.25, 0.5, 0.75, 1].map((share) => css(palette.rgb(share, 1))).join(", ")})`);
    ticks.replaceChildren(...[0, 0.5, 1].map((share) => el(doc, "span", { style: { left: `${share * 100}%` }, text: `${share ? "" : "≤ "}${weight(low + share * (top - low), 2)}` })));
    setText(legend, i18n.t("atlas.legend", { low: weight(low, 2), top: weight(top, 2) }));
  }

  function drawSays(picture, atlas) {
    const { result } = picture;
    const number = (value) => () => el(doc, "b", { text: weight(value) });
    const slots = {
      head: () => el(doc, "b", { text: `L${result.chosen.layer} H${result.chosen.head}` }), rows: grouped(result.rows), chosen_rows: grouped(result.chosen_rows),
      right: number(result.right), low: weight(result.interval[0]), high: weight(result.interval[1]), chance: number(result.chance),
      nearest: number(result.nearest ?? 0), first: number(result.first ?? 0),
      offset: signed(result.offset ?? 0), offset_right: number(picture.direction ? result.offset_right ?? 0 : result.nearest ?? 0),
    };
    const key = picture.task === "syntax" && !picture.direction ? "atlas.says.syntax-all" : `atlas.says.${picture.task}`;
    const verdict = verdictOf(picture, atlas);
    const { twins } = result;
    says.replaceChildren(
      el(doc, "p", {}, ...fill(doc, parts(i18n.t(key)), slots), verdict ? ` ${verdict}` : null),
      ...(twins ? [el(doc, "p", {}, i18n.t("atlas.says.twins", { pairs: twins.pairs, both: weight(twins.both_right), same: weight(twins.same_answer) }), isProminent(result) ? ` ${i18n.t("atlas.says.prominence")}` : null)] : []));
  }

  function verdictOf(picture, atlas) {
    const has = isRole(atlas, picture);
    if (picture.task !== "induction") return picture.relation === "all" ? null : i18n.t(has ? "atlas.says.role" : "atlas.says.no-role");
    return has ? i18n.t("atlas.says.induction-head", { threshold: weight(atlas.roles.find(({ name }) => name === "induction").threshold, 2) }) : null;
  }

  const grouped = (count) => new Intl.NumberFormat(i18n.lang).format(count);

  return {
    update(next) {
      scene = next;
      const { pictures, picture, atlas, palette } = next;
      if (!picture) return;
      if (drawn.pictures !== pictures) options(next);
      question.value = String(pictures.indexOf(picture));
      if (drawn.picture !== picture || drawn.palette !== palette.name) rebuild(next);
      setText(hint, i18n.t(`atlas.hint.${picture.task}`, { rows: picture.result.rows + picture.result.chosen_rows }));
      drawn = { pictures, picture, atlas, palette: palette.name };
    },
  };
}

function groupedBy(pictures) {
  const groups = new Map();
  for (const one of pictures) {
    const key = `${one.task} ${one.file}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return groups;
}

const signed = (offset) => (offset > 0 ? `+${offset}` : String(offset).replace("-", "−"));
