"""How many processor cores torch takes for some work."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


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
