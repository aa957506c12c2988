"""Checkpoints of the BERT family, read into our transformer: one folder's config.json and model.safetensors.

Whatever is wrong with a file is one CheckpointError that lists all of it. Only safetensors are read: a pickle
could run code.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from torch.overrides import TorchFunctionMode

from attention_core.errors import CheckpointError
from attention_core.nn.transformer import ACTIVATIONS, Transformer, TransformerConfig

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
CONFIG_BYTES = 1 << 20
NORM_EPS = 1e-12  # BERT's own, where an early file does not say
FLOATS = ("F16", "BF16", "F32", "F64")  # the formats of a weight; anything else is quantised or no weight

# The largest sizes taken at their word, far above any real BERT. A model is laid out from this text, which
# comes from elsewhere, before any weight is looked at.
SIZES = {
    "vocab_size": 10_000_000,
    "max_position_embeddings": 1_000_000,
    "type_vocab_size": 10_000,
    "num_hidden_layers": 1_000,
    "num_attention_heads": 10_000,
    "hidden_size": 1_000_000,
    "intermediate_size": 10_000_000,
}

# Our names of modules, and BERT's.
EMBEDDING_NAMES = {
    "embedding.tokens": "embeddings.word_embeddings",
    "embedding.positions": "embeddings.position_embeddings",
    "embedding.segments": "embeddings.token_type_embeddings",
    "embedding.norm": "embeddings.LayerNorm",
}
BLOCK_NAMES = {
    "attention.query": "attention.self.query",
    "attention.key": "attention.self.key",
    "attention.value": "attention.self.value",
    "attention.output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "mlp.widen": "intermediate.dense",
    "mlp.narrow": "output.dense",
    "mlp_norm": "output.LayerNorm",
}
# Old files carry these buffers, which hold no more than 0, 1, 2, ... and zeros.
BUFFERS = {"embeddings.position_ids", "embeddings.token_type_ids"}


def config_of(folder: Path) -> TransformerConfig:
    """The sizes in the folder's config.json; a CheckpointError lists everything in it that we cannot run."""
    raw = _read_config(Path(folder))
    faults = _faults(raw)
    if faults:
        raise CheckpointError(f"{Path(folder).name}/{CONFIG_FILE}: " + "; ".join(faults), faults=faults)
    return TransformerConfig(
        vocabulary=raw["vocab_size"],
        max_tokens=raw["max_position_embeddings"],
        segments=raw["type_vocab_size"],
        layers=raw["num_hidden_layers"],
        heads=raw["num_attention_heads"],
        embed_dim=raw["hidden_size"],
        inner_dim=raw["intermediate_size"],
        activation=raw["hidden_act"],
        norm_eps=float(raw.get("layer_norm_eps", NORM_EPS)),
    )


