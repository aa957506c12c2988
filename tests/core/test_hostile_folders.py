"""Folders that mean harm: overwritten under a loaded model, reaching for the hub, made to cost; each a clear error."""

import json
import shutil
import time
from pathlib import Path

import pytest
import torch
import transformers
from own_folders import change_config, header, no_network, save, tokenizer
from safetensors.torch import load_file
from safetensors.torch import save as spelled

from attention_core.capture import capture, ready
from attention_core.errors import CheckpointError, NotAvailableError
from attention_core.files import weights_in
from attention_core.models.directory import scan
from attention_core.models.examples import Example
from attention_core.models.loading import LoadedModel, load_model, wrap
from attention_core.models.reference import offline
from attention_core.models.seeing import Seeing


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("whole")
    for name in ("bert", "My.Llama_2", "bart", "vit"):
        save(root, name)
    return root


@pytest.fixture(params=["bert", "My.Llama_2"])
def folder(request, saved, tmp_path) -> Path:
    return Path(shutil.copytree(saved / request.param, tmp_path / "models" / request.param))


def load(folder: Path) -> LoadedModel:
    return load_model(scan(folder.parent, []).entries[0].card, folder)


def test_a_file_overwritten_in_place_changes_no_loaded_model(folder):
    model = load(folder)
    before = {name: one.clone() for name, one in model.network.state_dict().items()}
    path = folder / "model.safetensors"
    other = {name: torch.full_like(one, 7) for name, one in load_file(path).items()}
    with path.open("r+b") as file:
        file.write(spelled(other, metadata={"format": "pt"}))
    assert all(torch.equal(one, before[name]) for name, one in model.network.state_dict().items())


BACKBONES = {
    "dpt": {"is_hybrid": False, "backbone_out_indices": [0]},
    "detr": {"use_timm_backbone": False},
    "upernet": {"use_timm_backbone": False},
    "vitmatte": {},
    "depth_anything": {},
    "rt_detr": {},
}


@pytest.mark.parametrize("family", BACKBONES)
def test_a_backbone_from_elsewhere_is_never_asked_for(saved, tmp_path, monkeypatch, family):
    folder = Path(shutil.copytree(saved / "bert", tmp_path / "odd"))
    told = {"model_type": family, "backbone": "some/repo", **BACKBONES[family]}
    for more in ({}, {"use_pretrained_backbone": True}):
        (folder / "config.json").write_text(json.dumps(told | more))
        with no_network(monkeypatch), pytest.raises(CheckpointError, match="backbone"):
            load_model(scan(saved, []).entries[0].card, folder)


def test_while_a_model_loads_the_hub_s_library_sends_nothing(monkeypatch, tmp_path):
    from huggingface_hub import HfApi, is_offline_mode
    from huggingface_hub.errors import OfflineModeIsEnabled

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with no_network(monkeypatch), offline(), pytest.raises(OfflineModeIsEnabled):
        HfApi().model_info("some/repo")
    assert not is_offline_mode()


@pytest.mark.parametrize(
    "changes",
    [
        {"model_type": "\ud800x"},
        {"model_type": "a b"},
        {"model_type": "x" * 101},
        {"note": ["\ud800"]},
        {"\ud800": 1},
        {"rms_norm_eps": float("nan")},
        {"attention_window": [8, 16_000_000]},
    ],
)
def test_odd_characters_and_absurd_numbers(folder, changes):
    change_config(folder, **changes)
    failed = scan(folder.parent, []).failed[folder.name]
    assert failed.facts["reason"] == "config"
    str(failed).encode()  # an answer of the server can carry it


def test_shapes_of_very_many_dimensions_cost_nothing(tmp_path):
    shape = [(1 << 61) + 1] * 100_000
    header(tmp_path / "model.safetensors", {"w": {"dtype": "F32", "shape": shape, "data_offsets": [0, 4]}}, 4)
    started = time.process_time()
    with pytest.raises(CheckpointError, match="does not fit together"):
        weights_in(tmp_path)
    assert time.process_time() - started < 2


