"""The modules: the lesson's shapes, torch's numbers, and one call to and from torch."""

import pytest
import torch
from torch import nn

from attention_core.errors import NotAvailableError, ShapeError
from attention_core.nn import CrossAttention, MultiHeadAttention, SelfAttention, attention, causal_mask

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12, torch.bfloat16: 3e-2}
QUERIES, KEYS, EMBED_DIM = 6, 9, 24
MASKS = {
    "none": None,
    "query, key": torch.ones(QUERIES, KEYS).tril(2),
    "batch, query, key": torch.stack([torch.ones(QUERIES, KEYS).tril(), torch.ones(QUERIES, KEYS)]),
    "each head its own": torch.arange(QUERIES * KEYS).view(QUERIES, KEYS).expand(2, 1, -1, -1) % 3 < 2,
    "padding": (torch.arange(KEYS) < torch.tensor([[4], [9]]))[:, None, None, :],
}


def torch_module(heads, dtype=torch.float32, **options):
    """torch's own module with biases that are not its zeros."""
    torch.manual_seed(heads)
    module = nn.MultiheadAttention(EMBED_DIM, heads, dtype=dtype, **options).eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return module


def inputs(dtype=torch.float32, key_dim=EMBED_DIM, value_dim=EMBED_DIM):
    torch.manual_seed(7)
    shapes = ((QUERIES, EMBED_DIM), (KEYS, key_dim), (KEYS, value_dim))
    return [torch.randn(2, *shape).to(dtype) for shape in shapes]


def closed_for_torch(mask, heads):
    """Our mask in torch's convention: (batch · head, query, key), True may not attend."""
    if mask is None:
        return None
    by_head = (mask if mask.ndim == 4 else mask[..., None, :, :]).expand(2, heads, QUERIES, KEYS)
    return by_head.flatten(0, 1) == 0


def test_the_lessons_example():
    x = torch.randn(2, 10, 512)
    module = SelfAttention(512)
    output, weights = module(x)
    assert output.shape == (2, 10, 512)
    assert weights.shape == (2, 10, 10)
    _, weights = module(x, mask=causal_mask(10))
    assert torch.equal(causal_mask(10).int(), torch.ones(10, 10).tril().int())
    assert (weights.triu(1) == 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 10))


def test_weights_have_a_head_axis_when_there_are_heads():
    target, source = torch.randn(2, 3, 16), torch.randn(2, 5, 16)
    assert SelfAttention(16, 4)(target)[1].shape == (2, 4, 3, 3)
    assert CrossAttention(16)(target, source, mask=None)[1].shape == (2, 3, 5)
    assert CrossAttention(16, 4)(target, source)[1].shape == (2, 4, 3, 5)
    assert MultiHeadAttention(16, 1)(target)[1].shape == (2, 1, 3, 3)
    assert MultiHeadAttention(16, 4)(target, source)[1].shape == (2, 4, 3, 5)


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("heads", [1, 3, 8])
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_torchs_module_gives_the_same_output_and_weights(mask, heads, dtype):
    theirs = torch_module(heads, dtype, batch_first=True)
    ours = MultiHeadAttention.from_torch(theirs)
    given = inputs(dtype)
    closed = closed_for_torch(mask, heads)
    expected = theirs(*given, attn_mask=closed, average_attn_weights=False)
    close = {"atol": TOLERANCE[dtype], "rtol": TOLERANCE[dtype]}
    torch.testing.assert_close(ours(*given, mask), expected, **close)
    torch.testing.assert_close(ours(*given, mask, need_weights=False)[0], expected[0], **close)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("widths", [{}, {"kdim": 10, "vdim": 14}, {"kdim": 10}])
def test_there_and_back_again_is_the_same_module(bias, batch_first, widths):
    theirs = torch_module(4, bias=bias, batch_first=batch_first, **widths)
    again = MultiHeadAttention.from_torch(theirs).to_torch()
    assert again.state_dict().keys() == theirs.state_dict().keys()
    for name, parameter in theirs.state_dict().items():
        assert torch.equal(again.state_dict()[name], parameter)
    given = inputs(key_dim=theirs.kdim, value_dim=theirs.vdim)
    order = given if batch_first else [tensor.transpose(0, 1) for tensor in given]
    expected = theirs(*order)[0]
    output = MultiHeadAttention.from_torch(theirs)(*given)[0]
    torch.testing.assert_close(output if batch_first else output.transpose(0, 1), expected, atol=1e-5, rtol=1e-5)
    assert again.batch_first
    assert not again.training
    assert MultiHeadAttention.from_torch(theirs.train()).to_torch().training


