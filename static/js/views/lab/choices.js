// The choices of a run, what is measured of them, a second run with one of them changed, and the button that trains.

import { el, setText } from "../../lib/dom.js";
import { alternatives, MODEL, NAMES, offered, readChoice, TRAINING, writeChoice } from "../../lib/lab/choices.js";
import { hurts, noteOf, trialLike, trialsOf } from "../../lib/lab/measured.js";
import { isGoing } from "../../lib/lab/runs.js";

const TYPED = new Set(["steps", "seed", "length", "vocabulary"]); // as numbers that one writes

export function createChoices(root, train, { i18n, naming, onChoice, onChange, onReset, onTrain }) {
  const doc = root.ownerDocument;
  const at = (name) => root.querySelector(`[data-${name}]`);
  const [known, reset, besideName, besideField, besideValue] = ["known", "reset", "beside-name", "beside-field", "beside-value"].map(at);
  const fields = new Map();
  let scene = null;

  function field(name) {
    const help = el(doc, "span", { class: "help", id: `help-${name}` });
    const props = { "aria-describedby": help.id, name, "data-choice": name };
    const control = TYPED.has(name) ? el(doc, "input", { ...props, type: "number", inputmode: "numeric", step: "1", autocomplete: "off" }) : el(doc, "select", props);
    control.addEventListener(TYPED.has(name) ? "input" : "change", () => onChoice(name, readChoice(name, control.value.trim(), scene.lab)));
    fields.set(name, { control, help });
    return el(doc, "label", { class: `field of-${name}` }, el(doc, "span", { class: "named", text: naming.choice(name) }), control, help);
  }
  at("model").replaceChildren(...MODEL.map(field));
  at("training").replaceChildren(...TRAINING.map(field));
  for (const { control } of fields.values()) control.disabled = true;
  besideName.disabled = true;
  root.addEventListener("submit", (event) => {
    event.preventDefault();
    if (train.getAttribute("aria-disabled") !== "true") onTrain();
  });
  reset.addEventListener("click", onReset);
  besideName.addEventListener("change", () => {
    const name = besideName.value;
    const values = name ? alternativesOf(name) : [];
    onChange(name ? { name, value: values[0] } : null);
  });
  besideValue.addEventListener("change", () => onChange({ name: besideName.value, value: readChoice(besideName.value, besideValue.value, scene.lab) }));

  const alternativesOf = (name) => alternatives(name, scene.state.choices, scene.start, scene.lab);

  function options(select, list, chosen) {
    const written = JSON.stringify(list);
    if (select.dataset.options !== written) select.replaceChildren(...list.map(([value, text]) => el(doc, "option", { value, text })));
    select.dataset.options = written;
    select.value = chosen;
  }

  function drawField(name, { lab, state: { choices }, start, faults }) {
    const { control, help } = fields.get(name);
    const value = choices[name];
    control.disabled = false;
    if (TYPED.has(name)) {
      [control.min, control.max] = lab.bounds[name];
      if (value !== undefined && control.value !== String(value)) control.value = String(value);
    } else options(control, offered(name, value, start[name], lab).map((one) => [writeChoice(name, one), naming.value(name, one)]), writeChoice(name, value));
    const fault = faults.find((one) => one.name === name);
    if (fault) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
    help.classList.toggle("fault", Boolean(fault));
    const isOwn = value === start[name];
    const found = fault || isOwn ? null : noteOf(trialsOf(lab, choices.task), choices, name);
    const usual = isOwn ? "\u00a0" : i18n.t("lab.default", { value: naming.value(name, start[name]) });
    setText(help, fault ? i18n.t(`lab.fault.${fault.key}`, fault.values) : found ? said(found) : usual);
    help.classList.toggle("note", Boolean(found) && hurts(found.trial, found.other));
  }

  // What was measured where this choice alone is as it is now.
  function said({ trial, other, exact }) {
    return i18n.t(exact ? "lab.note" : "lab.note.rest", { accuracy: naming.shares(trial.accuracy), other: naming.shares(other.accuracy) });
  }

  function drawKnown({ lab, state: { choices } }) {
    const trials = trialsOf(lab, choices.task);
    const exact = trialLike(trials, choices);
    const own = exact ?? trials.find((one) => !one.against);
    const values = own && { accuracy: naming.shares(own.accuracy), seeds: lab.measured.seeds.join(", ") };
    setText(known, own ? i18n.t(exact ? "lab.known" : "lab.known.not", values) : i18n.t("lab.known.none"));
  }

  function drawBeside({ state: { choices, change }, faults }) {
    besideName.disabled = faults.length > 0;
    const names = NAMES.filter((name) => faults.length || alternativesOf(name).length);
    options(besideName, [["", i18n.t("lab.beside.none")], ...names.map((name) => [name, naming.choice(name)])], change?.name ?? "");
    besideField.classList.toggle("none", !change);
    besideField.hidden = false;
    besideValue.disabled = !change || faults.length > 0;
    if (!change) return options(besideValue, [["", "–"]], "");
    const values = faults.length ? [] : alternativesOf(change.name);
    const all = values.includes(change.value) ? values : [...values, change.value];
    return options(besideValue, all.map((one) => [writeChoice(change.name, one), naming.value(change.name, one)]), writeChoice(change.name, change.value));
  }

  return {
    update(next) {
      scene = next;
      const { lab, faults, missing, state: { choices } } = next;
      if (!lab) return;
      for (const name of NAMES) drawField(name, next);
      drawKnown(next);
      drawBeside(next);
      const going = next.runs.some(isGoing);
      setText(train, going ? i18n.t("lab.training") : i18n.t({ first: "lab.train", both: "lab.train.both", second: "lab.train.second", none: "lab.train.again" }[missing]));
      train.disabled = false;
      train.setAttribute("aria-disabled", String(going || faults.length > 0 || !lab.allowed));
      reset.hidden = NAMES.every((name) => choices[name] === next.start[name]);
    },
  };
}
