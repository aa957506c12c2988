// A model that writes on: the job that is watched while it does, and what its steps mean afterwards.

const TOGETHER = 12; // tokens that are spoken at once, where no sentence ends before
const SENTENCE = /[.!?…。！？]["'”’)\]]*\s*$/u;
const LETTER_FIRST = /^[\p{L}\p{M}\p{N}]/u;
const LETTER_LAST = /[\p{L}\p{M}\p{N}]$/u;

/** Of a trace's document: how many tokens were there first and how many the model wrote; null when it wrote none. */
export function placesOf(posted) {
  const written = posted?.written ?? 0;
  return written ? { prompt: posted.source.texts.length - written, written } : null;
}

/** The row that wrote the step-th token, counted from 1: the token before it looked. */
export const rowOf = ({ prompt }, step) => prompt + step - 2;

/** The step whose row looks, or null for a row that wrote none of the tokens. */
export function stepOf({ prompt, written }, row) {
  const step = row === null || row === undefined ? 0 : row - prompt + 2;
  return step >= 1 && step <= written ? step : null;
}

/** Whether a token stands there already when a step's token is chosen: "before", "now" or "later". */
export function momentOf({ prompt }, step, position) {
  const at = prompt + step - 1;
  return position < at ? "before" : position === at ? "now" : "later";
}

/** What a step wrote: { text, probability }, as far as the trace knows. */
export function writtenAt({ predictions, source }, places, step) {
  const row = rowOf(places, step);
  const probability = predictions?.at.find(({ position }) => position === row)?.actual?.probability ?? null;
  return { text: source.texts[row + 1], probability };
}

/** Most tokens that are written after a text. */
export const MOST_WRITTEN = 256;

/**
 * Whether a model can go on from where a trace's text ends: { over, left, limit }. over is "end" where it ended its text
 * itself, "most" where as many tokens are written as may be, "room" where its places are full, else null.
 */
export function roomOf({ written = 0, source, model }) {
  const limit = model.max_tokens ?? Infinity;
  const places = limit - source.texts.length;
  const left = Math.max(0, Math.min(MOST_WRITTEN - written, places));
  const over = written && source.special.at(-1) ? "end" : written >= MOST_WRITTEN ? "most" : places <= 0 ? "room" : null;
  return { over, left, limit };
}

/** The ids that stand when a run has come this far, as the address has them; "" when nothing is written yet. */
export const idsOf = ({ request, tokens }) => (tokens.length ? [request.written, ...tokens.map(({ id }) => id)].filter((one) => one !== null && one !== "").join(".") : "");

/** How a state wishes to go on: { most, sampling }. */
export function wishOf({ tokens: most, method, temperature, topk: top_k, seed }) {
  return { most, sampling: method === "sample" ? { method, temperature, top_k, seed } : { method } };
}

/** The row that wrote the last of these ids, which stand in place of those that a posted trace and its request end in. */
export function lastStep({ source }, { written }, ids) {
  const before = written ? written.split(".").length : 0;
  return source.texts.length - before + ids.length - 2;
}

/** Whether a token goes on the word before it. */
export const joins = (spelled, before) => LETTER_FIRST.test(spelled) && LETTER_LAST.test(before);

/** say(tokens, isEnd): what is new to be spoken, in pieces of a sentence or a dozen tokens; "" while it is too little. */
export function createSpeaker() {
  let said = 0;
  return function say(tokens, isEnd = false) {
    if (tokens.length < said) said = 0;
    const text = tokens.slice(said).map(({ spelled }) => spelled).join("");
    if (!isEnd && tokens.length - said < TOGETHER && !SENTENCE.test(text)) return "";
    said = tokens.length;
    return text.trim();
  };
}

/**
 * start(request, wish, head), look(head), stop(), leave(); now() is { state, request, most, prompt, tokens, row } or null.
 * Nothing is left running by who leaves: the server stops writing when nobody watches.
 */
export function createWriting({ api, onChange, onEnd, onProblem }) {
  let run = null;

  function leave() {
    run?.close?.();
    run = null;
  }
  async function start(request, wish, head) {
    leave();
    const mine = run = { state: "starting", request, most: wish.most, head, job: null, prompt: null, tokens: [], row: null, close: null };
    onChange();
    try {
      const { id } = await api.generate(request, wish);
      if (run !== mine) return undefined;
      mine.job = id;
      watch(mine);
      return mine.state === "stopping" ? await api.cancelJob(id) : undefined;
    } catch (error) {
      if (run !== mine) return undefined;
      leave();
      return onProblem(error);
    }
  }
  function watch(mine) {
    mine.close?.();
    const current = (work) => (data) => run === mine && work(data);
    mine.close = api.watchWriting(mine.job, mine.head, {
      onWritten: current((data) => {
        Object.assign(mine, merged(mine, data));
        onChange();
      }),
      onEnd: current((data) => {
        run = null;
        onEnd(data, mine);
      }),
      onLost: current(() => {
        run = null;
        onProblem({ type: "/problems/unreachable" });
      }),
    });
  }
  // Another head in focus: the same text, its own rows.
  function look(head) {
    if (!run || (run.head.layer === head.layer && run.head.head === head.head)) return;
    run.head = head;
    if (run.job) watch(run);
  }
  function stop() {
    if (!run || run.state === "stopping") return;
    run.state = "stopping";
    onChange();
    if (run.job) api.cancelJob(run.job).catch(onProblem);
  }
  return { start, look, stop, leave, now: () => run };
}

/** What is known after an event: a reader that comes again is told everything from the start. */
export function merged(run, { prompt, from, tokens, row, waiting = false }) {
  const isEarly = run.state === "starting" || run.state === "waiting";
  return {
    state: !isEarly ? run.state : waiting ? "waiting" : "running",
    prompt: prompt ?? run.prompt,
    tokens: [...run.tokens.slice(0, from), ...tokens],
    row: row ?? run.row,
  };
}
