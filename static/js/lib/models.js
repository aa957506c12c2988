// Models by where they stand: ready at once, to be downloaded from somewhere, in the operator's own folder, or of the lab.

const GROUPS = ["lab", "ready", "wheel", "hub", "directory"];

/** [{ name, models }] without empty groups; what is not here and cannot be fetched is left out, but for the chosen one. */
export function grouped(models, chosen) {
  const offered = models.filter((model) => model.name === chosen || model.fetchable !== false || model.state !== "absent");
  return GROUPS.map((name) => ({ name, models: offered.filter((model) => groupOf(model) === name) })).filter((group) => group.models.length);
}

function groupOf({ origin = "bundled", state }) {
  if (origin === "directory" || origin === "lab") return origin;
  const here = state === "ready" || state === "loading" || origin === "bundled";
  return here ? "ready" : origin;
}

/** Whether a model is not here because its last download failed: it can be tried again. */
export const refused = ({ state, problem }) => state === "failed" && String(problem?.type).endsWith("/fetch-failed");

const MOST_OFFERED = 5;

/** Other models that are ready at once, at most five: those that are most like this one first, lessons behind the rest. */
export function nearest(models, { name, input, kinds = [], languages = [] } = {}) {
  const likeness = (other) =>
    4 * (other.input === input) + 2 * (String(other.kinds) === String(kinds)) +
    languages.some((language) => other.languages?.includes(language)) - 0.5 * Boolean(other.training);
  const ready = models.filter((model) => model.ready && model.name !== name);
  return ready.sort((one, other) => likeness(other) - likeness(one)).slice(0, MOST_OFFERED);
}

/** "83 MB", or "about 440 MB" where nobody has seen the file yet. */
export function sizeOf(i18n, { download_bytes: bytes, approximate }) {
  return approximate ? i18n.t("model.about", { size: i18n.bytes(bytes) }) : i18n.bytes(bytes);
}
