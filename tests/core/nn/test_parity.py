"""Our one transformer against transformers' GPT-2, Marian, ViT and BERT: hidden states, all weights, all scores."""

import pytest
import torch

from attention_core.nn import Watch, attention_scores

FAMILIES = ("bert-masked", "gpt2", "marian", "vit")
THEIR_WEIGHTS = {
    "encoder-self": ("encoder_attentions", "attentions"),
    "decoder-self": ("decoder_attentions", "attentions"),
    "cross": ("cross_attentions",),
}


def run(ours, inputs, watch=None, mask=None):
    """Ours on transformers' inputs: the last hidden state."""
    source = inputs.get("input_ids", inputs.get("pixel_values"))
    mask = inputs.get("attention_mask") if mask is None else mask
    return ours(source, inputs.get("decoder_input_ids"), mask=mask, watch=watch).hidden


def weights_of(output, kind):
    """Transformers' weights of one kind, a tensor a layer."""
    found = [getattr(output, name) for name in THEIR_WEIGHTS[kind] if hasattr(output, name)]
    return next(weights for weights in found if weights is not None)


def real_rows(inputs, kind, weights):
    """Which queries (batch, query) are real tokens: what padding attends to is nobody's business."""
    mask = inputs.get("attention_mask")
    if mask is None or (kind != "encoder-self" and "decoder_input_ids" in inputs):
        return torch.ones(weights.shape[0], weights.shape[2]).bool()
    return mask.bool()


@torch.inference_mode()
def assert_equal(ours, theirs, inputs, *, headed=True):
    """Weights within the design's tolerance; hidden states and scores within 1e-4 of their size."""
    expected = theirs(**inputs, output_attentions=True, output_hidden_states=True)
    watch = Watch()
    hidden = run(ours, inputs, watch)
    assert tuple(watch.records) == ours.config.kinds
    for kind, records in watch.records.items():
        all_weights = weights_of(expected, kind)
        assert len(records) == len(all_weights) == ours.config.layers(kind)
        for record, weights in zip(records, all_weights, strict=True):
            real = real_rows(inputs, kind, weights)
            scores = attention_scores(record.query, record.key, scale=record.scale)
            error = (record.weights() - weights).abs().amax(dim=(1, 3))[real].max()
            assert error <= 1e-5 + 1e-6 * float(scores.abs().max())
    rows = real_rows(inputs, ours.config.kinds[-1], weights)
    last = expected.last_hidden_state if not headed else last_hidden(theirs, inputs)
    torch.testing.assert_close(hidden[rows], last[rows], atol=1e-4, rtol=1e-4)
    if headed:
        scores = ours.logits(hidden)
        rows = ... if ours.config.output == "classes" else rows
        torch.testing.assert_close(scores[rows], expected.logits[rows], atol=1e-3, rtol=1e-4)


def last_hidden(theirs, inputs):
    """The last hidden state that transformers' bare model returns below the head."""
    bare = getattr(theirs, theirs.base_model_prefix)
    return bare(**inputs).last_hidden_state


SIZES = {
    "bert-masked": [
        {"num_attention_heads": 1, "hidden_size": 7, "num_hidden_layers": 3, "type_vocab_size": 1},
        {"num_attention_heads": 5, "hidden_size": 20, "intermediate_size": 3, "hidden_act": "relu"},
    ],
    "gpt2": [
        {"n_head": 1, "n_embd": 9, "n_layer": 3, "n_inner": None},
        {"n_head": 5, "n_embd": 20, "n_layer": 1, "activation_function": "relu", "layer_norm_epsilon": 0.1},
        {"scale_attn_weights": False},
    ],
    "marian": [
        {"encoder_attention_heads": 1, "decoder_attention_heads": 1, "d_model": 7, "encoder_layers": 1},
        {"encoder_attention_heads": 5, "decoder_attention_heads": 5, "d_model": 20, "decoder_layers": 3},
        {"scale_embedding": False, "activation_function": "swish"},
    ],
    "vit": [
        {"num_attention_heads": 1, "hidden_size": 7, "num_channels": 1, "patch_size": 3},
        {"num_attention_heads": 5, "hidden_size": 20, "num_hidden_layers": 3, "image_size": 10, "patch_size": 5},
        {"qkv_bias": False, "hidden_act": "gelu_new", "layer_norm_eps": 0.1},
    ],
}