@pytest.mark.parametrize("second", [[0, 4], [2, 6], [8, 12]])
def test_tensors_that_overlap_or_leave_a_gap(tmp_path, second):
    told = {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
    told["b"] = {"dtype": "F32", "shape": [1], "data_offsets": second}
    header(tmp_path / "model.safetensors", told, second[1])
    with pytest.raises(CheckpointError, match="'b' does not begin where the tensor before it ends"):
        weights_in(tmp_path)


def change_tokenizer(folder: Path, **changes) -> None:
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_tokenizer_that_pads_does_not(folder):
    fixed = {"strategy": {"Fixed": 50_000_000}, "direction": "Right", "pad_to_multiple_of": None}
    change_tokenizer(folder, padding=fixed | {"pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"})
    started = time.process_time()
    load(folder)
    assert time.process_time() - started < 5


def test_a_normalizer_that_multiplies(folder):
    ten = {"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 10}
    change_tokenizer(folder, normalizer={"type": "Sequence", "normalizers": [ten] * 9})
    with pytest.raises(CheckpointError, match="makes more than 256 characters of one"):
        load(folder)


def test_a_tokenizer_that_panics_is_an_error_that_names_it(folder):
    split = {"type": "Split", "pattern": {"Regex": "(w+w+)+x"}, "behavior": "Isolated", "invert": False}
    change_tokenizer(folder, pre_tokenizer=split)
    model = load(folder)
    with pytest.raises(CheckpointError) as caught:
        model.encode(Example("w3 " + "w" * 40 + " w5"))
    assert caught.value.facts == {"reason": "tokenizer", "file": f"{folder.name}/tokenizer.json"}


def test_ids_of_no_token_are_no_ids_to_write(saved, tmp_path, monkeypatch):
    monkeypatch.setattr("attention_core.capture.switching.MOST_WRITTEN", 4)
    folder = Path(shutil.copytree(saved / "bart", tmp_path / "bart"))
    told = {"forced_bos_token_id": 5000, "suppress_tokens": [9999], "decoder_start_token_id": -5, "eos_token_id": -1}
    (folder / "generation_config.json").write_text(json.dumps(told))
    assert len(capture(load(folder), Example("w3 w9")).target) == 4
    change_config(folder, decoder_start_token_id=999)
    with pytest.raises(CheckpointError, match="decoder_start_token_id is 999; accepted: 0 to 59"):
        load(folder)


def test_classes_keep_their_numbers(saved, tmp_path):
    folder = Path(shutil.copytree(saved / "vit", tmp_path / "vit"))
    change_config(folder, id2label={"1": "cat", "7": "dog", "9": "owl"}, label2id=None)
    picture = torch.zeros(24, 24, 3, dtype=torch.uint8)
    trace = capture(load(folder), Example(image=picture))
    assert {one.text for one in trace.predictions.at[0].candidates} == {"class 0", "cat", "class 2"}


@pytest.mark.parametrize(
    ("told", "brightest"),
    [({}, 1.0), ({"do_rescale": False}, 255.0), ({"rescale_factor": 1 / 127.5}, 2.0), ({"rescale_factor": 0}, None)],
)
def test_pixels_are_scaled_as_the_preprocessor_says(saved, told, brightest):
    config = json.loads((saved / "vit/config.json").read_text())
    white = torch.full((24, 24, 3), 255, dtype=torch.uint8)
    if brightest is None:
        with pytest.raises(CheckpointError, match="pixels times 0"):
            Seeing.of(config, told)
        return
    pixels = Seeing.of(config, told | {"do_normalize": False}).see(white)[1]
    assert float(pixels.max()) == pytest.approx(brightest)


def test_places_of_a_picture_that_are_no_patches_are_refused_before_any_trace(tmp_path):
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    config = transformers.DeiTConfig(**sizes, image_size=24, patch_size=4)
    transformers.DeiTForImageClassification(config).save_pretrained(tmp_path / "deit")
    with pytest.raises(NotAvailableError, match="between 38 places of a picture") as caught:
        ready(load(tmp_path / "deit"))
    assert caught.value.facts["reason"] == "not-exact"


def test_a_decoder_in_memory_takes_no_pair(saved):
    model = wrap(transformers.LlamaForCausalLM.from_pretrained(saved / "My.Llama_2"), tokenizer())
    with pytest.raises(NotAvailableError, match="takes no second one"):
        model.encode(Example("w3 w4", pair="w5 w6"))
