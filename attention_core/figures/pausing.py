"""Work that may take minutes pauses between its parts, so that whoever asked for it can end it there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_between: ContextVar[Callable[[], None] | None] = ContextVar("between", default=None)


@contextmanager
def pausing(between: Callable[[], None] | None) -> Iterator[None]:
    """Calls `between` in every pause of the block; what it raises ends the work."""
    token = _between.set(between)
    try:
        yield
    finally:
        _between.reset(token)


def pause() -> None:
    """A pause, where the work can end."""
    between = _between.get()
    if between is not None:
        between()
