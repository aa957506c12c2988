"""The correlation of ranks."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attention_core.analysis.ranks import ranks, spearman
from attention_core.errors import InputError, ShapeError

numbers = st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=3, max_size=12)


def test_equal_numbers_share_their_mean_rank() -> None:
    assert ranks(torch.tensor([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]


def test_it_is_the_formula_of_squared_differences_where_nothing_ties() -> None:
    # 1 - 6 Σd² / (n(n² - 1)), d = (-1, 1, 0, -1, 1)
    assert spearman([1, 2, 3, 4, 5], [2, 1, 3, 5, 4]) == pytest.approx(1 - 6 * 4 / (5 * 24))


def test_ties_follow_pearsons_formula() -> None:
    # ranks (1, 2.5, 2.5, 4) and (1, 2, 3, 4): 4.5 / √(4.5 · 5)
    assert spearman([0, 7, 7, 9], [0, 1, 2, 3]) == pytest.approx(4.5 / (4.5 * 5) ** 0.5)


def test_too_few_or_equal_numbers_correlate_with_nothing() -> None:
    assert spearman([1, 2], [1, 2]) is None
    assert spearman([], []) is None
    assert spearman([1, 1, 1], [1, 2, 3]) is None
    assert spearman([1, 2, 3], [0, 0, 0]) is None


def test_what_has_no_order_is_refused() -> None:
    with pytest.raises(InputError, match="NaN"):
        spearman([1, 2, float("nan")], [1, 2, 3])
    with pytest.raises(ShapeError, match="3 and 2"):
        spearman([1, 2, 3], [1, 2])


@given(numbers)
def test_only_the_order_counts(pairs: list[tuple[int, int]]) -> None:
    first, second = zip(*pairs, strict=True)
    found = spearman(first, second)
    assert found == spearman(second, first)
    assert found == spearman([one**3 for one in first], second)
    turned = spearman([-one for one in first], second)
    assert (found is None) == (turned is None)
    if found is not None and turned is not None:
        assert found == pytest.approx(-turned)
        assert spearman(first, first) == pytest.approx(1.0)
