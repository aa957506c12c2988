"""A run of the lab: it learns, says on the way what is so, is its seed's alone, and leaves nothing behind."""

import gc
import math
import threading
import weakref

import pytest
import torch

from attention_core.capture import capture, ready
from attention_core.lab import (
    TASKS,
    Checkpoint,
    DivergedError,
    LabChoices,
    card_of,
    checkpoint_count,
    finish,
    most_bytes,
    probe_of,
    save,
    text_of,
    train,
    training,
)
from attention_core.models.loading import load_model
from attention_core.threads import this_thread_on_one_core

TINY = {"layers": 1, "heads": 2, "width": 16, "length": 6, "vocabulary": 8, "steps": 12}


def tiny(task="reverse", **more):
    return LabChoices.of(task, **{**TINY, **more})


@pytest.fixture(scope="module")
def learnt():
    """A small reversal, learnt to its end."""
    return finish(train(tiny(steps=240, width=32, learning_rate=1e-2)))


def test_it_learns_and_a_head_comes_to_look_across(learnt):
    assert learnt.accuracy > 0.95
    assert learnt.curve[0].accuracy < 0.4
    assert learnt.curve[-1].loss < learnt.curve[0].loss / 10
    assert float(learnt.checkpoints[-1].scores["mirror"].max()) > 0.5
    assert float(learnt.checkpoints[0].scores["mirror"].max()) < 0.4


def test_the_curve_goes_from_before_the_first_step_to_the_last(learnt):
    steps = [one.step for one in learnt.curve]
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1], learnt.steps) == (0, 240, 240)
    assert len(learnt.checkpoints) == checkpoint_count(learnt.choices)
    assert {one.step for one in learnt.checkpoints} <= set(steps)
    assert (learnt.checkpoints[0].step, learnt.checkpoints[-1].step) == (0, 240)


@pytest.mark.parametrize("steps", [1, 2, 119, 120, 121, 355, 4000])
def test_checkpoints_are_foretold(steps):
    chosen = tiny(steps=steps)
    spacing = math.ceil(steps / training.POINTS)
    points = [step for step in range(1, steps + 1) if step % spacing == 0 or step == steps]
    with_maps = [step for number, step in enumerate(points, start=1) if number % 3 == 0 or step == steps]
    assert checkpoint_count(chosen) == 1 + len(with_maps)


def test_the_loss_before_training_is_near_that_of_knowing_nothing():
    first = next(train(tiny(vocabulary=64, length=6)))
    assert abs(first.loss - math.log(64)) < 1.5


@pytest.mark.parametrize(("task", "mask"), [("reverse", False), ("sort", True), ("induction", True)])
def test_an_opened_model_looks_as_its_last_checkpoint_did(task, mask, tmp_path):
    trained = finish(train(tiny(task, mask=mask, layers=2)))
    save(trained, tmp_path / "model")
    probe = probe_of(trained.choices)
    model = ready(load_model(card_of(trained.choices, "lab-test", "1"), tmp_path / "model"))
    trace = capture(model, text_of(trained.choices, probe.ids))
    assert trace.source.ids == probe.ids
    maps = trained.checkpoints[-1].maps
    for layer in range(2):
        seen = torch.as_tensor(trace.map(trace.kinds[0], layer).weights(range(2)))
        torch.testing.assert_close(seen, maps[layer], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(maps.sum(dim=-1), torch.ones(maps.shape[:-1]))
    assert bool((maps.triu(1) == 0).all()) == mask


def test_an_encoder_of_the_lab_says_its_answer(learnt, tmp_path):
    save(learnt, tmp_path / "model")
    model = ready(load_model(card_of(learnt.choices, "lab-test", "1"), tmp_path / "model"))
    said = capture(model, "a b c d e f").predictions
    assert said.task == "answer"
    assert [one.candidates[0].text for one in said.at] == ["f", "e", "d", "c", "b", "a"]
    assert [one.position for one in said.at] == [0, 1, 2, 3, 4, 5]


def state(trained):
    return trained.network.state_dict()


def test_the_same_choices_are_the_same_run_whatever_else_draws_numbers():
    torch.manual_seed(1)
    one = finish(train(tiny()))
    torch.manual_seed(2)
    other = finish(train(tiny()), report=lambda _: torch.rand(3))
    assert one.curve == other.curve
    assert all(torch.equal(tensor, state(other)[name]) for name, tensor in state(one).items())
    assert finish(train(tiny(seed=1))).curve != one.curve


@pytest.mark.parametrize(
    "change", [{"scaled": False}, {"positions": "none"}, {"mask": True}, {"learning_rate": 1e-3}, {"layers": 2}]
)
def test_every_choice_counts(change):
    assert finish(train(tiny(**change))).curve != finish(train(tiny())).curve


def test_a_run_that_is_closed_leaves_no_thread_no_network_and_all_cores():
    before, cores = set(threading.enumerate()), torch.get_num_threads()
    run = train(tiny(steps=4000))
    networks = weakref.WeakSet()
    for _ in range(3):
        next(run)
        networks.add(run.gi_frame.f_locals["run"].network)
    assert len(networks) == 1
    run.close()
    gc.collect()
    assert len(networks) == 0
    assert set(threading.enumerate()) <= before
    assert torch.get_num_threads() == cores


def test_enough_ends_a_run_with_what_there_is():
    asked = []
    trained = finish(train(tiny(steps=4000), enough=lambda: asked.append(1) or len(asked) == 5))
    assert trained.steps == 5
    assert isinstance(trained.checkpoints[-1], Checkpoint)
    assert trained.checkpoints[-1].step == trained.curve[-1].step == 5


def test_a_loss_that_is_no_number_is_said(monkeypatch):
    def beyond(*_):
        return torch.tensor(math.nan, requires_grad=True)

    monkeypatch.setattr(training, "_loss", beyond)
    with pytest.raises(DivergedError, match="try a smaller learning rate") as caught:
        finish(train(tiny()))
    assert caught.value.facts == {"step": 0}


def test_more_of_anything_takes_more_memory_and_never_less_than_the_weights():
    small = tiny()
    for more in ({"layers": 2}, {"width": 32}, {"length": 8}, {"vocabulary": 16}):
        assert most_bytes(small.changed(**more)) > most_bytes(small)
    wide = tiny(width=256, layers=4, heads=8)
    network = next(iter([training.network_of(wide, torch.Generator())]))
    assert most_bytes(wide) > 4 * sum(parameter.nbytes for parameter in network.parameters())


def test_the_probe_is_the_same_for_runs_that_can_be_laid_side_by_side():
    assert probe_of(tiny()) == probe_of(tiny(seed=3, layers=2, mask=True, positions="none"))
    assert TASKS["reverse"].test(tiny(), 1).ids[0].tolist() == list(probe_of(tiny()).ids)


# ---- cores


def test_threads_that_begin_meanwhile_have_all_cores():
    """torch hands a new thread the number that was set last, and the thread keeps it."""
    seen, go = [], threading.Event()

    def later():
        torch.ones(2).sum()
        go.wait(5)
        seen.append(torch.get_num_threads())

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with this_thread_on_one_core():
            assert torch.get_num_threads() == 1
            other = threading.Thread(target=later)
            other.start()
        go.set()
        other.join()
        assert (seen, torch.get_num_threads()) == ([3], 3)
    finally:
        torch.set_num_threads(before)
