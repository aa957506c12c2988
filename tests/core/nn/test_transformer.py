"""What a pass of our transformer takes, refuses and brings back."""

import pytest
import torch

from attention_core.errors import InputError, NotAvailableError, ShapeError, TooManyTokensError, UnknownNameError
from attention_core.nn import Cache, HeadsOff, Patches, Transformer, TransformerConfig, Watch

SIZES = {"embed_dim": 16, "heads": 4, "inner_dim": 32, "max_tokens": 12}
ENCODER = TransformerConfig(**SIZES, vocabulary=50, encoder_layers=2, segments=2, embedding_norm=True)
DECODER = TransformerConfig(
    **{**SIZES, "inner_dim": 0},
    vocabulary=50,
    decoder_layers=2,
    positions="rotary",
    norm="pre",
    final_norm=True,
    output="tokens",
)
BOTH = TransformerConfig(
    **SIZES,
    vocabulary=50,
    encoder_layers=1,
    decoder_layers=2,
    positions="sinusoidal",
    embedding_scale=4.0,
    output="tokens",
    output_bias=True,
)
SEEING = TransformerConfig(
    **{**SIZES, "max_tokens": 10},
    patches=Patches(image_size=6, patch_size=2),
    encoder_layers=2,
    norm="pre",
    final_norm=True,
    output="classes",
    classes=3,
)
SHAPES = {"encoder": ENCODER, "decoder": DECODER, "both": BOTH, "pictures": SEEING}
IDS = torch.arange(10).view(2, 5)


def inputs(config):
    if config.patches is not None:
        return (torch.randn(2, 3, 6, 6),)
    return (IDS, IDS[:, :3]) if len(config.kinds) == 3 else (IDS,)


@pytest.fixture(params=SHAPES)
def config(request):
    return SHAPES[request.param]


def test_the_kinds_of_each_shape():
    assert ENCODER.kinds == SEEING.kinds == ("encoder-self",)
    assert DECODER.kinds == ("decoder-self",)
    assert BOTH.kinds == ("encoder-self", "decoder-self", "cross")
    assert [BOTH.layers(kind) for kind in BOTH.kinds] == [1, 2, 2]
    with pytest.raises(UnknownNameError, match="unknown kind 'cross'; accepted: decoder-self"):
        DECODER.layers("cross")


def test_a_watch_brings_back_one_record_a_layer_and_changes_nothing(config):
    model = Transformer(config)
    given = inputs(config)
    watch = Watch()
    hidden = model(*given, watch=watch).hidden
    assert torch.equal(hidden, model(*given).hidden)
    assert {kind: len(records) for kind, records in watch.records.items()} == {
        kind: config.layers(kind) for kind in config.kinds
    }
    for records in watch.records.values():
        for record in records:
            weights = record.weights()
            assert weights.shape == (2, 4, record.query.shape[2], record.key.shape[2])
            torch.testing.assert_close(weights @ record.value, record.output)
    model(*given, watch=watch)  # a second pass replaces the first one's records
    assert [len(records) for records in watch.records.values()] == [config.layers(kind) for kind in config.kinds]


def test_every_shape_learns(config):
    model = Transformer(config)
    hidden = model(*inputs(config)).hidden
    (hidden if config.output == "none" else model.logits(hidden)).sin().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@torch.inference_mode()
def test_it_starts_where_training_can_begin(config):
    torch.manual_seed(0)
    model = Transformer(config)
    hidden = model(*inputs(config)).hidden
    assert 0.3 < float(hidden.std()) < 3
    if config.output != "none":
        assert float(model.logits(hidden).std()) < 3


def test_each_seed_is_another_model_and_the_same_seed_the_same(config):
    def parameters(seed):
        torch.manual_seed(seed)
        return torch.cat([parameter.flatten() for parameter in Transformer(config).parameters()])

    assert torch.equal(parameters(0), parameters(0))
    assert not torch.equal(parameters(0), parameters(1))


# ---- heads switched off


