// Between the lesson in a browser and lesson.json, the format that app/lessons/format.py reads.

import { LIMITS } from "./lesson.js";

const FORMAT = "attention-atlas-lesson";
const SIDES = ["theme", "lang"]; // the reader's, not the author's

/** A text that the format takes: no control characters but breaks and tabs, no half of a surrogate pair. */
// eslint-disable-next-line no-control-regex
export const clean = (text) => text.replace(/\r\n?/g, "\n").replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g, "").replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "");

/** The same in one line. */
export const line = (text) => clean(text).replace(/[\n\t\v\f\u0085\u2028\u2029\x1c-\x1e]+/g, " ");

/** "Who is it?" as "who-is-it"; a title in another script has the fallback's name. */
export function slug(title, fallback = "my-lesson") {
  const words = title.normalize("NFKD").toLowerCase().replace(/[\u0300-\u036f]/g, "").match(/[a-z0-9]+/g) ?? [];
  return words.join("-").slice(0, 64).replace(/-+$/, "") || fallback;
}

/** Whether there is something of a lesson that a file can hold. */
export const hasContent = ({ blocks }) => blocks.some(({ type, markdown }) => type === "view" || markdown.trim());

/** The object of lesson.json; `title` is what a lesson without one is called. Blocks without content are left out. */
export function toFile(lesson, title) {
  const named = lesson.title.trim() || title;
  return {
    format: FORMAT,
    version: 1,
    name: lesson.name ?? slug(named),
    language: lesson.language,
    title: named,
    summary: lesson.summary.trim() || named,
    ...(lesson.minutes && { minutes: lesson.minutes }),
    blocks: lesson.blocks.flatMap(blockToFile),
  };
}

function blockToFile({ type, markdown, address, show, caption }) {
  if (type === "text") return markdown.trim() ? [{ type, markdown }] : [];
  return [{ type, address, ...(show?.length && { show }), ...(caption?.trim() && { caption }) }];
}

/** Bytes of lesson.json, as text: one place a line, so that two versions can be compared. */
export const written = (file) => `${JSON.stringify(file, null, 1)}\n`;

/** Why a lesson cannot be saved as it is: "empty", "many", "large", or null. */
export function obstacle(lesson) {
  if (!hasContent(lesson)) return "empty";
  if (lesson.blocks.flatMap(blockToFile).length > LIMITS.blocks) return "many"; // two tabs may each have added the last
  return new TextEncoder().encode(JSON.stringify(lesson.blocks)).length > LIMITS.bytes * 0.95 ? "large" : null;
}

/** The lesson of a file that the server has checked; newId() names a block. */
export function fromFile({ name, language, title, summary, minutes, blocks }, newId) {
  return { name, language, title, summary: summary === title ? "" : summary, minutes: minutes ?? null, blocks: blocks.map((block) => ({ caption: block.type === "view" ? "" : undefined, ...block, id: newId() })).map(withoutNothing) };
}

const withoutNothing = (block) => Object.fromEntries(Object.entries(block).filter(([, value]) => value !== undefined && value !== null));

/** The block of a view: the query string that restores it, and the tab on show. Null where it is too long for a lesson. */
export function viewBlock(search, tab, id) {
  const given = new URLSearchParams(search);
  for (const name of SIDES) given.delete(name);
  const address = given.toString();
  const show = ["heatmap", "lines", "table"].includes(tab) ? { show: [tab] } : {};
  return address.length <= LIMITS.address ? { id, type: "view", address, ...show, caption: "" } : null;
}

/** The query string of a view's page, in the reader's language. */
export function pageOf({ address }, lang) {
  const given = new URLSearchParams(address);
  for (const name of SIDES) given.delete(name);
  given.set("lang", lang);
  return `?${given}`;
}

/** Names of blocks that no two tabs give twice. */
export const createIds = (crypto) => () => [...crypto.getRandomValues(new Uint8Array(9))].map((byte) => byte.toString(36).padStart(2, "0")).join("");
