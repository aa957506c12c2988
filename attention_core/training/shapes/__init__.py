"""The recipe of `shapes`: a small ViT that says of a drawn picture which shape, what colour, where and how many.

One classifier answers four questions; each has its own softmax over its own labels.
"""

import time
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from attention_core.nn.checkpoints import save_transformer
from attention_core.nn.config import Patches, TransformerConfig
from attention_core.nn.transformer import Transformer
from attention_core.threads import one_thread
from attention_core.training.recipe import Result, Run, write_results
from attention_core.training.shapes.measures import (
    DEVIATION,
    IMAGE_SIZE,
    MEAN,
    PATCH_SIZE,
    Pictures,
    accuracies,
    area_of_shapes,
    draw_pictures,
    normalised,
    share_on_shapes,
)
from attention_core.training.shapes.questions import ALL, HELD_OUT, LABELS, QUESTIONS, SLICES, TRAINED
from attention_core.training.shapes.samples import write_samples

__all__ = ["make"]

PATCHES = Patches(image_size=IMAGE_SIZE, patch_size=PATCH_SIZE)
CONFIG = TransformerConfig(
    patches=PATCHES,
    max_tokens=PATCHES.count + 1,
    encoder_layers=4,
    embed_dim=96,
    heads=4,
    inner_dim=192,
    norm="pre",
    final_norm=True,
    norm_eps=1e-6,
    classes=len(LABELS),
    output="classes",
)
PICTURES = 40_000
STEPS = 2800
BATCH = 64
RATE = 1e-3
WARM_UP = 200
WEIGHT_DECAY = 0.05
MEASURED = 2000
WHERE = tuple(QUESTIONS).index("where")
_DRAWN_AT_ONCE = 250
_IS_HELD_OUT = torch.zeros(*map(len, QUESTIONS.values()), dtype=torch.bool)
_IS_HELD_OUT[tuple(torch.tensor(HELD_OUT).unbind(dim=1))] = True


@one_thread()
def make(run: Run) -> Result:
    """Trains the model, writes its files into the run's folder and returns its scores on held-out combinations."""
    began = time.monotonic()
    torch.manual_seed(run.seed)
    random = np.random.default_rng(run.seed)
    pictures = _draw(run, random)
    network = Transformer(CONFIG)
    steps = run.part(STEPS, at_least=10)
    for step, loss in enumerate(_train(network, pictures, steps), start=1):
        run.step("train", step, steps, f"loss {loss:.3f}")
    run.step("measure", 0, 1)
    scores = score(network, random, run.part(MEASURED, at_least=200))
    result = Result(_data(len(pictures)), steps, time.monotonic() - began, scores)
    _save(network, run)
    write_samples(run.folder / "samples")
    write_results(run, result)
    run.step("measure", 1, 1, f"all four right {scores['all']:.3f}")
    return result


def score(network: Transformer, random: np.random.Generator, count: int = MEASURED) -> dict[str, float]:
    """What a trained model scores on `count` fresh pictures of held-out combinations.

    "attention on shapes" is the best head's share of the class token's attention, "area of shapes" the shapes'
    share of the patches: what a head that looks everywhere alike would reach.
    """
    fresh = draw_pictures(count, HELD_OUT, random)
    return {
        **accuracies(network, fresh),
        "attention on shapes": float(share_on_shapes(network, fresh).max()),
        "area of shapes": area_of_shapes(fresh),
    }


def _data(count: int) -> str:
    return (
        f"{count:,} pictures of {IMAGE_SIZE} x {IMAGE_SIZE} pixels drawn by the package's own generator: one to three "
        "circles, squares, triangles, stars or crosses in six colours in one quarter of a pale ground; "
        f"{len(HELD_OUT)} of the {len(ALL)} combinations of shape, colour, place and number are held out."
    )


def _draw(run: Run, random: np.random.Generator) -> Pictures:
    """The pictures to train on, a few at a time, so that drawing them can be watched and stopped."""
    count = run.part(PICTURES, at_least=_DRAWN_AT_ONCE)
    pixels = torch.empty(count, 3, IMAGE_SIZE, IMAGE_SIZE, dtype=torch.uint8)
    answers = torch.empty(count, len(SLICES), dtype=torch.long)
    on_shape = torch.empty(count, PATCHES.count, dtype=torch.bool)
    for done in range(0, count, _DRAWN_AT_ONCE):
        run.step("data", done, count)
        drawn = draw_pictures(min(_DRAWN_AT_ONCE, count - done), TRAINED, random)
        part = slice(done, done + len(drawn))
        pixels[part], answers[part], on_shape[part] = drawn.pixels, drawn.answers, drawn.on_shape
    run.step("data", count, count)
    return Pictures(pixels, answers, on_shape)


def _train(network: Transformer, pictures: Pictures, steps: int) -> Iterator[float]:
    """Takes the steps, one each time it is asked for the next loss."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=WEIGHT_DECAY)
    order = torch.empty(0, dtype=torch.long)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / min(WARM_UP, steps / 5)) * max(0.01, 1 - step / steps)
        if len(order) < BATCH:
            order = torch.randperm(len(pictures))
        chosen, order = order[:BATCH], order[BATCH:]
        pixels, answers = mirrored(pictures.pixels[chosen], pictures.answers[chosen], torch.rand(BATCH) < 0.5)
        loss = _loss(network, normalised(pixels), answers)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        yield float(loss.detach())


def mirrored(pixels: Tensor, answers: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """The pictures and their answers with left and right exchanged where that is wanted and not held out.

    pixels (picture, channel, height, width), answers (picture, question), wanted booleans (picture).
    """
    other = answers.clone()
    other[:, WHERE] ^= 1  # top left and top right, bottom left and bottom right stand side by side
    turned = wanted & ~_IS_HELD_OUT[tuple(other.unbind(dim=1))]  # (picture)
    pixels = torch.where(turned[:, None, None, None], pixels.flip(3), pixels)
    return pixels, torch.where(turned[:, None], other, answers)


def _loss(network: Transformer, pixels: Tensor, answers: Tensor) -> Tensor:
    """The sum of the four questions' cross-entropies, in nats."""
    logits = network.logits(network(pixels).hidden)  # (picture, class)
    losses = [F.cross_entropy(logits[:, part], answers[:, n]) for n, part in enumerate(SLICES.values())]
    return torch.stack(losses).sum()


def _save(network: Transformer, run: Run) -> None:
    labels = dict(enumerate(LABELS))
    save_transformer(
        network,
        run.folder,
        family="vit",
        id2label={str(number): label for number, label in labels.items()},
        label2id={label: number for number, label in labels.items()},
        image_mean=[MEAN] * 3,
        image_std=[DEVIATION] * 3,
        image_fit="pad",  # a circle stays a circle
    )
