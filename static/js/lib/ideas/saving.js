// A drawn figure as a file: with the colours that it has on the page, in a picture of its own.

import { el } from "../dom.js";

const KEPT = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-family", "font-size", "font-weight"];
const SHARP = 2; // pixels of a PNG for one of the page

/** The text of an SVG file. */
export function svgText(svg) {
  const view = svg.ownerDocument.defaultView;
  const copy = svg.cloneNode(true);
  const [from, to] = [svg, copy].map((root) => [root, ...root.querySelectorAll("*")]);
  from.forEach((node, i) => {
    const style = view.getComputedStyle(node);
    for (const name of KEPT) to[i].setAttribute(name, style.getPropertyValue(name));
    to[i].removeAttribute("class");
  });
  const paper = view.getComputedStyle(svg.closest(".panel") ?? svg.ownerDocument.body).backgroundColor;
  copy.prepend(el(svg.ownerDocument, "svg:rect", { width: "100%", height: "100%", fill: paper }));
  return new view.XMLSerializer().serializeToString(copy);
}

/** A blob of a PNG; rejects where the browser cannot draw it. */
export async function pngBlob(svg) {
  const doc = svg.ownerDocument;
  const view = doc.defaultView;
  const url = view.URL.createObjectURL(new Blob([svgText(svg)], { type: "image/svg+xml" }));
  try {
    const image = new view.Image();
    image.src = url;
    await image.decode();
    const [width, height] = ["width", "height"].map((name) => Number(svg.getAttribute(name)) * SHARP);
    const canvas = el(doc, "canvas", { width, height });
    canvas.getContext("2d").drawImage(image, 0, 0, width, height);
    return await new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("png")))));
  } finally {
    view.URL.revokeObjectURL(url);
  }
}
