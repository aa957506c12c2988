"""Where the heavy work runs: pools with a bounded queue, and for each model one lane that loads it once."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from app.problems import BusyError
from attention_core.errors import AtlasError, CheckpointError

if TYPE_CHECKING:
    from attention_core.models.catalogue import CatalogueEntry
    from attention_core.models.loading import LoadedModel

T = TypeVar("T")
Loader = Callable[["CatalogueEntry", Path], "LoadedModel"]


class Pool:
    """A few worker threads and a bounded queue before them; a BusyError when it is full."""

    def __init__(self, name: str, workers: int, limit: int) -> None:
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._limit = limit
        self._lock = threading.Lock()
        self._count = 0

    @property
    def count(self) -> int:
        """What runs and what waits."""
        return self._count

    def submit(self, work: Callable[[], T], *, must: bool = False) -> "Future[T]":
        """The future of some work; `must` is for the server's own work, which is never turned away."""
        self._enter(must=must)
        try:
            future = self._start(work)
        except BusyError:
            self._leave()
            raise
        future.add_done_callback(self._leave)
        return future

    def in_turns(self, parts: Generator[None, None, T]) -> "Future[T]":
        """The future of what `parts` returns; wherever it yields, what waits in the queue is done before it goes on.

        A BusyError when the queue is full; once begun, it is not turned away, and the future can be cancelled only
        before. It counts as one in the pool until it has ended; when the pool closes in between, `parts` is closed.
        """
        self._enter()
        turns = _Turns(parts, self._start, self._leave)
        try:
            turns.begin()
        except BusyError:
            self._leave()
            raise
        return turns.result

    @contextmanager
    def place(self) -> Iterator[None]:
        """Counts as one in the pool while the block runs, whose work is done elsewhere; a BusyError when it is full."""
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def _start(self, work: Callable[[], T]) -> "Future[T]":
        try:
            return self._executor.submit(work)
        except RuntimeError as error:  # The server is shutting down.
            raise BusyError() from error

    def _enter(self, *, must: bool = False) -> None:
        with self._lock:
            if self._count >= self._limit and not must:
                raise BusyError()
            self._count += 1

    def _leave(self, _: object = None) -> None:
        with self._lock:
            self._count -= 1

    def close(self) -> None:
        """Takes no more work and drops what waits; what runs ends by itself."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def join(self) -> None:
        """Waits until what runs has ended."""
        self._executor.shutdown(wait=True, cancel_futures=True)


class _Turns(Generic[T]):
    """Work in parts, each a task of its own in a pool of one worker, where it holds one place until it ends."""

    def __init__(
        self,
        parts: Generator[None, None, T],
        start: Callable[[Callable[[], bool]], "Future[bool]"],
        leave: Callable[[], None],
    ) -> None:
        self.result: Future[T] = Future()
        self._made: T
        self._parts = parts
        self._start = start
        self._leave = leave

    def begin(self) -> None:
        """Queues the first part; a BusyError when the pool has closed."""
        first = self._queue()
        self.result.add_done_callback(lambda result: result.cancelled() and first.cancel())

    def _queue(self) -> "Future[bool]":
        task = self._start(self._part)
        task.add_done_callback(self._after)
        return task

    def _part(self) -> bool:
        """Does the next part; whether anything came of it, which is so when it was the last one."""
        if not self.result.running() and not self.result.set_running_or_notify_cancel():
            raise CancelledError
        try:
            next(self._parts)
        except StopIteration as end:
            self._made = end.value
            return True
        self._queue()
        return False

    def _after(self, task: "Future[bool]") -> None:
        error = CancelledError() if task.cancelled() else task.exception()
        if error is None and not task.result():
            return
        self._parts.close()  # when it was to go on, and the pool has closed
        self._leave()
        if error is None:
            self.result.set_result(self._made)
        elif not self.result.cancel():
            self.result.set_exception(error)


class Lane:
    """One model: its thread, its queue, and the model itself once it is loaded and has passed its self-check.

    A model that nobody uses may be dropped for another's sake; it is loaded again when somebody asks.
    """

    def __init__(self, entry: "CatalogueEntry", folder: Path, load: Loader, limit: int) -> None:
        self.entry = entry
        self.pool = Pool(f"lane-{entry.card.name}", 1, limit)
        self.model: LoadedModel | None = None
        self.loading = False
        self.proved = False  # it was loaded once, and can be again
        self.problem: Exception | None = None
        self.used = 0.0
        self._folder = folder
        self._load = load

    @property
    def idle(self) -> bool:
        """Whether nothing runs or waits here."""
        return self.pool.count == 0

    @property
    def nbytes(self) -> int:
        """Bytes of the loaded model's parameters."""
        model = self.model
        return 0 if model is None else parameter_bytes(model)

    def drop(self) -> None:
        """Lets the model go, unless somebody has asked for it meanwhile."""
        if self.idle:
            self.model = None

    def warm(self) -> "Future[LoadedModel]":
        """The future of the loaded model, so that the first visitor does not wait for it."""
        self.loading = self.model is None
        return self.pool.submit(self.ready, must=True)

    def ready(self) -> "LoadedModel":
        """The model; in the lane's thread only, which is why it is loaded once however many ask."""
        self.used = time.monotonic()
        model = self.model
        if model is None:
            self.loading, self.problem = True, None
            try:
                self.model = model = self._load(self.entry, self._folder)
                self.proved = True
            except BusyError:  # there was no room just now, which says nothing of the model
                raise
            except AtlasError as error:
                self.problem = error
                raise
            except Exception as error:
                self.problem = CheckpointError(f"{self.entry.card.title} cannot be loaded ({type(error).__name__})")
                raise self.problem from error
            finally:
                self.loading = False
        return model


def parameter_bytes(model: "LoadedModel") -> int:
    """Bytes of a model's parameters and buffers."""
    tensors = (*model.network.parameters(), *model.network.buffers())
    return sum(tensor.nbytes for tensor in tensors)
