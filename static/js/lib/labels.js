// Plotly reads markup in labels. This is the one place that turns a token into a label that shows it as typed.

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
const LONGEST = 14;

/** Text that Plotly draws exactly as it stands. */
export function escapeLabel(text) {
  return text.replace(/[&<>]/g, (character) => ENTITIES[character]);
}

/** At most `longest` characters, cut with "…" between code points. */
export function shorten(text, longest = LONGEST) {
  const points = Array.from(text);
  return points.length > longest ? `${points.slice(0, longest - 1).join("")}…` : text;
}

/** Isolated, so that a right-to-left token does not turn its neighbours round. */
export function isolate(text) {
  return `\u2068${text}\u2069`;
}

/** Which positions get a label: every nth of the window, the chosen one always. */
export function labelled([from, to], nth, chosen) {
  const inside = chosen !== null && chosen >= from && chosen < to;
  const positions = [];
  for (let i = from; i < to; i += nth) if (!inside || i === chosen || Math.abs(i - chosen) >= nth) positions.push(i);
  if (inside && !positions.includes(chosen)) positions.push(chosen);
  return positions.sort((a, b) => a - b);
}

/** Ticks of one axis for Plotly: the chosen token bold and in `colour`, special tokens in italics. */
export function ticks(tokens, span, nth, chosen, colour = "inherit") {
  const tickvals = labelled(span, nth, chosen);
  const ticktext = tickvals.map((i) => {
    const text = escapeLabel(isolate(shorten(tokens[i].text)));
    const shown = tokens[i].special ? `<i>${text}</i>` : text;
    return i === chosen ? `<b><span style="color:${colour}">${shown}</span></b>` : shown;
  });
  return { tickvals, ticktext };
}
