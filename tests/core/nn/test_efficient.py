"""Attention that costs less than N × N, against the formula: a window is exact, random features come near it."""

import math

import pytest
import torch

from attention_core.errors import InputError, ShapeError
from attention_core.ideas.counting import peak_bytes
from attention_core.nn import attention, causal_mask
from attention_core.nn.efficient import (
    CAUSAL_BLOCK,
    Window,
    random_feature_attention,
    random_feature_weights,
    random_features,
    sliding_window_attention,
    sliding_window_weights,
)

COUNT, DIM, VALUE_DIM = 37, 8, 6
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5, torch.float16: 5e-3, torch.bfloat16: 3e-2}


def vectors(count=COUNT, dtype=torch.float32, leading=(2, 3), size=1.0):
    random = torch.Generator().manual_seed(count)
    drawn = [torch.randn(*leading, count, dim, generator=random, dtype=torch.float64) for dim in (DIM, DIM, VALUE_DIM)]
    return [(size * one).to(dtype) for one in drawn]


# ---- the window


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("global_tokens", [(), (0,), (36, 3, 3)])
@pytest.mark.parametrize(("size", "scale"), [(1, None), (5, 0.9), (18, None), (36, None), (37, 0.9), (1000, None)])
def test_a_window_is_the_formula_with_its_mask(size, scale, global_tokens, causal):
    query, key, value = vectors()
    window = Window(size, global_tokens, causal)
    expected, weights = attention(query, key, value, window.mask(COUNT), scale=scale)
    torch.testing.assert_close(sliding_window_attention(query, key, value, window, scale=scale), expected)
    drawn = sliding_window_weights(query, key, window, scale=scale)
    torch.testing.assert_close(drawn, weights)
    assert (drawn[..., ~window.mask(COUNT)] == 0).all()


def test_a_window_as_wide_as_the_text_is_the_formula_itself():
    query, key, value = vectors()
    torch.testing.assert_close(
        sliding_window_attention(query, key, value, Window(COUNT)), attention(query, key, value)[0]
    )
    torch.testing.assert_close(
        sliding_window_attention(query, key, value, Window(COUNT, causal=True), scale=0.3),
        attention(query, key, value, causal_mask(COUNT), scale=0.3)[0],
    )


def test_who_sees_whom_by_hand():
    def rows(window):
        return ["".join("x" if seen else "." for seen in row) for row in window.mask(5).tolist()]

    assert rows(Window(2)) == ["xx...", "xxx..", ".xxx.", "..xxx", "...xx"]
    assert rows(Window(1, (3,))) == ["x..x.", ".x.x.", "..xx.", "xxxxx", "...xx"]
    assert rows(Window(2, (0,), causal=True)) == ["x....", "xx...", "xxx..", "x.xx.", "x..xx"]


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_a_window_keeps_the_number_format(dtype):
    query, key, value = vectors(dtype=dtype)
    window = Window(7, (4,))
    output = sliding_window_attention(query, key, value, window)
    assert output.dtype == dtype
    expected = attention(query, key, value, window.mask(COUNT))[0]
    torch.testing.assert_close(output, expected, atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])


def test_what_a_window_holds_grows_with_the_text_and_not_with_its_square():
    def held(count, window):
        given = [torch.randn(1, count, DIM) for _ in range(3)]
        return peak_bytes(lambda: sliding_window_attention(*given, window), given)

    window = Window(16, (0,))
    assert held(4096, window) / held(1024, window) == pytest.approx(4, rel=0.05)
    # The scores alone of a wide window are N x N again.
    assert held(1024, Window(1024)) > 1024 * 1024 * 4


# ---- random features


@pytest.mark.parametrize("causal", [False, True])
def test_the_error_falls_like_one_over_the_root_of_the_features(causal):
    query, key, _ = vectors(size=0.5, dtype=torch.float64)
    exact = attention(query, key, key, causal_mask(COUNT) if causal else None)[1]
    counts = [32, 128, 512, 2048]
    errors = []
    for count in counts:
        drawn = [
            random_feature_weights(query, key, random_features(DIM, count, seed), causal=causal) for seed in range(8)
        ]
        errors.append(math.sqrt(sum(float((one - exact).square().mean()) for one in drawn) / len(drawn)))
    x, y = torch.tensor(counts).double().log(), torch.tensor(errors).double().log()
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum())
    assert slope == pytest.approx(-0.5, abs=0.1)


@pytest.mark.parametrize("orthogonal", [False, True])
def test_features_are_unbiased(orthogonal):
    """The mean over directions w of exp(w·q - |q|²/2) exp(w·k - |k|²/2) is exp(q·k), lemma 1 of the paper."""
    query, key = torch.tensor([0.3, -0.5, 0.2]).double(), torch.tensor([0.6, 0.1, -0.4]).double()
    directions = random_features(3, 60_000, orthogonal=orthogonal)
    terms = [(directions @ one - one.square().sum() / 2).exp() for one in (query, key)]
    assert float((terms[0] * terms[1]).mean()) == pytest.approx(math.exp(float(query @ key)), rel=0.01)


