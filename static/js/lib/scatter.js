// Points in a plane with labelled axes, each a button: hover and focus name it, arrows walk from one to the next.

import { el, setText } from "./dom.js";
import { createRoving } from "./roving.js";

const STEPS = [1, 2, 2.5, 5, 10];
const MOST = 5; // ticks of an axis

/** Round numbers from 0 to at least `most`: the last is where the axis ends. */
export function scaleOf(most) {
  if (!(most > 0)) return [0, 1];
  const raw = most / (MOST - 1);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = STEPS.find((one) => one * power >= raw * (1 - 1e-9)) * power;
  const count = Math.ceil(most / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}

/** A tick as it is written: no digit more than the step between two needs. */
export function tickText(value, scale) {
  const step = scale[1] - scale[0];
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return value.toFixed(Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-9 ? digits + 1 : digits);
}

/** onChoose(point), nameOf(point), sentenceOf(point); update({ points: [{ id, x, y, shape, chosen, named }], x, y, label }). */
export function createScatter(root, { onChoose, nameOf, sentenceOf }) {
  const doc = root.ownerDocument;
  const plane = el(doc, "div", { class: "plane", role: "group" });
  const tip = el(doc, "div", { class: "tip", "aria-hidden": "true", hidden: true });
  const [xName, yName] = [el(doc, "p", { class: "axis x" }), el(doc, "p", { class: "axis y" })];
  const ticks = el(doc, "div", { class: "scatter-ticks", "aria-hidden": "true" });
  const field = el(doc, "div", { class: "field" }, ticks, plane, tip);
  root.replaceChildren(yName, field, xName);
  let points = [];
  const roving = createRoving(plane, () => [...plane.children]);
  const pointOf = (event) => points[[...plane.children].indexOf(event.target.closest("button"))];
  plane.addEventListener("click", (event) => pointOf(event) && onChoose(pointOf(event)));
  for (const name of ["pointerover", "focusin"]) plane.addEventListener(name, (event) => pointOf(event) && show(pointOf(event)));
  for (const name of ["pointerout", "focusout"]) plane.addEventListener(name, () => (tip.hidden = true));

  function place(node, { left, bottom }) {
    node.style.setProperty("left", `${100 * left}%`);
    node.style.setProperty("bottom", `${100 * bottom}%`);
  }
  function show(point) {
    setText(tip, sentenceOf(point));
    tip.hidden = false;
    place(tip, point);
    tip.classList.toggle("end", point.left > 0.5);
  }

  function drawTicks(x, y) {
    const line = (axis, value, scale) => {
      const node = el(doc, "span", { class: `tick ${axis}`, text: tickText(value, scale) });
      node.style.setProperty("--at", value / scale.at(-1));
      return node;
    };
    ticks.replaceChildren(...x.map((value) => line("x", value, x)), ...y.map((value) => line("y", value, y)));
  }

  return {
    update({ points: given, xLabel, yLabel, label }) {
      const x = scaleOf(Math.max(0, ...given.map((point) => point.x)));
      const y = scaleOf(Math.max(0, ...given.map((point) => point.y)));
      const held = plane.contains(doc.activeElement) ? pointOf({ target: doc.activeElement })?.id : null;
      points = given.map((point) => ({ ...point, left: point.x / x.at(-1), bottom: point.y / y.at(-1) }));
      setText(xName, xLabel);
      setText(yName, yLabel);
      plane.setAttribute("aria-label", label);
      drawTicks(x, y);
      plane.replaceChildren(...points.map((point) => {
        const node = el(doc, "button", {
          type: "button", class: `dot ${point.shape}${point.chosen ? " chosen" : ""}`, "data-point": point.id, "aria-label": sentenceOf(point), "aria-pressed": String(point.chosen),
        }, point.named ? el(doc, "span", { class: point.left > 0.75 ? "name before" : "name", "aria-hidden": "true", text: nameOf(point) }) : null);
        place(node, point);
        return node;
      }));
      const chosen = points.findIndex((point) => point.chosen);
      roving.stop(Math.max(0, chosen));
      if (held) plane.querySelector(`[data-point="${held}"]`)?.focus({ preventScroll: true });
    },
  };
}
