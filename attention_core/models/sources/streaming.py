"""Files over HTTP that go on where they broke off: read in a thread, so that whoever waits can stop within a moment."""

import os
import queue
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any, TypeVar

from attention_core.errors import FetchError
from attention_core.models.sources.common import CHUNK, LOOK, FetchCancelled, Watch

TRIES = 4  # in a row without a single new byte
PAUSE = 0.5  # seconds before the second one; each later pause is twice as long
TIMEOUT = 10.0  # seconds without a byte
WAITING = 16  # chunks that may wait to be written

T = TypeVar("T")


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


def patiently(call: Callable[[], T], watch: Watch) -> T:
    """What the call gives, or raises; FetchCancelled as soon as someone wants the fetch stopped."""
    answers: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put((call(), None))
        except BaseException as error:
            answers.put((None, error))

    threading.Thread(target=work, name="hub", daemon=True).start()
    while True:
        watch.look()
        try:
            value, error = answers.get(timeout=LOOK)
        except queue.Empty:
            continue
        if error is not None:
            raise error
        return value  # type: ignore[return-value]


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
    named = {part_of(part, file) for file in files}
    for path in part.iterdir():
        if path not in named:
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
    for a server that sends more than it states; the errors of the hub's client for what it refuses; OSError for the
    disk.
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

    answer = _Answer(file, digests.count)
    try:
        chunks = answer.chunks(progress.watch)
        if next(chunks) != digests.count:
            digests.begin()
        with part.open("ab") as target:
            target.truncate(digests.count)
            for chunk in chunks:
                if digests.count + len(chunk) > file.size:
                    raise FetchError(f"{file.name} is longer than the server says", reason="broken", file=file.name)
                target.write(chunk)
                digests.update(chunk)
                progress.at(digests.count)
    except (FetchError, HfHubHTTPError) as error:
        # What there is does not fit what the server has: the next try begins anew.
        if not isinstance(error, FetchCancelled) and (isinstance(error, FetchError) or _is_out_of_range(error)):
            part.unlink(missing_ok=True)
            digests.begin()
        raise
    finally:
        answer.stop.set()


class _Answer:
    """A request from an offset on, read in a thread of its own that ends soon after `stop` is set."""

    def __init__(self, file: RemoteFile, offset: int) -> None:
        self.stop = threading.Event()
        self._file = file
        self._offset = offset
        self._queue: queue.Queue[Any] = queue.Queue(WAITING)
        threading.Thread(target=self._read, name="hub", daemon=True).start()

    def chunks(self, watch: Watch) -> Iterator[Any]:
        """First the offset that the server begins at, then bytes; raises what went wrong."""
        while True:
            watch.look()
            try:
                item = self._queue.get(timeout=LOOK)
            except queue.Empty:
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item

    def _read(self) -> None:
        from huggingface_hub import get_session
        from huggingface_hub.utils import hf_raise_for_status

        headers = dict(self._file.headers)
        if self._offset:
            headers["range"] = f"bytes={self._offset}-"
        try:
            with get_session().stream("GET", self._file.url, headers=headers, timeout=TIMEOUT) as response:
                if response.status_code >= 400:
                    response.read()
                    hf_raise_for_status(response)
                self._put(_begins_at(response.headers, self._offset) if response.status_code == 206 else 0)
                for chunk in response.iter_raw():
                    if not self._put(chunk):
                        return
            self._put(None)
        except BaseException as error:
            self._put(error)

    def _put(self, item: Any) -> bool:
        """Hands an item on; False when nobody wants it any more."""
        while not self.stop.is_set():
            with suppress(queue.Full):
                self._queue.put(item, timeout=LOOK)
                return True
        return False


def _begins_at(headers: Mapping[str, str], asked: int) -> int:
    """The offset that a partial answer states; a FetchError when it is not the one that was asked for."""
    found = re.match(r"bytes (\d+)-", headers.get("content-range", ""))
    if found is None or int(found.group(1)) != asked:
        raise FetchError("the server sent another part of the file than was asked for", reason="broken")
    return asked


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
