import assert from "node:assert/strict";
import { test } from "node:test";
import { alternatives, changed, faultsOf, format, isSame, NAMES, offered, parse, plain, startOf } from "../../static/js/lib/lab/choices.js";
import { bestHead, bestRole, pathOf, placing, scoresOf, stepTicks } from "../../static/js/lib/lab/curves.js";
import { headOf } from "../../static/js/lib/lab/map.js";
import { against, differences, hurts, noteOf, trialLike, trialsOf } from "../../static/js/lib/lab/measured.js";
import { nearest, numberAt, pointAt, shownStep, stepBy, stepsOf } from "../../static/js/lib/lab/time.js";

const own = { layers: 1, heads: 2, width: 32, positions: "sinusoidal", scaled: true, mask: false, learning_rate: 0.003, seed: 0, steps: 800, length: 12, vocabulary: 26 };
const lab = {
  bounds: { layers: [1, 4], heads: [1, 8], width: [8, 256], seed: [0, 2 ** 32 - 1], steps: [1, 4000], length: [6, 32], vocabulary: [8, 64], learning_rate: [1e-5, 0.1] },
  positions: ["none", "sinusoidal", "learned", "rotary"],
  tasks: [
    { name: "reverse", roles: ["mirror"], defaults: own },
    { name: "induction", roles: ["previous", "induction"], defaults: { ...own, layers: 2, heads: 4, positions: "rotary", mask: true, length: 24, vocabulary: 64 } },
  ],
};

test("an address restores everything that was chosen, and says nothing of what was not", () => {
  assert.equal(format(parse("", lab), lab), "");
  const state = parse("?task=induction&layers=3&heads=8&width=64&positions=none&scaled=0&mask=0&learning_rate=0.01&steps=90&seed=4294967295&length=6&vocabulary=8&with=seed:7&layer=2&head=5&role=previous&at=30", lab);
  assert.deepEqual(state.choices, { ...own, task: "induction", layers: 3, heads: 8, width: 64, positions: "none", scaled: false, mask: false, learning_rate: 0.01, steps: 90, seed: 4294967295, length: 6, vocabulary: 8 });
  assert.deepEqual([state.change, state.layer, state.head, state.role, state.at], [{ name: "seed", value: 7 }, 2, 5, "previous", 30]);
  assert.deepEqual(parse(format(state, lab, "ko"), lab), state);
  assert.equal(new URLSearchParams(format(state, lab, "ko")).get("lang"), "ko");
  for (const name of NAMES) {
    for (const value of offered(name, own[name], own[name], lab)) {
      const one = { ...parse("", lab), choices: { ...startOf("reverse", lab), [name]: value } };
      assert.deepEqual(parse(format(one, lab), lab), one, `${name} ${value}`);
    }
  }
});

test("what an address cannot mean falls back", () => {
  for (const bad of ["task=paint", "layers=5", "layers=0", "heads=2.0", "width=-8", "width=1e9", "positions=", "scaled=yes", "mask=2", "learning_rate=0", "learning_rate=NaN", "learning_rate=1e99", "seed=4294967296", "steps=0", "with=seed", "with=task:sort", "with=layers:9", "with=layers:1", "with=__proto__:1", "layer=-1", "role=induction", "at=99999", "at=x"]) {
    assert.deepEqual(parse(`?${bad}`, lab), parse("", lab), bad);
  }
});

test("a small learning rate is written as a person writes it and read again", () => {
  assert.equal(plain(1e-5), "0.00001");
  assert.equal(plain(0.003), "0.003");
  const rates = offered("learning_rate", 0.003, 0.003, lab);
  assert.deepEqual(rates, [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1]);
});

test("what cannot be trained is named where it is chosen", () => {
  const faults = (patch) => faultsOf({ ...startOf("induction", lab), ...patch }, lab).map(({ name, key }) => `${name} ${key}`);
  assert.deepEqual(faults({}), []);
  assert.deepEqual(faults({ heads: 3 }), ["width shared"]);
  assert.deepEqual(faults({ width: 12 }), ["width pairs"]); // 3 numbers for each of 4 heads
  assert.deepEqual(faults({ width: 12, positions: "learned" }), []);
  assert.deepEqual(faults({ vocabulary: 23 }), ["vocabulary repeats"]);
  assert.deepEqual(faults({ steps: undefined, seed: 1.5, learning_rate: 1 }), ["seed whole", "steps whole", "learning_rate range"]);
  assert.deepEqual(faultsOf({ ...startOf("reverse", lab), vocabulary: 8 }, lab), []); // there a token may come twice
});

test("the second run differs in one thing, and only in what can be trained", () => {
  const choices = startOf("reverse", lab);
  assert.deepEqual(alternatives("mask", choices, choices, lab), [true]);
  assert.deepEqual(alternatives("heads", choices, choices, lab), [1, 4, 8]);
  assert.equal(changed({ choices, change: null }), null);
  const other = changed({ choices, change: { name: "mask", value: true } });
  assert.ok(!isSame(choices, other));
  assert.ok(isSame(choices, { ...other, mask: false }));
  assert.ok(!isSame(choices, null));
});

