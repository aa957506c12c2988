"""How many processor cores a recipe takes."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, torch computes on one core.

    In models as small as these, threads mostly wait for one another: beside other work a step of `shapes` took ten
    times as long on two cores as on one. On one, the same seed also gives the same weights, bit for bit.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
