"""What is refused when a folder is loaded, before it takes memory, with a sentence that names the file; no network."""

import json
import pickle
import re
import shutil
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import torch
from own_folders import change_config, header, no_network, save, tokenizer
from safetensors.torch import load_file, save_file

from attention_core.errors import CheckpointError, MemoryLimitError, NotAvailableError, TextError
from attention_core.models import checking, memory
from attention_core.models.directory import scan
from attention_core.models.examples import Example
from attention_core.models.loading import LoadedModel, load_model

GIGA = 1 << 30


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("whole")
    for name in ("bert", "My.Llama_2"):
        save(root, name)
    return root


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    with no_network(monkeypatch):
        yield


@pytest.fixture(params=["bert", "My.Llama_2"])
def folder(request, saved, tmp_path) -> Path:
    """A model that our transformer runs, and one that transformers does."""
    return Path(shutil.copytree(saved / request.param, tmp_path / "models" / request.param))


def load(folder: Path, **how) -> LoadedModel:
    """The model, by the card that its folder has when it is whole."""
    entry = next(entry for entry in scan(folder.parent, []).entries if entry.directory == folder)
    return load_model(entry.card, folder, **how)


def refused(folder: Path, sentence: str, reason: str) -> None:
    held = psutil.Process().memory_info().rss
    with pytest.raises(CheckpointError, match=sentence) as caught:
        load(folder)
    assert caught.value.facts["reason"] == reason
    assert caught.value.facts["file"].startswith(folder.name)
    assert psutil.Process().memory_info().rss - held < 400 << 20


def weights(folder: Path, change) -> None:
    path = folder / "model.safetensors"
    state = load_file(path)
    change(state)
    save_file(state, path, metadata={"format": "pt"})


# ---- weights


def test_pickled_weights_are_never_opened(folder):
    marker = folder / "opened"

    class Evil:
        def __reduce__(self):
            return (Path.touch, (marker,))

    (folder / "model.safetensors").unlink()
    for name in ("pytorch_model.bin", "model.pt"):
        (folder / name).write_bytes(pickle.dumps(Evil()))
    refused(folder, r"model\.pt holds pickled weights, which can run code and are never read", "pickled")
    assert not marker.exists()


def test_no_weights(folder):
    (folder / "model.safetensors").unlink()
    refused(folder, f"{folder.name} has no weights", "no-weights")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cut short"),
        (b"\x08\x00\x00\x00\x00\x00\x00\x00", "cut short"),
        ((2).to_bytes(8, "little") + b"[]", "header is no object"),
        ((1 << 63).to_bytes(8, "little") + b"{}", "cut short"),
        ((9).to_bytes(8, "little") + b'{"a":"b"}', ""),
        ((9).to_bytes(8, "little") + b"[" * 9, ""),
        (b"PK\x03\x04" + b"\0" * 200, "cut short"),
    ],
)
def test_damaged_weights(folder, content, said):
    (folder / "model.safetensors").write_bytes(content)
    refused(folder, rf"model\.safetensors cannot be read: .*{said}", "weights")


def test_weights_cut_short(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-5])
    refused(folder, r"model\.safetensors cannot be read: it is cut short or damaged: its header promises", "weights")


def test_a_header_of_100_megabytes(folder):
    with (folder / "model.safetensors").open("wb") as file:
        file.write((100 << 20).to_bytes(8, "little"))
        file.truncate(200 << 20)
    refused(folder, r"its header has 104857600 bytes; accepted: at most 33554432", "weights")


@pytest.mark.parametrize(
    "told",
    [
        {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 15]},
        {"dtype": "F32", "shape": [-2, -2], "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": [2, 2.0], "data_offsets": [0, 16]},
        {"dtype": "X9", "shape": [2, 2], "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": [2, 2], "data_offsets": [16, 0]},
        {"dtype": "F32", "shape": [1 << 40, 1 << 40], "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": "22", "data_offsets": [0, 16]},
        {"shape": [2, 2]},
        None,
    ],
)
def test_a_header_that_contradicts_itself(folder, told):
    header(folder / "model.safetensors", {"w": told}, 16)
    refused(folder, r"model\.safetensors cannot be read", "weights")


def test_a_missing_tensor_and_one_of_another_shape_are_named(folder):
    name = "encoder.layer.0.output.dense.bias" if folder.name == "bert" else "layers.0.mlp.up_proj.weight"
    whole = next(one for one in load_file(folder / "model.safetensors") if one.endswith(name))
    copy = Path(shutil.copytree(folder, folder.with_name(f"{folder.name}-2")))
    weights(folder, lambda state: state.pop(whole))
    refused(folder, f"does not fit its config.json: missing: .*{re.escape(name)}", "mismatch")
    weights(copy, lambda state: state.update({whole: torch.zeros(3)}))
    refused(copy, re.escape(name), "mismatch")


# ---- in several files