def load_encoder(
    folder: Path, *, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> Transformer:
    """Our transformer with the weights of a BERT checkpoint, in evaluation mode.

    Names may start with "bert." or not; the pooler and any head on top are left aside. A CheckpointError
    lists every weight that is missing, has another shape, or has no place in this configuration's encoder.
    """
    folder = Path(folder)
    config = config_of(folder)
    with torch.device("meta"), _NoRandomStart():  # shapes only: the file brings the weights
        model = Transformer(config)
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise CheckpointError(
            f"{folder.name} has no {WEIGHTS_FILE}, the only format read here; pickles (.bin, .pt) never are"
        )
    try:
        with safe_open(path, framework="pt") as file:
            state = _read_weights(file, model.state_dict(), folder.name)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{folder.name}/{WEIGHTS_FILE} cannot be read: {error}") from error
    state = {name: tensor.to(device=device, dtype=dtype) for name, tensor in state.items()}
    model.load_state_dict(state, assign=True)
    return model.eval()


class _NoRandomStart(TorchFunctionMode):
    """While this is open, new modules draw no random weights: on "meta" that takes a compiler, and 1 s."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


def _read_config(folder: Path) -> Mapping[str, Any]:
    path = folder / CONFIG_FILE
    try:
        if path.stat().st_size > CONFIG_BYTES:
            raise CheckpointError(f"{folder.name}/{CONFIG_FILE} is larger than {CONFIG_BYTES} bytes")
        raw = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise CheckpointError(f"{folder.name} has no {CONFIG_FILE}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{folder.name}/{CONFIG_FILE} cannot be read as JSON: {error}") from error
    if not isinstance(raw, dict):
        raise CheckpointError(f"{folder.name}/{CONFIG_FILE} is a JSON {type(raw).__name__}, not an object")
    return raw


def _faults(raw: Mapping[str, Any]) -> list[str]:
    """Everything in a configuration that our encoder cannot run, one clause each."""
    faults = []
    if raw.get("model_type") != "bert":
        faults.append(f"model_type is {_short(raw.get('model_type'))}; accepted: 'bert'")
    for key, largest in SIZES.items():
        size = raw.get(key)
        if type(size) is not int or not 1 <= size <= largest:
            faults.append(f"{key} is {_short(size)}; accepted: a whole number from 1 to {largest}")
    if not faults and raw["hidden_size"] % raw["num_attention_heads"]:
        faults.append(
            f"hidden_size {raw['hidden_size']} is not a multiple of "
            f"num_attention_heads {raw['num_attention_heads']}"
        )
    act = raw.get("hidden_act")
    if not isinstance(act, str) or act not in ACTIVATIONS:
        faults.append(f"hidden_act is {_short(act)}; accepted: {', '.join(ACTIVATIONS)}")
    eps = raw.get("layer_norm_eps", NORM_EPS)
    if not isinstance(eps, float | int) or isinstance(eps, bool) or not 0 <= eps <= 1:
        faults.append(f"layer_norm_eps is {_short(eps)}; accepted: a number from 0 to 1")
    if raw.get("position_embedding_type", "absolute") != "absolute":
        faults.append(
            f"position_embedding_type is {_short(raw['position_embedding_type'])}; accepted: 'absolute', "
            "because relative positions add to the scores what our encoder does not compute"
        )
    faults.extend(
        f"{key} is {_short(raw[key])}; accepted: false, because an encoder looks both ways and has one input"
        for key in ("is_decoder", "add_cross_attention")
        if raw.get(key)
    )
    return faults


def _short(value: object) -> str:
    return "missing" if value is None else repr(value)[:100]


def _their_name(ours: str) -> str:
    """BERT's name of one of our weights."""
    module, kind = ours.rsplit(".", 1)
    if module in EMBEDDING_NAMES:
        return f"{EMBEDDING_NAMES[module]}.{kind}"
    _, layer, part = module.split(".", 2)
    return f"encoder.layer.{layer}.{BLOCK_NAMES[part]}.{kind}"


def _modern_name(stored: str) -> str:
    """A stored name as today's files spell it: those converted from TensorFlow say gamma and beta."""
    return stored.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")


def _read_weights(file: Any, wanted: Mapping[str, Tensor], folder: str) -> dict[str, Tensor]:
    """The weights by our own names, from an open safetensors file."""
    names = list(file.keys())
    prefix = "bert." if any(name.startswith("bert.") for name in names) else ""
    stored = {
        _modern_name(name.removeprefix(prefix)): name
        for name in names
        if name.startswith((f"{prefix}embeddings.", f"{prefix}encoder."))
    }
    theirs = {_their_name(ours): tensor.shape for ours, tensor in wanted.items()}
    missing = [name for name in theirs if name not in stored]
    unknown = sorted(stored.keys() - theirs.keys() - BUFFERS)
    misshapen = []
    for name in theirs.keys() & stored.keys():
        held = file.get_slice(stored[name])
        if tuple(held.get_shape()) != tuple(theirs[name]) or held.get_dtype() not in FLOATS:
            misshapen.append(
                f"{name} is {held.get_dtype()} {tuple(held.get_shape())}, not floating {tuple(theirs[name])}"
            )
    faults = {"missing": missing, "of another shape": sorted(misshapen), "not an encoder's": unknown}
    if any(faults.values()):
        listed = "; ".join(f"{what}: {', '.join(names)}" for what, names in faults.items() if names)
        raise CheckpointError(f"{folder}/{WEIGHTS_FILE} does not fit its {CONFIG_FILE}: {listed}")
    return {ours: file.get_tensor(stored[_their_name(ours)]) for ours in wanted}