@pytest.mark.parametrize(
    ("family", "sizes"),
    [(family, sizes) for family in FAMILIES for sizes in ({}, *SIZES[family])],
    ids=lambda value: value if isinstance(value, str) else ",".join(value) or "usual",
)
def test_random_configurations_equal_transformers(small, ours_of, inputs_of, family, sizes):
    theirs = small(family, len(sizes), **sizes)
    ours = ours_of(theirs)
    for count in (None, 1, 11):
        assert_equal(ours, theirs, inputs_of(theirs, batch=2, count=count))


@pytest.mark.parametrize("family", ["gpt2-bare", "marian-bare", "vit-bare"])
def test_the_bare_models_names_load_too(small, ours_of, inputs_of, family):
    theirs = small(family, 3)
    assert_equal(ours_of(theirs), theirs, inputs_of(theirs, batch=2), headed=False)


@pytest.mark.parametrize("family", ["bert-masked", "gpt2", "marian"])
@pytest.mark.parametrize("side", ["right", "left"])
def test_padding_changes_nothing_for_real_tokens(small, ours_of, inputs_of, family, side):
    theirs = small(family, 5)
    ours = ours_of(theirs)
    inputs = inputs_of(theirs, batch=3, count=10)
    mask = (torch.arange(10) < torch.tensor([[10], [6], [1]])).long()
    inputs["attention_mask"] = mask if side == "right" else mask.flip(1)
    assert_equal(ours, theirs, inputs)
    watch = Watch()
    with torch.inference_mode():
        run(ours, inputs, watch)
    kind = "cross" if family == "marian" else ours.config.kinds[0]
    blocked = watch.records[kind][0].weights()[1][..., inputs["attention_mask"][1] == 0]
    assert blocked.numel()
    assert (blocked == 0).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_readable_formula_is_the_kernel(small, ours_of, inputs_of, family):
    theirs = small(family, 7)
    ours = ours_of(theirs)
    inputs = inputs_of(theirs, batch=2)
    with torch.inference_mode():
        fused, readable = Watch(), Watch(readable=True)
        hidden = run(ours, inputs, fused)
        torch.testing.assert_close(run(ours, inputs, readable), hidden, atol=1e-4, rtol=1e-4)
        for kind in ours.config.kinds:
            for a, b in zip(fused.records[kind], readable.records[kind], strict=True):
                assert a.given is None
                assert b.given is b.weights()
                torch.testing.assert_close(a.weights(), b.given, atol=1e-4, rtol=0)


@pytest.mark.parametrize("family", ["gpt2", "marian"])
def test_a_decoder_never_looks_ahead(small, ours_of, inputs_of, family):
    theirs = small(family, 9)
    ours = ours_of(theirs)
    inputs = inputs_of(theirs, batch=2)
    for readable in (False, True):
        watch = Watch(readable=readable)
        with torch.inference_mode():
            run(ours, inputs, watch)
        for record in watch.records["decoder-self"]:
            assert record.causal
            assert record.mask is None
            weights = record.weights()
            assert (weights.triu(1) == 0).all()
            assert (weights.tril() > 0).any(dim=-1).all()


def test_an_attention_pattern_is_not_uniform(small, ours_of, inputs_of):
    """The other tests would pass without attention at all if every weight were 1 / keys."""
    for family in FAMILIES:
        theirs = small(family, 2)
        watch = Watch()
        with torch.inference_mode():
            run(ours_of(theirs), inputs_of(theirs), watch)
        for records in watch.records.values():
            for record in records:
                scores = attention_scores(record.query, record.key, scale=record.scale)
                assert 10 < float(scores.abs().max()) < 50
                assert float(record.weights().amax(dim=-1).mean()) > 0.3
