"""A trace as one .safetensors file: its tensors, and everything else as JSON in the header.

A file is hostile until read: safetensors holds no code, every tensor and every field goes through the
constructors of the trace, and anything that does not fit is a TraceError.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from attention_core import masks
from attention_core.errors import AtlasError, TraceError
from attention_core.maps import AttentionMap, Bias, DenseMap, FactoredMap, Kind, RelativeBias
from attention_core.models.card import ModelCard
from attention_core.pictures import Picture
from attention_core.predictions import Candidate, Prediction, Predictions
from attention_core.tokens import Tokens
from attention_core.trace import AttentionTrace, Looking, Notice, Provenance

FORMAT = "attention-atlas-trace-2"


def save(trace: AttentionTrace, path: Path | str) -> None:
    """Write the trace to `path`; a file that stands there is replaced only once the new one is whole.

    A TraceError for a trace that is seen through lengths, words, hidden tokens or one text of a pair: the original
    holds everything.
    """
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
        "provenance": asdict(trace.provenance),
        "notices": [asdict(notice) for notice in trace.notices],
        "predictions": asdict(trace.predictions) if trace.predictions else None,
        "predictions_note": trace.predictions_note,
        "off": list(trace.off),
        "off_with": trace.off_with,
        "written": trace.written,
    }
    path = Path(path)
    part = path.with_name(f".{path.name}.part")
    try:
        save_file(store.tensors, part, metadata={"trace": json.dumps(document, ensure_ascii=False)})
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def load(path: Path | str) -> AttentionTrace:
    """The trace in a file that `save` wrote; a TraceError tells what is wrong with any other file."""
    try:
        with safe_open(str(path), framework="pt") as file:
            header = (file.metadata() or {}).get("trace")
            if header is None:
                raise TraceError("this .safetensors file holds no trace of Attention Atlas")
            document = json.loads(header)
            if not isinstance(document, dict) or document.get("format") != FORMAT:
                raise TraceError(f"this file is not of the format {FORMAT}")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return _restore(document, tensors)
    except TraceError:
        raise
    except (SafetensorError, AtlasError, OSError) as error:
        raise TraceError(f"this trace file cannot be read: {error}") from error
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        IndexError,
        RecursionError,
        RuntimeError,
    ) as error:
        raise TraceError(f"this trace file is damaged: {type(error).__name__}: {error}") from error


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


def _restore(document: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> AttentionTrace:
    notices = tuple(Notice(notice["code"], dict(notice["facts"])) for notice in document["notices"])
    return AttentionTrace(
        model=_card(document["model"]),
        source=_tokens(document["source"]),
        target=_tokens(document["target"]) if document["target"] else None,
        decoder_input=_tokens(document["decoder_input"]) if document["decoder_input"] else None,
        picture=_restore_picture(document["picture"], tensors),
        maps=tuple(_restore_map(described, tensors) for described in document["maps"]),
        provenance=Provenance(**document["provenance"]),
        notices=notices,
        predictions=_restore_predictions(document["predictions"]),
        predictions_note=str(document["predictions_note"]),
        off=tuple(str(name) for name in document["off"]),
        off_with=str(document.get("off_with", "zero")),
        written=document.get("written", 0),
    )


def _describe_picture(picture: Picture | None, store: _Store) -> dict[str, Any] | None:
    if picture is None:
        return None
    return {"pixels": store.add(picture.pixels), "rows": picture.rows, "columns": picture.columns}


def _restore_picture(described: Mapping[str, Any] | None, tensors: Mapping[str, Tensor]) -> Picture | None:
    if described is None:
        return None
    return Picture(tensors[described["pixels"]], int(described["rows"]), int(described["columns"]))


def _restore_predictions(described: Mapping[str, Any] | None) -> Predictions | None:
    if described is None:
        return None
    at = tuple(
        Prediction(
            candidates=tuple(Candidate(**one) for one in place["candidates"]),
            position=place["position"],
            label=place["label"],
            actual=None if place["actual"] is None else Candidate(**place["actual"]),
        )
        for place in described["at"]
    )
    return Predictions(described["task"], at)


def _restore_map(described: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> AttentionMap:
    mask_tensors = {name: tensors[stored] for name, stored in described["mask_tensors"].items()}
    kind, layer = Kind(described["kind"]), int(described["layer"])
    mask = masks.restore(described["mask"], mask_tensors)
    if described["maker"] == "dense":
        given, sinks = tensors[described["given"]], bool(described["sinks"])
        return DenseMap(kind=kind, layer=layer, mask=mask, given=given, sinks=sinks)
    sink, cap = described["sink"], described["soft_cap"]
    norms = described.get("value_norms")  # not in the files of earlier versions
    return FactoredMap(
        kind=kind,
        layer=layer,
        mask=mask,
        query_vectors=tensors[described["query"]],
        key_vectors=tensors[described["key"]],
        value_vectors=tensors[described["value"]],
        value_norms=None if norms is None else tensors[norms],
        scale=float(described["scale"]),
        soft_cap=None if cap is None else float(cap),
        sink=None if sink is None else tensors[sink],
        bias=_restore_bias(described["bias"], tensors),
    )


def _restore_bias(described: Mapping[str, Any] | None, tensors: Mapping[str, Tensor]) -> Bias | None:
    if described is None:
        return None
    if "matrix" in described:
        return tensors[described["matrix"]]
    return RelativeBias(
        by_distance=tensors[described["by_distance"]], query_count=int(described["query_count"])
    )


def _card(described: Mapping[str, Any]) -> ModelCard:
    return ModelCard(**{name: _tuples(value) for name, value in described.items()})


def _tokens(described: Mapping[str, Any]) -> Tokens:
    known = {field.name for field in fields(Tokens)}
    return Tokens(**{name: _tuples(value) for name, value in described.items() if name in known})


def _tuples(value: Any) -> Any:
    """JSON's lists as the tuples that frozen objects hold."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