def test_orthogonal_features_are_orthogonal_and_as_long_as_gaussian_ones():
    directions = random_features(8, 20, seed=3)
    products = directions[:8] @ directions[:8].T
    torch.testing.assert_close(products, products.diagonal().diag(), atol=1e-12, rtol=0)
    torch.testing.assert_close(directions.norm(dim=-1), random_features(8, 20, seed=3, orthogonal=False).norm(dim=-1))
    assert not torch.equal(directions, random_features(8, 20, seed=4))


def test_estimated_rows_sum_to_one_and_the_causal_ones_see_nothing_later():
    count = 2 * CAUSAL_BLOCK + 5
    query, key, value = vectors(count, leading=(2,))
    features = random_features(DIM, 64)
    weights = random_feature_weights(query, key, features, causal=True)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2, count))
    assert (weights[:, ~causal_mask(count)] == 0).all()
    assert (weights >= 0).all()
    output = random_feature_attention(query, key, value, features, causal=True)
    torch.testing.assert_close(output, weights @ value, atol=1e-5, rtol=1e-4)
    # Up to the last position of all, what is causal and what is not are the same sum.
    whole = random_feature_attention(query, key, value, features)
    torch.testing.assert_close(output[:, -1], whole[:, -1], atol=1e-5, rtol=1e-4)


def test_a_scale_is_what_scores_are_multiplied_by():
    query, key, _ = vectors(dtype=torch.float64)
    features = random_features(DIM, 16)
    # Shared by both: each is as long as its root says.
    shorter = [one * math.sqrt(0.2 * math.sqrt(DIM)) for one in (query, key)]
    torch.testing.assert_close(
        random_feature_weights(query, key, features, scale=0.2), random_feature_weights(*shorter, features)
    )


def test_long_vectors_neither_overflow_nor_vanish():
    query, key, value = vectors(size=40.0)
    output = random_feature_attention(query, key, value, random_features(DIM, 32))
    assert output.isfinite().all()
    for bad in (torch.inf, torch.nan):
        with pytest.raises(InputError, match="too long"):
            random_feature_attention(query * bad, key, value, random_features(DIM, 32))


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_an_estimate_keeps_the_number_format(dtype):
    query, key, value = vectors(dtype=dtype)
    features = random_features(DIM, 32)
    output = random_feature_attention(query, key, value, features)
    assert output.dtype == dtype
    exact = random_feature_attention(query.double(), key.double(), value.double(), features)
    torch.testing.assert_close(output.double(), exact, atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])


# ---- both


def test_gradients():
    given = [one[..., :7, :].clone().requires_grad_() for one in vectors(dtype=torch.float64, leading=(1,))]
    features = random_features(DIM, 12)
    for window in (Window(3), Window(2, (0, 5)), Window(3, (2,), causal=True)):
        assert torch.autograd.gradcheck(lambda q, k, v, w=window: sliding_window_attention(q, k, v, w), given)
    for causal in (False, True):
        assert torch.autograd.gradcheck(
            lambda q, k, v, c=causal: random_feature_attention(q, k, v, features, causal=c), given
        )


def test_one_token_looks_at_itself():
    query, key, value = vectors(1)
    torch.testing.assert_close(sliding_window_attention(query, key, value, Window(4, (0,))), value)
    torch.testing.assert_close(random_feature_attention(query, key, value, random_features(DIM, 2)), value)


def test_what_does_not_fit_is_named():
    query, key, value = vectors()
    features = random_features(DIM, 4)
    for compute in (
        lambda *given: sliding_window_attention(*given, Window(3)),
        lambda *given: random_feature_attention(*given, features),
    ):
        with pytest.raises(ShapeError, match=r"as many queries as keys.*\(2, 3, 5, 8\), \(2, 3, 37, 8\)"):
            compute(query[..., :5, :], key, value)
        with pytest.raises(ShapeError, match="different dim"):
            compute(query[..., :4], key, value)
        with pytest.raises(ShapeError, match="at least one"):
            compute(query[..., :0, :], key[..., :0, :], value[..., :0, :])
    with pytest.raises(InputError, match="global token 37 is not in the text; accepted: 0 to 36"):
        sliding_window_attention(query, key, value, Window(3, (2, 37)))
    with pytest.raises(InputError, match="global token -1"):
        sliding_window_attention(query, key, value, Window(3, (-1,)))
    with pytest.raises(InputError, match="window of 0"):
        Window(0)
    with pytest.raises(ShapeError, match="features"):
        random_feature_attention(query, key, value, random_features(DIM + 1, 4))
    with pytest.raises(InputError, match="positive scale"):
        random_feature_attention(query, key, value, features, scale=-1.0)
    with pytest.raises(InputError, match="0 features"):
        random_features(DIM, 0)
