"""The sample pictures that go with the model: drawn by its generator, larger, named after what they show."""

import re
from pathlib import Path

import numpy as np
from PIL import Image

from attention_core.training.shapes.drawing import draw_scene, paint
from attention_core.training.shapes.questions import QUESTIONS, Answers

SIDE = 256
SEED = 7
NUMBERS = ("one", "two", "three")
NAMES = (
    "one-red-circle-top-left",
    "one-green-star-bottom-right",
    "one-purple-cross-top-right",
    "two-orange-triangles-bottom-left",
    "two-yellow-stars-top-right",
    "two-blue-squares-top-left",
    "three-blue-stars-bottom-left",
    "three-red-triangles-top-right",
    "three-green-crosses-top-left",
    "three-purple-circles-bottom-right",
)


def answers_of(name: str) -> Answers:
    """The answers that a sample's name tells, such as `two-yellow-stars-top-right`."""
    number, colour, shape, *where = name.split("-")
    singular = re.sub(r"(?<=ss)es$|(?<!s)s$", "", shape)
    return Answers(
        QUESTIONS["shape"].index(singular),
        QUESTIONS["colour"].index(colour),
        QUESTIONS["where"].index(" ".join(where)),
        NUMBERS.index(number),
    )


def write_samples(folder: Path, seed: int = SEED) -> None:
    """Draws every sample into the folder, as a PNG of 256 x 256 pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(NAMES):
        scene = draw_scene(answers_of(name), np.random.default_rng([seed, number]))
        Image.fromarray(paint(scene, SIDE)).save(folder / f"{name}.png", optimize=True)