const runOf = (state, steps, points = steps) => ({ state, checkpoints: steps.map((step) => ({ step })), points: points.map((step) => ({ step })) });

test("two runs are looked at at the same step", () => {
  const [first, second] = [runOf("done", [0, 30, 60, 90]), runOf("running", [0, 30])];
  assert.deepEqual(stepsOf([first, runOf("done", [0, 45, 90])]), [0, 30, 45, 60, 90]);
  assert.equal(shownStep([first, second], null), 30); // the newest of the one that goes on
  assert.equal(shownStep([first], null), 90);
  assert.equal(shownStep([first, second], 70), 60);
  assert.equal(shownStep([runOf("waiting", [])], 70), null);
  assert.deepEqual([numberAt(first, 60), numberAt(first, 89), numberAt(second, 90), numberAt(runOf("running", []), 0)], [2, 2, 1, null]);
  assert.deepEqual(pointAt(runOf("done", [0], [0, 10, 20]), 15), { step: 10 });
});

test("keys walk from checkpoint to checkpoint and stop at the ends", () => {
  const steps = Array.from({ length: 41 }, (_, i) => 20 * i);
  const to = (key, now) => stepBy({ key }, steps, now);
  assert.deepEqual([to("ArrowRight", 20), to("ArrowUp", 20), to("ArrowLeft", 20), to("ArrowLeft", 0), to("ArrowRight", 800)], [40, 40, 0, 0, 800]);
  assert.deepEqual([to("Home", 300), to("End", 300), to("PageDown", 300), to("PageUp", 300)], [0, 800, 220, 380]);
  assert.equal(to("Tab", 20), null);
  assert.equal(stepBy({ key: "ArrowRight", altKey: true }, steps, 20), null); // back in the browser's own history
  assert.equal(stepBy({ key: "ArrowRight" }, [], 0), null);
  assert.equal(nearest([0, 20, 40], 29), 20);
});

test("a curve stands where its axes say", () => {
  const place = placing({ left: 40, right: 140, top: 10, bottom: 110 }, 200, 4);
  assert.equal(pathOf([{ step: 0, value: 4 }, { step: 100, value: 1 }, { step: 200, value: 9 }], place), "M40.0 10.0L90.0 85.0L140.0 10.0");
  assert.deepEqual(stepTicks(800), [0, 200, 400, 600, 800]);
  assert.deepEqual(stepTicks(1), [0, 1]);
  assert.ok(stepTicks(850).every((tick) => tick <= 850));
});

test("the heads that do best are found by role", () => {
  const checkpoint = { step: 5, scores: { previous: [[0.1, 0.8], [0.2, 0.3]], induction: [[0.2, 0.1], [0.7, 0.1]] } };
  assert.deepEqual(bestHead(checkpoint, "previous"), { layer: 0, head: 1, score: 0.8 });
  assert.deepEqual(bestRole(checkpoint, 1, 0), { role: "induction", score: 0.7 });
  assert.deepEqual(scoresOf({ checkpoints: [checkpoint] }, "induction", 1, 0), [{ step: 5, value: 0.7 }]);
  assert.deepEqual(scoresOf({ checkpoints: [checkpoint] }, "mirror", 1, 0), []);
  const maps = { shape: [2, 2, 1, 2], data: Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7) };
  assert.deepEqual([...headOf(maps, 1, 0).data], [4, 5]);
});

test("what was measured is found for what is chosen, and a number that fell is told from one that did not", () => {
  const { seed, ...choices } = own;
  const trial = (name, other, changes, accuracy) => ({ name, task: "reverse", against: other, choices: { task: "reverse", ...choices, ...changes }, accuracy });
  const all = [trial("bad", "own", { positions: "none" }, [0.1, 0.2]), trial("own", null, {}, [1, 0.9]), trial("wide", "own", { width: 64, heads: 1 }, [1, 0.95]), trial("odd", "wide", { width: 64, heads: 1, scaled: false }, [0.97, 1])];
  const trials = trialsOf({ measured: { trials: [...all, { ...all[0], task: "sort" }] } }, "reverse");
  assert.deepEqual(trials.map(({ name }) => name), ["own", "bad", "wide", "odd"]);
  const now = (changes) => ({ task: "reverse", ...choices, seed: seed + 5, ...changes });
  assert.equal(trialLike(trials, now({ width: 64, heads: 1 })).name, "wide");
  assert.equal(trialLike(trials, now({ width: 64 })), null);
  const note = noteOf(trials, now({ positions: "none" }), "positions");
  assert.deepEqual([note.trial.name, note.other.name, note.exact], ["bad", "own", true]);
  assert.equal(noteOf(trials, now({ positions: "none", layers: 3 }), "positions").exact, false);
  assert.equal(noteOf(trials, now({ scaled: false }), "scaled").other.name, "wide");
  assert.equal(noteOf(trials, now({ width: 64, heads: 1 }), "width"), null); // two things are changed there
  assert.ok(hurts(all[0], against(trials, all[0])));
  assert.ok(!hurts(all[3], against(trials, all[3])));
  assert.deepEqual(differences(all[3], all[2]), [{ name: "scaled", value: false }]);
});
