"""measured.json: of these tasks and defaults, whole, and made by training."""

import json

import pytest

from attention_core.lab import DEFAULTS, TASKS, LabChoices, finish, measured, measured_like, measuring, train


def trials():
    return {trial["name"]: trial for trial in measured()["trials"]}


def test_it_holds_what_would_be_measured_today():
    """Whoever changes a default measures again: attention-atlas lab --measure."""
    assert measured()["seeds"] == list(measuring.SEEDS)
    assert len(measuring.SEEDS) >= 3
    assert list(trials()) == [trial.name for trial in measuring.TRIALS]
    for trial in measuring.TRIALS:
        kept = trials()[trial.name]
        assert {**kept["choices"], "seed": 9} == trial.choices(9).to_document()
        assert kept["against"] in (None, *trials())
        for values in (kept["accuracy"], kept["loss"], *kept["scores"].values(), *kept["jumps"].values()):
            assert len(values) == len(measuring.SEEDS)


def test_every_default_is_among_it_and_learns_its_task():
    for task, usual in DEFAULTS.items():
        trial = measured_like(LabChoices.of(task, seed=12))
        assert trial["name"] == task
        assert {name: usual[name] for name in trial["choices"] if name != "task"} | {"task": task} == trial["choices"]
        assert min(trial["accuracy"]) > 0.98
        assert min(max(trial["scores"][role]) for role in TASKS[task].roles) > 0.5
    assert measured_like(LabChoices.of("sort", steps=3)) is None


def test_the_induction_bump_is_there_in_every_seed():
    found = trials()["induction"]["jumps"]
    steps = DEFAULTS["induction"]["steps"]
    assert all(step is not None and 0 < step < steps for step in found["induction"])
    assert all(step is not None for step in found["previous"])


@pytest.mark.parametrize("name", ["reverse-no-positions", "reverse-masked", "sort-wide-unscaled", "induction-unmasked"])
def test_what_takes_something_away_is_measured_beside_what_it_is_taken_from(name):
    lame, whole = trials()[name], trials()[trials()[name]["against"]]
    changed = [key for key in lame["choices"] if lame["choices"][key] != whole["choices"][key]]
    assert len(changed) == 1
    assert max(lame["accuracy"]) < min(whole["accuracy"]) - 0.2


def test_what_is_written_is_what_training_gives(tmp_path, monkeypatch):
    small = {"length": 6, "vocabulary": 8, "width": 8, "steps": 4}
    monkeypatch.setattr(measuring, "TRIALS", (measuring.Trial("few", "reverse", small),))
    told = []
    measuring.write(measuring.measure(lambda *given: told.append(given)), tmp_path / "m.json")
    (trial,) = json.loads((tmp_path / "m.json").read_text())["trials"]
    runs = [finish(train(LabChoices.of("reverse", **small, seed=seed))) for seed in measuring.SEEDS]
    assert trial["accuracy"] == [round(run.accuracy, 4) for run in runs]
    assert trial["scores"]["mirror"] == [round(float(run.checkpoints[-1].scores["mirror"].max()), 4) for run in runs]
    assert trial["jumps"] == {"mirror": [None] * 3}
    assert {(what, total) for what, _, total in told} == {(f"few {seed}", 4) for seed in measuring.SEEDS}
