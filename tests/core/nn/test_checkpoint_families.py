"""GPT-2, Marian, ViT and BERT files: every honest spelling loads, every clause of a configuration is told."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from attention_core.errors import CheckpointError
from attention_core.nn import config_of, load_transformer
from attention_core.nn.positions import sinusoidal


@pytest.fixture
def folder_of(small, tmp_path):
    """Makes a checkpoint of a family as transformers writes it."""

    def make(family):
        small(family).save_pretrained(tmp_path / "small")
        return tmp_path / "small"

    return make


def rewrite_weights(folder, change):
    state = load_file(folder / "model.safetensors")
    save_file(change(state) or state, folder / "model.safetensors")


def rewrite_config(folder, values):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def weights(folder):
    return {name: tensor.clone() for name, tensor in load_transformer(folder).state_dict().items()}


def assert_unchanged(folder, change):
    before = weights(folder)
    rewrite_weights(folder, change)
    after = weights(folder)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_configurations_are_read(folder_of):
    gpt2 = config_of(folder_of("gpt2"))
    assert (gpt2.decoder_layers, gpt2.heads, gpt2.embed_dim, gpt2.inner_dim, gpt2.max_tokens) == (2, 3, 24, 40, 40)
    assert (gpt2.norm, gpt2.final_norm, gpt2.positions, gpt2.output) == ("pre", True, "learned", "tokens")
    assert (gpt2.start, gpt2.end, gpt2.pad, gpt2.kinds) == (1, 2, None, ("decoder-self",))
    marian = config_of(folder_of("marian"))
    assert (marian.norm, marian.positions, marian.embedding_scale) == ("post", "sinusoidal", pytest.approx(24**0.5))
    assert (marian.start, marian.end, marian.pad) == (59, 2, 59)
    assert marian.kinds == ("encoder-self", "decoder-self", "cross")
    vit = config_of(folder_of("vit"))
    assert (vit.patches.count, vit.max_tokens, vit.output, vit.classes) == (9, 10, "classes", 5)
    assert config_of(folder_of("vit-bare")).output == "none"
    assert config_of(folder_of("bert-masked")).output == "masked"


def test_a_token_outside_the_vocabulary_never_ends_a_text(folder_of):
    folder = folder_of("gpt2")
    rewrite_config(folder, {"eos_token_id": 50256})
    assert config_of(folder).end is None


def test_a_configuration_is_told_without_its_weights(folder_of):
    folder = folder_of("gpt2")
    expected = config_of(folder)
    (folder / "model.safetensors").unlink()
    assert config_of(folder) == expected


# ---- honest spellings


def test_gpt2s_masks_and_copies_are_no_trouble(folder_of):
    def age(state):
        for layer in (0, 1):
            state[f"transformer.h.{layer}.attn.bias"] = torch.ones(1, 1, 40, 40).tril()
            state[f"transformer.h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
        state["lm_head.weight"] = state["transformer.wte.weight"].clone()
        state["score.weight"] = torch.zeros(2, 24)  # of a head on top that we do not know

    assert_unchanged(folder_of("gpt2"), age)


def test_gpt2_may_hold_its_vectors_as_the_heads(folder_of):
    def swap(state):
        state["lm_head.weight"] = state.pop("transformer.wte.weight")

    assert_unchanged(folder_of("gpt2"), swap)


def test_marians_copies_and_positions_are_no_trouble(folder_of):
    def age(state):
        shared = state["model.shared.weight"]
        for name in ("lm_head", "model.encoder.embed_tokens", "model.decoder.embed_tokens"):
            state[f"{name}.weight"] = shared.clone()
        for stack in ("encoder", "decoder"):
            state[f"model.{stack}.embed_positions.weight"] = sinusoidal(torch.arange(40), 24).half()

    assert_unchanged(folder_of("marian"), age)


def test_marian_may_have_no_bias_of_its_scores(folder_of):
    folder = folder_of("marian")
    rewrite_weights(folder, lambda state: state.pop("final_logits_bias") is None)
    assert not load_transformer(folder).state_dict()["prediction.bias"].any()


def test_vits_and_berts_other_parts_are_no_trouble(folder_of):
    def age(state):
        state["vit.embeddings.mask_token"] = torch.zeros(1, 1, 24)
        state["vit.pooler.dense.weight"] = torch.zeros(24, 24)
        state["decoder.0.weight"] = torch.zeros(3)

    assert_unchanged(folder_of("vit"), age)

    def copy(state):
        state["cls.predictions.decoder.weight"] = state["bert.embeddings.word_embeddings.weight"].clone()
        state["cls.predictions.decoder.bias"] = state["cls.predictions.bias"].clone()
        state["cls.seq_relationship.weight"] = torch.zeros(2, 24)

    assert_unchanged(folder_of("bert-masked"), copy)


# ---- faults of the weights


@pytest.mark.parametrize(
    ("family", "change", "message"),
    [
        (
            "gpt2",
            {"lm_head.weight": torch.zeros(60, 24)},
            "not the copy it should be: lm_head.weight",
        ),
        (
            "marian",
            {"model.decoder.embed_tokens.weight": torch.zeros(60, 24)},
            "not the copy it should be: decoder.embed_tokens.weight",
        ),
        (
            "marian",
            {"model.encoder.embed_positions.weight": torch.zeros(40, 24)},
            "not the copy it should be: encoder.embed_positions.weight",
        ),
        (
            "bert-masked",
            {"cls.predictions.decoder.bias": torch.zeros(60)},
            "not the copy it should be: cls.predictions.decoder.bias",
        ),
        ("marian", {"lm_head.weight": torch.zeros(61, 24)}, r"lm_head.weight is F32 \(61, 24\), not floating"),
        (
            "marian",
            {"model.encoder.embed_positions.weight": torch.zeros(41, 24)},
            r"embed_positions.weight is F32 \(41, 24\), not floating \(40, 24\)",
        ),
        (
            "gpt2",
            {"transformer.h.0.attn.c_attn.weight": torch.zeros(72, 24)},
            r"h.0.attn.c_attn.weight is F32 \(72, 24\), not floating \(24, 72\)",
        ),
        ("vit", {"vit.embeddings.cls_token": torch.zeros(24)}, r"cls_token is F32 \(24,\), not floating \(1, 1, 24\)"),
        ("vit", {"classifier.weight": torch.zeros(6, 24)}, r"classifier.weight is F32 \(6, 24\)"),
        ("gpt2", {"lm_head.bias": torch.zeros(60)}, "not this model's: lm_head.bias"),
        ("gpt2", {"transformer.h.2.ln_1.weight": torch.zeros(24)}, "not this model's: h.2.ln_1.weight"),
        ("gpt2", {"transformer.h.0.attn.c_attn.weight": None}, "missing: h.0.attn.c_attn.weight$"),
        ("gpt2", {"transformer.wte.weight": None}, "missing: wte.weight$"),
        ("bert-masked", {"cls.predictions.bias": None}, "missing: cls.predictions.bias$"),
        ("vit", {"classifier.bias": None}, "missing: classifier.bias$"),
    ],
)
def test_weights_that_do_not_fit_are_told(folder_of, family, change, message):
    folder = folder_of(family)
    rewrite_weights(
        folder, lambda state: {name: held for name, held in {**state, **change}.items() if held is not None}
    )
    with pytest.raises(CheckpointError, match=message):
        load_transformer(folder)


# ---- faults of the configuration

CLAUSES = {
    "gpt2": [
        ({"n_embd": 0}, "n_embd is 0; accepted: a whole number from 1 to 1000000"),
        ({"n_head": 5}, "n_embd 24 is not a multiple of n_head 5"),
        ({"n_inner": "40"}, "n_inner is '40'"),
        ({"n_positions": 10**9}, "n_positions is 1000000000"),
        ({"n_layer": None}, "n_layer is missing"),
        ({"activation_function": "sparkle"}, "activation_function is 'sparkle'; accepted: gelu"),
        ({"layer_norm_epsilon": -1}, "layer_norm_epsilon is -1"),
        ({"layer_norm_epsilon": True}, "layer_norm_epsilon is True; accepted: a number from 0 to 1"),
        ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx is True; accepted: false, bec"),
        ({"reorder_and_upcast_attn": True}, "reorder_and_upcast_attn is True; accepted: false"),
        ({"add_cross_attention": True}, "add_cross_attention is True; accepted: false"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings is False; accepted: true"),
        ({"scale_attn_weights": "no"}, "scale_attn_weights is 'no'; accepted: true, false"),
        ({"eos_token_id": [1, 2]}, r"eos_token_id is \[1, 2\]; accepted: one token's number"),
    ],
    "marian": [
        ({"d_model": 10**30}, "d_model is 1000000"),
        ({"encoder_attention_heads": 5, "decoder_attention_heads": 5}, "d_model 24 is not a multiple of encoder_att"),
        ({"decoder_attention_heads": 4}, "decoder_attention_heads is 4; accepted: encoder_attention_heads's 3"),
        ({"decoder_ffn_dim": 41}, "decoder_ffn_dim is 41; accepted: encoder_ffn_dim's 40, because both stacks"),
        ({"decoder_vocab_size": 61}, "decoder_vocab_size is 61; accepted: vocab_size's 60"),
        ({"share_encoder_decoder_embeddings": False}, "share_encoder_decoder_embeddings is False; accepted: true"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings is False"),
        ({"scale_embedding": 2}, "scale_embedding is 2; accepted: true, false"),
        ({"static_position_embeddings": False}, "static_position_embeddings is False; accepted: true"),
        ({"normalize_before": True}, "normalize_before is True; accepted: false, because Marian normalises after"),
        ({"normalize_embedding": True}, "normalize_embedding is True"),
        ({"add_final_layer_norm": True}, "add_final_layer_norm is True"),
        ({"activation_function": None}, "activation_function is missing"),
        ({"decoder_start_token_id": 60}, "decoder_start_token_id is 60; accepted: one of the vocabulary's 60"),
        ({"pad_token_id": "pad"}, "pad_token_id is 'pad'"),
    ],
    "vit": [
        ({"image_size": [12, 12]}, r"image_size is \[12, 12\]; accepted: a whole number from 1 to 10000"),
        ({"image_size": 13}, "image_size 13 is not a multiple of patch_size 4"),
        ({"image_size": 10**6}, "image_size is 1000000"),
        ({"num_attention_heads": 7}, "hidden_size 24 is not a multiple of num_attention_heads 7"),
        ({"hidden_act": 3}, "hidden_act is 3"),
        ({"layer_norm_eps": 2}, "layer_norm_eps is 2"),
        ({"qkv_bias": "yes"}, "qkv_bias is 'yes'; accepted: true, false"),
        ({"id2label": []}, r"id2label is \[\]; accepted: an object"),
        ({"id2label": None, "num_labels": -3}, "num_labels is -3"),
        ({"is_decoder": True}, "is_decoder is True; accepted: false"),
    ],
}


@pytest.mark.parametrize("family", CLAUSES)
def test_what_we_do_not_compute_is_refused_with_the_reason(folder_of, family):
    folder = folder_of(family)
    text = (folder / "config.json").read_text()
    for values, message in CLAUSES[family]:
        (folder / "config.json").write_text(text)
        rewrite_config(folder, values)
        for read in (config_of, load_transformer):
            with pytest.raises(CheckpointError, match=message) as caught:
                read(folder)
            assert len(caught.value.facts["faults"]) == 1, values


@pytest.mark.parametrize("family", CLAUSES)
def test_every_fault_is_listed_at_once(folder_of, family):
    folder = folder_of(family)
    faults = [values for values, message in CLAUSES[family] if len(values) == 1 and "multiple" not in message]
    rewrite_config(folder, {key: value for values in reversed(faults) for key, value in values.items()})
    with pytest.raises(CheckpointError) as caught:
        config_of(folder)
    for key in {key for values in faults for key in values}:
        assert key in str(caught.value)


@pytest.mark.parametrize(
    ("family", "values"),
    [
        ("gpt2", {"vocab_size": 10_000_000, "n_embd": 999_999, "n_inner": 10_000_000}),
        (
            "marian",
            {
                "vocab_size": 10**7,
                "decoder_vocab_size": 10**7,
                "d_model": 999_999,
                "max_position_embeddings": 1_000_000,
            },
        ),
        ("vit", {"image_size": 10_000, "patch_size": 1, "hidden_size": 999_999, "num_channels": 1_000}),
        ("vit", {"image_size": 10_000, "patch_size": 10_000, "hidden_size": 999_999, "num_channels": 1_000}),
    ],
)
def test_hostile_sizes_cost_neither_memory_nor_time(folder_of, family, values):
    folder = folder_of(family)
    rewrite_config(folder, values)
    with pytest.raises(CheckpointError, match="of another shape"):
        load_transformer(folder)


@pytest.mark.parametrize("family", ["gpt2", "marian", "vit"])
@torch.inference_mode()
def test_it_loads_in_half_precision(small, folder_of, inputs_of, family):
    folder = folder_of(family)
    given = inputs_of(small(family), batch=2)
    source = [given[key] for key in ("input_ids", "pixel_values", "decoder_input_ids") if key in given]
    model, half = load_transformer(folder), load_transformer(folder, dtype=torch.float16)
    assert {tensor.dtype for tensor in half.state_dict().values()} == {torch.float16}
    hidden = half(*(one.half() if one.is_floating_point() else one for one in source)).hidden
    assert hidden.dtype == torch.float16
    assert (hidden.float() - model(*source).hidden).abs().mean() < 3e-2
