// The head in focus as two lists, where there is no grid to choose it from.

import { el } from "../lib/dom.js";

export function createHeads(root, { onHead }) {
  const [layers, heads] = ["layer", "head"].map((name) => root.querySelector(`[data-${name}]`));
  const choose = () => onHead(Number(layers.value), Number(heads.value), "click");
  layers.addEventListener("change", choose);
  heads.addEventListener("change", choose);
  let listed = "";

  function list({ map }) {
    const fill = (place, letter, count) =>
      place.replaceChildren(...Array.from({ length: count }, (_, i) => el(root.ownerDocument, "option", { value: i, text: `${letter}${i}` })));
    fill(layers, "L", map.layers);
    fill(heads, "H", map.heads);
  }
  return {
    update({ session, layer, head }) {
      if (!session) return;
      const shape = `${session.map.layers} ${session.map.heads}`;
      if (listed !== shape) list(session);
      listed = shape;
      layers.value = String(layer);
      heads.value = String(head);
    },
  };
}
