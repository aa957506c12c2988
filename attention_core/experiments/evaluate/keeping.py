"""What evaluations leave on disk: the finished rows, so that a second run goes on, and the results.

<cache>/evaluations/<model>-<hash of its revision>/ has a file of rows for each data file by the hash of its content,
and one JSON file a result, by task and the data file's name.
"""

import base64
import json
import re
import secrets
import zlib
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from attention_core.experiments.evaluate.bounding import MOST_RESULT_BYTES
from attention_core.experiments.evaluate.results import Origin
from attention_core.models.card import ModelCard

RULE = 1  # goes up whenever rows are scored in another way: what was kept before is then of no use
_TYPES: dict[str, Any] = {"float32": np.dtype("<f4"), "int16": np.dtype("<i2")}


def folder_of(card: ModelCard, cache: Path) -> Path:
    """Where this revision of a model keeps its evaluations."""
    mark = sha256(f"{card.name}\0{card.revision}".encode()).hexdigest()[:12]
    return cache / "evaluations" / f"{_plain(card.name)}-{mark}"


def _plain(name: str) -> str:
    return re.sub("[^A-Za-z0-9._-]", "_", name)[:80].strip(".") or "_"


class KeptRows:
    """The arrays of finished rows, by line; `put` writes them down at once. Without a path nothing is written."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.arrays: dict[int, NDArray[Any]] = {}
        if path is not None and path.is_file():
            for line in path.read_bytes().split(b"\n"):
                self._read(line)

    @classmethod
    def of(cls, card: ModelCard, cache: Path | None, *, digest: str, task: str, dtype: str) -> "KeptRows":
        """The rows of one data file that this model has finished."""
        if cache is None:
            return cls(None)
        return cls(folder_of(card, cache) / f"{digest[:32]}-{task}-{dtype}-{RULE}.rows")

    def forget(self) -> None:
        """Begins anew: what was kept is gone, here and on disk."""
        self.arrays.clear()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _read(self, line: bytes) -> None:
        """Takes one line; one that was torn when a run ended is passed over."""
        try:
            one = json.loads(line)
            data = zlib.decompress(base64.b64decode(one["data"], validate=True))
            array = np.frombuffer(data, dtype=_TYPES[one["type"]]).reshape(one["shape"])
            self.arrays[int(one["line"])] = array
        except (ValueError, KeyError, TypeError, zlib.error):
            return

    def put(self, rows: Iterable[tuple[int, NDArray[Any]]]) -> None:
        """Keeps finished rows: after this they outlive the process."""
        written = []
        for line, array in rows:
            self.arrays[line] = array
            data = base64.b64encode(zlib.compress(array.astype(_TYPES[array.dtype.name]).tobytes(), 1)).decode()
            written.append(
                json.dumps({"line": line, "type": array.dtype.name, "shape": list(array.shape), "data": data})
            )
        if self._path is None or not written:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # An empty line first: it ends one that was torn. Appended in one piece, so that two runs do not mix.
        with self._path.open("ab") as file:
            file.write(("\n" + "\n".join(written) + "\n").encode())


class Result(Protocol):
    """What every task finds, as far as keeping it goes."""

    @property
    def task(self) -> str:
        """The task's name."""

    @property
    def origin(self) -> Origin:
        """What was evaluated."""

    def to_document(self) -> dict[str, Any]:
        """Plain data."""


def save_result(result: Result, card: ModelCard, cache: Path) -> Path:
    """The file that now holds the result, in place of an earlier one of the same task and file name."""
    target = folder_of(card, cache) / _result_name(result.task, result.origin.file)
    target.parent.mkdir(parents=True, exist_ok=True)
    work = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
    try:
        work.write_text(json.dumps(result.to_document(), ensure_ascii=False, allow_nan=False), encoding="utf-8")
        work.replace(target)
    finally:
        work.unlink(missing_ok=True)
    return target


def load_result(card: ModelCard, cache: Path, *, task: str, file: str) -> Mapping[str, Any] | None:
    """The document of a finished evaluation of this revision, None where there is none."""
    return _document(folder_of(card, cache) / _result_name(task, file))


def load_results(card: ModelCard, cache: Path) -> tuple[Mapping[str, Any], ...]:
    """The documents of all finished evaluations of this revision of a model, by task and file name."""
    found = (_document(path) for path in sorted(folder_of(card, cache).glob("*.json")))
    return tuple(sorted((one for one in found if one is not None), key=lambda one: (one["task"], one["file"])))


def _result_name(task: str, file: str) -> str:
    return f"{task}-{_plain(file)}-{sha256(file.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}.json"


def _document(path: Path) -> Mapping[str, Any] | None:
    """What a file says that may be a result; None for one that is damaged, far too large, or no file at all."""
    try:
        if not path.is_file() or path.stat().st_size > MOST_RESULT_BYTES:
            return None
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not {"task", "model", "file", "chosen"} <= found.keys():
        return None
    return found if all(isinstance(found[name], str) for name in ("task", "model", "file")) else None
