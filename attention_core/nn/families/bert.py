"""BERT (Devlin et al. 2019): an encoder, and its head for masked tokens where the file has it."""

from collections.abc import Collection
from typing import Any

from attention_core.nn.config import ACTIVATIONS, TransformerConfig
from attention_core.nn.families.family import (
    LARGEST_HEADS,
    LARGEST_INNER,
    LARGEST_LAYERS,
    LARGEST_SEGMENTS,
    LARGEST_TOKENS,
    LARGEST_VOCABULARY,
    LARGEST_WIDTH,
    Family,
    Place,
    Raw,
    one_of,
    short,
    sizes,
    small,
    splits,
    truth,
)

NORM_EPS = 1e-12  # BERT's own, where an early file does not say
SIZES = {
    "vocab_size": LARGEST_VOCABULARY,
    "max_position_embeddings": LARGEST_TOKENS,
    "type_vocab_size": LARGEST_SEGMENTS,
    "num_hidden_layers": LARGEST_LAYERS,
    "num_attention_heads": LARGEST_HEADS,
    "hidden_size": LARGEST_WIDTH,
    "intermediate_size": LARGEST_INNER,
}
ONE_INPUT = "an encoder looks both ways and has one input"
HEAD = "cls.predictions.transform.dense.weight"

PARTS = {
    "embedding.tokens": Place("embeddings.word_embeddings"),
    "embedding.positions": Place("embeddings.position_embeddings"),
    "embedding.segments": Place("embeddings.token_type_embeddings"),
    "embedding.norm": Place("embeddings.LayerNorm"),
    "prediction.dense": Place("cls.predictions.transform.dense"),
    "prediction.norm": Place("cls.predictions.transform.LayerNorm"),
    "prediction.bias": Place("cls.predictions.bias"),
}
BLOCK = {
    "attention.query": Place("attention.self.query"),
    "attention.key": Place("attention.self.key"),
    "attention.value": Place("attention.self.value"),
    "attention.output": Place("attention.output.dense"),
    "attention_norm": Place("attention.output.LayerNorm"),
    "mlp.widen": Place("intermediate.dense"),
    "mlp.narrow": Place("output.dense"),
    "mlp_norm": Place("output.LayerNorm"),
}


def _faults(raw: Raw) -> list[str]:
    faults = sizes(raw, SIZES)
    faults += splits(raw, "hidden_size", "num_attention_heads", faults)
    faults += one_of(raw, "hidden_act", ACTIVATIONS)
    faults += small(raw, "layer_norm_eps", NORM_EPS)
    if raw.get("position_embedding_type", "absolute") != "absolute":
        faults.append(
            f"position_embedding_type is {short(raw['position_embedding_type'])}; accepted: 'absolute', "
            "because relative positions add to the scores what our encoder does not compute"
        )
    return faults + truth(raw, dict.fromkeys(("is_decoder", "add_cross_attention"), (False, ONE_INPUT)))


def _config(raw: Raw, names: Collection[str]) -> TransformerConfig:
    head = HEAD in names
    return TransformerConfig(
        vocabulary=raw["vocab_size"],
        max_tokens=raw["max_position_embeddings"],
        segments=raw["type_vocab_size"],
        encoder_layers=raw["num_hidden_layers"],
        heads=raw["num_attention_heads"],
        embed_dim=raw["hidden_size"],
        inner_dim=raw["intermediate_size"],
        embedding_norm=True,
        activation=raw["hidden_act"],
        norm_eps=float(raw.get("layer_norm_eps", NORM_EPS)),
        output="masked" if head else "none",
        output_bias=head,
    )


def _raw(config: TransformerConfig) -> dict[str, Any]:
    return {
        "architectures": ["BertForMaskedLM" if config.output == "masked" else "BertModel"],
        "vocab_size": config.vocabulary,
        "max_position_embeddings": config.max_tokens,
        "type_vocab_size": config.segments,
        "num_hidden_layers": config.encoder_layers,
        "num_attention_heads": config.heads,
        "hidden_size": config.embed_dim,
        "intermediate_size": config.inner_dim,
        "hidden_act": config.activation,
        "layer_norm_eps": config.norm_eps,
    }


def _modern(stored: str) -> str:
    """A stored name as today's files spell it: those converted from TensorFlow say gamma and beta."""
    return stored.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")


BERT = Family(
    model_type="bert",
    faults=_faults,
    config=_config,
    raw=_raw,
    parts=PARTS,
    blocks={"encoder": ("encoder.layer.{}.", BLOCK)},
    prefix="bert.",
    body=("embeddings.", "encoder."),
    top=("cls.predictions.",),
    same={
        "cls.predictions.decoder.weight": "embedding.tokens.weight",
        "cls.predictions.decoder.bias": "prediction.bias",
    },
    ignored=r"embeddings\.(position_ids|token_type_ids)",
    modern=_modern,
)
