// Choices, heads and runs as a person reads them.

import { weight } from "../i18n.js";
import { isFlag, plain } from "./choices.js";

const PLACES = ["first", "second"];

/** What the views of the lab name things by. */
export function createNaming(i18n) {
  const value = (name, one) => {
    if (isFlag(name)) return i18n.t(`lab.value.${name}.${Number(one)}`);
    return name === "positions" ? i18n.t(`lab.value.positions.${one}`) : plain(one);
  };
  const choice = (name) => i18n.t(`lab.choice.${name}`);
  const change = (one) => `${choice(one.name)}: ${value(one.name, one.value)}`;
  return {
    value, choice, change,
    changes: (list) => list.map(change).join(", "),
    role: (name) => i18n.t(`lab.role.${name}`),
    head: (layer, head) => `L${layer} H${head}`,
    /** "first run" within a sentence. */
    run: (place) => i18n.t(`lab.run.${PLACES[place]}`),
    /** The name of a run where it stands by itself: with what is different in the second. */
    title(place, difference) {
      const run = i18n.t(`lab.status.${PLACES[place]}`);
      return place && difference ? i18n.t("lab.status.named", { run, what: change(difference) }) : run;
    },
    shares: (list) => list.map((one) => weight(one)).join(", "),
  };
}