def test_weights_in_several_files_are_one_model(saved, tmp_path):
    for name in ("bert", "My.Llama_2"):
        save(tmp_path, name, max_shard_size="10KB")
        assert len(list((tmp_path / name).glob("model-*.safetensors"))) > 2
        assert not (tmp_path / name / "model.safetensors").exists()
        whole, parts = (load(root / name).network.state_dict() for root in (saved, tmp_path))
        assert whole.keys() == parts.keys()
        assert all(torch.equal(whole[key], parts[key]) for key in whole)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda told: told["weight_map"].update(x="../secret.safetensors"), r"names '\.\./secret\.safetensors'"),
        (lambda told: told["weight_map"].update(x="/etc/passwd"), "names '/etc/passwd'"),
        (lambda told: told["weight_map"].update(x="pytorch_model.bin"), r"names 'pytorch_model\.bin'"),
        (lambda told: told["weight_map"].update(x=7), "names '7'"),
        (lambda told: told["weight_map"].update(x="gone.safetensors"), r"lacks gone\.safetensors"),
        (lambda told: told["weight_map"].update(x="model-00001.safetensors"), "lists 'x', which no file holds"),
        (lambda told: told.pop("weight_map"), "has no weight_map"),
    ],
)
def test_an_index_that_lies(folder, spoil, said):
    state = list(load_file(folder / "model.safetensors"))
    (folder / "model.safetensors").rename(folder / "model-00001.safetensors")
    told = {"metadata": {}, "weight_map": dict.fromkeys(state, "model-00001.safetensors")}
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps(told))
    load(folder)
    spoil(told)
    path.write_text(json.dumps(told))
    refused(folder, said, "weights")


# ---- the configuration


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "cannot be read as JSON"),
        (b"\xff\xfe", "cannot be read as JSON"),
        (b"[1]", "is a JSON list, not an object"),
        (b"{" + b" " * (1 << 20) + b"}", "larger than 1048576 bytes"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "cannot be read as JSON|nested more than"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "nested more than 16 deep"),
        (b'{"hidden_size": 1}', "names no model_type"),
        (b'{"model_type": ["bert"]}', "names no model_type"),
    ],
)
def test_a_configuration_that_is_none(folder, content, said):
    (folder / "config.json").write_bytes(content)
    refused(folder, f"config.json.*({said})", "config")


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_size": 10**9},
        {"hidden_size": -8},
        {"hidden_size": "32"},
        {"hidden_size": 0},
        {"num_hidden_layers": 10**6},
        {"num_hidden_layers": -1},
        {"num_hidden_layers": 2.5},
        {"vocab_size": 10**12},
        {"intermediate_size": 10**30},
        {"num_labels": 10**9},
        {"attention_types": [[["global"], 10**9]]},
        {"text_config": {"num_experts": 10**9}},
    ],
)
def test_numbers_that_no_model_has(folder, changes):
    change_config(folder, **changes)
    key = next(iter(changes))
    refused(folder, rf"config\.json: .*({key}|num_experts) is ", "config")


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_size": 8192, "intermediate_size": 65536},
        {"vocab_size": 9_000_000},
        {"num_hidden_layers": 900},
        {"hidden_size": 36},
        {"num_attention_heads": 7},
        {"num_hidden_layers": 3},
    ],
)
def test_a_configuration_that_is_not_these_weights(folder, changes):
    change_config(folder, **changes)
    with pytest.raises(CheckpointError, match=folder.name):
        load(folder)


def test_a_configuration_of_a_far_larger_model_takes_no_memory(saved, tmp_path):
    folder = Path(shutil.copytree(saved / "My.Llama_2", tmp_path / "My.Llama_2"))
    change_config(folder, hidden_size=8192, intermediate_size=65536)
    refused(folder, r"describes a model of \d{10} numbers, and its weight files hold \d{5}$", "mismatch")


@pytest.mark.parametrize(
    ("changes", "said", "reason"),
    [
        ({"auto_map": {"AutoModel": "modeling.Evil"}}, "asks for code of its own", "code"),
        ({"text_config": {"auto_map": {"AutoModel": "a/b--modeling.Evil"}}}, "asks for code of its own", "code"),
        ({"quantization_config": {"quant_method": "mxfp4"}}, "are quantised", "config"),
        ({"transformers_weights": "other.safetensors"}, "a weights file of its own", "config"),
    ],
)
def test_what_a_configuration_may_not_ask_for(folder, changes, said, reason):
    marker = folder / "ran"
    (folder / "modeling.py").write_text(f"open({str(marker)!r}, 'w')\nclass Evil: pass\n")
    change_config(folder, **changes)
    refused(folder, said, reason)
    assert not marker.exists()


def test_a_family_that_transformers_does_not_know(folder):
    change_config(folder, model_type="no-such-model")
    refused(folder, "says model_type 'no-such-model', which transformers .* does not know", "config")


