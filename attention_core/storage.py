"""A trace as one .safetensors file: its tensors, and everything else as JSON in the header.

A file is hostile until read: safetensors holds no code, and `restoring` lets nothing through that does not fit. What is
read says so: its `provenance.checked` is False.
"""

import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors.torch import save as save_bytes
from torch import Tensor

from attention_core.errors import AtlasError, TraceError
from attention_core.files import Header, header_in, once
from attention_core.maps import AttentionMap, Bias, DenseMap, FactoredMap, RelativeBias
from attention_core.pictures import Picture
from attention_core.restoring import restored_trace
from attention_core.trace import AttentionTrace, Looking

FORMAT = "attention-atlas-trace-2"
HEADER_BYTES = 16 << 20  # some 100,000 tokens; JSON may take thirty times as much memory once it is read
# The formats of the tensors that a trace has. Anything else, such as whole numbers, is none of ours.
FORMS = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
FORMS |= {"BOOL": torch.bool, "U8": torch.uint8}


def save(trace: AttentionTrace, path: Path | str) -> None:
    """Write the trace to `path`; a file that stands there is replaced only once the new one is whole.

    A TraceError for a trace that is seen through lengths, words, hidden tokens or one text of a pair: the original
    holds everything.
    """
    data = to_bytes(trace)
    path = Path(path)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def to_bytes(trace: AttentionTrace) -> bytes:
    """The bytes of the trace's file; the TraceError of `save`."""
    if trace.looking != Looking():
        raise TraceError(
            "this trace is seen through lengths, words, hidden special tokens or one text of a pair; save the original"
        )
    store = _Store()
    document = {
        "format": FORMAT,
        "model": asdict(trace.model),
        "source": asdict(trace.source),
        "target": asdict(trace.target) if trace.target else None,
        "decoder_input": asdict(trace.decoder_input) if trace.decoder_input else None,
        "picture": _describe_picture(trace.picture, store),
        "maps": [_describe(one, store) for one in trace.maps],
        # Whoever reads it decides for himself whether to believe it.
        "provenance": {name: value for name, value in asdict(trace.provenance).items() if name != "checked"},
        "notices": [asdict(notice) for notice in trace.notices],
        "predictions": asdict(trace.predictions) if trace.predictions else None,
        "predictions_note": trace.predictions_note,
        "off": list(trace.off),
        "off_with": trace.off_with,
        "what_if": list(trace.what_if),
        "written": trace.written,
    }
    data = save_bytes(store.tensors, metadata={"trace": json.dumps(document, ensure_ascii=False)})
    if int.from_bytes(data[:8], "little") > HEADER_BYTES:
        raise TraceError(f"this trace has too many tokens for a file: their texts take more than {HEADER_BYTES} bytes")
    return data


def load(path: Path | str) -> AttentionTrace:
    """The trace in a file that `save` wrote; a TraceError tells what is wrong with any other file."""
    path = Path(path)
    try:
        if not path.is_file():  # a pipe would never end
            raise TraceError(f"there is no trace file {path.name[:100]!r}")
        with path.open("rb") as file:
            return read(file, path.stat().st_size)
    except OSError as error:
        raise TraceError(f"this trace file cannot be read: {error}") from error


def from_bytes(data: bytes) -> AttentionTrace:
    """The trace in the bytes of a file; a TraceError tells what is wrong with any others."""
    return read(io.BytesIO(data), len(data))


def read(file: BinaryIO, size: int) -> AttentionTrace:
    """The trace in an open file of `size` bytes, of which no tensor is read before all of the header fits."""
    try:
        header = header_in(file, size, HEADER_BYTES)
        if "trace" not in header.texts:
            raise TraceError("this .safetensors file holds no trace of Attention Atlas")
        document = json.loads(header.texts["trace"], object_pairs_hook=once)
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise TraceError(f"this file is not of the format {FORMAT}")
        return restored_trace(document, _tensors(file, header))
    except TraceError:
        raise
    except AtlasError as error:
        raise TraceError(f"this trace file cannot be read: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError, RuntimeError) as error:
        raise TraceError(f"this trace file is damaged: {type(error).__name__}: {str(error)[:300]}") from error


def _tensors(file: BinaryIO, header: Header) -> dict[str, Tensor]:
    """Every tensor of the file, each with memory of its own."""
    read = {}
    for name, (form, shape, begin, end) in header.tensors.items():
        if form not in FORMS:
            raise TraceError(f"the tensor {name[:100]!r} is of the format {form}; accepted: {', '.join(FORMS)}")
        if begin == end:
            raise TraceError(f"the tensor {name[:100]!r} is empty: {shape}")
        file.seek(header.start + begin)
        data = bytearray(file.read(end - begin))  # writable, as torch wants it
        if form == "BOOL" and int(torch.frombuffer(data, dtype=torch.uint8).max()) > 1:
            raise TraceError(f"the tensor {name[:100]!r} holds values that are neither true nor false")
        read[name] = torch.frombuffer(data, dtype=FORMS[form]).reshape(shape)
    return read


class _Store:
    """Tensors under names of their own; one that several maps share is written once."""

    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}
        self._names: dict[tuple[int, tuple[int, ...], tuple[int, ...]], str] = {}

    def add(self, tensor: Tensor) -> str:
        key = (tensor.data_ptr(), tuple(tensor.shape), tuple(tensor.stride()))
        if key not in self._names:
            self._names[key] = f"tensor.{len(self._names)}"
            self.tensors[self._names[key]] = (
                tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
            )
        return self._names[key]


def _describe(one: AttentionMap, store: _Store) -> dict[str, Any]:
    shared = {
        "kind": str(one.kind),
        "layer": one.layer,
        "mask": one.mask.describe(),
        "mask_tensors": {name: store.add(tensor) for name, tensor in one.mask.tensors().items()},
    }
    if isinstance(one, DenseMap):
        return {
            **shared,
            "maker": "dense",
            "given": store.add(one.given),
            "sinks": one.sinks,
        }
    assert isinstance(one, FactoredMap)
    return {
        **shared,
        "maker": "factored",
        "query": store.add(one.query_vectors),
        "key": store.add(one.key_vectors),
        "value": store.add(one.value_vectors),
        "value_norms": None if one.value_norms is None else store.add(one.value_norms),
        "scale": one.scale,
        "soft_cap": one.soft_cap,
        "sink": None if one.sink is None else store.add(one.sink),
        "bias": _describe_bias(one.bias, store),
    }


def _describe_bias(bias: Bias | None, store: _Store) -> dict[str, Any] | None:
    if bias is None:
        return None
    if isinstance(bias, RelativeBias):
        return {"by_distance": store.add(bias.by_distance), "query_count": bias.query_count}
    return {"matrix": store.add(bias)}


def _describe_picture(picture: Picture | None, store: _Store) -> dict[str, Any] | None:
    if picture is None:
        return None
    return {"pixels": store.add(picture.pixels), "rows": picture.rows, "columns": picture.columns}
