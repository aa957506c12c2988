"""The shapes recipe, shrunken, and the model and samples that the whole recipe put into the package."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import ViTForImageClassification

import attention_core.models
from attention_core.nn.checkpoints import load_transformer
from attention_core.nn.transformer import Transformer
from attention_core.pictures import read_picture, resized
from attention_core.training import Run, TrainingCancelled
from attention_core.training.shapes import CONFIG, make
from attention_core.training.shapes.measures import (
    IMAGE_SIZE,
    Pictures,
    accuracies,
    area_of_shapes,
    draw_pictures,
    normalised,
    share_on_shapes,
)
from attention_core.training.shapes.questions import HELD_OUT, LABELS, SLICES
from attention_core.training.shapes.samples import NAMES, answers_of, write_samples

FOLDER = Path(attention_core.models.__file__).parent / "bundled" / "shapes"


@pytest.fixture(scope="module")
def network():
    return load_transformer(FOLDER)


@pytest.fixture(scope="module")
def fresh():
    """Held-out combinations, from a seed that no recipe uses."""
    return draw_pictures(400, HELD_OUT, np.random.default_rng(20_260_102))


def test_a_shrunken_recipe_learns(tmp_path, fresh):
    torch.manual_seed(0)
    before = accuracies(Transformer(CONFIG), fresh)
    result = make(Run(tmp_path, scale=0.02))
    after = accuracies(load_transformer(tmp_path), fresh)
    # Colours come first, and with them the class token's looking at the shapes.
    assert before["colour"] < 0.5
    assert after["colour"] > 0.8
    assert result.scores["attention on shapes"] > 3 * result.scores["area of shapes"]
    assert {"config.json", "model.safetensors", "results.json", "samples"} == {path.name for path in tmp_path.iterdir()}


def test_a_training_that_is_cancelled_leaves_no_files(tmp_path):
    with pytest.raises(TrainingCancelled):
        make(Run(tmp_path, scale=0.001, cancelled=lambda: True))
    assert list(tmp_path.iterdir()) == []


def test_the_bundled_model_answers_all_four_questions(network, fresh):
    scores = accuracies(network, fresh)
    assert scores["all"] >= 0.95
    assert min(scores["shape"], scores["colour"], scores["where"], scores["count"]) >= 0.97


def test_its_class_token_looks_at_the_shapes(network, fresh):
    some = Pictures(fresh.pixels[:100], fresh.answers[:100], fresh.on_shape[:100])
    best = float(share_on_shapes(network, some).max())
    assert best >= 0.8
    assert best >= 5 * area_of_shapes(some)


def test_transformers_reads_it_and_agrees(network, fresh):
    theirs = ViTForImageClassification.from_pretrained(FOLDER).eval()
    pixels = normalised(fresh.pixels[:4])
    with torch.inference_mode():
        ours = network.logits(network(pixels).hidden)
        expected = theirs(pixels).logits
    torch.testing.assert_close(ours, expected, atol=1e-4, rtol=1e-4)
    assert [theirs.config.id2label[n] for n in range(len(LABELS))] == list(LABELS)


def test_the_bundled_files_say_what_they_are():
    config = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))
    assert (config["image_size"], config["patch_size"]) == (64, 8)
    assert config["image_mean"] == config["image_std"] == [0.5] * 3
    results = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
    assert results["scale"] == 1.0
    assert results["scores"]["all"] >= 0.95
    assert (FOLDER / "model.safetensors").stat().st_size <= 4_000_000


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_is_answered_as_its_name_says(network, name):
    pixels = read_picture((FOLDER / "samples" / f"{name}.png").read_bytes())
    assert tuple(pixels.shape) == (256, 256, 3)
    small = resized(pixels, IMAGE_SIZE, IMAGE_SIZE).permute(2, 0, 1)  # (channel, height, width)
    with torch.inference_mode():
        logits = network.logits(network(normalised(small[None])).hidden)[0]
    assert tuple(int(logits[part].argmax()) for part in SLICES.values()) == answers_of(name)
    assert all(float(logits[part].softmax(0).max()) > 0.9 for part in SLICES.values())


def test_the_samples_are_the_recipes(tmp_path):
    write_samples(tmp_path)
    assert {path.stem for path in tmp_path.iterdir()} == set(NAMES)
    for name in NAMES:
        drawn, kept = (read_picture((folder / f"{name}.png").read_bytes()) for folder in (tmp_path, FOLDER / "samples"))
        # Another version of Pillow may round differently.
        assert int((drawn.int() - kept.int()).abs().max()) <= 2
