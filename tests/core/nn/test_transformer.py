"""Our encoder against transformers' BertModel: hidden states, and all weights recomputed from our records."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_core.errors import InputError, ShapeError, TooManyTokensError, UnknownNameError
from attention_core.nn import Transformer, TransformerConfig, attention_scores, load_encoder

CONFIG = TransformerConfig(
    vocabulary=50,
    max_tokens=12,
    segments=2,
    layers=2,
    heads=4,
    embed_dim=16,
    inner_dim=32,
    activation="gelu",
    norm_eps=1e-12,
)


def ours_of(model, folder):
    model.save_pretrained(folder)
    return load_encoder(folder)


@torch.inference_mode()
def assert_equal_to_bert(ours, theirs, ids, segments=None, mask=None):
    """Weights within the design's tolerance; hidden states, of size 1 after their norm, within 1e-4."""
    expected = theirs(ids, token_type_ids=segments, attention_mask=mask, output_attentions=True)
    seen = ours(ids, segments, mask, record=True)
    assert len(seen.records) == len(expected.attentions)
    real = torch.ones_like(ids).bool() if mask is None else mask.bool()
    for record, weights in zip(seen.records, expected.attentions, strict=True):
        largest = float(attention_scores(record.query, record.key, scale=record.scale).abs().max())
        error = (record.weights() - weights).abs().max()
        assert error <= 1e-5 + 1e-6 * largest
    torch.testing.assert_close(seen.hidden[real], expected.last_hidden_state[real], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(ours(ids, segments, mask).hidden, seen.hidden, atol=0, rtol=0)


@torch.inference_mode()
def test_the_scores_of_the_small_berts_are_like_a_trained_models(bert, tmp_path):
    ours = ours_of(bert(), tmp_path)
    records = ours(torch.arange(40)[None], record=True).records
    largest = max(float(attention_scores(r.query, r.key, scale=r.scale).abs().max()) for r in records)
    assert 10 < largest < 50


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 999),
    heads=st.integers(1, 5),
    dim=st.integers(2, 9),
    sizes=st.fixed_dictionaries(
        {
            "num_hidden_layers": st.integers(1, 4),
            "intermediate_size": st.integers(1, 50),
            "type_vocab_size": st.integers(1, 3),
            "layer_norm_eps": st.sampled_from([1e-12, 1e-5, 0.1]),
        }
    ),
)
def test_random_configurations_equal_bert(bert, tmp_path_factory, seed, heads, dim, sizes):
    theirs = bert(seed, num_attention_heads=heads, hidden_size=heads * dim, **sizes)
    ours = ours_of(theirs, tmp_path_factory.mktemp("bert"))
    ids = torch.randint(0, 60, (2, 1 + seed % 40))
    assert_equal_to_bert(ours, theirs, ids, torch.randint(0, sizes["type_vocab_size"], ids.shape))


@pytest.mark.parametrize(
    "activation",
    ["gelu", "gelu_fast", "gelu_new", "gelu_pytorch_tanh", "quick_gelu", "relu", "silu", "swish", "tanh"],
)
def test_every_activation_is_berts(bert, tmp_path, activation):
    theirs = bert(3, hidden_act=activation)
    assert_equal_to_bert(ours_of(theirs, tmp_path), theirs, torch.arange(30).view(2, 15))


def test_padding_changes_nothing_for_real_tokens(bert, tmp_path):
    theirs = bert(5)
    ours = ours_of(theirs, tmp_path)
    ids = torch.randint(0, 60, (3, 10))
    mask = (torch.arange(10) < torch.tensor([[10], [6], [1]])).long()
    assert_equal_to_bert(ours, theirs, ids, mask=mask)
    alone = ours(ids[1:2, :6]).hidden
    torch.testing.assert_close(ours(ids, mask=mask).hidden[1:2, :6], alone, atol=1e-4, rtol=1e-4)
    assert (ours(ids, mask=mask, record=True).records[0].weights()[1, :, :, 6:] == 0).all()


def test_one_token_and_the_longest_text(bert, tmp_path):
    theirs = bert(6)
    ours = ours_of(theirs, tmp_path)
    for count in (1, 40):
        assert_equal_to_bert(ours, theirs, torch.randint(0, 60, (1, count)))


def test_records_are_kept_only_when_asked_for():
    model = Transformer(CONFIG)
    ids = torch.arange(10).view(2, 5)
    assert model(ids).records == ()
    records = model(ids, record=True).records
    assert [record.query.shape for record in records] == [(2, 4, 5, 4)] * 2
    assert all(record.mask is None for record in records)


def test_it_learns():
    model = Transformer(CONFIG)
    model(torch.arange(10).view(2, 5)).hidden.sin().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_too_many_tokens_names_the_limit():
    with pytest.raises(TooManyTokensError, match=r"13 tokens .* at most 12"):
        Transformer(CONFIG)(torch.zeros(1, 13, dtype=torch.long))


@pytest.mark.parametrize("shape", [(5,), (1, 0), (1, 2, 3)])
def test_ids_of_another_rank_are_refused(shape):
    with pytest.raises(ShapeError, match=r"ids are \(batch, position\)"):
        Transformer(CONFIG)(torch.zeros(shape, dtype=torch.long))


def test_ids_and_segments_outside_the_model_are_refused():
    model = Transformer(CONFIG)
    inside = torch.zeros(1, 3, dtype=torch.long)
    with pytest.raises(InputError, match="ids go from 0 to 50; this model has 0 to 49"):
        model(torch.tensor([[0, 50]]))
    with pytest.raises(InputError, match="segments go from -1 to 0; this model has 0 to 1"):
        model(inside, torch.tensor([[0, -1, 0]]))
    with pytest.raises(ShapeError, match=r"ids and mask .*\(1, 3\), \(1, 4\)"):
        model(inside, mask=torch.ones(1, 4))


def test_an_unknown_activation_is_refused():
    with pytest.raises(UnknownNameError, match="unknown activation 'sparkle'; accepted: gelu"):
        TransformerConfig(**{**vars(CONFIG), "activation": "sparkle"})
