"""What a model can do beside being looked into, found out without loading it: from its card and its files."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from attention_core.models.card import NATIVE
from attention_core.models.catalogue import CatalogueEntry
from attention_core.models.chat import template_of

MOST_BYTES = 4 << 20  # of a settings file; a longer one is none that we read
DECODER = ("decoder-self",)


@dataclass(frozen=True)
class Abilities:
    """`writes`: continues a text. `chat`: has a template for messages. `known` once the model's files are here.
    `switches`: nothing is known of its heads that would keep them from being switched off. `rewires`: its attention is
    ours, so that it may be made to work otherwise."""

    writes: bool
    chat: bool
    known: bool
    switches: bool = True
    rewires: bool = False


def abilities_of(entry: CatalogueEntry, folder: Path, *, fetched: bool) -> Abilities:
    """What a model with its files in `folder` can do; before they are `fetched`, what its card says."""
    card = entry.card
    decoder = card.kinds == DECODER and card.input == "text"
    if not fetched or not decoder:
        return Abilities(writes=decoder, chat=False, known=fetched)
    return _look(folder, (folder / "config.json").stat().st_mtime_ns if (folder / "config.json").exists() else 0)


@lru_cache(maxsize=256)
def _look(folder: Path, _changed: int) -> Abilities:
    config = _settings(folder / "config.json")
    writes = _predicts(config)
    return Abilities(writes=writes, chat=writes and template_of(folder) is not None, known=True)


def _predicts(config: dict[str, Any]) -> bool:
    """Whether a decoder has the head that predicts tokens; a configuration that names nothing is given the benefit."""
    if config.get("model_type") == NATIVE:
        return config.get("output") == "tokens"
    named = config.get("architectures")
    if not isinstance(named, list) or not named:
        return True
    return any(str(name).endswith(("ForCausalLM", "LMHeadModel")) for name in named)


def _settings(path: Path) -> dict[str, Any]:
    """What a JSON file says; nothing when it is missing, damaged or far too large."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return {}
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
