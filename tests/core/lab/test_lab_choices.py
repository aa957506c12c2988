"""What can be chosen in the lab: everything that cannot be is named, with what would be accepted."""

import math

import pytest

from attention_core.errors import InputError, UnknownNameError
from attention_core.lab import BOUNDS, DEFAULTS, RATES, TASKS, LabChoices


@pytest.mark.parametrize("task", TASKS)
def test_a_task_begins_with_its_defaults_and_keeps_them_but_for_what_is_changed(task):
    assert LabChoices.of(task).to_document() == {"task": task, **DEFAULTS[task]}
    assert LabChoices.of(task, seed=7).to_document() == {"task": task, **DEFAULTS[task], "seed": 7}


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds_are_taken_and_what_lies_beyond_is_not(name):
    least, most = BOUNDS[name]
    # Sizes that go with the least and the most of each other one.
    fits = {"task": "reverse", "heads": 1, "width": 8, "layers": 1}
    for value in (least, most):
        assert getattr(LabChoices.of(**{**fits, name: value}), name) == value
    for value in (least - 1, most + 1, True, 4.0, "4", None):
        with pytest.raises(InputError, match=rf"{name} .*; accepted: a whole number from {least} to {most}"):
            LabChoices.of(**{**fits, name: value})


@pytest.mark.parametrize("rate", [0, -1e-3, RATES[1] * 1.01, math.nan, math.inf, True, "0.1"])
def test_a_learning_rate_is_a_small_positive_number(rate):
    with pytest.raises(InputError, match=r"learning_rate .*; accepted: a number from 1e-05 to 0.1"):
        LabChoices.of("sort", learning_rate=rate)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(InputError) as caught:
        LabChoices.of("reverse", layers=9, scaled=1, positions="guessed", steps=0)
    assert len(caught.value.facts["errors"]) == 4
    for part in ("layers 9", "scaled 1", "positions 'guessed'; accepted: learned", "steps 0"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"task": "reverse", "heads": 3}, "width 32 with heads 3; accepted: a width that is a multiple of heads"),
        ({"task": "reverse", "heads": 4, "width": 12, "positions": "rotary"}, "an even width for each head"),
        ({"task": "sort", "vocabulary": 9}, "vocabulary 9 with length 10; accepted: at least as many tokens"),
        ({"task": "induction", "vocabulary": 23}, "vocabulary 23 with length 24"),
    ],
)
def test_what_does_not_go_together_is_refused(given, said):
    with pytest.raises(InputError) as caught:
        LabChoices.of(**given)
    assert said in str(caught.value)


def test_a_reversal_may_repeat_its_tokens():
    assert LabChoices.of("reverse", vocabulary=8, length=32).vocabulary == 8


@pytest.mark.parametrize(("task", "given", "what"), [("add", {}, "task"), ("sort", {"colour": 1}, "choice")])
def test_unknown_names_come_back_with_those_that_there_are(task, given, what):
    with pytest.raises(UnknownNameError) as caught:
        LabChoices.of(task, **given)
    assert caught.value.facts["what"] == what
    assert caught.value.facts["accepted"]
