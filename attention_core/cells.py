"""Overviews: many positions shared out to a few cells, disjoint and complete."""

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor

Reduce = Literal["max", "mean"]


class Cells:
    """`count` positions shared out to at most `size` cells: disjoint, complete, in order."""

    def __init__(self, count: int, size: int, device: torch.device) -> None:
        self.number = min(size, count)
        self.edges: list[int] = [index * count // self.number for index in range(self.number + 1)]
        edges = torch.tensor(self.edges, device=device)
        widths = edges[1:] - edges[:-1]  # (cell)
        steps = torch.arange(int(widths.max()), device=device)  # (place in the cell)
        self.full = int(widths.min()) == int(widths.max())
        self.inside = steps[None, :] < widths[:, None]  # (cell, place)
        self.index = edges[:-1, None] + torch.minimum(steps[None, :], widths[:, None] - 1)  # (cell, place)

    def reduce(self, weights: Tensor, reduce: Reduce) -> Tensor:
        """The weights (..., position) as (..., cell)."""
        if self.full:
            places = weights.reshape(*weights.shape[:-1], self.number, -1)  # (..., cell, place)
            return places.amax(-1) if reduce == "max" else places.mean(-1)
        return _reduce_places(weights[..., self.index], self.inside, reduce)

    def reduce_queries(self, rows: Tensor, first: int, last: int, reduce: Reduce) -> Tensor:
        """The rows (head, query, cell) of the cells first to last as (head, query cell, cell)."""
        index = self.index[first:last] - self.edges[first]
        places = rows[:, index].movedim(2, -1)  # (head, query cell, cell, place)
        return _reduce_places(places, self.inside[first:last, None, :], reduce)

    def groups(self, most: int) -> Iterator[tuple[int, int]]:
        """Runs of whole cells, each of at most `most` positions unless one cell alone is wider."""
        first = 0
        while first < self.number:
            last = first + 1
            while last < self.number and self.edges[last + 1] - self.edges[first] <= most:
                last += 1
            yield first, last
            first = last


def _reduce_places(places: Tensor, inside: Tensor, reduce: Reduce) -> Tensor:
    if reduce == "max":
        return places.amax(-1)  # a repeated place does not change a maximum
    return (places * inside).sum(-1) / inside.sum(-1)