def test_the_copies_do_not_share_memory():
    theirs = torch_module(2)
    ours = MultiHeadAttention.from_torch(theirs)
    before = ours.key.weight.clone()
    with torch.no_grad():
        theirs.in_proj_weight.zero_()
    assert torch.equal(ours.key.weight, before)


def test_self_and_cross_attention_load_too():
    theirs = torch_module(3, batch_first=True)
    target, source, _ = inputs()
    for ours, given in ((SelfAttention, (target,)), (CrossAttention, (target, source))):
        expected = theirs(target, given[-1], given[-1], average_attn_weights=False)
        torch.testing.assert_close(ours.from_torch(theirs)(*given), expected, atol=1e-5, rtol=1e-5)
    with pytest.raises(ShapeError, match="kdim 10 and vdim 24"):
        SelfAttention.from_torch(torch_module(3, kdim=10))
    with pytest.raises(ShapeError, match="kdim 10 is not vdim 24"):
        CrossAttention.from_torch(torch_module(3, kdim=10))


@pytest.mark.parametrize("option", ["add_bias_kv", "add_zero_attn"])
def test_keys_that_belong_to_no_token_are_refused(option):
    with pytest.raises(NotAvailableError, match="belong to no token"):
        MultiHeadAttention.from_torch(torch_module(2, **{option: True}))


def test_scaling_can_be_left_out():
    module = SelfAttention(16, scaled=False)
    x = torch.randn(1, 4, 16)
    query, key, value = module.query(x), module.key(x), module.value(x)
    output, weights = attention(query, key, value, scale=1.0)
    torch.testing.assert_close(module(x), (module.output(output), weights))
    torch.testing.assert_close(weights, torch.softmax(query @ key.transpose(1, 2), -1))
    with pytest.raises(NotAvailableError, match="always divides"):
        module.to_torch()


def test_without_weights_the_kernel_gives_the_same_output():
    x = torch.randn(2, 5, 16)
    for module in (SelfAttention(16), SelfAttention(16, 4), MultiHeadAttention(16, 4)):
        output, weights = module(x, mask=causal_mask(5), need_weights=False)
        assert weights is None
        torch.testing.assert_close(output, module(x, mask=causal_mask(5))[0], atol=1e-5, rtol=1e-5)


def test_the_record_explains_the_output():
    module = MultiHeadAttention(16, 4)
    x = torch.randn(2, 5, 16)
    output, record = module.attend(x, x, x, causal_mask(5))
    expected, weights = module(x, mask=causal_mask(5))
    assert record.query.shape == record.output.shape == (2, 4, 5, 4)
    torch.testing.assert_close(record.weights(), weights)
    torch.testing.assert_close(record.weights() @ record.value, record.output, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(output, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("embed_dim", "heads"), [(10, 3), (4, 0), (0, 1), (4, -2)])
def test_heads_of_unequal_size_are_refused(embed_dim, heads):
    with pytest.raises(ShapeError, match=f"embed_dim {embed_dim} .* num_heads {heads}"):
        MultiHeadAttention(embed_dim, heads)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(2, 5, 8)], r"query input has shape \(2, 5, 8\).*\(batch, position, 16\)"),
        ([(5, 16)], r"query input has shape \(5, 16\)"),
        ([(2, 5, 16), (2, 7, 8)], r"key input has shape \(2, 7, 8\)"),
        ([(2, 5, 16), (3, 7, 16)], r"\(2, 5, 16\), \(3, 7, 16\)"),
        ([(2, 5, 16), (2, 7, 16), (2, 6, 16)], r"\(2, 7, 16\), \(2, 6, 16\)"),
    ],
)
def test_inputs_that_do_not_fit_are_named(shapes, message):
    with pytest.raises(ShapeError, match=message):
        MultiHeadAttention(16, 4)(*(torch.zeros(shape) for shape in shapes))


@pytest.mark.parametrize("shape", [(4, 5), (3, 5, 5), (2, 3, 5, 5), (1, 2, 4, 5, 5)])
def test_a_mask_that_does_not_broadcast_is_named(shape):
    named = str(shape if len(shape) != 3 else (3, 1, 5, 5)).replace("(", r"\(").replace(")", r"\)")
    with pytest.raises(ValueError, match=rf"mask of shape {named}.*\(2, 4, 5, 5\)"):
        SelfAttention(16, 4)(torch.zeros(2, 5, 16), mask=torch.ones(shape))


def test_it_learns():
    module = SelfAttention(8, 2)
    module(torch.randn(2, 5, 8), mask=causal_mask(5))[0].square().sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad.isfinite().all(), name
