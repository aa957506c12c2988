// What leaves the page as an address or as a piece of code to paste. Pure: a text may hold anything, and all of the escaping is here.

import { revisionOf } from "./session.js";
import { cellOf } from "./want.js";

/** What a picture can be of, in the order of the list; some need something that is not always there. */
const WHATS = ["picture", "heatmap", "lines", "strip", "grid", "profile", "generation", "difference"];
// These are tabs of the page too: the address says them as `view`, and a link from the picture opens that tab.
const TABS = new Set(["picture", "heatmap", "lines", "difference"]);
// What neither a picture nor an embed shows.
const ASIDE = ["tool", "rivals", "sort", "mark", "aim", "onto", "scan", "tokens", "method", "temperature", "topk", "seed"];
const COMPARED = ["versus", "versus_model", "versus_layer", "versus_head"];

/** Width and height of an embed in CSS pixels; width null is all there is. */
export const SIZES = { small: [480, 620], medium: [640, 760], large: [960, 840], full: [null, 840] };
export const WIDTHS = [160, 4000];
export const FONTS = [8, 40];

const NUMBERED = new Set(["heatmap", "generation", "difference"]);

/** How a picture looks before anything is chosen; null is the page's theme, the tab on show, or the server's own choice. */
export const USUAL = {
  what: null, format: "png", x: 2, theme: null, palette: "atlas", numbers: null, caption: true, transparent: false, width: null, font: null,
};

/** What can be drawn of what is on show; `compared` and `written` say whether there is a difference, and a text the model wrote. */
export function whatsOf({ picture, compared, written }) {
  const can = { picture, strip: !picture, generation: written && !picture, difference: compared };
  return WHATS.filter((what) => can[what] ?? true);
}

/** The chosen one where it can be drawn, else the tab on show, else the heatmap. */
export const whatOf = (wish, tab, whats) => [wish, tab, "heatmap"].find((what) => whats.includes(what));

/** Whether a picture has cells that numbers could stand in. */
export const hasNumbers = (what) => NUMBERED.has(what);

/**
 * What is on show as it is shared: { state, what, whats, look, samples }. The state says what the page decides by itself
 * as well: the cell in focus, the theme, the language, the model's revision.
 */
export function subjectOf({ state, session, view, tab, theme, model, compared, layer, head }, chosen, lang) {
  const own = tab === "difference"; // which marks what changes most by itself, not the cell of a head
  const cell = view && !own ? cellOf(session, { query: view.query, key: view.key }) : {};
  const whats = whatsOf({ picture: Boolean(session.trace.picture), compared: Boolean(compared), written: Boolean(state.written) });
  return {
    state: { ...state, ...cell, layer, head, rev: revisionOf(session), theme, lang }, whats, what: whatOf(chosen.what, tab, whats),
    view: tab,
    look: { ...chosen, theme: chosen.theme ?? theme }, samples: model?.samples ?? [],
  };
}

const without = (state, names) => ({ ...state, ...Object.fromEntries(names.map((name) => [name, null])) });

/** The state that a picture's address carries: with the tab it is of, without what it does not show. */
export function pictureState(state, what) {
  const rest = without(state, [...ASIDE, "theme", ...(what === "difference" ? [] : COMPARED)]);
  return TABS.has(what) ? { ...rest, view: what } : { ...rest, view: rest.view === "difference" ? null : rest.view };
}

/** The query string of a picture: the page's parameters, then how it looks. What is usual is left out. */
export function pictureSearch(state, what, look, searchOf) {
  const own = new URLSearchParams();
  const say = (name, value, usual) => value !== null && value !== usual && own.append(name, String(value));
  say("figure", what, TABS.has(what) ? what : null);
  say("theme", look.theme, "light");
  say("palette", look.palette, "atlas");
  if (look.numbers !== null) say("numbers", look.numbers ? 1 : 0);
  if (!look.caption) say("caption", 0);
  if (look.transparent) say("transparent", 1);
  say("width", look.width);
  say("font", look.font);
  return joined(searchOf(pictureState(state, what)), own);
}

/** The same with the size of a PNG's pixels, which is all that belongs to one file and not to the picture. */
export const fileSearch = (search, { format, x }) => (format === "png" && x !== 1 ? `${search}&x=${x}` : search);

