"""Our own files: `config.json` holds the fields of TransformerConfig, and weights have our own names."""

from collections.abc import Collection
from dataclasses import MISSING, asdict, fields
from typing import Any

from attention_core.errors import InputError
from attention_core.nn.config import Patches, TransformerConfig
from attention_core.nn.families.family import (
    LARGEST_CHANNELS,
    LARGEST_HEADS,
    LARGEST_INNER,
    LARGEST_LAYERS,
    LARGEST_PICTURE,
    LARGEST_SEGMENTS,
    LARGEST_TOKENS,
    LARGEST_VOCABULARY,
    LARGEST_WIDTH,
    Family,
    Raw,
    short,
    sizes,
    small,
    token_faults,
)

FROM_ONE = {"embed_dim": LARGEST_WIDTH, "heads": LARGEST_HEADS, "max_tokens": LARGEST_TOKENS}
FROM_NONE = {
    "inner_dim": LARGEST_INNER,
    "vocabulary": LARGEST_VOCABULARY,
    "encoder_layers": LARGEST_LAYERS,
    "decoder_layers": LARGEST_LAYERS,
    "segments": LARGEST_SEGMENTS,
    "classes": LARGEST_VOCABULARY,
}
PICTURE = {"image_size": LARGEST_PICTURE, "patch_size": LARGEST_PICTURE, "channels": LARGEST_CHANNELS}
TRUTHS = ("embedding_norm", "final_norm", "scaled", "input_bias", "output_bias")
TOKENS = ("start", "end", "pad")
DEFAULTS = {one.name: one.default for one in fields(TransformerConfig) if one.default is not MISSING}


def _faults(raw: Raw) -> list[str]:
    given = DEFAULTS | dict(raw)
    faults = sizes(given, FROM_ONE) + sizes(given, FROM_NONE, lowest=0) + small(given, "norm_eps", 1e-5)
    scale = given["embedding_scale"]
    if type(scale) not in (int, float) or not 0 < scale <= LARGEST_WIDTH:
        faults.append(f"embedding_scale is {short(scale)}; accepted: a number up to {LARGEST_WIDTH}")
    faults += [f"{key} is {short(given[key])}; accepted: true, false" for key in TRUTHS if type(given[key]) is not bool]
    faults += [
        f"{key} is {short(given[key])}; accepted: a word"
        for key in ("positions", "norm", "activation", "output")
        if not isinstance(given[key], str)
    ]
    faults += token_faults(given, TOKENS)
    patches = given["patches"]
    if isinstance(patches, dict):
        faults += [f"patches: {clause}" for clause in sizes(patches, PICTURE)]
    elif patches is not None:
        faults.append(f"patches is {short(patches)}; accepted: an object with {', '.join(PICTURE)}, or null")
    if not faults:
        try:  # what does not go together, and words that are unknown
            _config(raw, ())
        except InputError as error:
            faults.append(str(error))
    return faults


def _config(raw: Raw, _names: Collection[str]) -> TransformerConfig:
    values = {one.name: raw[one.name] for one in fields(TransformerConfig) if one.name in raw}
    if values.get("patches") is not None:
        values["patches"] = Patches(**{key: values["patches"][key] for key in PICTURE})
    return TransformerConfig(**values)


def _raw(config: TransformerConfig) -> dict[str, Any]:
    return asdict(config)


NATIVE = Family(model_type="attention-atlas", faults=_faults, config=_config, raw=_raw)
