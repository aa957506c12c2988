"""GPT-2 (Radford et al. 2019): a decoder that normalises before each sub-layer; matrices stand transposed."""

from collections.abc import Collection
from typing import Any

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
    sizes,
    small,
    splits,
    token,
    token_faults,
    truth,
)

NORM_EPS = 1e-5
SIZES = {
    "vocab_size": LARGEST_VOCABULARY,
    "n_positions": LARGEST_TOKENS,
    "n_embd": LARGEST_WIDTH,
    "n_layer": LARGEST_LAYERS,
    "n_head": LARGEST_HEADS,
}
TRUTH = {
    "scale_attn_by_inverse_layer_idx": (False, "our scores are scaled alike in every layer"),
    "reorder_and_upcast_attn": (False, "our scores are computed in the model's own precision"),
    "add_cross_attention": (False, "a decoder alone has one input"),
    "tie_word_embeddings": (True, "our scores of tokens are products with the tokens' own vectors"),
}
TOKENS = ("bos_token_id", "eos_token_id", "pad_token_id")

PARTS = {
    "embedding.tokens": Place("wte"),
    "embedding.positions": Place("wpe"),
    "final_norms.decoder": Place("ln_f"),
}
BLOCK = {
    "attention_norm": Place("ln_1"),
    "attention.query": Place("attn.c_attn", transposed=True, third=0),
    "attention.key": Place("attn.c_attn", transposed=True, third=1),
    "attention.value": Place("attn.c_attn", transposed=True, third=2),
    "attention.output": Place("attn.c_proj", transposed=True),
    "mlp_norm": Place("ln_2"),
    "mlp.widen": Place("mlp.c_fc", transposed=True),
    "mlp.narrow": Place("mlp.c_proj", transposed=True),
}


def _faults(raw: Raw) -> list[str]:
    faults = sizes(raw, SIZES)
    faults += splits(raw, "n_embd", "n_head", faults)
    if raw.get("n_inner") is not None:
        faults += sizes(raw, {"n_inner": LARGEST_INNER})
    faults += one_of(raw, "activation_function", ACTIVATIONS)
    faults += small(raw, "layer_norm_epsilon", NORM_EPS)
    return faults + truth(raw, TRUTH) + either(raw, ("scale_attn_weights",)) + token_faults(raw, TOKENS)


def _config(raw: Raw, _names: Collection[str]) -> TransformerConfig:
    vocabulary = raw["vocab_size"]
    start, end, pad = (token(raw, key, vocabulary) for key in TOKENS)
    return TransformerConfig(
        vocabulary=vocabulary,
        max_tokens=raw["n_positions"],
        decoder_layers=raw["n_layer"],
        heads=raw["n_head"],
        embed_dim=raw["n_embd"],
        inner_dim=raw.get("n_inner") or 4 * raw["n_embd"],
        norm="pre",
        final_norm=True,
        activation=raw["activation_function"],
        norm_eps=float(raw.get("layer_norm_epsilon", NORM_EPS)),
        scaled=raw.get("scale_attn_weights") is not False,
        output="tokens",
        start=start,
        end=end,
        pad=pad,
    )


def _raw(config: TransformerConfig) -> dict[str, Any]:
    return {
        "architectures": ["GPT2LMHeadModel"],
        "vocab_size": config.vocabulary,
        "n_positions": config.max_tokens,
        "n_embd": config.embed_dim,
        "n_layer": config.decoder_layers,
        "n_head": config.heads,
        "n_inner": config.inner_dim,
        "activation_function": config.activation,
        "layer_norm_epsilon": config.norm_eps,
        "scale_attn_weights": config.scaled,
        "bos_token_id": config.start,
        "eos_token_id": config.end,
        "pad_token_id": config.pad,
    }


GPT2 = Family(
    model_type="gpt2",
    faults=_faults,
    config=_config,
    raw=_raw,
    parts=PARTS,
    blocks={"decoder": ("h.{}.", BLOCK)},
    prefix="transformer.",
    body=("wte.", "wpe.", "h.", "ln_f."),
    top=("lm_head.",),
    same={"lm_head.weight": "embedding.tokens.weight"},
    ignored=r"h\.\d+\.attn\.(bias|masked_bias)",  # the triangle of the mask, and the number under it
)
