"""Files over HTTP that go on where they broke off."""

import os
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any

from attention_core.errors import FetchError
from attention_core.models.sources import asking
from attention_core.models.sources.asking import OddAnswerError
from attention_core.models.sources.common import CHUNK, LOOK, Watch

TRIES = 4  # in a row without a single new byte
PAUSE = 0.5  # seconds before the second one; each later pause is twice as long

@dataclass(frozen=True)
class RemoteFile:
    """A file of a server: its address, what is sent to ask for it, its size in bytes and its etag as stated."""

    name: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    size: int
    etag: str

    @property
    def sha256(self) -> str:
        """The file's sha256 where the etag is one, as of large files of the hub; else ""."""
        return self.etag if re.fullmatch("[0-9a-f]{64}", self.etag) else ""

    @property
    def git(self) -> str:
        """The file's name in git where the etag is one, as of small files of the hub; else ""."""
        return self.etag if re.fullmatch("[0-9a-f]{40}", self.etag) else ""


class Digests:
    """The two fingerprints of a file that grows: its sha256, and the name that git gives a file of `size` bytes."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.begin()

    def begin(self) -> None:
        """Forgets everything."""
        self._sha256 = sha256()
        self._git = sha1(b"blob %d\0" % self._size, usedforsecurity=False)
        self.count = 0

    def update(self, chunk: bytes) -> None:
        """Takes in what comes next."""
        self._sha256.update(chunk)
        self._git.update(chunk)
        self.count += len(chunk)

    @property
    def sha256(self) -> str:
        """The sha256 of what was taken in, in hexadecimal."""
        return self._sha256.hexdigest()

    @property
    def git(self) -> str:
        """Git's name of what was taken in, in hexadecimal."""
        return self._git.hexdigest()


class Total:
    """Progress over several files: it never goes back, also where a file has to begin again."""

    def __init__(self, watch: Watch, total: int) -> None:
        self.watch = watch
        self._total = total
        self._finished = 0
        self._told = 0

    def at(self, done: int) -> None:
        """Reports how much of the present file is there."""
        self._told = max(self._told, min(self._total, self._finished + done))
        self.watch.step("download", self._told, self._total)

    def finish(self, size: int) -> None:
        """The present file is whole."""
        self._finished += size


def part_of(folder: Path, file: RemoteFile) -> Path:
    """Where what there is of a file lies: another version of it has another name."""
    version = sha256(f"{file.url} {file.etag} {file.size}".encode()).hexdigest()[:16]
    return folder / f"{version}-{file.name}"


def claim(kept: Path, part: Path, files: Sequence[RemoteFile]) -> None:
    """Takes over what an earlier fetch kept, for this one alone, and drops what is no part of these files."""
    try:
        kept.rename(part)
    except OSError:  # nothing was kept, or another fetch was first
        part.mkdir()
    if part.is_symlink() or not part.is_dir():  # no fetch left that
        part.unlink()
        part.mkdir()
    named = {part_of(part, file) for file in files}
    for path in part.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path not in named or path.is_symlink():
            path.unlink()


def keep(part: Path, kept: Path) -> None:
    """Leaves what was downloaded to a later fetch; where another fetch left its own already, this one's goes."""
    with suppress(OSError):
        if size_of(part) > 0:
            os.utime(part)
            part.rename(kept)
            return
    shutil.rmtree(part, ignore_errors=True)


def size_of(folder: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(path.stat().st_size for path in folder.iterdir())


def download(file: RemoteFile, part: Path, progress: Total) -> Digests:
    """Brings a file to its stated size, from where it stands, and gives its fingerprints.

    A connection that breaks is tried again, several times as long as nothing new comes. FetchError, reason "broken",
    for a file that always ends early; OddAnswerError for a server that sends more than it states; the errors of the
    hub's client for what it refuses; OSError for the disk.
    """
    digests = _so_far(file, part, progress)
    fails, most = 0, digests.count
    while digests.count < file.size:
        problem: Exception = FetchError(f"{file.name} ends early", reason="broken", file=file.name)
        try:
            _go_on(file, part, digests, progress)
        except Exception as error:
            if not _may_pass(error):
                raise
            problem = error
        if digests.count < file.size:
            fails = 1 if digests.count > most else fails + 1
            most = max(most, digests.count)
            if fails >= TRIES:
                raise problem
            _wait(PAUSE * 2 ** (fails - 1), progress.watch)
    part.touch()  # an empty file is one too
    progress.finish(file.size)
    return digests


def _so_far(file: RemoteFile, part: Path, progress: Total) -> Digests:
    """The fingerprints of what there is of the file."""
    digests = Digests(file.size)
    if part.exists():
        if part.stat().st_size > file.size:
            part.unlink()
            return digests
        with part.open("rb") as there:
            while chunk := there.read(CHUNK):
                digests.update(chunk)
                progress.at(digests.count)
    return digests


def _go_on(file: RemoteFile, part: Path, digests: Digests, progress: Total) -> None:
    """One request for what is missing of the file; everything where the server sends no less."""
    from huggingface_hub.errors import HfHubHTTPError

    asked = {"range": f"bytes={digests.count}-"} if digests.count else {}
    try:
        with asking.Answer("GET", file.url, {**file.headers, **asked}) as answer:
            if asking.begins_at(answer.head(progress.watch), digests.count) != digests.count:
                digests.begin()
            with part.open("ab") as target:
                target.truncate(digests.count)
                for chunk in answer.chunks(progress.watch):
                    if digests.count + len(chunk) > file.size:
                        raise OddAnswerError(f"{file.name} is longer than it was said to be")
                    target.write(chunk)
                    digests.update(chunk)
                    progress.at(digests.count)
    except (OddAnswerError, HfHubHTTPError) as error:
        # What there is does not fit what the server has: the next try begins anew.
        if isinstance(error, OddAnswerError) or _is_out_of_range(error):
            part.unlink(missing_ok=True)
            digests.begin()
        raise


def _may_pass(error: Exception) -> bool:
    """Whether a try again may help: the line broke, or the server is busy or does not know the range."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        return error.response.status_code in (408, 416, 429, 500, 502, 503, 504)
    return isinstance(error, httpx2.TransportError)


def _is_out_of_range(error: Any) -> bool:
    return bool(error.response.status_code == 416)


def _wait(seconds: float, watch: Watch) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        watch.look()
        time.sleep(min(LOOK, seconds))
