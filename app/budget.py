"""Who may take memory: each load and each pass asks first, and what would not fit is refused with both numbers.

Before anything is refused, models that nobody uses leave, the one used longest ago first, and then traces do.
"""

import gc
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from app.problems import BusyError
from attention_core.errors import MemoryLimitError

PATIENCE = 30.0  # seconds that a request waits for the memory that another one will give back
LOOK_AGAIN = 0.1  # seconds; a model that has just been used becomes idle without telling


class Holder(Protocol):
    """What holds memory and can let it go: a model's lane."""

    @property
    def nbytes(self) -> int:
        """Bytes it holds now."""

    @property
    def idle(self) -> bool:
        """Whether nobody uses it."""

    @property
    def used(self) -> float:
        """When it was used last."""

    def drop(self) -> None:
        """Lets go what it holds, unless somebody has begun to use it."""


class Shelf(Protocol):
    """What holds many things of which the oldest can go: the cache of traces."""

    @property
    def nbytes(self) -> int:
        """Bytes it holds now."""

    def drop_oldest(self) -> None:
        """Lets the oldest go."""


class Budget:
    """The memory that models and traces share; any thread may ask.

    `limit` is what they may take together, None for all that is free; `free` says in bytes what is free.
    """

    def __init__(
        self, limit: int | None, free: Callable[[], int], models: Callable[[], Iterable[Holder]], traces: Shelf
    ) -> None:
        self._limit = limit
        self._free = free
        self._models = models
        self._traces = traces
        self._promised: list[tuple[Holder | None, int]] = []
        self._waiting: list[Holder | None] = []
        self._changed = threading.Condition()

    @contextmanager
    def room(self, what: str, needed: int, own: Holder | None = None) -> Iterator[None]:
        """Keeps `needed` bytes for `what` while the block runs.

        A MemoryLimitError when they cannot be had, a BusyError when others use them and do not give them back in
        time. `own` is the model that asks, which stays whatever happens.
        """
        with self._changed:
            self._waiting.append(own)
            try:
                self._make_room(what, needed, own)
            finally:
                self._waiting.remove(own)
            promise = (own, needed)
            self._promised.append(promise)
        try:
            yield
        finally:
            with self._changed:
                self._promised.remove(promise)
                self._changed.notify_all()

    def available(self) -> int:
        """Bytes that can be had at once, without anything leaving."""
        free = self._free()
        if self._limit is not None:
            held = self._traces.nbytes + sum(model.nbytes for model in self._models())
            free = min(free, self._limit - held)
        return max(0, free - sum(size for _, size in self._promised))

    def _make_room(self, what: str, needed: int, own: Holder | None) -> None:
        deadline = time.monotonic() + PATIENCE
        while (available := self.available()) < needed:
            others = [model for model in self._models() if model is not own and model.nbytes > 0]
            idle = [model for model in others if model.idle]
            could = available + sum(model.nbytes for model in idle) + self._traces.nbytes
            if could >= needed:
                self._let_go(idle)
                continue
            # What others use now comes back soon; beyond that there is nothing to wait for.
            busy = [model for model in others if not model.idle]
            used = sum(size for _, size in self._promised) + sum(model.nbytes for model in busy)
            if could + used < needed:
                raise MemoryLimitError(what, needed, could)
            # Models that wait here themselves give nothing back before somebody steps aside: neither their own bytes
            # nor what was promised to work that goes on in their lane by turns.
            stuck = [model for model in self._waiting if model is not None]
            moving = sum(size for holder, size in self._promised if holder not in stuck)
            moving += sum(model.nbytes for model in busy if model not in stuck)
            if moving == 0 or time.monotonic() > deadline:
                raise BusyError()
            self._changed.wait(LOOK_AGAIN)

    def _let_go(self, idle: list[Holder]) -> None:
        if idle:
            min(idle, key=lambda model: model.used).drop()
            gc.collect()
        else:
            self._traces.drop_oldest()
