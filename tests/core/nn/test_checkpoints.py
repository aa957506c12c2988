"""Checkpoints: every honest spelling loads, and whatever is wrong is told at once."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from attention_core.errors import CheckpointError
from attention_core.nn import config_of, load_transformer

IDS = torch.arange(12)[None]


@pytest.fixture
def folder(bert, tmp_path):
    """A checkpoint as transformers writes it."""
    bert().save_pretrained(tmp_path / "small")
    return tmp_path / "small"


@pytest.fixture
def hidden(folder):
    """What that checkpoint says."""
    return load_transformer(folder)(IDS).hidden


def rewrite_weights(folder, change):
    path = folder / "model.safetensors"
    state = change(load_file(path))
    save_file(state, path)


def rewrite_config(folder, **values):
    path = folder / "config.json"
    raw = json.loads(path.read_text()) | values
    path.write_text(json.dumps({key: value for key, value in raw.items() if value != "remove"}))


def test_the_configuration_is_read(folder):
    config = config_of(folder)
    assert (config.encoder_layers, config.heads, config.embed_dim, config.inner_dim) == (2, 3, 24, 40)
    assert (config.vocabulary, config.max_tokens, config.segments) == (60, 40, 2)
    assert (config.activation, config.norm_eps) == ("gelu", 1e-12)


def test_names_may_have_the_prefix_of_a_model_with_heads(folder, hidden):
    rewrite_weights(
        folder,
        lambda state: (
            {f"bert.{name}": tensor for name, tensor in state.items()}
            | {"cls.predictions.bias": torch.zeros(3), "bert.pooler.dense.bias": torch.zeros(3)}
        ),
    )
    assert torch.equal(load_transformer(folder)(IDS).hidden, hidden)


def test_old_spellings_poolers_and_buffers_are_no_trouble(folder, hidden):
    def age(state):
        old = {
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
            for name, tensor in state.items()
        }
        extra = {"pooler.dense.weight": torch.zeros(3, 3), "embeddings.position_ids": torch.arange(40)[None]}
        return old | extra

    rewrite_weights(folder, age)
    assert torch.equal(load_transformer(folder)(IDS).hidden, hidden)


def test_a_folder_may_be_a_string(folder, hidden):
    assert torch.equal(load_transformer(str(folder))(IDS).hidden, hidden)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float16, 2e-2), (torch.bfloat16, 1e-1)])
def test_it_loads_in_half_precision(folder, hidden, dtype, tolerance):
    model = load_transformer(folder, dtype=dtype)
    assert {parameter.dtype for parameter in model.parameters()} == {dtype}
    seen = model(IDS).hidden
    assert seen.dtype == dtype
    assert (seen.float() - hidden).abs().mean() < tolerance


def test_a_half_precision_file_loads_in_float32(folder):
    rewrite_weights(folder, lambda state: {name: tensor.half() for name, tensor in state.items()})
    model = load_transformer(folder)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_the_loaded_model_is_whole_and_ready(folder):
    model = load_transformer(folder)
    assert not model.training
    assert not any(tensor.is_meta for tensor in (*model.parameters(), *model.buffers()))
    again = load_transformer(folder)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))


def test_every_fault_of_the_weights_is_listed_at_once(folder):
    def spoil(state):
        del state["embeddings.LayerNorm.bias"]
        del state["encoder.layer.1.output.dense.weight"]
        state["embeddings.word_embeddings.weight"] = torch.zeros(61, 24)
        state["encoder.layer.0.intermediate.dense.bias"] = torch.zeros(40, dtype=torch.int8)
        state["encoder.layer.0.crossattention.self.query.weight"] = torch.zeros(24, 24)
        return state

    rewrite_weights(folder, spoil)
    with pytest.raises(CheckpointError) as caught:
        load_transformer(folder)
    message = str(caught.value)
    assert "missing: embeddings.LayerNorm.bias, encoder.layer.1.output.dense.weight" in message
    assert "embeddings.word_embeddings.weight is F32 (61, 24), not floating (60, 24)" in message
    assert "encoder.layer.0.intermediate.dense.bias is I8 (40,), not floating (40,)" in message
    assert "not this model's: encoder.layer.0.crossattention.self.query.weight" in message


def test_more_layers_than_promised_are_not_dropped_in_silence(folder):
    rewrite_config(folder, num_hidden_layers=1)
    with pytest.raises(CheckpointError, match=r"not this model's: encoder\.layer\.1\."):
        load_transformer(folder)


@pytest.mark.parametrize("content", [b"", b"not safetensors", b"\xff" * 64, (10**9).to_bytes(8, "little") + b"{}"])
def test_a_broken_weights_file_is_a_checkpoint_error(folder, content):
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"small/model\.safetensors cannot be read"):
        load_transformer(folder)


def test_a_cut_weights_file_is_a_checkpoint_error(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_transformer(folder)


def test_pickles_are_never_read(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"no model\.safetensors.*pytorch_model\.bin holds pickled.* never"):
        load_transformer(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "cannot be read as JSON"),
        (b"", "cannot be read as JSON"),
        (b"\xff\xfe\x00", "cannot be read as JSON"),
        (b'{"hidden_size": ' + b"9" * 5000 + b"}", "cannot be read as JSON"),
        (b"[" * 100_000, "cannot be read as JSON"),
        (b"[1, 2]", "list, not an object"),
        (b"null", "NoneType, not an object"),
        (b" " * (1 << 20) + b"{}", "larger than 1048576 bytes"),
    ],
    ids=["cut", "empty", "not text", "a huge number", "too deep", "a list", "null", "too long"],
)
def test_a_configuration_that_is_no_object_is_a_checkpoint_error(folder, content, message):
    (folder / "config.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        config_of(folder)


def test_an_absent_folder_is_a_checkpoint_error(tmp_path):
    with pytest.raises(CheckpointError, match=r"nowhere has no config\.json"):
        load_transformer(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hidden_act": "sparkle"}, "hidden_act is 'sparkle'; accepted: gelu, gelu_fast"),
        ({"hidden_act": ["gelu"]}, "hidden_act is ..gelu"),
        ({"model_type": "roberta"}, "model_type is 'roberta'; accepted: bert, gpt2, marian, vit"),
        ({"model_type": "remove"}, "model_type is missing"),
        ({"is_decoder": True}, "is_decoder is True; accepted: false, because"),
        ({"add_cross_attention": True}, "add_cross_attention is True"),
        (
            {"position_embedding_type": "relative_key"},
            "'relative_key'; accepted: 'absolute', because relative",
        ),
        ({"num_attention_heads": 5}, "hidden_size 24 is not a multiple of num_attention_heads 5"),
        (
            {"num_hidden_layers": "remove"},
            "num_hidden_layers is missing; accepted: a whole number from 1 to 1000",
        ),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers is 1000000000"),
        ({"num_hidden_layers": 0}, "num_hidden_layers is 0"),
        ({"vocab_size": 10**30}, "vocab_size is 1000000"),
        ({"hidden_size": -24}, "hidden_size is -24"),
        ({"hidden_size": 24.0}, "hidden_size is 24.0"),
        ({"hidden_size": True}, "hidden_size is True"),
        ({"hidden_size": "24"}, "hidden_size is '24'"),
        ({"layer_norm_eps": "small"}, "layer_norm_eps is 'small'"),
        ({"layer_norm_eps": float("nan")}, "layer_norm_eps is nan"),
        ({"layer_norm_eps": 10**400}, "layer_norm_eps is 1000"),
    ],
)
def test_what_our_encoder_cannot_run_is_refused_with_the_reason(folder, values, message):
    rewrite_config(folder, **values)
    with pytest.raises(CheckpointError, match=message):
        load_transformer(folder)


def test_every_fault_of_the_configuration_is_listed_at_once(folder):
    rewrite_config(folder, hidden_size=-1, vocab_size=None, hidden_act="sparkle", is_decoder=True)
    with pytest.raises(CheckpointError) as caught:
        config_of(folder)
    for word in (
        "hidden_size is -1",
        "vocab_size is missing",
        "hidden_act is 'sparkle'",
        "is_decoder is True",
    ):
        assert word in str(caught.value)
    assert len(caught.value.facts["faults"]) == 4


def test_hostile_sizes_within_the_limits_cost_neither_memory_nor_time(folder):
    rewrite_config(folder, vocab_size=10_000_000, hidden_size=999_999, intermediate_size=10_000_000)
    with pytest.raises(CheckpointError, match="of another shape"):
        load_transformer(folder)
