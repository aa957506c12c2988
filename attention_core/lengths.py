"""A map by what keys hand on instead of by its weights (Kobayashi et al. 2020, "Attention is Not Only a Weight")."""

from dataclasses import dataclass

from torch import Tensor

from attention_core.attention_map import DerivedMap, Range, no_norms
from attention_core.errors import NotAvailableError


@dataclass(frozen=True, eq=False, kw_only=True)
class LengthMap(DerivedMap):
    """A map whose cell is α‖f(x)‖ as a share of its row: how much of what is added up at a query a key brings along.

    A row sums to 1 like a row of weights, so that every view shows it; `lengths` are the raw ones. A row whose lengths
    are all 0 stays 0. A learned sink has no value vector: it takes no length, and no share. NotAvailableError for a
    map without value norms.
    """

    def __post_init__(self) -> None:
        if self.base.value_norms is None:
            raise no_norms(self.base)

    @property
    def value_norms(self) -> Tensor | None:
        """‖f(x)‖ of what each key hands on (head, key), float32."""
        return self.base.value_norms

    @property
    def norms_note(self) -> str | None:
        """None: there are value norms."""
        return None

    def scores(self, heads: Range = None, queries: Range = None, keys: Range = None) -> Tensor:
        """A NotAvailableError: scores make weights, and lengths are more than weights."""
        del heads, queries, keys
        raise NotAvailableError("scores explain weights, not lengths; look at the weights to see them")

    def lengths(self, heads: Range = None, queries: Range = None, keys: Range = None) -> Tensor:
        """α‖f(x)‖ (head, query, key) of a window, float32."""
        return self.base.lengths(heads, queries, keys)

    def _rows(self, heads: slice, queries: slice) -> Tensor:
        norms = self.base.value_norms
        assert norms is not None
        lengths = self.base._rows(heads, queries) * norms[heads, None]  # (head, query, key)
        total = lengths.sum(-1, keepdim=True)  # (head, query, 1)
        return lengths.div_(total.masked_fill_(total == 0, 1.0))
