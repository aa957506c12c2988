// What a reader will see of each block: asked of the server, which alone turns Markdown into markup, and kept by content.

const PAUSE = 250; // milliseconds without a letter before a text is asked for
const MOST = 200_000; // letters that are asked for at once
const REFUSED = 422; // the status of an answer about what was asked, not about the server
const KEPT = 400; // renderings that stay, so that what is undone is there at once

/** preview(lesson): a promise of { blocks }; onChange() when a rendering came, onProblem(error) when something cannot be shown, with null when all can. */
export function createRendering({ preview, onChange, onProblem, wait = (work) => setTimeout(work, PAUSE), stop = clearTimeout }) {
  const held = new Map(); // content -> rendering
  const keys = new WeakMap(); // block -> its content, as a string
  const refused = new Map(); // content -> why the server does not show it
  let away = null; // the server did not answer: { error, blocks } with the content that waits for something new, or for whole()
  let problem = null; // what onProblem() said last
  const last = new Map(); // id -> the rendering it had last
  let timer = null;
  let running = null;
  let wanted = [];

  function keyOf(block) {
    if (!keys.has(block)) keys.set(block, JSON.stringify(asked(block)));
    return keys.get(block);
  }

  const isMissing = (block) => !held.has(keyOf(block)) && !refused.has(keyOf(block));

  // Some of what is missing: as much as one question may hold.
  function some(blocks) {
    let room = MOST;
    const fits = (block) => room > 0 && ((room -= keyOf(block).length), true);
    return blocks.filter((block) => isMissing(block) && fits(block));
  }

  function ask() {
    stop(timer);
    running ??= rounds(wanted).finally(() => {
      running = null;
      want(wanted);
    });
    return running;
  }

  async function rounds(blocks) {
    away = null;
    for (let missing = some(blocks); missing.length && !away; missing = some(blocks)) await answer(missing);
    for (const key of [...held.keys()].slice(0, Math.max(0, held.size - KEPT - blocks.length))) held.delete(key);
    tell();
  }

  // One text that cannot be shown must not take the others along: what is refused is asked for again by halves.
  async function answer(blocks) {
    try {
      const shown = await preview({ format: "attention-atlas-lesson", version: 1, name: "preview", language: "en", title: "-", summary: "-", blocks: blocks.map(asked) });
      blocks.forEach((block, at) => held.set(keyOf(block), shown.blocks[at]));
    } catch (error) {
      if (error.status !== REFUSED) away = { error, blocks: new Set(wanted.map(keyOf)) };
      else if (blocks.length === 1) refused.set(keyOf(blocks[0]), error);
      else for (const half of [blocks.slice(0, blocks.length >> 1), blocks.slice(blocks.length >> 1)]) if (!away) await answer(half);
      return;
    }
    onChange();
  }

  function tell() {
    const now = away?.error ?? wanted.map((block) => refused.get(keyOf(block))).find(Boolean) ?? null;
    if (now === problem) return;
    problem = now;
    onProblem(problem);
  }

  /** Asks for what is missing of these blocks; at once where there is nothing yet. While the server is away, only for what is new. */
  function want(blocks) {
    wanted = blocks.filter(isContent);
    if (running) return;
    const missing = wanted.filter(isMissing);
    if (!missing.length) away = null;
    tell();
    if (missing.every((block) => away?.blocks.has(keyOf(block)))) return;
    stop(timer);
    if (missing.some(({ id }) => !last.has(id))) ask();
    else timer = wait(ask);
  }

  /** The rendering of a block: its own, else the one it had before the last letters; null for none yet. */
  function of(block) {
    if (!isContent(block)) return null;
    const own = held.get(keyOf(block));
    if (own) last.set(block.id, own);
    return own ?? last.get(block.id) ?? null;
  }

  /** A promise that everything wanted is there, or cannot be had. */
  async function whole() {
    do await ask();
    while (!away && wanted.some(isMissing));
  }
  return { want, of, whole };
}

const isContent = ({ type, markdown }) => type === "view" || Boolean(markdown.trim());
const asked = ({ type, markdown, address, show, caption }) =>
  type === "text" ? { type, markdown } : { type, address, ...(show?.length && { show }), ...(caption?.trim() && { caption }) };

/** Elements of markup that the server has made safe; scripts in it would not run either. */
export function elementsOf(doc, markup) {
  const made = new doc.defaultView.DOMParser().parseFromString(markup, "text/html");
  return [...made.body.childNodes].map((node) => doc.importNode(node, true));
}

/** The address of a picture in a theme, without the lines that say where it is from: who writes knows. */
export const sketch = (path, theme) => `${path.replace(/([?&]theme=)\w+/, `$1${theme}`)}&caption=0`;
