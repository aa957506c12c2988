// Models by where they stand: ready at once, to be downloaded from somewhere, or in the operator's own folder.

const GROUPS = ["ready", "wheel", "hub", "directory"];

/** [{ name, models }] without empty groups; what is not here and cannot be fetched is left out, but for the chosen one. */
export function grouped(models, chosen) {
  const offered = models.filter((model) => model.name === chosen || model.fetchable !== false || model.state !== "absent");
  return GROUPS.map((name) => ({ name, models: offered.filter((model) => groupOf(model) === name) })).filter((group) => group.models.length);
}

function groupOf({ origin = "bundled", state }) {
  if (origin === "directory") return "directory";
  const here = state === "ready" || state === "loading" || origin === "bundled";
  return here ? "ready" : origin;
}

/** "83 MB", or "about 440 MB" where nobody has seen the file yet. */
export function sizeOf(i18n, { download_bytes: bytes, approximate }) {
  return approximate ? i18n.t("model.about", { size: i18n.bytes(bytes) }) : i18n.bytes(bytes);
}
