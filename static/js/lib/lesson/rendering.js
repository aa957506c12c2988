// What a reader will see of each block: asked of the server, which alone turns Markdown into markup, and kept by content.

const PAUSE = 250; // milliseconds without a letter before a text is asked for
const KEPT = 400; // renderings that stay, so that what is undone is there at once

/** preview(lesson): a promise of { blocks }; onChange() when a rendering came, onProblem(error) when none can. */
export function createRendering({ preview, onChange, onProblem, wait = (work) => setTimeout(work, PAUSE), stop = clearTimeout }) {
  const held = new Map(); // content -> rendering
  const last = new Map(); // id -> the rendering it had last
  let timer = null;
  let running = null;
  let wanted = [];

  const keyOf = (block) => JSON.stringify(asked(block));

  async function ask() {
    timer = null;
    const missing = wanted.filter((block) => !held.has(keyOf(block)));
    if (!missing.length || running) return;
    try {
      running = preview({ format: "attention-atlas-lesson", version: 1, name: "preview", language: "en", title: "-", summary: "-", blocks: missing.map(asked) });
      const { blocks } = await running;
      missing.forEach((block, at) => held.set(keyOf(block), blocks[at]));
      for (const key of [...held.keys()].slice(0, Math.max(0, held.size - KEPT - wanted.length))) held.delete(key);
      onChange();
    } catch (error) {
      onProblem(error);
      return;
    } finally {
      running = null;
    }
    want(wanted);
  }

  /** Asks for what is missing of these blocks; at once where there is nothing yet. */
  function want(blocks) {
    wanted = blocks.filter(isContent);
    if (wanted.every((block) => held.has(keyOf(block)))) return;
    stop(timer);
    if (wanted.some(({ id }) => !last.has(id))) ask();
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
    stop(timer);
    await running?.catch(() => {});
    await ask();
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
