"""Why √dₖ: what is computed agrees with what can be derived by hand."""

import math

import pytest
import torch

from attention_core.errors import InputError
from attention_core.ideas.scaling import DIMS, gradient_norms, scaling, scaling_curve
from attention_core.nn import masked_softmax


@pytest.mark.parametrize("dim", [4, 64, 1024])
def test_products_of_unit_vectors_have_variance_dim_and_scaled_ones_variance_1(dim):
    found = [scaling(dim, seed) for seed in range(8)]
    assert sum(one.unscaled.variance for one in found) / 8 == pytest.approx(dim, rel=0.1)
    assert sum(one.scaled.variance for one in found) / 8 == pytest.approx(1, rel=0.1)
    # The same scores, divided.
    assert found[0].unscaled.variance / found[0].scaled.variance == pytest.approx(dim, rel=1e-4)
    assert abs(found[0].scaled.mean) < 0.1


def test_the_gradient_of_uniform_weights_by_hand():
    """Of 1/n everywhere the derivatives are 1/n - 1/n² on the diagonal and -1/n² beside it."""
    keys = 4
    on, beside = 1 / keys - 1 / keys**2, -1 / keys**2
    by_hand = math.sqrt(keys * on**2 + keys * (keys - 1) * beside**2)
    assert by_hand == pytest.approx(math.sqrt(3) / 4)
    assert gradient_norms(torch.zeros(2, keys)).tolist() == pytest.approx([by_hand, by_hand])
    assert scaling(8, keys=keys).uniform_gradient == pytest.approx(by_hand)


def test_the_gradient_by_autograd_is_the_formulas():
    """Of weights w it is diag(w) - w wᵀ."""
    scores = 3 * torch.randn(20, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weights = masked_softmax(scores)
    derivatives = weights.diag_embed() - weights[:, :, None] * weights[:, None, :]
    torch.testing.assert_close(gradient_norms(scores), derivatives.flatten(1).norm(dim=1))


def test_a_choice_of_one_key_passes_no_gradient_on():
    assert float(gradient_norms(torch.tensor([[200.0, 0.0, 0.0]]))) == 0


def test_without_the_division_wide_vectors_look_at_one_key_alone():
    curve = scaling_curve(seed=1)
    assert [one.dim for one in curve] == list(DIMS)
    wide = curve[-1]
    assert wide.unscaled.largest > 0.9
    assert wide.unscaled.entropy < 0.3
    assert wide.unscaled.median_gradient < 0.1 * wide.scaled.median_gradient
    for one in curve:
        assert one.scaled.entropy == pytest.approx(curve[0].scaled.entropy, rel=0.05)
        assert 0 <= one.unscaled.entropy <= one.most_entropy == pytest.approx(math.log2(64))
        assert sum(one.scaled.counts) == sum(one.unscaled.counts) == one.queries * one.keys
        assert len(one.scaled.edges) == len(one.scaled.counts) + 1


def test_entropy_is_in_bits():
    """Of one row over two keys it follows from the larger weight."""
    one = scaling(16, 0, keys=2, queries=1).unscaled
    shares = (one.largest, 1 - one.largest)
    assert one.entropy == pytest.approx(-sum(share * math.log2(share) for share in shares), rel=1e-3)


def test_the_seed_decides():
    assert scaling(16, 1) == scaling(16, 1)
    assert scaling(16, 1) != scaling(16, 2)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"dim": 3}, "dim is 3; accepted: 4 to 1024"),
        ({"dim": 8, "keys": 1}, "keys is 1"),
        ({"dim": 8, "queries": 0}, "queries is 0"),
    ],
)
def test_what_is_out_of_bounds_is_said(given, sentence):
    with pytest.raises(InputError, match=sentence):
        scaling(**given)
