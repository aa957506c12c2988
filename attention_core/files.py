"""A model folder's files, looked at without trust and before anything of them is loaded: JSON objects, and what the
headers of safetensors files promise. Nothing here needs torch.

Whatever is wrong is a CheckpointError whose sentence names the file; its facts are `file`, and `reason` for the page.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from attention_core.errors import CheckpointError

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
PREPROCESSOR_FILE = "preprocessor_config.json"
CONFIG_BYTES = 1 << 20
INDEX_BYTES = 16 << 20
HEADER_BYTES = 32 << 20  # of the largest published models it takes less than 1 MB
# Bits of a number, by the name that safetensors gives its format.
BITS = {"BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6}
BITS |= {"I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64}
BITS |= {"F64": 64, "C64": 64}
MOST_DIMS = 8  # of a tensor; real ones have at most 5
FLOATS = ("F16", "BF16", "F32", "F64")  # the formats of a weight; anything else is quantised or no weight
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle")

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}\.safetensors")


@dataclass(frozen=True)
class Stored:
    """What the weight files of a folder hold: each tensor's format and shape by its name, and the files' bytes."""

    files: tuple[Path, ...]
    tensors: Mapping[str, tuple[str, tuple[int, ...]]]
    nbytes: int

    @property
    def numbers(self) -> int:
        """How many numbers all tensors hold together."""
        return sum(prod(shape) for _, shape in self.tensors.values())


def read_object(path: Path, most: int = CONFIG_BYTES, *, reason: str = "config") -> dict[str, Any]:
    """The JSON object in a file of at most `most` bytes; a CheckpointError for a file that holds none."""
    where = f"{path.parent.name}/{path.name}"
    facts = {"reason": reason, "file": where}
    try:
        if not path.exists():
            raise CheckpointError(f"{path.parent.name} has no {path.name}", **facts)
        if not path.is_file():  # a pipe would never end
            raise CheckpointError(f"{where} is no file", **facts)
        if path.stat().st_size > most:
            raise CheckpointError(f"{where} is larger than {most} bytes", **facts)
        raw = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{where} cannot be read as JSON: {_said(error)}", **facts) from error
    if not isinstance(raw, dict):
        raise CheckpointError(f"{where} is a JSON {type(raw).__name__}, not an object", **facts)
    return raw


def has_weights(folder: Path) -> bool:
    """Whether the folder has weights of the one format that is read, in one file or in several."""
    return (folder / WEIGHTS_FILE).is_file() or (folder / INDEX_FILE).is_file()


def weights_in(folder: Path) -> Stored:
    """What the folder's model.safetensors holds, or the files that model.safetensors.index.json lists.

    Reads headers only. A CheckpointError when there are none, when they are pickled, damaged, cut short or not where
    the index says.
    """
    if (folder / WEIGHTS_FILE).is_file():
        return _together((folder / WEIGHTS_FILE,))
    if not (folder / INDEX_FILE).is_file():
        raise _without_weights(folder)
    index = read_object(folder / INDEX_FILE, INDEX_BYTES, reason="weights")
    where = f"{folder.name}/{INDEX_FILE}"
    listed = index.get("weight_map")
    if not isinstance(listed, dict) or not listed or not isinstance(index.get("metadata"), dict):
        raise CheckpointError(f"{where} has no weight_map, or no metadata", reason="weights", file=where)
    names = sorted({name if isinstance(name, str) else repr(name)[:100] for name in listed.values()})
    odd = [name for name in names if not _PART.fullmatch(name)]
    if odd:
        raise CheckpointError(
            f"{where} names {odd[0][:100]!r}; accepted: names of .safetensors files in the same folder",
            reason="weights",
            file=where,
        )
    absent = [name for name in names if not (folder / name).is_file()]
    if absent:
        raise CheckpointError(
            f"{folder.name} lacks {', '.join(absent[:5])}, which {INDEX_FILE} lists", reason="weights", file=where
        )
    stored = _together(tuple(folder / name for name in names))
    lost = sorted(set(listed) - stored.tensors.keys())
    if lost:
        raise CheckpointError(f"{where} lists {lost[0][:100]!r}, which no file holds", reason="weights", file=where)
    return stored


def _without_weights(folder: Path) -> CheckpointError:
    try:
        pickled = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
    except OSError:
        pickled = []
    if pickled:
        return CheckpointError(
            f"{folder.name} has no {WEIGHTS_FILE}, the only format read here; its {pickled[0]} holds pickled weights, "
            "which can run code and are never read: save the model as safetensors",
            reason="pickled",
            file=f"{folder.name}/{pickled[0]}",
        )
    return CheckpointError(
        f"{folder.name} has no weights: neither {WEIGHTS_FILE} nor {INDEX_FILE}",
        reason="no-weights",
        file=f"{folder.name}/{WEIGHTS_FILE}",
    )


def _together(files: tuple[Path, ...]) -> Stored:
    tensors: dict[str, tuple[str, tuple[int, ...]]] = {}
    nbytes = 0
    for path in files:
        try:
            size = path.stat().st_size
            own = _header(path, size)
        except (OSError, ValueError, RecursionError, TypeError, KeyError) as error:
            raise damaged(path, error) from error
        twice = sorted(own.keys() & tensors.keys())
        if twice:
            raise damaged(path, ValueError(f"{twice[0][:100]!r} stands in another file too"))
        tensors |= own
        nbytes += size
    return Stored(files, tensors, nbytes)


def damaged(path: Path, error: Exception) -> CheckpointError:
    """The error of a weights file that cannot be read."""
    where = f"{path.parent.name}/{path.name}"
    return CheckpointError(f"{where} cannot be read: {_said(error)}", reason="weights", file=where)


@dataclass(frozen=True)
class Header:
    """What a safetensors header promises: each tensor's format, shape and bytes begin:end after `start`, by its name,
    and its free texts by theirs."""

    start: int
    tensors: Mapping[str, tuple[str, tuple[int, ...], int, int]]
    texts: Mapping[str, str]


def header_in(file: BinaryIO, size: int, most: int = HEADER_BYTES) -> Header:
    """The header of a safetensors file of `size` bytes, of which at most `most` are the header's own.

    A ValueError, TypeError, KeyError or RecursionError unless its tensors fill the file exactly, one after another.
    """
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > size - 8:
        raise ValueError(f"it is cut short or damaged: its {size} bytes do not hold the header that they announce")
    if length > most:
        raise ValueError(f"its header has {length} bytes; accepted: at most {most}")
    header = json.loads(file.read(length), object_pairs_hook=once)
    if not isinstance(header, dict):
        raise ValueError("its header is no object")
    texts = header.pop("__metadata__", {})
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise ValueError("its header's metadata are no texts")
    tensors = {name: _promised(name, told) for name, told in header.items()}
    _demand_filled(tensors, size - 8 - length)
    return Header(8 + length, tensors, texts)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object's members; a ValueError where a name stands twice, of which readers would choose differently."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:100]!r} stands there twice")
    return members


def _promised(name: str, told: Any) -> tuple[str, tuple[int, ...], int, int]:
    form, shape, (begin, end) = told["dtype"], tuple(told["shape"][:MOST_DIMS]), told["data_offsets"]
    # Few and small factors, so that their product is no work.
    whole = all(type(number) is int and 0 <= number < 1 << 62 for number in (*shape, begin, end))
    fits = form in BITS and whole and len(told["shape"]) == len(shape)
    if not fits or 8 * (end - begin) != prod(shape) * BITS[form]:
        raise ValueError(f"what its header says of {name[:100]!r} does not fit together")
    return form, shape, begin, end


def _demand_filled(tensors: Mapping[str, tuple[str, tuple[int, ...], int, int]], there: int) -> None:
    last = 0
    for begin, end, name in sorted((begin, end, name) for name, (_, _, begin, end) in tensors.items()):
        if begin != last:
            raise ValueError(f"{name[:100]!r} does not begin where the tensor before it ends")
        last = end
    if last != there:
        promised = f"its header promises {last} bytes of tensors and {there} are there"
        raise ValueError(f"it is cut short or damaged: {promised}")


def _header(path: Path, size: int) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Each tensor's format and shape; the errors of `header_in`."""
    with path.open("rb") as file:
        header = header_in(file, size)
    return {name: (form, shape) for name, (form, shape, _, _) in header.tensors.items()}


def _said(error: Exception) -> str:
    """A foreign error in words; JSON's own quote nothing of the file."""
    return (str(error) or type(error).__name__)[:300]