@pytest.mark.parametrize("family", ["bert", "gpt2", "marian", "vit"])
@torch.inference_mode()
def test_a_head_switched_off_is_a_head_whose_columns_are_zero_in_transformers(small, ours_of, inputs_of, family):
    modules = {
        "bert": ("encoder-self", "encoder.layer.1.attention.output.dense"),
        "gpt2": ("decoder-self", "transformer.h.1.attn.c_proj"),
        "marian": ("cross", "model.decoder.layers.1.encoder_attn.out_proj"),
        "vit": ("encoder-self", "vit.layers.1.attention.o_proj"),
    }
    theirs = small(family, 11)
    ours = ours_of(theirs)
    kind, name = modules[family]
    given = inputs_of(theirs, batch=2)
    source = [given[key] for key in ("input_ids", "pixel_values", "decoder_input_ids") if key in given]
    whole, cut = Watch(), Watch(HeadsOff([[(kind, 1, 2)]]))
    before, hidden = ours(*source, watch=whole).hidden, ours(*source, watch=cut).hidden
    assert not torch.allclose(before, hidden, atol=1e-2)

    weight = theirs.get_submodule(name).weight
    columns = slice(16, 24)  # of head 2, with 3 heads of 8
    (weight.T if family != "gpt2" else weight)[columns] = 0
    expected = getattr(theirs, theirs.base_model_prefix, theirs)(**given).last_hidden_state
    torch.testing.assert_close(hidden, expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(cut.records[kind][1].weights(), whole.records[kind][1].weights())
    torch.testing.assert_close(cut.records[kind][1].output, whole.records[kind][1].output)


@pytest.mark.parametrize("head", [("decoder-self", 0, 4), ("decoder-self", 2, 0), ("cross", 0, 0), ("x", 0, -1)])
def test_a_head_that_is_not_there_cannot_be_switched_off(head):
    with pytest.raises(UnknownNameError, match=r"unknown head .*; accepted: decoder-self\.0\.0 to decoder-self\.1\.3"):
        Transformer(DECODER)(IDS, watch=Watch(HeadsOff([[head]])))


# ---- positions and scaling switched off


@torch.inference_mode()
def test_without_positions_an_encoder_does_not_know_the_order(small, ours_of, inputs_of):
    for family in ("bert", "marian"):
        theirs = small(family, 1)
        without, usual = (ours_of(theirs, positions=on) for on in (False, True))
        ids = torch.randperm(60)[:7][None]
        for order in (torch.arange(7).flip(0), *(torch.randperm(7) for _ in range(5))):
            hidden = without.encode(ids).hidden
            torch.testing.assert_close(without.encode(ids[:, order]).hidden, hidden[:, order], atol=1e-4, rtol=1e-4)
        moved = usual.encode(ids.flip(1)).hidden
        assert not torch.allclose(moved, usual.encode(ids).hidden.flip(1), atol=1e-2)


@torch.inference_mode()
def test_without_positions_a_picture_is_a_bag_of_patches(small, ours_of, inputs_of):
    ours = ours_of(small("vit", 1), positions=False)
    pixels = torch.randn(1, 3, 12, 12)
    torch.testing.assert_close(
        ours(pixels).hidden[:, 0], ours(pixels.roll(4, dims=3)).hidden[:, 0], atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("family", ["bert", "gpt2", "marian", "vit"])
@torch.inference_mode()
def test_without_scaling_weights_are_the_softmax_of_the_plain_products(small, ours_of, inputs_of, family):
    theirs = small(family, 4)
    given = inputs_of(theirs)
    ours = ours_of(theirs, scaled=False)
    watch = Watch()
    ours(*(given[key] for key in ("input_ids", "pixel_values", "decoder_input_ids") if key in given), watch=watch)
    for kind, records in watch.records.items():
        for record in records:
            scores = record.query @ record.key.transpose(2, 3)
            if kind == "decoder-self":
                scores = scores.masked_fill(torch.ones(scores.shape[2:]).triu(1).bool(), -torch.inf)
            assert record.scale == 1.0
            torch.testing.assert_close(record.weights(), scores.softmax(dim=-1), atol=1e-5, rtol=0)


# ---- what is refused


def test_too_many_tokens_names_the_limit():
    with pytest.raises(TooManyTokensError, match=r"13 tokens .* at most 12"):
        Transformer(ENCODER)(torch.zeros(1, 13, dtype=torch.long))
    with pytest.raises(TooManyTokensError, match=r"13 tokens .* at most 12"):
        Transformer(BOTH)(IDS, torch.zeros(2, 13, dtype=torch.long))
    cache = Cache()
    Transformer(DECODER)(torch.zeros(1, 12, dtype=torch.long), cache=cache)
    with pytest.raises(TooManyTokensError, match=r"13 tokens .* at most 12"):
        Transformer(DECODER)(torch.zeros(1, 1, dtype=torch.long), cache=cache)


@pytest.mark.parametrize("shape", [(5,), (1, 0), (1, 2, 3)])
def test_ids_of_another_rank_are_refused(shape):
    with pytest.raises(ShapeError, match=r"ids are \(batch, position\)"):
        Transformer(ENCODER)(torch.zeros(shape, dtype=torch.long))


def test_ids_and_segments_outside_the_model_are_refused():
    model = Transformer(ENCODER)
    inside = torch.zeros(1, 3, dtype=torch.long)
    with pytest.raises(InputError, match="ids go from 0 to 50; this model has 0 to 49"):
        model(torch.tensor([[0, 50]]))
    with pytest.raises(InputError, match="segments go from -1 to 0; this model has 0 to 1"):
        model(inside, segments=torch.tensor([[0, -1, 0]]))
    with pytest.raises(ShapeError, match=r"ids and segments .*\(1, 3\), \(1, 4\)"):
        model(inside, segments=torch.zeros(1, 4, dtype=torch.long))
    with pytest.raises(ShapeError, match=r"ids and mask .*\(1, 3\), \(1, 4\)"):
        model(inside, mask=torch.ones(1, 4))
    with pytest.raises(InputError, match="a mask holds 0 and 1"):
        model(inside, mask=torch.tensor([[0.0, 0.0, -torch.inf]]))
    with pytest.raises(InputError, match="target ids go from 0 to 50"):
        Transformer(BOTH)(IDS, torch.tensor([[0], [50]]))


@pytest.mark.parametrize("shape", [(2, 3, 6, 7), (2, 1, 6, 6), (3, 6, 6)])
def test_a_picture_of_another_size_is_refused(shape):
    with pytest.raises(ShapeError, match=r"a picture is floating \(batch, 3, 6, 6\), not float32"):
        Transformer(SEEING)(torch.zeros(shape))
    with pytest.raises(ShapeError, match="not uint8"):
        Transformer(SEEING)(torch.zeros(2, 3, 6, 6, dtype=torch.uint8))
    with pytest.raises(NotAvailableError, match="no segments"):
        Transformer(SEEING)(torch.zeros(2, 3, 6, 6), segments=torch.zeros(2, 10, dtype=torch.long))
    with pytest.raises(ShapeError, match=r"\(2, 10\), \(2, 3\)"):
        Transformer(SEEING)(torch.zeros(2, 3, 6, 6), mask=torch.ones(2, 3))


def test_a_stack_that_is_not_there_is_told():
    with pytest.raises(NotAvailableError, match="no encoder"):
        Transformer(DECODER).encode(IDS)
    with pytest.raises(NotAvailableError, match="no decoder"):
        Transformer(ENCODER).decode(IDS)
    with pytest.raises(NotAvailableError, match="takes no target"):
        Transformer(ENCODER)(IDS, IDS)
    with pytest.raises(InputError, match="needs a target"):
        Transformer(BOTH)(IDS)
    with pytest.raises(InputError, match="needs what its encoder made"):
        Transformer(BOTH).decode(IDS)
    with pytest.raises(NotAvailableError, match="no head that predicts"):
        Transformer(ENCODER).logits(torch.zeros(1, 2, 16))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"activation": "sparkle"}, "unknown activation 'sparkle'; accepted: gelu"),
        ({"positions": "guessed"}, "unknown positions 'guessed'; accepted: learned, sinusoidal, rotary, none"),
        ({"norm": "never"}, "unknown norm 'never'; accepted: post, pre"),
        ({"output": "poems"}, "unknown output 'poems'"),
        ({"heads": 3}, "embed_dim 16 is not a multiple of heads 3"),
        ({"heads": 0}, "embed_dim 16 is not a multiple of heads 0"),
        ({"heads": 16, "positions": "rotary"}, "the dim of a head is even"),
        ({"encoder_layers": 0}, "neither encoder_layers nor decoder_layers"),
        ({"encoder_layers": -1, "decoder_layers": 2}, "a size is negative"),
        ({"max_tokens": 0}, "max_tokens is less than 1"),
        ({"vocabulary": 0}, "either a vocabulary or patches"),
        ({"patches": Patches(image_size=6, patch_size=2)}, "max_tokens is not the number of patches"),
        ({"output": "classes"}, "classes and output 'classes' need one another"),
        ({"classes": 2}, "classes and output 'classes' need one another"),
    ],
)
def test_a_configuration_that_makes_no_model_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        TransformerConfig(**{**vars(ENCODER), **values})


def test_a_picture_that_cannot_be_cut_is_refused():
    with pytest.raises(ShapeError, match="10 pixels cannot be cut into patches of 3"):
        Patches(image_size=10, patch_size=3)
    assert (Patches(image_size=12, patch_size=3).per_side, Patches(image_size=12, patch_size=3).count) == (4, 16)
