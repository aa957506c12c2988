"""What a network must be to continue a text, and where it stops by itself."""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import nn

SETTINGS_BYTES = 1 << 20  # of a generation_config.json; real ones have a few hundred bytes
_OTHER = "is no decoder that reads a text on"


def is_causal(network: nn.Module) -> bool:
    """Whether a model with one stack is a decoder, which never looks ahead."""
    config: Any = getattr(network, "config", None)
    if getattr(config, "is_decoder", False):
        return True
    flags = [bool(module.is_causal) for module in network.modules() if hasattr(module, "is_causal")]
    flags += [True for module in network.modules() if getattr(module, "is_decoder", False)]  # XGLM's name for it
    if flags:
        return any(flags)
    # Families without the flag on their modules keep their kind in the model class: a decoder takes no segments
    # and offers a cache.
    parameters = inspect.signature(network.forward).parameters
    return "past_key_values" in parameters and "encoder_hidden_states" not in parameters


def why_it_cannot_write(network: Any) -> str:
    """Why this network does not continue a text, as the end of a sentence that begins with its name; "" if it does.

    It must be one stack that never looks ahead, with a head that scores every token of its vocabulary.
    """
    config = network.config
    if hasattr(config, "kinds"):  # our own transformer
        if config.kinds == ("decoder-self",):
            return "" if config.output == "tokens" else "has no head that predicts tokens"
        return _OTHER
    if getattr(config, "is_encoder_decoder", False) or getattr(network, "main_input_name", "") != "input_ids":
        return _OTHER
    if not is_causal(network):
        return _OTHER
    if not (hasattr(network, "can_generate") and network.can_generate()):
        return "has no head that predicts tokens"
    parameters = inspect.signature(network.forward).parameters
    return "" if "past_key_values" in parameters else "keeps no keys and values to go on from"


def vocabulary_of(network: Any) -> int:
    """How many tokens the network tells apart; 0 for one that reads none."""
    config = network.config
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    return int(getattr(config, "vocabulary", 0) or getattr(text, "vocab_size", 0) or 0)


def end_tokens(network: Any, folder: Path | None) -> frozenset[int]:
    """The ids after which the model has said all: its configuration's, and its folder's generation_config.json's.

    Numbers outside its vocabulary are no tokens and are left out.
    """
    named = [one for given in _ends(network, folder) for one in (given if isinstance(given, list) else [given])]
    return frozenset(one for one in named if type(one) is int and 0 <= one < vocabulary_of(network))


def _ends(network: Any, folder: Path | None) -> Iterator[Any]:
    config = network.config
    yield getattr(config, "end", None)
    yield getattr(config, "eos_token_id", None)
    if hasattr(config, "get_text_config"):
        yield getattr(config.get_text_config(), "eos_token_id", None)
    yield getattr(getattr(network, "generation_config", None), "eos_token_id", None)
    if folder is None:
        return
    try:
        with (folder / "generation_config.json").open("rb") as file:
            said = json.loads(file.read(SETTINGS_BYTES))
    except (OSError, ValueError, RecursionError):  # most folders have none; a broken one says nothing
        return
    yield said.get("eos_token_id") if isinstance(said, dict) else None
