"""The generator of pictures: what is drawn is what the answers say, and what is held out is never drawn."""

import itertools
import math

import numpy as np
import pytest
import torch

from attention_core.training.shapes import mirrored
from attention_core.training.shapes.drawing import PALETTE, coverage, draw_scene, outline, paint
from attention_core.training.shapes.measures import draw_pictures, pictures_of
from attention_core.training.shapes.questions import ALL, HELD_OUT, LABELS, QUESTIONS, SLICES, TRAINED, Answers

SIDE = 64


def near(pixels, colour, distance=60):
    """Booleans (height, width): the pixels that have about this colour."""
    return np.abs(pixels.astype(int) - np.array(colour)).sum(axis=2) < distance


def test_held_out_combinations_are_disjoint_and_every_pair_of_answers_is_trained():
    assert set(HELD_OUT) | set(TRAINED) == set(ALL)
    assert not set(HELD_OUT) & set(TRAINED)
    assert 0.15 < len(HELD_OUT) / len(ALL) < 0.25
    for one, other in itertools.combinations(range(4), 2):
        assert {(each[one], each[other]) for each in TRAINED} == {(each[one], each[other]) for each in ALL}


def test_labels_carry_their_question():
    assert len(LABELS) == len(set(LABELS)) == sum(map(len, QUESTIONS.values()))
    for question, part in SLICES.items():
        assert [label.split("/") for label in LABELS[part]] == [[question, answer] for answer in QUESTIONS[question]]


@pytest.mark.parametrize("answers", ALL[::7], ids=str)
def test_the_shapes_stand_in_their_quarter_in_their_colour(answers):
    scene = draw_scene(answers, np.random.default_rng(5))
    coloured = near(paint(scene, SIDE), scene.fill)  # (height, width)
    half = SIDE // 2
    top, left = half * (answers.where // 2), half * (answers.where % 2)
    quarter = coloured[top : top + half, left : left + half]
    assert coloured.sum() == quarter.sum() > 20
    assert math.dist(scene.fill, PALETTE[QUESTIONS["colour"][answers.colour]]) < 30
    nearest = min(PALETTE, key=lambda name: math.dist(PALETTE[name], scene.fill))
    assert nearest == QUESTIONS["colour"][answers.colour]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_as_many_shapes_as_it_says_and_none_touches_another(count):
    for seed in range(10):
        scene = draw_scene(Answers(1, 4, seed % 4, count), np.random.default_rng(seed))
        assert pieces(near(paint(scene, 4 * SIDE), scene.fill, 90)) == count + 1


def pieces(pixels):
    """How many connected pieces there are."""
    left, found = {(int(y), int(x)) for y, x in np.argwhere(pixels)}, 0
    while left:
        found += 1
        open_ = [left.pop()]
        while open_:
            y, x = open_.pop()
            for step in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
                if step in left:
                    left.remove(step)
                    open_.append(step)
    return found


def test_shapes_differ_and_stay_within_their_radius():
    scene = draw_scene(Answers(0, 0, 0, 0), np.random.default_rng(0))
    mark = scene.marks[0]
    outlines = {shape: outline(shape, mark) for shape in QUESTIONS["shape"]}
    assert len({len(corners) for corners in outlines.values()}) == len(outlines)
    for corners in outlines.values():
        assert all(math.dist(corner, (mark.x, mark.y)) <= mark.radius + 1e-9 for corner in corners)


def test_the_coverage_is_where_the_colour_is():
    scene = draw_scene(Answers(1, 4, 2, 2), np.random.default_rng(2))
    covered = coverage(scene, 8)  # (row, column)
    seen = near(paint(scene, 512), scene.fill).reshape(8, 64, 8, 64).mean(axis=(1, 3))
    assert np.abs(covered - seen).max() < 0.06
    assert covered.max() > 0.5
    assert covered[:4].sum() == covered[:, 4:].sum() == 0  # bottom left


def test_pictures_are_seeded_and_differ():
    one, again = (draw_pictures(8, TRAINED, np.random.default_rng(4)) for _ in range(2))
    assert torch.equal(one.pixels, again.pixels)
    assert torch.equal(one.answers, again.answers)
    assert len({tuple(each.flatten().tolist()) for each in one.pixels}) == 8
    assert {Answers(*each) for each in one.answers.tolist()} <= set(TRAINED)


def test_mirrored_pictures_answer_the_other_side_and_never_what_is_held_out():
    def other_side(answers):
        return answers._replace(where=answers.where ^ 1)

    free = next(each for each in TRAINED if other_side(each) in TRAINED)
    bound = next(each for each in TRAINED if other_side(each) in HELD_OUT)
    drawn = pictures_of([draw_scene(each, np.random.default_rng(1)) for each in (free, free, bound)])
    pixels, answers = mirrored(drawn.pixels, drawn.answers, torch.tensor([True, False, True]))
    assert [Answers(*each) for each in answers.tolist()] == [other_side(free), free, bound]
    assert torch.equal(pixels[0], drawn.pixels[0].flip(2))
    assert torch.equal(pixels[1:], drawn.pixels[1:])
