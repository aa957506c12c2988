"""How well pictures are answered, and how much of the class token's attention lies on the shapes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from attention_core.nn.config import ENCODER_SELF
from attention_core.nn.transformer import Transformer
from attention_core.nn.watching import Watch
from attention_core.training.shapes.drawing import Scene, coverage, draw_scene, paint
from attention_core.training.shapes.questions import SLICES, Answers

IMAGE_SIZE, PATCH_SIZE = 64, 8
MEAN, DEVIATION = 0.5, 0.5  # of a channel from 0 to 1: pixels go in from -1 to 1
TOUCHED = 0.1  # a patch belongs to the shapes when they cover so much of it
_AT_ONCE = 128


@dataclass(frozen=True)
class Pictures:
    """pixels uint8 (picture, channel, height, width), answers (picture, question), on_shape (picture, patch).

    on_shape: booleans, the patches that the shapes cover to a tenth or more.
    """

    pixels: Tensor
    answers: Tensor
    on_shape: Tensor

    def __len__(self) -> int:
        return len(self.pixels)


def draw_pictures(count: int, among: Sequence[Answers], random: np.random.Generator) -> Pictures:
    """`count` pictures, each of one of these combinations of answers."""
    return pictures_of([draw_scene(among[int(random.integers(len(among)))], random) for _ in range(count)])


def pictures_of(scenes: Sequence[Scene]) -> Pictures:
    """The scenes as the model is given them."""
    rows = IMAGE_SIZE // PATCH_SIZE
    pixels = np.stack([paint(scene, IMAGE_SIZE) for scene in scenes])  # (picture, height, width, channel)
    covered = np.stack([coverage(scene, rows) for scene in scenes]).reshape(len(scenes), -1)  # (picture, patch)
    return Pictures(
        torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(),  # (picture, channel, height, width)
        torch.tensor([scene.answers for scene in scenes]),
        torch.from_numpy(covered >= TOUCHED),
    )


def normalised(pixels: Tensor) -> Tensor:
    """uint8 pixels as the model reads them, floats from -1 to 1; any shape."""
    return (pixels.float() / 255 - MEAN) / DEVIATION


@torch.inference_mode()
def accuracies(network: Transformer, pictures: Pictures) -> dict[str, float]:
    """The share of pictures whose answer is right, by question, and under "all" that of all four."""
    hidden = [network(normalised(part.pixels)).hidden for part in _parts(pictures)]
    logits = network.logits(torch.cat(hidden))  # (picture, class)
    given = torch.stack([logits[:, part].argmax(dim=1) for part in SLICES.values()], dim=1)  # (picture, question)
    right = given == pictures.answers
    shares = {question: float(right[:, n].float().mean()) for n, question in enumerate(SLICES)}
    return {"all": float(right.all(dim=1).float().mean())} | shares


@torch.inference_mode()
def share_on_shapes(network: Transformer, pictures: Pictures) -> Tensor:
    """The class token's mean attention to the patches of the shapes, by (layer, head); its whole row sums to 1."""
    sums = torch.zeros(network.config.encoder_layers, network.config.heads)
    for part in _parts(pictures):
        watch = Watch(readable=True)
        network(normalised(part.pixels), watch=watch)
        for layer, record in enumerate(watch.records[ENCODER_SELF]):
            assert record.given is not None, "a readable pass keeps its weights"
            row = record.given[:, :, 0, 1:]  # (picture, head, patch)
            sums[layer] += (row * part.on_shape[:, None, :]).sum(dim=(0, 2))
    return sums / len(pictures)


def area_of_shapes(pictures: Pictures) -> float:
    """The mean share of a picture's patches that belong to the shapes."""
    return float(pictures.on_shape.float().mean())


def _parts(pictures: Pictures) -> Iterator[Pictures]:
    """The pictures, as many at once as memory holds with ease."""
    for start in range(0, len(pictures), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        yield Pictures(pictures.pixels[part], pictures.answers[part], pictures.on_shape[part])
