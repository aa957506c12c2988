"""ViT (Dosovitskiy et al. 2021): an encoder of pictures, with the classes that it was trained to tell apart."""

from collections.abc import Collection
from typing import Any

from attention_core.nn.config import ACTIVATIONS, Patches, TransformerConfig
from attention_core.nn.families.family import (
    LARGEST_CHANNELS,
    LARGEST_HEADS,
    LARGEST_INNER,
    LARGEST_LAYERS,
    LARGEST_PICTURE,
    LARGEST_WIDTH,
    Family,
    Place,
    Raw,
    either,
    one_of,
    short,
    sizes,
    small,
    splits,
    truth,
)

NORM_EPS = 1e-12
LARGEST_CLASSES = 1_000_000
SIZES = {
    "image_size": LARGEST_PICTURE,
    "patch_size": LARGEST_PICTURE,
    "num_channels": LARGEST_CHANNELS,
    "num_hidden_layers": LARGEST_LAYERS,
    "num_attention_heads": LARGEST_HEADS,
    "hidden_size": LARGEST_WIDTH,
    "intermediate_size": LARGEST_INNER,
}

PARTS = {
    "embedding.class_token": Place("embeddings.cls_token", leading=2),
    "embedding.positions.weight": Place("embeddings.position_embeddings", leading=1),
    "embedding.patches": Place("embeddings.patch_embeddings.projection"),
    "final_norms.encoder": Place("layernorm"),
    "prediction.classes": Place("classifier"),
}
BLOCK = {
    "attention_norm": Place("layernorm_before"),
    "attention.query": Place("attention.attention.query"),
    "attention.key": Place("attention.attention.key"),
    "attention.value": Place("attention.attention.value"),
    "attention.output": Place("attention.output.dense"),
    "mlp_norm": Place("layernorm_after"),
    "mlp.widen": Place("intermediate.dense"),
    "mlp.narrow": Place("output.dense"),
}


def _faults(raw: Raw) -> list[str]:
    faults = sizes(raw, SIZES)
    faults += splits(raw, "hidden_size", "num_attention_heads", faults)
    faults += splits(raw, "image_size", "patch_size", faults)
    faults += one_of(raw, "hidden_act", ACTIVATIONS)
    faults += small(raw, "layer_norm_eps", NORM_EPS)
    faults += either(raw, ("qkv_bias",))
    labels = raw.get("id2label")
    if labels is not None and not (isinstance(labels, dict) and labels):
        faults.append(f"id2label is {short(labels)}; accepted: an object with a label for each class")
    if labels is None and raw.get("num_labels") is not None:
        faults += sizes(raw, {"num_labels": LARGEST_CLASSES})
    return faults + truth(raw, {"is_decoder": (False, "an encoder looks both ways")})


def _config(raw: Raw, names: Collection[str]) -> TransformerConfig:
    patches = Patches(image_size=raw["image_size"], patch_size=raw["patch_size"], channels=raw["num_channels"])
    classes = len(raw["id2label"]) if raw.get("id2label") else raw.get("num_labels") or 2
    head = "classifier.weight" in names
    return TransformerConfig(
        patches=patches,
        max_tokens=patches.count + 1,
        encoder_layers=raw["num_hidden_layers"],
        heads=raw["num_attention_heads"],
        embed_dim=raw["hidden_size"],
        inner_dim=raw["intermediate_size"],
        norm="pre",
        final_norm=True,
        activation=raw["hidden_act"],
        norm_eps=float(raw.get("layer_norm_eps", NORM_EPS)),
        input_bias=raw.get("qkv_bias") is not False,
        output="classes" if head else "none",
        classes=classes if head else 0,
    )


def _raw(config: TransformerConfig) -> dict[str, Any]:
    patches = config.patches or Patches(image_size=1, patch_size=1)
    labels = {str(number): f"LABEL_{number}" for number in range(config.classes)}
    head = {"id2label": labels, "label2id": {label: int(number) for number, label in labels.items()}}
    return {
        "architectures": ["ViTForImageClassification" if config.classes else "ViTModel"],
        "image_size": patches.image_size,
        "patch_size": patches.patch_size,
        "num_channels": patches.channels,
        "num_hidden_layers": config.encoder_layers,
        "num_attention_heads": config.heads,
        "hidden_size": config.embed_dim,
        "intermediate_size": config.inner_dim,
        "hidden_act": config.activation,
        "layer_norm_eps": config.norm_eps,
        "qkv_bias": config.input_bias,
    } | (head if config.classes else {})


VIT = Family(
    model_type="vit",
    faults=_faults,
    config=_config,
    raw=_raw,
    parts=PARTS,
    blocks={"encoder": ("encoder.layer.{}.", BLOCK)},
    prefix="vit.",
    body=("embeddings.", "encoder.", "layernorm."),
    top=("classifier.",),
    ignored=r"embeddings\.mask_token",  # of a training that hid patches
)
