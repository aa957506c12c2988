// How far the numbers of a trace can be trusted, in a sentence.

import { power } from "./i18n.js";
import { changesSaid } from "./whatif.js";

export function badgeText(i18n, trace) {
  const { what_if: names = [], picture } = trace;
  const said = provenText(i18n, trace);
  return names.length ? `${i18n.t("badge.changed", { changes: changesSaid(i18n, names, Boolean(picture)) })} · ${said}` : said;
}

function provenText(i18n, { model, provenance, checked }) {
  if (checked === false) return i18n.t("badge.file");
  if (!provenance.self_check) return i18n.t("badge.unchecked");
  const error = power(provenance.self_check.error);
  if (provenance.back_end === "eager") return i18n.t("badge.given", { error });
  return i18n.t(model.precision === "quantised" ? "badge.quantised" : "badge.exact", { error });
}
