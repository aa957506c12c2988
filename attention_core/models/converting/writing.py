"""Writing a model's files, byte for byte the same every time."""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attention_core.models.converting.blocks import Packed

Step = Callable[[int, int], None]  # told how many bytes of weights are written, of how many

_PIECE = 1 << 20  # numbers that are unpacked at once


def write_json(path: Path, content: Mapping[str, Any], *, indent: int | None = None) -> None:
    """Writes one JSON object."""
    separators = (",", ":") if indent is None else None
    text = json.dumps(content, ensure_ascii=False, indent=indent, separators=separators, allow_nan=False)
    path.write_bytes(text.encode() + b"\n")


def write_weights(path: Path, weights: Mapping[str, Packed], step: Step) -> None:
    """Writes float32 safetensors, a few rows at a time: the model never lies unpacked in memory."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, weight in weights.items():
        start, end = end, end + 4 * math.prod(weight.shape)
        header[name] = {"dtype": "F32", "shape": list(weight.shape), "data_offsets": [start, end]}
    written = json.dumps(header, separators=(",", ":")).encode()
    written += b" " * (-len(written) % 8)  # the numbers begin at a multiple of 8
    done = 0
    with path.open("wb") as file:
        file.write(len(written).to_bytes(8, "little") + written)
        for weight in weights.values():
            rows = max(1, _PIECE // weight.columns)
            for start in range(0, weight.row_count, rows):
                values = weight.rows(start, min(start + rows, weight.row_count))
                file.write(values.astype("<f4", copy=False).tobytes())
                done += values.nbytes
                step(done, end)
