"""What every source shares: progress, the cache's folders, hashes, room on the disk, and putting a folder in place."""

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from platformdirs import user_cache_path

from attention_core.errors import FetchError
from attention_core.models.catalogue import CatalogueEntry

ORIGIN = "origin.json"
CHUNK = 1 << 20
ROOM = 64 << 20  # what tokenizer and configuration may take beside the weights
DAY = 24 * 3600.0
LOOK = 0.1  # seconds between two looks at something that runs


class FetchCancelled(FetchError):  # noqa: N818
    """Someone stopped the download; a later one goes on from what is kept of it, or removes it."""


@dataclass(frozen=True)
class FetchProgress:
    """How far a fetch is: `step` is "download", "verify", "unpack" or "convert"; `done` and `total` are bytes."""

    step: str
    done: int
    total: int | None


Report = Callable[[FetchProgress], None]
Cancelled = Callable[[], bool]


@dataclass(frozen=True)
class Watch:
    """Who is told how far a fetch is, and who may stop it."""

    report: Report
    cancelled: Cancelled

    def look(self) -> None:
        """FetchCancelled when someone wants the fetch stopped."""
        if self.cancelled():
            raise FetchCancelled("the download was cancelled")

    def step(self, step: str, done: int, total: int | None) -> None:
        """Reports how far the step is, unless someone wants it stopped: then FetchCancelled."""
        self.look()
        self.report(FetchProgress(step, done, total))


def cache_folder(override: Path | None = None) -> Path:
    """Where fetched models are kept: the override, else ATLAS_CACHE, else the user's own cache folder."""
    given = override or os.environ.get("ATLAS_CACHE")
    return Path(given).expanduser() if given else user_cache_path("attention-atlas")


def model_folder(entry: CatalogueEntry, cache: Path) -> Path:
    """Where this model's files lie, or will lie once they are fetched."""
    if entry.directory is not None:
        return entry.directory
    if entry.trained is not None:
        return entry.trained
    if entry.bundled is not None:
        return entry.bundled.path
    return cache / "models" / entry.card.name


def work_prefix(target: Path) -> str:
    """How the names of the folders begin in which this model is fetched: no model's name has a dot."""
    return f".{target.name}."


def kept_folder(target: Path) -> Path:
    """Where a fetch that ended early leaves what it downloaded."""
    return target.with_name(f".{target.name}-part")


def sweep(target: Path) -> None:
    """Removes what a fetch of this model that ended more than a day ago left behind."""
    for left in (kept_folder(target), *target.parent.glob(f"{work_prefix(target)}*")):
        with suppress(OSError):
            if time.time() - left.lstat().st_mtime > DAY:
                remove(left)


def remove(path: Path) -> bool:
    """Removes a folder with everything in it, a file or a link; whether there was one. OSError when it stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
        return True
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def demand_space(entry: CatalogueEntry, needed: int, folder: Path) -> None:
    """FetchError, reason "disk-full", unless that many bytes have room on the disk."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise FetchError(
            f"{entry.card.title} needs {needed // 10**6} MB of free disk space while it is fetched, and "
            f"there are {free // 10**6} MB; free some, or choose another cache folder with ATLAS_CACHE",
            reason="disk-full",
            model=entry.card.title,
            needed=needed,
            free=free,
        )


def digest_of(path: Path, watch: Watch) -> str:
    """The sha256 of a file."""
    total = path.stat().st_size
    digest, done = sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            done += len(chunk)
            watch.step("verify", done, total)
    return digest.hexdigest()


def demand_hash(what: str, expected: str, found: str) -> None:
    """FetchError, reason "wrong-hash", unless the two are the same."""
    if found != expected:
        raise FetchError(
            f"{what} is not the file that the catalogue promises: its sha256 is {found}, not {expected}; "
            "it was not used",
            reason="wrong-hash",
            file=what,
            expected=expected,
            found=found,
        )


def write_origin(entry: CatalogueEntry, folder: Path, hashes: Mapping[str, str], **source: str) -> None:
    """Notes beside the files where they came from, with their hashes and sizes."""
    note = {
        "model": entry.card.name,
        "revision": hashes["model.safetensors"][:12],
        **source,
        "sha256": dict(hashes),
        "bytes": {name: (folder / name).stat().st_size for name in hashes},
    }
    (folder / ORIGIN).write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")


def put_in_place(work: Path, target: Path, there: Callable[[], bool]) -> None:
    """Renames the finished folder to its name; where another process was first, and it is `there`, its copy stays."""
    for attempt in range(10):
        if there():
            return
        with suppress(OSError):  # in the way: an old or broken copy
            target.rename(work / f"old-{attempt}")
        try:
            (work / "model").rename(target)
        except OSError:
            time.sleep(LOOK)  # another process renamed in between
        else:
            return
    raise FetchError(f"{target} cannot be written: other programs keep changing it")
