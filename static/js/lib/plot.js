// Draws one window of one head: Plotly for cells and labels, a canvas over it for numbers and cross-hairs.

import { figureOf, geometryOf, zoomWindow } from "./figure.js";
import { drawOverlay } from "./overlay.js";
import { sharpness } from "./pointing.js";
import { runsOf } from "./segments.js";

const CONFIG = { displayModeBar: false, doubleClick: false, showTips: false, showAxisDragHandles: false, responsive: false };
const NARROW = 480;

/** draw(scene, available) gives the geometry of what was drawn; onZoom gets the windows of a dragged box. */
export function createPlot(stage, { plotly, canZoom, onZoom }) {
  const host = stage.querySelector("[data-plot]");
  const canvas = stage.querySelector("[data-overlay]");
  const pen = canvas.getContext("2d");
  let drawn = null;
  let listening = false;

  function draw({ view, palette, queryTokens, keyTokens, blocked }, available) {
    const style = styleOf(stage);
    const size = available < NARROW ? 12 : 13;
    pen.font = `600 ${size}px ${style.family}`;
    const geometry = geometryOf({ window: view.window, queryTokens, keyTokens, available, removed: view.removed, measure: (text) => pen.measureText(text).width });
    const font = { family: style.family, size, color: style.ink, mark: style.mark, zoom: canZoom() };
    const { data, layout } = figureOf({ view, geometry, queryTokens, keyTokens, palette, font, blocked });
    plotly.now().react(host, data, layout, CONFIG);
    stage.ownerDocument.getElementById("js-plotly-tester")?.setAttribute("aria-hidden", "true"); // Plotly measures letters in it
    const sides = { queries: runsOf(queryTokens, view.window.queries), keys: runsOf(keyTokens, view.window.keys) };
    drawn = { view, palette, geometry, style, blocked, sides };
    if (!listening) listen();
    stage.classList.add("drawn");
    stage.style.height = `${layout.height}px`;
    sizeCanvas(canvas, pen, layout);
    paint(null); // a canvas that was sized is empty: clearing it again would be painted white on paper
    return geometry;
  }

  function overlay(hover) {
    pen.clearRect(0, 0, canvas.width, canvas.height);
    paint(hover);
  }

  function paint(hover) {
    drawOverlay(pen, { ...drawn, hover });
  }

  function listen() {
    listening = true;
    host.on("plotly_relayout", (change) => {
      if (!Object.keys(change).some((name) => name.includes("range"))) return;
      const { queries, keys } = drawn.view.window;
      const axis = (name, window) =>
        `${name}.range[0]` in change ? zoomWindow([change[`${name}.range[0]`], change[`${name}.range[1]`]], window) : window;
      onZoom({ queries: axis("yaxis", queries), keys: axis("xaxis", keys) });
    });
  }
  return { draw, overlay };
}

function sizeCanvas(canvas, pen, { width, height }) {
  const ratio = sharpness(canvas.parentElement);
  canvas.width = 0; // a canvas of the same size would be cleared instead of new
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
}

function styleOf(stage) {
  const computed = stage.ownerDocument.defaultView.getComputedStyle(stage);
  const value = (name) => computed.getPropertyValue(name).trim();
  return { mark: value("--mark"), ink: value("--ink"), soft: value("--soft"), edge: value("--edge"), card: value("--card"), faint: value("--faint"), line: value("--line"), paper: value("--paper"), mono: value("--mono"), family: computed.fontFamily };
}
