"""A model folder looked at before anything is loaded: what it asks for that is never done, numbers that no model has,
files that are missing or damaged, and the memory that it would take. Nothing here needs torch.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attention_core.errors import CheckpointError, MemoryLimitError
from attention_core.files import CONFIG_FILE, Stored, read_object, weights_in
from attention_core.models import memory
from attention_core.models.memory import LAYERS

TOKENIZER_FILE = "tokenizer.json"
TOKENIZER_BYTES = 256 << 20
LARGEST = 20_000_000  # of any whole number in a configuration but an angle's base: beyond all real models
LARGEST_LAYERS = 1_000
DEPTH = 16  # of objects within objects
SPARE = 10_000_000  # numbers that a model may have without storing them: tables that follow from its shape

# What would run code, reach for other files, or need formats that are not read here: the key, and what it asks for.
_ASKS = {
    "auto_map": ("code", "asks for code of its own (auto_map), which is never run"),
    "custom_pipelines": ("code", "asks for code of its own (custom_pipelines), which is never run"),
    "transformers_weights": ("config", "names a weights file of its own (transformers_weights)"),
    "use_pretrained_backbone": ("config", "asks for a backbone from elsewhere (use_pretrained_backbone)"),
    "use_timm_backbone": ("config", "asks for a backbone from elsewhere (use_timm_backbone)"),
    "backbone": ("config", "names a backbone that is not in its folder (backbone)"),
    "quantization_config": ("config", "says that its weights are quantised (quantization_config), which is not read"),
}
_MODEL_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,100}")
# What every text is padded to a multiple of: a large one makes a short text cost what a long one does.
_WINDOWS = ("attention_window", "block_size", "local_attn_chunk_length", "lsh_attn_chunk_length")
_LARGEST_WINDOW = 1 << 14
_POSITIVE = ("hidden_size", "d_model", "n_embd", "vocab_size", "num_attention_heads", "n_head", "num_heads")


def checked_config(folder: Path) -> dict[str, Any]:
    """The folder's config.json; a CheckpointError names the first thing in it that is refused."""
    config = read_object(folder / CONFIG_FILE)
    where = f"{folder.name}/{CONFIG_FILE}"
    for inner in _objects(config, where):
        for key, (reason, clause) in _ASKS.items():
            if inner.get(key):
                raise CheckpointError(f"{where} {clause}", reason=reason, file=where)
    family = config.get("model_type")
    if not isinstance(family, str):
        raise CheckpointError(f"{where} names no model_type", reason="config", file=where)
    if not _MODEL_TYPE.fullmatch(family):
        raise CheckpointError(
            f"{where} says model_type {family[:100]!a}; accepted: at most 100 of A-Z, a-z, 0-9, '.', '_' and '-'",
            reason="config",
            file=where,
        )
    _demand_whole_characters(config, where)
    faults = [clause for inner in _objects(config, where) for clause in _absurd(inner)]
    if faults:
        raise CheckpointError(f"{where}: {'; '.join(faults[:5])}", reason="config", file=where)
    if (folder / "adapter_config.json").exists():
        raise CheckpointError(
            f"{folder.name} holds an adapter (adapter_config.json), not a whole model: merge it and save the model",
            reason="config",
            file=f"{folder.name}/adapter_config.json",
        )
    return config


def checked_weights(folder: Path, config: Mapping[str, Any]) -> Stored:
    """What the folder's weight files hold, by their headers; a CheckpointError when that cannot be this model."""
    stored = weights_in(folder)
    where = f"{folder.name}/{CONFIG_FILE}"
    for inner in _objects(config, where):
        for key in LAYERS:
            promised = inner.get(key)
            # Even a model that runs one layer many times stores more tensors than it has layers.
            if type(promised) is int and promised > len(stored.tensors):
                raise CheckpointError(
                    f"{where} promises {promised} layers ({key}), and the weights are {len(stored.tensors)} tensors",
                    reason="mismatch",
                    file=where,
                )
    return stored


