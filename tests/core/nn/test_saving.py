"""A network of ours, saved, is the same network again: with us, and in transformers."""

import json
from dataclasses import replace

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from attention_core.errors import CheckpointError, UnknownNameError
from attention_core.nn import (
    Patches,
    Transformer,
    TransformerConfig,
    config_of,
    greedy,
    load_transformer,
    save_transformer,
)

SIZES = {"embed_dim": 24, "heads": 3, "inner_dim": 40, "max_tokens": 20, "vocabulary": 30}
PATCHES = {"vocabulary": 0, "max_tokens": 10, "patches": Patches(image_size=12, patch_size=4)}
PRE = {"norm": "pre", "final_norm": True}
MARIAN = TransformerConfig(
    **SIZES,
    encoder_layers=1,
    decoder_layers=2,
    positions="sinusoidal",
    embedding_scale=24**0.5,
    activation="relu",
    output="tokens",
    start=0,
    end=1,
    pad=0,
)
GPT2 = TransformerConfig(**SIZES, **PRE, decoder_layers=2, activation="gelu_new", output="tokens", end=1)
VIT = TransformerConfig(**SIZES | PATCHES, **PRE, encoder_layers=2, output="classes", classes=4)
VIT_BARE = TransformerConfig(**SIZES | PATCHES, **PRE, encoder_layers=2, input_bias=False, norm_eps=1e-12)
BERT = TransformerConfig(**SIZES, segments=2, encoder_layers=2, embedding_norm=True, output="masked", output_bias=True)
INDUCTION = TransformerConfig(
    **SIZES | {"inner_dim": 0}, **PRE, decoder_layers=2, positions="rotary", output="tokens", scaled=False
)
CASES = {
    "marian": ("marian", MARIAN, "MarianMTModel"),
    "gpt2": ("gpt2", GPT2, "GPT2LMHeadModel"),
    "vit": ("vit", VIT, "ViTForImageClassification"),
    "vit-bare": ("vit", VIT_BARE, "ViTModel"),
    "bert": ("bert", BERT, "BertForMaskedLM"),
    "native": ("attention-atlas", INDUCTION, None),
    "native-vit": ("attention-atlas", VIT, None),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def network_of(config):
    torch.manual_seed(3)
    network = Transformer(config).eval()
    for parameter in network.parameters():
        parameter.data.add_(0.3 * torch.randn_like(parameter))
    return network


def inputs(config):
    if config.patches is not None:
        return (torch.randn(2, 3, 12, 12),)
    ids = torch.randint(2, 30, (2, 9))
    return (ids, ids[:, :6]) if len(config.kinds) == 3 else (ids,)


def scores(network, given):
    hidden = network(*given).hidden
    return hidden if network.config.output == "none" else network.logits(hidden)


@torch.inference_mode()
def test_it_loads_with_us_and_in_transformers_with_equal_outputs(case, tmp_path):
    family, config, name = case
    network, given = network_of(config), inputs(config)
    save_transformer(network, tmp_path / "saved", family)
    expected = scores(network, given)
    again = load_transformer(tmp_path / "saved")
    torch.testing.assert_close(scores(again, given), expected, atol=1e-6, rtol=1e-6)
    # Marian's files always have a bias of the vocabulary's scores: zeros, for a network without one.
    same = replace(config, output_bias=family == "marian" or config.output_bias)
    assert config_of(tmp_path / "saved") == again.config == same
    assert sorted(path.name for path in (tmp_path / "saved").iterdir()) == ["config.json", "model.safetensors"]
    if name is None:
        return
    theirs, info = getattr(transformers, name).from_pretrained(tmp_path / "saved", output_loading_info=True)
    assert not info["missing_keys"] - {"pooler.dense.weight", "pooler.dense.bias"}
    assert not info["unexpected_keys"]
    assert not info["mismatched_keys"]
    names = ("input_ids" if config.patches is None else "pixel_values", "decoder_input_ids")
    output = theirs.eval()(**dict(zip(names, given, strict=False)))
    seen = output.last_hidden_state if config.output == "none" else output.logits
    torch.testing.assert_close(seen, expected, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_a_saved_translator_writes_the_same_in_transformers(tmp_path):
    network = network_of(MARIAN)
    save_transformer(network, tmp_path, "marian")
    ids = torch.randint(2, 30, (2, 9))
    theirs = transformers.MarianMTModel.from_pretrained(tmp_path).eval()
    expected = theirs.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        num_beams=1,
        max_new_tokens=12,
        bad_words_ids=[[0]],
    )
    assert greedy(network, ids, limit=12).tolist() == expected[:, 1:].tolist()


def test_more_keys_stand_in_the_configuration(tmp_path):
    save_transformer(network_of(INDUCTION), tmp_path, recipe={"steps": 3}, words=["나"])
    raw = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert (raw["model_type"], raw["recipe"], raw["words"]) == ("attention-atlas", {"steps": 3}, ["나"])
    assert config_of(tmp_path) == INDUCTION
    labels = {"0": "red", "1": "green", "2": "blue", "3": "none"}
    save_transformer(network_of(VIT), tmp_path, "vit", id2label=labels)
    theirs = transformers.ViTForImageClassification.from_pretrained(tmp_path)
    assert theirs.config.id2label == {int(number): label for number, label in labels.items()}


@pytest.mark.parametrize(
    ("family", "config", "message"),
    [
        ("gpt2", INDUCTION, "a gpt2 cannot hold this: n_inner is 0"),
        ("gpt2", BERT, "gpt2 has no place for embedding.segments.weight, embedding.norm.weight"),
        ("bert", VIT, "bert has no place for embedding.class_token"),
        ("bert", replace(BERT, output_bias=False), "output_bias is False; a bert file says True"),
        ("marian", GPT2, "marian has no place for embedding.positions.weight"),
        ("vit", replace(VIT, positions="sinusoidal"), "positions is 'sinusoidal'; a vit"),
        ("marian", replace(MARIAN, norm="pre"), "norm is 'pre'; a marian file says 'post'"),
        ("marian", replace(MARIAN, scaled=False), "scaled is False; a marian file says True"),
        ("marian", replace(MARIAN, embedding_scale=2.0), "embedding_scale is 2.0"),
        ("marian", replace(MARIAN, norm_eps=0.1), "norm_eps is 0.1"),
    ],
)
def test_what_a_family_cannot_say_is_not_saved(tmp_path, family, config, message):
    with pytest.raises(CheckpointError, match=message):
        save_transformer(network_of(config), tmp_path / "saved", family)
    assert not (tmp_path / "saved").exists()


def test_a_family_must_be_known(tmp_path):
    with pytest.raises(UnknownNameError, match="unknown family 't5'; accepted: bert, gpt2, marian, vit"):
        save_transformer(network_of(INDUCTION), tmp_path, "t5")


# ---- our own files, hostile


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"embed_dim": "24"}, "embed_dim is '24'; accepted: a whole number from 1 to 1000000"),
        ({"decoder_layers": 10**9}, "decoder_layers is 1000000000"),
        ({"vocabulary": -1}, "vocabulary is -1; accepted: a whole number from 0"),
        ({"heads": 5}, "embed_dim 24 is not a multiple of heads 5"),
        ({"positions": "guessed"}, "unknown positions 'guessed'"),
        ({"positions": ["rotary"]}, "positions is .'rotary'.; accepted: a word"),
        ({"norm_eps": float("nan")}, "norm_eps is nan"),
        ({"embedding_scale": 0}, "embedding_scale is 0"),
        ({"embedding_scale": "big"}, "embedding_scale is 'big'"),
        ({"scaled": 1}, "scaled is 1; accepted: true, false"),
        ({"start": "the"}, "start is 'the'; accepted: one token's number"),
        ({"patches": [6, 2]}, "patches is .6, 2.; accepted: an object with image_size"),
        ({"patches": {"image_size": 6, "patch_size": 0, "channels": 3}}, "patches: patch_size is 0"),
        ({"patches": {"image_size": 7, "patch_size": 2, "channels": 3}}, "7 pixels cannot be cut into patches"),
    ],
)
def test_our_own_configuration_is_not_believed_either(tmp_path, values, message):
    save_transformer(network_of(INDUCTION), tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    with pytest.raises(CheckpointError, match=message):
        load_transformer(tmp_path)


def test_our_own_weights_are_checked(tmp_path):
    save_transformer(network_of(INDUCTION), tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    state["decoder.0.attention.query.weights"] = state.pop("decoder.0.attention.query.weight")
    save_file(state, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError) as caught:
        load_transformer(tmp_path)
    assert "missing: decoder.0.attention.query.weight;" in str(caught.value)
    assert "not this model's: decoder.0.attention.query.weights" in str(caught.value)
