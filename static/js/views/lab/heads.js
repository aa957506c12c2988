// Every head of each run at the step that is looked at, small, and the chosen one large with its tokens. The frames
// stand there before the first run, so that nothing moves when the maps come.

import { css } from "../../lib/color.js";
import { el, setText } from "../../lib/dom.js";
import { weight } from "../../lib/i18n.js";
import { moveInGrid } from "../../lib/keys.js";
import { bestRole } from "../../lib/lab/curves.js";
import { createMap, drawTiny } from "../../lib/lab/map.js";
import { numberAt } from "../../lib/lab/time.js";

export function createHeads(root, { i18n, naming, onHead }) {
  const doc = root.ownerDocument;
  const [box, ramp] = ["runs", "ramp"].map((name) => root.querySelector(`[data-${name}]`));
  const rows = [0, 1].map((place) => createRow(place));
  box.replaceChildren(...rows.map(({ node }) => node));
  let scene = null;
  let cell = null; // the cell of the large maps, in both runs

  function onCell(next) {
    cell = next;
    for (const row of rows) row.draw(scene);
  }

  function createRow(place) {
    const words = el(doc, "span", {});
    const sample = el(doc, "svg:svg", { class: `sample run${place}`, viewBox: "0 0 26 10", "aria-hidden": "true" }, el(doc, "svg:path", { d: "M1 5H25" }));
    const title = el(doc, "h3", {}, sample, words);
    const grid = el(doc, "div", { class: "small", role: "grid" });
    const map = createMap(doc, { i18n, id: `map-${place}`, onCell });
    const name = el(doc, "h3", {});
    const node = el(doc, "section", { class: `pair run${place}` }, title, el(doc, "div", { class: "both" }, grid, el(doc, "div", { class: "large" }, name, map.node)));
    let shape = "";
    let cells = [];

    function rebuild(layers, heads) {
      grid.style.setProperty("--heads", heads);
      cells = Array.from({ length: layers }, (_, layer) => Array.from({ length: heads }, (_, head) => {
        const canvas = el(doc, "canvas", { width: 1, height: 1, "aria-hidden": "true" });
        const about = el(doc, "span", { class: "score", "aria-hidden": "true" }, el(doc, "span", { class: "of" }), el(doc, "b", {}));
        return el(doc, "div", { role: "gridcell", class: "head", "data-head": `${layer}.${head}`, onclick: () => onHead(layer, head) }, canvas, about);
      }));
      grid.replaceChildren(
        el(doc, "div", { role: "row", class: "row top" }, el(doc, "span", { role: "columnheader" }, el(doc, "span", { class: "hidden", text: i18n.t("grid.layer") })), ...cells[0].map((_, head) => el(doc, "span", { role: "columnheader", text: `H${head}` }))),
        ...cells.map((row, layer) => el(doc, "div", { role: "row", class: "row" }, el(doc, "span", { role: "rowheader", text: `L${layer}` }), ...row)));
    }
    grid.addEventListener("keydown", (event) => {
      const from = event.target.dataset?.head?.split(".").map(Number);
      const to = from && moveInGrid(event, from, [cells.length, cells[0].length]);
      if (!to) return;
      event.preventDefault();
      cells[to[0]][to[1]].focus();
      onHead(...to);
    });

    function drawHeads(run, checkpoint, maps, chosen) {
      cells.forEach((row, layer) => row.forEach((node, head) => {
        const isChosen = layer === chosen.layer && head === chosen.head;
        node.setAttribute("aria-selected", String(isChosen));
        node.setAttribute("tabindex", isChosen ? "0" : "-1");
        drawTiny(node.firstChild, maps, layer, head, scene.palette, run?.probe?.kind === "decoder-self");
        const best = checkpoint && bestRole(checkpoint, layer, head);
        const [of, number] = node.lastChild.children;
        setText(of, best ? naming.role(best.role) : "");
        setText(number, best ? weight(best.score, 2) : "\u00a0");
        node.classList.toggle("plays", Boolean(best) && best.score >= 0.5);
        node.setAttribute("aria-label", best ? i18n.t("lab.heads.head", { head: naming.head(layer, head), role: naming.role(best.role), score: weight(best.score, 2) }) : naming.head(layer, head));
      }));
    }

    function draw() {
      const run = scene.runs[place];
      const isShown = Boolean(run) || place === 0;
      node.hidden = !isShown;
      if (!isShown) return;
      const { layers, heads } = run?.choices ?? scene.state.choices;
      node.classList.toggle("many", heads > 4);
      if (shape !== `${layers} ${heads}` && layers > 0 && heads > 0) rebuild(layers, heads);
      shape = `${layers} ${heads}`;
      const number = run && scene.step !== null ? numberAt(run, scene.step) : null;
      // While a map is on its way the one before it stays.
      const last = run ? run.maps.length - 1 : -1;
      const maps = number === null || last < 0 ? null : run.maps[Math.min(number, last)];
      const checkpoint = number === null ? null : run.checkpoints[number];
      const chosen = scene.headOf(run ?? scene.state);
      const probe = run?.probe ?? scene.probe;
      setText(words, scene.runs[1] ? naming.title(place, scene.difference) : "");
      title.hidden = !scene.runs[1];
      setText(name, naming.head(chosen.layer, chosen.head));
      const step = checkpoint?.step ?? 0;
      grid.setAttribute("aria-label", i18n.t("lab.heads.grid", { run: naming.run(place), step }));
      drawHeads(run, checkpoint, maps, chosen);
      map.draw({
        probe, maps, ...chosen, cell, palette: scene.palette, largeText: scene.largeText,
        label: i18n.t("lab.map", { head: naming.head(chosen.layer, chosen.head), run: naming.run(place), step }),
      });
    }
    return { node, draw };
  }

  new ResizeObserver(() => scene && rows.forEach((row) => row.draw())).observe(box);

  return {
    update(next) {
      scene = next;
      const { palette } = next;
      ramp.style.setProperty("background", `linear-gradient(90deg, ${[0, 0.25, 0.5, 0.75, 1].map((share) => css(palette.rgb(share, 1))).join(", ")})`);
      box.classList.toggle("two", Boolean(next.runs[1]));
      for (const row of rows) row.draw();
    },
  };
}
