"""Where a head takes up its role: what counts as a jump, and what does not."""

import pytest
import torch

from attention_core.lab import Checkpoint, jumps
from attention_core.lab.jumps import jump_in

STEPS = [10 * number for number in range(21)]  # 0 to 200: three checkpoints in a window


def at(values):
    return jump_in(STEPS, values)


def test_a_step_jumps_between_its_two_sides():
    assert at([0.1] * 8 + [0.9] * 13) == (7, 8)


def test_a_rise_within_the_window_is_one_jump():
    assert at([0.1] * 8 + [0.3, 0.6] + [0.9] * 11) == (7, 10)


@pytest.mark.parametrize(
    "series",
    [
        [0.2] * 21,  # nothing happens
        [number / 20 for number in range(21)],  # all the time a little
        [0.1] * 10 + [0.3] * 11,  # too little
        [0.9] * 8 + [0.1] * 13,  # a fall
        [0.0] * 5 + [0.26] * 5 + [0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0],  # less than half of it
    ],
)
def test_what_is_no_jump(series):
    assert at(series) is None


def test_of_two_jumps_the_larger_one_and_of_equal_ones_the_first():
    assert at([0.0] * 4 + [0.4] * 8 + [1.0] * 9) == (11, 12)
    assert at([0.0] * 4 + [0.5] * 8 + [1.0] * 9) == (3, 4)


def test_two_checkpoints_are_enough_and_one_is_not():
    assert jump_in([0, 1000], [0.1, 0.8]) == (0, 1)
    assert jump_in([0], [0.1]) is None


def test_every_head_that_jumps_is_found_the_highest_first():
    def one(step, first, second):
        scores = {"mirror": torch.tensor([[first, second, 0.2]])}
        return Checkpoint(step, 1.0, 0.5, torch.zeros(1, 3, 2, 2), scores)

    found = jumps([one(step, 0.1 if step < 90 else 0.6, 0.1 if step < 120 else 0.9) for step in STEPS])
    assert [(jump.role, jump.layer, jump.head, jump.start, jump.end) for jump in found] == [
        ("mirror", 0, 1, 110, 120),
        ("mirror", 0, 0, 80, 90),
    ]
    assert [jump.step for jump in found] == [115, 85]
    assert found[0].high == pytest.approx(0.9)
    assert jumps([one(0, 0.1, 0.2)]) == ()