/** The query string of an embed: one view, and what of the page stands around it. */
export function embedSearch(state, { view, show, controls }, searchOf) {
  const parts = ["strip", "grid"].filter((part) => show.includes(part));
  const own = new URLSearchParams();
  own.append("show", [...parts, ...(show.includes("view") || !parts.length ? [view] : [])].join(","));
  if (controls.length) own.append("controls", ["heads", "looking", "colour"].filter((one) => controls.includes(one)).join(","));
  return joined(searchOf(without(state, [...ASIDE, ...(view === "difference" ? [] : COMPARED), "view"])), own);
}

function joined(search, own) {
  const more = own.toString().replaceAll("%2C", ",");
  return more ? `${search}${search ? "&" : "?"}${more}` : search;
}

/** A number of the form's within its bounds, or null for an empty field and for what is no number there. */
export function within(raw, [least, most]) {
  const value = raw.trim() === "" ? NaN : Number(raw);
  return Number.isInteger(value) && value >= least && value <= most ? value : null;
}

// ---- what an address carries
const WORDS_ON = /^\S{0,60}(?:\s+\S{1,60})?/; // the rest of the word that the model stopped in, and one more: so it stops there again

/** The state with its texts as far as the model read them, from which it reads the same; null where it read all. */
export function asRead(state, { source, target }) {
  const beginning = (text, cut) => {
    const points = Array.from(text);
    return points.slice(0, cut).join("") + WORDS_ON.exec(points.slice(cut).join(""))[0];
  };
  const isCut = (tokens, text) => Boolean(text) && Number.isInteger(tokens?.cut);
  const some = [...(isCut(source, state.text) ? [["text", source.cut]] : []), ...(isCut(target, state.target) ? [["target", target.cut]] : [])];
  return some.length ? { ...state, ...Object.fromEntries(some.map(([name, cut]) => [name, beginning(state[name], cut)])) } : null;
}

// ---- why something cannot be shared

/**
 * Why an address does not carry what is on show: "file" and "upload" live on this server only, for as long as it holds
 * them; "long" fits into no address; null where it does.
 */
export function obstacleOf({ trace, image }, samples, packed) {
  if (trace) return "file";
  if (image && !samples.includes(image)) return "upload";
  return packed === null ? "long" : null;
}

/** Whether an address works on this computer only. */
export const isLocal = (host) => /^(localhost|127(\.\d{1,3}){3}|\[::1\]|0\.0\.0\.0)$/.test(host);

// ---- code to paste

/** Text inside a double-quoted attribute or an element. */
export const escaped = (text) =>
  text.replace(/[&<>"'`\r\n]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": " ", "\n": " " })[c] ?? `&#${c.codePointAt(0)};`);

/** Text between the brackets of a Markdown link or picture: one line, its own marks said as they are. */
export const plain = (text) => text.replace(/\s+/g, " ").trim().replace(/[\\`*_[\]<>!$~|&#{}]/g, "\\$&");

// An address has its brackets and blanks encoded already; this holds for one that somebody else made, too.
const target = (url) => url.replace(/[\s()<>\\]/g, (c) => `%${c.codePointAt(0).toString(16).toUpperCase().padStart(2, "0")}`);

/** A picture in Markdown, which leads to the page. */
export const markdownCode = ({ alt, picture }) => `![${plain(alt)}](${target(picture)})`;

/** A frame for any page of HTML. */
export function frameCode({ embed, title, size: [width, height] }) {
  const style = `border: 0; ${width === null ? "width: 100%" : "max-width: 100%"}`;
  const across = width === null ? "" : ` width="${width}"`;
  return `<iframe src="${escaped(embed)}" title="${escaped(title)}"${across} height="${height}" style="${style}" loading="lazy" allowfullscreen></iframe>`;
}

/** For Moodle's source view: the frame, and below it a link that also stands where frames are taken out, and on paper. */
export function moodleCode({ embed, link, title, size }) {
  return `<p>${frameCode({ embed, title, size })}</p>\n<p><a href="${escaped(link)}" target="_blank" rel="noopener">${escaped(title)} – Attention Atlas</a></p>`;
}
