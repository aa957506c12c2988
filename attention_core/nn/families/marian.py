"""Marian (Junczys-Dowmunt et al. 2018): the encoder-decoder of Vaswani et al. 2017, one vocabulary for both sides."""

from collections.abc import Collection
from math import isclose, sqrt
from typing import Any

import torch

from attention_core.nn.config import ACTIVATIONS, TransformerConfig
from attention_core.nn.families.family import (
    LARGEST_HEADS,
    LARGEST_INNER,
    LARGEST_LAYERS,
    LARGEST_TOKENS,
    LARGEST_VOCABULARY,
    LARGEST_WIDTH,
    Family,
    Place,
    Raw,
    either,
    one_of,
    short,
    sizes,
    splits,
    token,
    token_faults,
    truth,
)
from attention_core.nn.positions import sinusoidal

SIZES = {
    "vocab_size": LARGEST_VOCABULARY,
    "max_position_embeddings": LARGEST_TOKENS,
    "d_model": LARGEST_WIDTH,
    "encoder_layers": LARGEST_LAYERS,
    "decoder_layers": LARGEST_LAYERS,
    "encoder_attention_heads": LARGEST_HEADS,
    "decoder_attention_heads": LARGEST_HEADS,
    "encoder_ffn_dim": LARGEST_INNER,
    "decoder_ffn_dim": LARGEST_INNER,
}
EQUAL = {
    "decoder_attention_heads": ("encoder_attention_heads", "both stacks have the same heads"),
    "decoder_ffn_dim": ("encoder_ffn_dim", "both stacks have the same MLP"),
    "decoder_vocab_size": ("vocab_size", "source and target share one vocabulary"),
}
POST_NORM = "Marian normalises after each residual sum, and nowhere else"
TRUTH = {
    "share_encoder_decoder_embeddings": (True, "source and target share one table of vectors"),
    "tie_word_embeddings": (True, "our scores of tokens are products with the tokens' own vectors"),
    "static_position_embeddings": (True, "Marian's positions are waves, not learned"),
    "normalize_before": (False, POST_NORM),
    "normalize_embedding": (False, POST_NORM),
    "add_final_layer_norm": (False, POST_NORM),
}
TOKENS = ("decoder_start_token_id", "eos_token_id", "pad_token_id")

PARTS = {"embedding.tokens": Place("shared"), "prediction.bias": Place("final_logits_bias", leading=1)}
ENCODER = {
    "attention.query": Place("self_attn.q_proj"),
    "attention.key": Place("self_attn.k_proj"),
    "attention.value": Place("self_attn.v_proj"),
    "attention.output": Place("self_attn.out_proj"),
    "attention_norm": Place("self_attn_layer_norm"),
    "mlp.widen": Place("fc1"),
    "mlp.narrow": Place("fc2"),
    "mlp_norm": Place("final_layer_norm"),
}
DECODER = ENCODER | {
    "cross.query": Place("encoder_attn.q_proj"),
    "cross.key": Place("encoder_attn.k_proj"),
    "cross.value": Place("encoder_attn.v_proj"),
    "cross.output": Place("encoder_attn.out_proj"),
    "cross_norm": Place("encoder_attn_layer_norm"),
}


def _faults(raw: Raw) -> list[str]:
    faults = sizes(raw, SIZES)
    faults += splits(raw, "d_model", "encoder_attention_heads", faults)
    for key, (other, reason) in EQUAL.items():
        if raw.get(key) is not None and raw[key] != raw.get(other):
            faults.append(f"{key} is {short(raw[key])}; accepted: {other}'s {short(raw.get(other))}, because {reason}")
    faults += one_of(raw, "activation_function", ACTIVATIONS)
    faults += truth(raw, TRUTH) + either(raw, ("scale_embedding",)) + token_faults(raw, TOKENS)
    start, vocabulary = raw.get("decoder_start_token_id"), raw.get("vocab_size")
    if type(start) is int and type(vocabulary) is int and not 0 <= start < vocabulary:
        faults.append(f"decoder_start_token_id is {short(start)}; accepted: one of the vocabulary's {vocabulary}")
    return faults


def _config(raw: Raw, _names: Collection[str]) -> TransformerConfig:
    vocabulary = raw["vocab_size"]
    start, end, pad = (token(raw, key, vocabulary) for key in TOKENS)
    return TransformerConfig(
        vocabulary=vocabulary,
        max_tokens=raw["max_position_embeddings"],
        encoder_layers=raw["encoder_layers"],
        decoder_layers=raw["decoder_layers"],
        heads=raw["encoder_attention_heads"],
        embed_dim=raw["d_model"],
        inner_dim=raw["encoder_ffn_dim"],
        positions="sinusoidal",
        embedding_scale=sqrt(raw["d_model"]) if raw.get("scale_embedding") else 1.0,
        activation=raw["activation_function"],
        output="tokens",
        output_bias=True,
        start=start,
        end=end,
        pad=pad,
    )


def _raw(config: TransformerConfig) -> dict[str, Any]:
    return {
        "architectures": ["MarianMTModel"],
        "vocab_size": config.vocabulary,
        "decoder_vocab_size": config.vocabulary,
        "max_position_embeddings": config.max_tokens,
        "d_model": config.embed_dim,
        "encoder_layers": config.encoder_layers,
        "decoder_layers": config.decoder_layers,
        "encoder_attention_heads": config.heads,
        "decoder_attention_heads": config.heads,
        "encoder_ffn_dim": config.inner_dim,
        "decoder_ffn_dim": config.inner_dim,
        "activation_function": config.activation,
        "scale_embedding": isclose(config.embedding_scale, sqrt(config.embed_dim)),
        "share_encoder_decoder_embeddings": True,
        "is_encoder_decoder": True,
        "decoder_start_token_id": config.start,
        "eos_token_id": config.end,
        "pad_token_id": config.pad,
        "bos_token_id": None,
        "forced_eos_token_id": None,
    }


MARIAN = Family(
    model_type="marian",
    faults=_faults,
    config=_config,
    raw=_raw,
    parts=PARTS,
    blocks={"encoder": ("encoder.layers.{}.", ENCODER), "decoder": ("decoder.layers.{}.", DECODER)},
    prefix="model.",
    body=("shared.", "encoder.", "decoder."),
    top=("final_logits_bias", "lm_head."),
    same=dict.fromkeys(
        ("lm_head.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"),
        "embedding.tokens.weight",
    ),
    zero=("prediction.bias",),
    computed=dict.fromkeys(
        ("encoder.embed_positions.weight", "decoder.embed_positions.weight"),
        lambda count, dim: sinusoidal(torch.arange(count), dim),
    ),
)
