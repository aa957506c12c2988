"""Pictures of one to three equal shapes in one quarter of a pale ground, drawn by chance and antialiased.

Sizes and places are shares of the picture's side; the first pixel row is at the top.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from attention_core.training.shapes.questions import QUESTIONS, Answers

PALETTE = {
    "red": (214, 45, 45),
    "orange": (242, 138, 30),
    "yellow": (244, 210, 40),
    "green": (42, 158, 78),
    "blue": (45, 105, 215),
    "purple": (138, 68, 182),
}
JITTER = 14  # how far a colour may be from its palette's, in each channel
RADII = ((0.11, 0.2), (0.09, 0.13), (0.085, 0.107))  # of one, two, three shapes: so many have room in a quarter
MARGIN = 0.018  # between shapes, and to the quarter's edge
TEXTURE = 16  # cells a side of the ground's texture
SUPERSAMPLING = 4  # each pixel is the mean of about this many, squared: Pillow draws hard edges


@dataclass(frozen=True)
class Mark:
    """One shape: its centre, the radius of a circle that holds it, and how far it is turned, in radians."""

    x: float
    y: float
    radius: float
    turn: float


@dataclass(frozen=True, eq=False)
class Scene:
    """One picture before it is painted: its answers, where the shapes stand, their colour and the ground.

    fill: red, green, blue; ground: uint8 (cell, cell, 3), stretched over the picture.
    """

    answers: Answers
    marks: tuple[Mark, ...]
    fill: tuple[int, int, int]
    ground: NDArray[np.uint8]


def draw_scene(answers: Answers, random: np.random.Generator) -> Scene:
    """A scene with these answers; everything else about it is left to chance."""
    colour = PALETTE[QUESTIONS["colour"][answers.colour]]
    red, green, blue = (int(value) for value in np.clip(colour + random.integers(-JITTER, JITTER + 1, 3), 0, 255))
    return Scene(answers, _marks(answers, random), (red, green, blue), _ground(random))


def paint(scene: Scene, side: int) -> NDArray[np.uint8]:
    """The picture, uint8 (side, side, 3)."""
    large = side * SUPERSAMPLING
    image = Image.fromarray(scene.ground).resize((large, large), Image.Resampling.BICUBIC)
    _draw(scene, image, scene.fill)
    return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR))


def coverage(scene: Scene, rows: int) -> NDArray[np.float32]:
    """How much of each patch the shapes cover, from 0 to 1 (rows, rows)."""
    side = rows * 32
    image = Image.new("L", (side, side), 0)
    _draw(scene, image, 1)
    patches = np.asarray(image).reshape(rows, 32, rows, 32)  # (row, y, column, x)
    covered: NDArray[np.float32] = patches.mean(axis=(1, 3), dtype=np.float32)
    return covered


def _draw(scene: Scene, image: Image.Image, fill: int | tuple[int, int, int]) -> None:
    shape = QUESTIONS["shape"][scene.answers.shape]
    canvas = ImageDraw.Draw(image)
    for mark in scene.marks:
        corners = [(x * image.width, y * image.height) for x, y in outline(shape, mark)]
        canvas.polygon(corners, fill=fill)


def outline(shape: str, mark: Mark) -> list[tuple[float, float]]:
    """The corners of a shape, as shares of the picture's side; all within the mark's radius."""
    polar = {
        "circle": [(0.86, turn) for turn in _around(48)],
        "square": [(1.0, turn + math.pi / 4) for turn in _around(4)],
        "triangle": [(1.0, turn) for turn in _around(3)],
        "star": [(1.0 if n % 2 == 0 else 0.42, turn) for n, turn in enumerate(_around(10))],
        "cross": [(length, turn + side) for turn in _around(4) for length, side in _ARM],
    }[shape]
    # A turn of 0 points upwards, and y grows downwards.
    return [
        (
            mark.x + mark.radius * length * math.sin(turn + mark.turn),
            mark.y - mark.radius * length * math.cos(turn + mark.turn),
        )
        for length, turn in polar
    ]


def _around(count: int) -> list[float]:
    return [2 * math.pi * n / count for n in range(count)]


# The corners of a cross's upper arm, and the inner one to its right: half as wide as 0.3 of the radius.
_ARM = ((1.0, -math.asin(0.3)), (1.0, math.asin(0.3)), (0.3 * math.sqrt(2), math.pi / 4))


def _marks(answers: Answers, random: np.random.Generator) -> tuple[Mark, ...]:
    """As many marks as the answer says, inside its quarter, none over another."""
    left, top = 0.5 * (answers.where % 2), 0.5 * (answers.where // 2)
    while True:
        marks: list[Mark] = []
        for _ in range(answers.number):
            radius = float(random.uniform(*RADII[answers.many]))
            low, high = radius + MARGIN, 0.5 - radius - MARGIN
            x, y = random.uniform(low, high, 2)
            marks.append(Mark(left + float(x), top + float(y), radius, float(random.uniform(-0.25, 0.25))))
        apart = all(
            math.dist((one.x, one.y), (other.x, other.y)) >= one.radius + other.radius + MARGIN
            for n, one in enumerate(marks)
            for other in marks[:n]
        )
        if apart:
            return tuple(marks)


def _ground(random: np.random.Generator) -> NDArray[np.uint8]:
    """A pale tint that changes from one side to the other, with a little noise."""
    tint = random.uniform(205, 252, 3)
    x, y = np.meshgrid(np.linspace(-1, 1, TEXTURE), np.linspace(-1, 1, TEXTURE))
    direction = random.uniform(-6, 6, 2)
    slope = direction[0] * x + direction[1] * y  # (cell, cell)
    noise = random.normal(0, random.uniform(0, 5), (TEXTURE, TEXTURE, 1))
    ground: NDArray[np.uint8] = np.clip(tint + slope[..., None] + noise, 0, 255).astype(np.uint8)
    return ground