def test_code_that_is_to_write_for_the_model_never_runs(folder):
    marker = folder / "ran"
    (folder / "custom_generate").mkdir()
    (folder / "custom_generate/generate.py").write_text(f"open({str(marker)!r}, 'w')\ndef generate(**_): pass\n")
    with suppress(CheckpointError):
        load(folder)
    assert not marker.exists()


@pytest.mark.parametrize("content", [b"{", b"[" * 100_000, b" " * (1 << 21)])
def test_a_damaged_generation_configuration_names_its_file(saved, tmp_path, content):
    folder = Path(shutil.copytree(saved / "My.Llama_2", tmp_path / "My.Llama_2"))
    (folder / "generation_config.json").write_bytes(content)
    refused(folder, r"My\.Llama_2/generation_config\.json", "config")


def test_an_adapter_is_no_model(folder):
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "some/other"}')
    refused(folder, "holds an adapter", "config")


@pytest.mark.parametrize("value", [None, [], {}, "x", -5, 1.5, [[]], {"a": {}}, True, "\ud800"])
@pytest.mark.parametrize("key", ["hidden_act", "rope_parameters", "layer_types", "id2label", "head_dim"])
def test_nonsense_in_a_configuration_is_a_checkpoint_error_or_no_matter(saved, tmp_path, key, value):
    folder = Path(shutil.copytree(saved / "My.Llama_2", tmp_path / "odd"))
    given = json.loads((folder / "config.json").read_text()) | {key: value}
    (folder / "config.json").write_text(json.dumps(given))
    with suppress(CheckpointError):  # anything else that is raised fails the test
        assert load(folder).network.config.hidden_size == 32


# ---- the tokenizer


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 10_000, b"\xff", b'{"model": {"type": "BPE"}}'])
def test_a_damaged_tokenizer(folder, content):
    (folder / "tokenizer.json").write_bytes(content)
    refused(folder, rf"the tokenizer\.json of {re.escape(folder.name)} cannot be read", "tokenizer")


def test_no_tokenizer(folder):
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("a\nb\n")
    refused(folder, r"has no tokenizer\.json", "no-tokenizer")


def test_a_tokenizer_of_another_model(folder):
    tokenizer(["[UNK]", *(f"v{number}" for number in range(70))]).save(str(folder / "tokenizer.json"))
    refused(folder, r"tokenizer\.json .*ids up to 70, and the model's embedding has 60 rows", "tokenizer-mismatch")


def test_markers_beyond_the_embedding_are_refused_only_where_a_text_has_them(folder):
    made = tokenizer()
    made.add_special_tokens(["<picture>"])
    made.save(str(folder / "tokenizer.json"))
    model = load(folder)
    assert len(model.encode(Example("w1 w2")).source) == 2
    with pytest.raises(TextError, match="no embedding for '<picture>'"):
        model.encode(Example("w1 <picture>"))


# ---- memory


def test_a_file_of_a_terabyte_is_refused_with_both_numbers(folder):
    size = 1 << 40
    tensor = {"dtype": "BF16", "shape": [size // 2], "data_offsets": [0, size]}
    spare = {f"a{number}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for number in range(9)}
    header(folder / "model.safetensors", {"w": tensor, **spare}, size)
    with pytest.raises(MemoryLimitError) as caught:
        load(folder)
    assert caught.value.facts["needed"] > 2 * size  # stored in two bytes a number, loaded in four
    assert caught.value.facts["available"] < caught.value.facts["needed"]
    assert re.search(r"needs about \d+ MB of memory, and \d+ MB are available", str(caught.value))


def test_what_is_needed_counts_numbers_and_not_bytes(folder, monkeypatch):
    full = checking.load_needs(checking.weights_in(folder), 4)
    numbers = checking.weights_in(folder).numbers
    weights(folder, lambda state: state.update({name: one.bfloat16() for name, one in state.items()}))
    half = checking.weights_in(folder)
    assert half.numbers == numbers
    assert half.nbytes < 0.7 * 4 * numbers
    assert full - checking.load_needs(half, 4) < numbers * 2  # what is read is smaller, what is loaded is not
    assert checking.load_needs(half, 4) - checking.load_needs(half, 2) == 2 * 2 * numbers
    monkeypatch.setattr(memory, "available_bytes", lambda _: checking.load_needs(half, 4) - 1)
    with pytest.raises(MemoryLimitError):
        load(folder)
    assert load(folder, dtype=torch.bfloat16).dtype is torch.bfloat16


def test_what_reads_sound_is_refused(saved, tmp_path):
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    config = Wav2Vec2Config(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=32, conv_dim=[8], conv_stride=[4],
        conv_kernel=[4], num_feat_extract_layers=1, num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    Wav2Vec2Model(config).save_pretrained(tmp_path / "sound")
    tokenizer().save(str(tmp_path / "sound/tokenizer.json"))
    with pytest.raises((NotAvailableError, CheckpointError), match=r"input_values|sound"):
        load(tmp_path / "sound")