def demand_tokenizer(folder: Path) -> Path:
    """The folder's tokenizer.json; a CheckpointError when there is none that could be one."""
    path = folder / TOKENIZER_FILE
    where = f"{folder.name}/{TOKENIZER_FILE}"
    if not path.is_file():
        raise CheckpointError(
            f"{folder.name} has no {TOKENIZER_FILE}, which its texts are cut with: save its fast tokenizer there",
            reason="no-tokenizer",
            file=where,
        )
    if path.stat().st_size > TOKENIZER_BYTES:
        raise CheckpointError(
            f"{where} is larger than {TOKENIZER_BYTES} bytes", reason="tokenizer", file=where
        )
    return path


def demand_room(what: str, stored: Stored, item: int, device: str = "cpu") -> None:
    """A MemoryLimitError, before anything is loaded, for weights that would not fit as numbers of `item` bytes."""
    needed, available = load_needs(stored, item), memory.available_bytes(device)
    if needed > available:
        raise MemoryLimitError(f"loading {what}", needed, available)


def demand_possible(what: str, stored: Stored) -> None:
    """A MemoryLimitError for weights that this machine could never hold, even with two bytes a number."""
    needed, most = load_needs(stored, 2), memory.total_bytes()
    if needed > most:
        raise MemoryLimitError(f"loading {what}", needed, most)


def load_needs(stored: Stored, item: int) -> int:
    """Bytes that loading takes at its height, by the number of numbers: a bfloat16 file doubles in float32."""
    return memory.load_bytes(stored.nbytes, item=item, numbers=stored.numbers)


def demand_same_size(folder: Path, stored: Stored, promised: int) -> None:
    """A CheckpointError for a configuration whose model has far more numbers than the files hold.

    transformers would fill the rest with random ones. Tied weights are stored once and counted twice here.
    """
    if promised > 2 * stored.numbers + SPARE:
        where = f"{folder.name}/{CONFIG_FILE}"
        raise CheckpointError(
            f"{where} describes a model of {promised} numbers, and its weight files hold {stored.numbers}",
            reason="mismatch",
            file=where,
        )


def _objects(given: Mapping[str, Any], where: str) -> Iterator[Mapping[str, Any]]:
    """The object and all objects in it, also within lists."""
    level: list[Any] = [given]
    for _ in range(DEPTH):
        yield from (one for one in level if isinstance(one, Mapping))
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, Mapping) else one)
            if isinstance(inner, Mapping | list)
        ]
        if not level:
            return
    raise CheckpointError(f"{where} is nested more than {DEPTH} deep", reason="config", file=where)


def _demand_whole_characters(config: Mapping[str, Any], where: str) -> None:
    """A CheckpointError for half of a surrogate pair, which JSON can spell and no answer of a server can carry."""
    try:
        json.dumps(config, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise CheckpointError(
            f"{where} holds half of a surrogate pair, which is no character", reason="config", file=where
        ) from None


def _absurd(given: Mapping[str, Any]) -> Iterator[str]:
    """A clause for each number that no model has."""
    for key, value in given.items():
        if any(number != number for number in _fractions(value)):
            yield f"{key[:100]} is not a number (NaN)"
        if "theta" in key:
            continue
        most = LARGEST_LAYERS if key in LAYERS else _LARGEST_WINDOW if key in _WINDOWS else LARGEST
        lowest = 1 if key in _POSITIVE else 0 if key in LAYERS else -LARGEST
        own = _whole(value)
        if (key in _POSITIVE or key in LAYERS) and isinstance(value, str | float | bool):
            yield f"{key[:100]} is {str(value)[:100]!r}; accepted: a whole number from {lowest} to {most}"
        elif any(not lowest <= number <= most for number in own):
            wrong = next(number for number in own if not lowest <= number <= most)
            yield f"{key[:100]} is {str(wrong)[:100]}; accepted: a whole number from {lowest} to {most}"


def _fractions(value: Any) -> list[float]:
    """The numbers with a fraction in a value, through lists within lists."""
    if isinstance(value, float):
        return [value]
    return [number for inner in value for number in _fractions(inner)] if isinstance(value, list) else []


def _whole(value: Any) -> list[int]:
    """The whole numbers of a value, through lists within lists."""
    if type(value) is int:
        return [value]
    return [number for inner in value for number in _whole(inner)] if isinstance(value, list) else []
