// What changes when heads are switched off: candidates before and after, and the heads of a scan as points and rows.

/** Rows of one prediction: all candidates of before, and the best that are new afterwards. */
export const MOST_ROWS = 7;

/**
 * Candidates of before and after side by side: [{ text, question, before, after }] with candidates or null. Of one prediction the
 * same words stand in one row; of a whole translation, or of the questions about a picture, the same places do.
 */
export function compared({ aim, before, after }) {
  const inPlace = (question) => before.map((one, at) => ({ text: null, question: question(one), before: one, after: after[at] ?? null }));
  if (aim.task === "translation" && aim.row === null) return inPlace(() => null);
  if (aim.task === "classes" && before.every(({ text }) => answerOf(text))) return inPlace(({ text }) => answerOf(text).question);
  const of = (list, text) => list.find((one) => one.text === text) ?? null;
  const texts = [...new Set([...before, ...after].map(({ text }) => text))];
  return texts.slice(0, MOST_ROWS).map((text) => ({ text, question: null, before: of(before, text), after: of(after, text) }));
}

/** A class as { question, answer } of "colour/red", or null for another text. */
export function answerOf(text) {
  const [question, answer, ...rest] = text.split("/");
  return answer && !rest.length ? { question, answer } : null;
}

export const headId = ({ kind, layer, head }) => `${kind}.${layer}.${head}`;

const SHAPES = { "encoder-self": "round", "decoder-self": "square", cross: "pointed" };

/** The points of a scan: attention to the right, effect upwards; named are the head in focus, the one of most effect and the one of most attention. */
export function pointsOf({ heads }, focus) {
  const most = heads.reduce((best, one) => (one.attention > best.attention ? one : best), heads[0]);
  return heads.map((one) => ({
    ...one, id: headId(one), x: one.attention, y: one.effect, shape: SHAPES[one.kind],
    chosen: headId(one) === focus, named: headId(one) === focus || one === heads[0] || one === most,
  }));
}

/** The kinds of a scan in the order of their first head's place in the model. */
export const kindsOf = ({ heads }) => Object.keys(SHAPES).filter((kind) => heads.some((one) => one.kind === kind));

/** How strongly a head of one kind shows in the grid by its effect, from 0 to 1. */
export function effectGlow({ heads, kind }, layer, head) {
  const most = heads[0]?.effect ?? 0;
  const effect = heads.find((one) => one.kind === kind && one.layer === layer && one.head === head)?.effect ?? 0;
  return most > 0 ? effect / most : 0;
}
