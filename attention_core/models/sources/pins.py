"""What the first download of a hub model recorded: its commit and the hash of every file, for all later ones.

A pin outlives the model's folder: who deletes the files and fetches again gets the same model, or an error.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from attention_core.models.catalogue import CatalogueEntry
from attention_core.models.sources.common import ORIGIN, model_folder


@dataclass(frozen=True)
class Pin:
    """The commit of a repository, and the sha256 and the size in bytes of each file that was fetched of it."""

    repo: str
    revision: str
    sha256: Mapping[str, str]
    bytes: Mapping[str, int]


def pin_path(entry: CatalogueEntry, cache: Path) -> Path:
    """Where the pin of a model lies."""
    return cache / "pins" / f"{entry.card.name}.json"


def recorded(entry: CatalogueEntry, cache: Path) -> Pin | None:
    """What an earlier download recorded of this model's repository; None when there was none, or it is unreadable."""
    hub = entry.hub
    if hub is None:
        return None
    try:
        note = json.loads(pin_path(entry, cache).read_text(encoding="utf-8"))
        pin = Pin(note["repo"], note["revision"], MappingProxyType(note["sha256"]), MappingProxyType(note["bytes"]))
        whole = pin.sha256.keys() == pin.bytes.keys() and "model.safetensors" in pin.sha256
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    # A catalogue that names another repository or commit by now means another model.
    meant = pin.repo == hub.repo and hub.revision in ("", pin.revision)
    return pin if whole and meant else None


def record(entry: CatalogueEntry, cache: Path, pin: Pin) -> Pin:
    """Writes the pin down, unless another process was first: what is recorded now."""
    path = pin_path(entry, cache)
    earlier = recorded(entry, cache)
    if earlier is not None:
        return earlier
    path.parent.mkdir(parents=True, exist_ok=True)
    note = asdict(replace(pin, sha256=dict(pin.sha256), bytes=dict(pin.bytes)))
    handle, name = tempfile.mkstemp(prefix=f".{entry.card.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps({"model": entry.card.name, **note}, indent=2) + "\n")
        if path.exists():  # one that cannot be read, or is of another repository
            Path(name).replace(path)
        else:
            _link_first(Path(name), path)
    finally:
        with suppress(OSError):
            Path(name).unlink()
    return recorded(entry, cache) or pin


def _link_first(new: Path, path: Path) -> None:
    """Gives the file its name unless the name is taken."""
    try:
        os.link(new, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        new.replace(path)


def settled(entry: CatalogueEntry, cache: Path) -> CatalogueEntry:
    """The entry with the revision, the hashes and the size of what was fetched from the hub, once that is known.

    Any other entry, and one that was never fetched, as it is.
    """
    pin = recorded(entry, cache)
    if pin is None or (entry.sha256 and origin_of(entry, cache).get("repo") != pin.repo):
        return entry
    weights = "model.safetensors"
    return replace(
        entry,
        card=replace(entry.card, revision=pin.sha256[weights][:12]),
        sha256=pin.sha256,
        size_bytes=pin.bytes[weights],
        download_bytes=sum(pin.bytes.values()),
        approximate=False,
    )


def origin_of(entry: CatalogueEntry, cache: Path) -> dict[str, Any]:
    """The note beside a model's files that says where they came from; empty when there is none."""
    try:
        note = json.loads((model_folder(entry, cache) / ORIGIN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def is_fetched(entry: CatalogueEntry, cache: Path) -> bool:
    """Whether all files of the catalogue's revision are there, at the size they had when they were hashed.

    Of a hub model: of the revision that was recorded. A bundled model's files are part of this package and always
    there; those of a folder of the operator's own are as long as it has a config.json.
    """
    folder = model_folder(entry, cache)
    if entry.directory is not None:
        return (folder / "config.json").is_file()
    if entry.bundled is not None:
        return all((folder / name).is_file() for name in entry.files)
    known = settled(entry, cache)
    note = origin_of(entry, cache)
    try:
        same = bool(known.sha256) and bool(note["sha256"] == dict(known.sha256))
        return same and all((folder / name).stat().st_size == note["bytes"][name] for name in known.files)
    except (OSError, KeyError, TypeError):
        return False
