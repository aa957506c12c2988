"""What the first download of a hub model recorded: its commit and the hash of every file, for all later ones.

A pin outlives the model's folder: who deletes the files and fetches again gets the same model, or an error.
"""

import json
import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from attention_core.errors import CheckpointError, FetchError, InputError
from attention_core.files import read_object
from attention_core.models.catalogue import EXTRAS, FILES, CatalogueEntry
from attention_core.models.sources.common import ORIGIN, Watch, digest_of, kept_folder, model_folder, remove

_whole: set[tuple[Path, str, int, int]] = set()  # files that were read, and had the hash that was expected


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
    """What an earlier download recorded of this model's repository; None when there was none.

    A record that is there and cannot be read is taken from the note beside the model's files, where that is whole and
    fits their sizes; None where it does not, and `demand_readable` then says so.
    """
    hub = entry.hub
    if hub is None:
        return None
    pin = _read(pin_path(entry, cache))
    if pin is None and _is_damaged(entry, cache):
        pin = _noted(entry, cache)
    # A catalogue that names another repository or commit by now means another model.
    return pin if pin is not None and pin.repo == hub.repo and hub.revision in ("", pin.revision) else None


def demand_readable(entry: CatalogueEntry, cache: Path) -> None:
    """FetchError, reason "damaged-record", for a record that nothing restores: none is made anew in silence."""
    if entry.hub is not None and _is_damaged(entry, cache) and _noted(entry, cache) is None:
        raise _lost(entry, cache)


def restore(entry: CatalogueEntry, cache: Path, watch: Watch) -> None:
    """Writes a record that cannot be read anew, from the note beside the model's files once their hashes fit it.

    FetchError, reason "damaged-record", when they do not. A record that can be read stays as it is.
    """
    if entry.hub is None or not _is_damaged(entry, cache):
        return
    pin = recorded(entry, cache)
    if pin is None:  # another source brought the files
        return
    folder = model_folder(entry, cache)
    if any(digest_of(folder / name, watch) != expected for name, expected in pin.sha256.items()):
        raise _lost(entry, cache)
    _write(entry, cache, pin)


def demand_whole(entry: CatalogueEntry, cache: Path) -> None:
    """CheckpointError, reason "weights", for a file of a fetched hub model that is no longer what was recorded.

    Reads each file once a process, as long as its size and its time stay.
    """
    pin = recorded(entry, cache)
    if pin is None or origin_of(entry, cache).get("repo") != pin.repo:
        return
    folder = model_folder(entry, cache)
    for name, expected in pin.sha256.items():
        path = folder / name
        state = path.stat()
        seen = (path, expected, state.st_size, state.st_mtime_ns)
        if seen not in _whole and digest_of(path, Watch(lambda _: None, lambda: False)) != expected:
            raise CheckpointError(
                f"{path} is not what was downloaded: it was damaged or changed since; `attention-atlas models forget "
                f"{entry.card.name}` removes the model, to be downloaded again",
                reason="weights",
                file=f"{folder.name}/{name}",
            )
        _whole.add(seen)


def record(entry: CatalogueEntry, cache: Path, pin: Pin) -> Pin:
    """Writes the pin down, unless another process was first: what is recorded now.

    FetchError, reason "damaged-record", when what is recorded cannot be read.
    """
    demand_readable(entry, cache)
    earlier = recorded(entry, cache)
    if earlier is not None:
        return earlier
    _write(entry, cache, pin)
    return recorded(entry, cache) or pin


def forget(entry: CatalogueEntry, cache: Path) -> list[Path]:
    """Removes the record of a hub model, its files, and what a broken download kept: the paths that are gone.

    Files that a package brought stay. InputError for a model that does not come from the hub.
    """
    if entry.hub is None:
        raise InputError(f"{entry.card.name} does not come from the hub; accepted: a model of the hub that was fetched")
    folder = model_folder(entry, cache)
    others = bool(entry.sha256) and "repo" not in origin_of(entry, cache)
    doomed = (*(() if others else (folder,)), kept_folder(folder), pin_path(entry, cache))
    return [path for path in doomed if remove(path)]


def _write(entry: CatalogueEntry, cache: Path, pin: Pin) -> None:
    path = pin_path(entry, cache)
    path.parent.mkdir(parents=True, exist_ok=True)
    note = asdict(replace(pin, sha256=dict(pin.sha256), bytes=dict(pin.bytes)))
    handle, name = tempfile.mkstemp(prefix=f".{entry.card.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps({"model": entry.card.name, **note}, indent=2) + "\n")
        if path.exists():  # of another repository, or to be restored
            Path(name).replace(path)
        else:
            _link_first(Path(name), path)
    finally:
        with suppress(OSError):
            Path(name).unlink()


def _read(path: Path) -> Pin | None:
    try:
        note = read_object(path)
    except CheckpointError:
        return None
    return _pin(note, "revision")


def _noted(entry: CatalogueEntry, cache: Path) -> Pin | None:
    """The pin that the note beside the model's files holds, where the files have the sizes that it says."""
    folder = model_folder(entry, cache)
    pin = _pin(origin_of(entry, cache), "commit")
    with suppress(OSError):
        if pin is not None and all((folder / name).stat().st_size == size for name, size in pin.bytes.items()):
            return pin
    return None


def _pin(note: Mapping[str, Any], commit: str) -> Pin | None:
    """The pin in a JSON object whose commit has that key; None for anything that no download wrote."""
    repo, revision, hashes, sizes = (note.get(key) for key in ("repo", commit, "sha256", "bytes"))
    if not (isinstance(repo, str) and isinstance(revision, str) and re.fullmatch("[0-9a-f]{40}", revision)):
        return None
    if not (isinstance(hashes, dict) and isinstance(sizes, dict) and hashes.keys() == sizes.keys()):
        return None
    whole = "model.safetensors" in hashes and hashes.keys() <= {*FILES, *EXTRAS}
    exact = all(isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) for value in hashes.values())
    sized = all(type(value) is int and value >= 0 for value in sizes.values())
    return Pin(repo, revision, MappingProxyType(hashes), MappingProxyType(sizes)) if whole and exact and sized else None


def _is_damaged(entry: CatalogueEntry, cache: Path) -> bool:
    path = pin_path(entry, cache)
    return os.path.lexists(path) and _read(path) is None


def _lost(entry: CatalogueEntry, cache: Path) -> FetchError:
    path = pin_path(entry, cache)
    return FetchError(
        f"{path}, which records what {entry.card.title} was when it was first downloaded, cannot be read, so nothing "
        f"can be checked against it; `attention-atlas models forget {entry.card.name}` removes it and the model",
        reason="damaged-record",
        model=entry.card.title,
        name=entry.card.name,
        file=str(path),
    )


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
        return read_object(model_folder(entry, cache) / ORIGIN)
    except CheckpointError:
        return {}


def is_fetched(entry: CatalogueEntry, cache: Path) -> bool:
    """Whether all files of the catalogue's revision are there, at the size they had when they were hashed.

    Of a hub model: of the revision that was recorded. A bundled model's files are part of this package and always
    there; those of a folder of the operator's own, or of the lab, are as long as it has a config.json.
    """
    folder = model_folder(entry, cache)
    if entry.directory is not None or entry.trained is not None:
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
