"""The formula and torch's kernel: equal to one another, exact on masks, never NaN."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_core.errors import InputError, ShapeError
from attention_core.nn import attention, attention_scores, causal_mask, fused_attention, masked_softmax
from attention_core.nn.shapes import zero_empty_rows

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12, torch.float16: 5e-3, torch.bfloat16: 3e-2}
QUERIES, KEYS, DIM, VALUE_DIM = 5, 7, 8, 6
MASKS = {
    "none": None,
    "causal": causal_mask(KEYS)[:QUERIES],
    "padding": torch.arange(KEYS)[None, None, None, :] < torch.tensor([4, 7])[:, None, None, None],
    "one vector": torch.arange(KEYS) > 2,
    "each head its own": torch.rand(2, 3, QUERIES, KEYS, generator=torch.Generator().manual_seed(1)) < 0.5,
    "nothing allowed": torch.zeros(QUERIES, KEYS, dtype=torch.bool),
}


def vectors(dtype=torch.float32, seed=0, leading=(2, 3)):
    random = torch.Generator().manual_seed(seed)
    shapes = ((QUERIES, DIM), (KEYS, DIM), (KEYS, VALUE_DIM))
    return [torch.randn(*leading, *shape, generator=random, dtype=torch.float64).to(dtype) for shape in shapes]


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("scale", [None, 1.0, 0.3])
@pytest.mark.parametrize("biased", [False, True])
def test_the_kernel_agrees_with_the_formula(mask, dtype, scale, biased):
    query, key, value = vectors(dtype)
    bias = torch.linspace(-2, 2, QUERIES * KEYS).view(QUERIES, KEYS).to(dtype) if biased else None
    expected, _ = attention(query, key, value, mask, scale=scale, bias=bias)
    output = fused_attention(query, key, value, mask, scale=scale, bias=bias)
    assert output.dtype == dtype
    torch.testing.assert_close(output, expected, atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])


def test_the_formula_is_the_papers():
    query, key, value = vectors(torch.float64)
    row = [sum(query[0, 0, 0, d] * key[0, 0, j, d] for d in range(DIM)) / math.sqrt(DIM) for j in range(KEYS)]
    exponentials = [math.exp(score) for score in row]
    output, weights = attention(query, key, value)
    assert weights[0, 0, 0].tolist() == pytest.approx([e / sum(exponentials) for e in exponentials])
    torch.testing.assert_close(output[0, 0, 0], weights[0, 0, 0] @ value[0, 0])


@pytest.mark.parametrize("leading", [(), (4,), (2, 3), (2, 2, 2)])
def test_any_leading_axes(leading):
    query, key, value = vectors(leading=leading)
    output, weights = attention(query, key, value)
    assert output.shape == (*leading, QUERIES, VALUE_DIM)
    assert weights.shape == (*leading, QUERIES, KEYS)
    torch.testing.assert_close(fused_attention(query, key, value), output, atol=1e-5, rtol=1e-5)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 9), st.floats(0.1, 30))
def test_rows_are_distributions_over_the_allowed_keys(seed, queries, keys, spread):
    random = torch.Generator().manual_seed(seed)
    scores = torch.randn(2, queries, keys, generator=random) * spread
    mask = torch.rand(queries, keys, generator=random) < 0.6
    weights = masked_softmax(scores, mask)
    assert (weights[:, ~mask] == 0).all()
    expected = mask.any(-1).float().expand(2, queries)
    torch.testing.assert_close(weights.sum(-1), expected, atol=1e-5, rtol=0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.permutations(range(KEYS)))
def test_the_order_of_the_keys_does_not_matter(seed, order):
    query, key, value = vectors(seed=seed)
    output, weights = attention(query, key, value)
    again, shuffled = attention(query, key[..., order, :], value[..., order, :])
    torch.testing.assert_close(again, output, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(shuffled, weights[..., order], atol=1e-6, rtol=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(-5, 5))
def test_a_sink_takes_its_share_of_every_row(seed, sink):
    random = torch.Generator().manual_seed(seed)
    scores = torch.randn(3, QUERIES, KEYS, generator=random)
    sinks = torch.tensor([sink, 0.0, -sink])
    share = 1 / (1 + torch.exp(scores - sinks[:, None, None]).sum(-1))
    weights = masked_softmax(scores, sink=sinks)
    torch.testing.assert_close(weights.sum(-1), 1 - share, atol=1e-5, rtol=0)
    torch.testing.assert_close(weights / weights.sum(-1, keepdim=True), masked_softmax(scores))


def test_with_nothing_allowed_a_sink_takes_everything():
    nothing = torch.zeros(QUERIES, KEYS)
    assert (masked_softmax(torch.randn(3, QUERIES, KEYS), nothing, torch.zeros(3)) == 0).all()


def test_a_soft_cap_bounds_the_scores():
    query, key, _ = vectors()
    plain = attention_scores(query, key, scale=40.0)
    capped = attention_scores(query, key, scale=40.0, soft_cap=20.0)
    torch.testing.assert_close(capped, 20 * torch.tanh(plain / 20))
    assert plain.abs().max() > 100
    assert capped.abs().max() <= 20


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("attend", [lambda *given, **named: attention(*given, **named)[0], fused_attention])
def test_a_query_with_nothing_allowed_gets_zeros(attend, dtype):
    mask = torch.ones(QUERIES, KEYS, dtype=torch.bool)
    mask[2] = False
    closed = torch.zeros(QUERIES, KEYS).masked_fill(~mask, -torch.inf).to(dtype)
    for output in (attend(*vectors(dtype), mask), attend(*vectors(dtype), bias=closed)):
        assert (output[..., 2, :] == 0).all()
        assert output.isfinite().all()
        assert (output[..., 1, :] != 0).any()


def test_zeros_are_made_where_a_kernel_does_not_give_them():
    mask = torch.tensor([[True, False], [False, False]])
    output = torch.tensor([[1.0, 2.0], [torch.nan, torch.nan]])
    expected = torch.tensor([[1.0, 2.0], [0.0, 0.0]])
    assert torch.equal(zero_empty_rows(output, mask), expected)
    assert torch.equal(zero_empty_rows(output, torch.zeros(2, 2).masked_fill(~mask, -torch.inf)), expected)


def test_a_nan_in_the_scores_stays_visible():
    scores = torch.zeros(2, 3)
    scores[0, 1] = torch.nan
    weights = masked_softmax(scores, torch.tensor([True, True, False]))
    assert weights[0, :2].isnan().all()
    assert weights[1].tolist() == [0.5, 0.5, 0.0]


@pytest.mark.parametrize("as_bias", [False, True])
@pytest.mark.parametrize("attend", [lambda *given, **named: attention(*given, **named)[0], fused_attention])
def test_gradients_flow_and_are_finite_even_beside_an_empty_row(attend, as_bias):
    given_vectors = [tensor.requires_grad_() for tensor in vectors()]
    mask = causal_mask(KEYS)[:QUERIES].clone()
    mask[1] = False
    closed = {"bias": torch.zeros(mask.shape).masked_fill(~mask, -torch.inf)} if as_bias else {"mask": mask}
    attend(*given_vectors, **closed).square().sum().backward()
    for tensor in given_vectors:
        assert tensor.grad.isfinite().all()
        assert (tensor.grad != 0).any()


def test_formula_and_kernel_have_the_same_gradient():
    mask = causal_mask(KEYS)[:QUERIES]
    gradients = []
    for attend in (lambda *given: attention(*given)[0], fused_attention):
        given_vectors = [tensor.requires_grad_() for tensor in vectors(torch.float64)]
        attend(*given_vectors, mask).sin().sum().backward()
        gradients.append([tensor.grad for tensor in given_vectors])
    torch.testing.assert_close(*gradients, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("attend", [lambda *given: attention(*given)[0], fused_attention])
def test_ones_and_zeros_of_any_dtype_are_a_mask(attend, dtype):
    mask = MASKS["causal"]
    assert torch.equal(attend(*vectors(), mask.to(dtype)), attend(*vectors(), mask))


@pytest.mark.parametrize("attend", [attention, fused_attention])
def test_a_mask_of_the_other_convention_is_refused(attend):
    additive = torch.zeros(QUERIES, KEYS).masked_fill(~MASKS["causal"], -torch.inf)
    with pytest.raises(InputError, match=r"1 may attend.*bias"):
        attend(*vectors(), additive)


@pytest.mark.parametrize("attend", [attention, fused_attention])
@pytest.mark.parametrize(
    ("shapes", "mask", "message"),
    [
        (((5, 8), (7, 4), (7, 8)), None, r"different dim: \(5, 8\), \(7, 4\)"),
        (((5, 8), (7, 8), (6, 8)), None, r"different numbers of positions: \(7, 8\), \(6, 8\)"),
        (((2, 5, 8), (3, 7, 8), (3, 7, 8)), None, r"leading axes: \(2, 5, 8\), \(3, 7, 8\)"),
        (((8,), (7, 8), (7, 8)), None, r"at least the axes \(position, dim\): \(8,\)"),
        (((5, 8), (7, 8), (7, 8)), (5, 5), r"mask of shape \(5, 5\).*scores of shape \(5, 7\)"),
        (((5, 8), (7, 8), (7, 8)), (2, 5, 7), r"mask of shape \(2, 5, 7\).*scores of shape \(5, 7\)"),
    ],
)
def test_shapes_that_do_not_fit_are_named(attend, shapes, mask, message):
    mask = None if mask is None else torch.ones(mask)
    with pytest.raises(ShapeError, match=message):
        attend(*(torch.zeros(shape) for shape in shapes), mask)


def test_a_bias_or_sink_that_does_not_fit_is_named():
    with pytest.raises(ShapeError, match=r"bias of shape \(3, 3\).*\(2, 3, 5, 7\)"):
        attention(*vectors(), bias=torch.zeros(3, 3))
    with pytest.raises(ShapeError, match=r"sink.*\(4,\), \(3, 5, 7\)"):
        masked_softmax(torch.zeros(3, 5, 7), sink=torch.zeros(4))


def test_no_keys_at_all_is_nothing_allowed():
    output, weights = attention(torch.ones(2, 4), torch.ones(0, 4), torch.ones(0, 3))
    assert weights.shape == (2, 0)
    assert torch.equal(output, torch.zeros(2, 3))
