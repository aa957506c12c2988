"""How many processor cores torch takes for some work."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

_SETTING = threading.Lock()


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, torch computes on one core.

    In small models, and in passes side by side, threads mostly wait for one another: beside other work a step of the
    recipe `shapes` took ten times as long on two cores as on one. On one, the same seed also gives the same weights,
    bit for bit.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def this_thread_on_one_core() -> Iterator[None]:
    """Inside, torch computes this thread's work on one core, and everybody else's as before."""
    before, usual = _set_here(1)
    try:
        yield
    finally:
        if before == usual:
            torch.set_num_threads(before)  # also when Python ends, and no thread may begin any more
        else:
            _set_here(before)


def _set_here(number: int) -> tuple[int, int]:
    """Lets torch take so many cores for this thread alone; how many it took here before, and takes elsewhere.

    torch keeps the number both for the thread that sets it and for threads that have not computed anything yet. Those
    begin while others train, and would keep a number that was never meant for them, so for them it is put back at once;
    what it was a thread knows that has computed nothing. One at a time, or it would be another's number that is read.
    """
    with _SETTING, ThreadPoolExecutor(1) as fresh:
        before, usual = torch.get_num_threads(), fresh.submit(torch.get_num_threads).result()
        torch.set_num_threads(number)
        fresh.submit(torch.set_num_threads, usual).result()
    return before, usual
