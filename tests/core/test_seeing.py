"""What a vision model sees is what preprocessor_config.json says, and nonsense in it is refused."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from own_folders import save

from attention_core.errors import CheckpointError
from attention_core.models.directory import scan
from attention_core.models.examples import Example
from attention_core.models.loading import LoadedModel, load_model
from attention_core.models.seeing import Seeing


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("sees")
    for name in ("vit", "dinov2"):
        save(root, name)
    return root


def load(folder: Path) -> LoadedModel:
    return load_model(scan(folder.parent, []).entries[0].card, folder)


def test_pictures_are_scaled_as_the_preprocessor_says(saved, tmp_path):
    from transformers import ViTImageProcessor

    folder = Path(shutil.copytree(saved / "vit", tmp_path / "vit"))
    mean, std = [0.48, 0.45, 0.4], [0.22, 0.23, 0.24]
    theirs = ViTImageProcessor(size={"height": 24, "width": 24}, image_mean=mean, image_std=std, resample=3)
    theirs.save_pretrained(folder)
    image = torch.randint(0, 256, (30, 50, 3), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    ours = load(folder).encode(Example(image=image)).inputs["pixel_values"]
    wanted = theirs(image.permute(2, 0, 1), return_tensors="pt")["pixel_values"]
    assert ours.shape == wanted.shape
    assert (ours - wanted).abs().max() < 2 / 255 / 0.22  # two of 256 steps: Pillow and torch round apart


def test_the_middle_is_cut_out_where_the_preprocessor_says(saved):
    config = json.loads((saved / "vit/config.json").read_text())
    told = {"size": {"shortest_edge": 32}, "do_center_crop": True, "crop_size": {"height": 24, "width": 24}}
    picture = torch.zeros(64, 128, 3, dtype=torch.uint8)
    picture[:, 58:70] = 255  # 12 of 128 pixels in the middle: after scaling 6 of 64, of which 24 are left
    seen, _ = Seeing.of(config, told).see(picture)
    assert seen.pixels.shape == (24, 24, 3)
    bright = (seen.pixels[12, :, 0] > 127).nonzero().flatten().tolist()
    assert bright == [9, 10, 11, 12, 13, 14]
    strip = torch.zeros(1, 1024, 3, dtype=torch.uint8)
    assert Seeing.of(config, told).see(strip)[0].pixels.shape == (24, 24, 3)


@pytest.mark.parametrize(
    "told",
    [
        {"image_mean": "abc"},
        {"image_std": [0, 1, 1]},
        {"image_mean": [1, 2]},
        {"size": {"shortest_edge": 10**9}},
        {"size": {"height": 24}},
        {"size": [24, 32]},
        {"resample": "best"},
    ],
)
def test_a_preprocessor_that_makes_no_sense(saved, tmp_path, told):
    folder = Path(shutil.copytree(saved / "dinov2", tmp_path / "dinov2"))
    (folder / "preprocessor_config.json").write_text(json.dumps(told))
    with pytest.raises(CheckpointError):
        load(folder)
