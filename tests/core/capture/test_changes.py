"""Passes with changes: heads, values, tokens taken away, against transformers with its own modules changed by hand."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import families
import pytest
import torch
from torch import Tensor, nn
from writers import writer

from attention_core.capture import Example, LoadedModel, capture, open_model, ready, wrap
from attention_core.capture.switching import with_own_target
from attention_core.capture.variants import Variants, say
from attention_core.errors import InputError, NotAvailableError, ShapeError, TraceError, UnknownNameError
from attention_core.models.examples import Encoded
from attention_core.models.loading import load_model
from attention_core.nn import Changes, HeadsOff, ValuesOff
from attention_core.storage import load, save

HEAD = 2  # of 4, each of 8 numbers
# The linear map after the heads of layer 1, by kind of attention.
PROJECTIONS = {
    "bert": {"encoder-self": "encoder.layer.1.attention.output.dense"},
    "gpt2": {"decoder-self": "h.1.attn.c_proj"},
    "llama": {"decoder-self": "layers.1.self_attn.o_proj"},
    "gemma2": {"decoder-self": "layers.1.self_attn.o_proj"},
    "gpt_oss": {"decoder-self": "layers.1.self_attn.o_proj"},
    "vit": {"encoder-self": "layers.1.attention.o_proj"},
    "t5": {
        "encoder-self": "encoder.block.1.layer.0.SelfAttention.o",
        "decoder-self": "decoder.block.1.layer.0.SelfAttention.o",
        "cross": "decoder.block.1.layer.1.EncDecAttention.o",
    },
    "marian": {
        "encoder-self": "encoder.layers.1.self_attn.out_proj",
        "decoder-self": "decoder.layers.1.self_attn.out_proj",
        "cross": "decoder.layers.1.encoder_attn.out_proj",
    },
}
PLACES = [(family, kind) for family, kinds in PROJECTIONS.items() for kind in kinds]


@contextmanager
def entering(module: nn.Module, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """What enters a module is changed on its way."""
    handle = module.register_forward_pre_hook(lambda _, given: (change(given[0]), *given[1:]))
    try:
        yield
    finally:
        handle.remove()


def zero(x: Tensor) -> Tensor:
    return torch.cat([x[..., : 8 * HEAD], torch.zeros_like(x[..., :8]), x[..., 8 * HEAD + 8 :]], dim=-1)


def mean(x: Tensor) -> Tensor:
    own = x[..., 8 * HEAD : 8 * HEAD + 8].mean(dim=1, keepdim=True).expand(-1, x.shape[1], -1)
    return torch.cat([x[..., : 8 * HEAD], own, x[..., 8 * HEAD + 8 :]], dim=-1)


def prepared(family: str) -> tuple[LoadedModel, Encoded]:
    model = ready(families.wrapped(family))
    return model, model.encode(families.example(family))


def theirs(model: LoadedModel, encoded: Encoded, **more: Any) -> Tensor:
    """The last hidden state by transformers, with its own eager attention."""
    twin: Any = model.network
    own = twin.config._attn_implementation
    twin.set_attn_implementation("eager")
    try:
        options = {"use_cache": False} if hasattr(twin.config, "use_cache") else {}
        hidden: Tensor = twin(**encoded.inputs, **options, **more).last_hidden_state
    finally:
        twin.set_attn_implementation(own)
    return hidden


@torch.inference_mode()
@pytest.mark.parametrize("how", ["zero", "mean"])
@pytest.mark.parametrize(("family", "kind"), PLACES)
def test_a_head_off_is_its_part_of_the_output_projections_input_changed_by_hand(
    family: str, kind: str, how: str
) -> None:
    network = families.build(family)
    projection = network.get_submodule(PROJECTIONS[family][kind])
    projection.weight.data *= 10  # so that every head matters
    model = ready(wrap(network, None if family == "vit" else families.tokenizer()))
    encoded = model.encode(families.example(family))
    said = say(model, encoded, 2, changes=HeadsOff([[], [(kind, 1, HEAD)]], how))
    with entering(projection, {"zero": zero, "mean": mean}[how]):
        expected = theirs(model, encoded)
    torch.testing.assert_close(said.hidden[:1], theirs(model, encoded), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(said.hidden[1:], expected, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(said.hidden[0], said.hidden[1], atol=1e-3)


@torch.inference_mode()
@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma2"])
def test_the_logits_are_those_of_a_model_without_the_columns_of_the_head(family: str) -> None:
    network = writer(family)
    model = ready(wrap(network, families.tokenizer()))
    encoded = model.encode(Example("w3 w9 w4 w3 w9"))
    said = Variants(model, encoded, slice(2, 5)).say(1, changes=HeadsOff([[("decoder-self", 0, HEAD)]]))
    assert said.logits is not None
    found = said.logits(slice(3, 5))
    name = "transformer.h.0.attn.c_proj" if family == "gpt2" else "model.layers.0.self_attn.o_proj"
    weight = network.get_submodule(name).weight.data
    (weight.T if family == "gpt2" else weight)[:, 8 * HEAD : 8 * HEAD + 8] = 0
    network.set_attn_implementation("eager")
    expected = network(**encoded.inputs, use_cache=False).logits
    torch.testing.assert_close(found, expected[:, 3:], atol=1e-4, rtol=1e-4)


@pytest.mark.model
@torch.inference_mode()
@pytest.mark.parametrize("how", ["zero", "mean"])
def test_heads_of_minilm_as_transformers_runs_it_without_them(how: str, minilm_folder: Path) -> None:
    import transformers

    model = ready(open_model("minilm"))
    encoded = model.encode(Example("The cat sat on the mat because it was tired"))
    network = transformers.BertModel.from_pretrained(minilm_folder, add_pooling_layer=False).eval()
    said = say(model, encoded, 3, changes=HeadsOff([[("encoder-self", 3, 1)], [], [("encoder-self", 5, 11)]], how))
    for row, (layer, head) in {0: (3, 1), 2: (5, 11)}.items():
        part = slice(32 * head, 32 * head + 32)

        def change(x: Tensor, part: slice = part) -> Tensor:
            x = x.clone()
            x[..., part] = 0 if how == "zero" else x[..., part].mean(dim=1, keepdim=True)
            return x

        with entering(network.get_submodule(f"encoder.layer.{layer}.attention.output.dense"), change):
            expected = network(**encoded.inputs).last_hidden_state[0]
        torch.testing.assert_close(said.hidden[row], expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(said.hidden[1], network(**encoded.inputs).last_hidden_state[0], atol=1e-4, rtol=1e-4)


def ours(kind: str) -> tuple[LoadedModel, Encoded]:
    """A bundled model on our own transformer: a translator, one that writes on, one that sees."""
    model = ready(open_model(kind))
    if kind == "shapes":
        picture = torch.randint(0, 256, (48, 48, 3), generator=torch.Generator().manual_seed(1)).byte()
        return model, model.encode(Example(image=picture))
    encoded = model.encode(Example({"ko-en": "나는 학교에 갔다", "induction": "owl fox owl"}[kind]))
    with torch.inference_mode():
        return model, with_own_target(model, encoded)[0] if kind == "ko-en" else encoded


@torch.inference_mode()
@pytest.mark.parametrize("name", ["ko-en", "induction", "shapes", "llama", "bart", "modernbert"])
def test_a_batch_of_variants_is_the_variants_one_by_one(name: str) -> None:
    model, encoded = prepared(name) if name in families.FAMILIES else ours(name)
    kinds, count = list(model.there), len(encoded.source)
    heads = [[], [(kinds[0], 0, 0)], [(kind, 1, 1) for kind in kinds], [(kinds[-1], 1, 0), (kinds[-1], 0, 1)]]
    hidden = torch.zeros(4, count, dtype=torch.bool)
    hidden[2, 1] = hidden[3, :2] = True
    together = say(model, encoded, 4, changes=HeadsOff(heads, "mean"), hidden=hidden)
    values = say(model, encoded, 3, changes=ValuesOff(kinds[0], 1, [[0], [], [1, 2]]))
    for row in range(4):
        alone = say(model, encoded, 1, changes=HeadsOff([heads[row]], "mean"), hidden=hidden[row : row + 1])
        torch.testing.assert_close(together.hidden[row], alone.hidden[0], atol=1e-4, rtol=1e-4)
        if together.logits is not None and alone.logits is not None:
            rows = slice(0, 2)
            torch.testing.assert_close(together.logits(rows)[row], alone.logits(rows)[0], atol=1e-3, rtol=1e-3)
    plain = say(model, encoded, 1)
    torch.testing.assert_close(values.hidden[1], plain.hidden[0], atol=1e-4, rtol=1e-4)
    for row, positions in {0: [0], 2: [1, 2]}.items():
        alone = say(model, encoded, 1, changes=ValuesOff(kinds[0], 1, [positions]))
        torch.testing.assert_close(values.hidden[row], alone.hidden[0], atol=1e-4, rtol=1e-4)
        assert not torch.allclose(values.hidden[row], plain.hidden[0], atol=1e-4)


@torch.inference_mode()
@pytest.mark.parametrize("family", ["bert", "modernbert", "gpt2", "llama", "gemma2", "gpt_oss", "t5", "marian"])
def test_nobody_sees_a_hidden_token(family: str) -> None:
    """Another word in its place changes nothing but what stands there itself; a causal first token sees nothing."""
    model, encoded = prepared(family)
    other = dict(encoded.inputs)
    other["input_ids"] = encoded.inputs["input_ids"].clone()
    for at in (0, 7):
        other["input_ids"][0, at] = (encoded.inputs["input_ids"][0, at] + 5) % 40 + 2
    changed = Encoded(encoded.source, other, encoded.target, encoded.decoder_input)
    hidden = torch.zeros(1, len(encoded.source), dtype=torch.bool)
    hidden[0, [0, 7]] = True
    rest = torch.ones(len(encoded.decoder_input or encoded.source), dtype=torch.bool)
    if encoded.decoder_input is None:
        rest[[0, 7]] = False
    one, two = (say(model, given, 1, hidden=hidden).hidden[0][rest] for given in (encoded, changed))
    torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-5)
    assert one.isfinite().all()
    plain = say(model, encoded, 1).hidden[0][rest]
    assert not torch.allclose(plain, one, atol=1e-3)
    assert not torch.allclose(plain, say(model, changed, 1).hidden[0][rest], atol=1e-3)


@torch.inference_mode()
@pytest.mark.parametrize("name", ["ko-en", "induction"])
def test_nobody_sees_a_hidden_token_in_our_own_transformer(name: str) -> None:
    model, encoded = ours(name)
    other = dict(encoded.inputs) | {"input_ids": encoded.inputs["input_ids"].clone()}
    other["input_ids"][0, 1] += 1
    hidden = torch.zeros(1, len(encoded.source), dtype=torch.bool)
    hidden[0, 1] = True
    one, two = (
        say(model, Encoded(encoded.source, given, encoded.target, encoded.decoder_input), 1, hidden=hidden).hidden[0]
        for given in (encoded.inputs, other)
    )
    rest = [at for at in range(len(one)) if name == "ko-en" or at != 1]
    torch.testing.assert_close(one[rest], two[rest], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(one[-1], say(model, encoded, 1).hidden[0, -1], atol=1e-3)


@torch.inference_mode()
@pytest.mark.parametrize(("family", "name"), [("llama", "v_proj"), ("bert", "value")])
def test_values_that_are_off_are_zeros_from_the_value_projection(family: str, name: str) -> None:
    model, encoded = prepared(family)
    kind = next(iter(model.there))
    found = say(model, encoded, 1, changes=ValuesOff(kind, 1, [[3, 5]])).hidden
    place = "layers.1.self_attn" if family == "llama" else "encoder.layer.1.attention.self"

    def silent(_: nn.Module, __: Any, output: Tensor) -> Tensor:
        return output.index_fill(1, torch.tensor([3, 5]), 0.0)

    handle = model.network.get_submodule(f"{place}.{name}").register_forward_hook(silent)
    try:
        expected = theirs(model, encoded)
    finally:
        handle.remove()
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
@pytest.mark.parametrize("family", ["gpt2", "bert", "marian", "llama"])
def test_the_layers_are_the_hidden_states_of_transformers(family: str) -> None:
    model, encoded = prepared(family)
    output = model.network(**encoded.inputs, output_hidden_states=True)
    if family == "marian":
        for kind, states in (("encoder-self", output.encoder_hidden_states), ("cross", output.decoder_hidden_states)):
            layers = say(model, encoded, 1, with_layers=kind).layers
            assert layers is not None
            torch.testing.assert_close(torch.stack(layers), torch.stack(states[1:]), atol=1e-4, rtol=1e-4)
        return
    said = say(model, encoded, 2, with_layers=True)
    assert said.layers is not None
    for one, other in zip(said.layers, output.hidden_states[1:], strict=True):
        torch.testing.assert_close(one[1], other[0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(said.layers[-1], said.hidden)


@torch.inference_mode()
@pytest.mark.parametrize("name", ["ko-en", "induction", "shapes"])
def test_our_own_layers_are_what_the_blocks_hand_on(name: str) -> None:
    model, encoded = ours(name)
    network: Any = model.network
    stack = "decoder" if network.config.decoder_layers else "encoder"
    made: list[Tensor] = []
    handles = [block.register_forward_hook(lambda _, __, x: made.append(x)) for block in getattr(network, stack)]
    said = say(model, encoded, 2, with_layers=True)
    for handle in handles:
        handle.remove()
    assert said.layers is not None
    assert len(said.layers) == len(made)
    for one, other in zip(said.layers[:-1], made[:-1], strict=True):
        torch.testing.assert_close(one, other)
    torch.testing.assert_close(said.layers[-1], said.hidden)


# ------------------------------------------------------------------------------------------------ from example to trace


@pytest.mark.parametrize("how", ["zero", "mean"])
@pytest.mark.parametrize("family", ["llama", "albert", "t5"])
def test_a_trace_of_a_model_of_transformers_has_heads_off(family: str, how: str, tmp_path: Path) -> None:
    model = ready(families.wrapped(family))
    given = families.example(family)
    kind = next(iter(model.there))
    off = Example(given.text, target=given.target, off=(f"{kind}.0.1",), off_with=how)
    whole, without = capture(model, given), capture(model, off)
    same = [torch.allclose(one.weights(), two.weights(), atol=1e-6) for one, two in
            zip(whole.maps_of(kind), without.maps_of(kind), strict=True)]  # fmt: skip
    assert same[0]
    assert not any(same[1:])
    save(without, tmp_path / "trace")
    read = load(tmp_path / "trace")
    assert (read.off, read.off_with) == ((f"{kind}.0.1",), how)


@torch.inference_mode()
def test_a_model_of_transformers_writes_its_target_with_heads_off(tmp_path: Path) -> None:
    import transformers

    torch.manual_seed(0)
    config = transformers.MarianConfig(
        vocab_size=60, d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=48,
        decoder_attention_heads=4, decoder_ffn_dim=48, max_position_embeddings=40, pad_token_id=0, eos_token_id=7,
        decoder_start_token_id=0, forced_eos_token_id=None, init_std=0.8,
    )  # fmt: skip
    network = transformers.MarianMTModel(config).eval()
    network.save_pretrained(tmp_path)
    families.tokenizer().save(str(tmp_path / "tokenizer.json"))
    one = wrap(network, families.tokenizer())
    other = load_model(one.card, tmp_path)
    off = tuple(f"{kind}.{layer}.{head}" for kind in ("decoder-self", "cross") for layer in (0, 1) for head in (0, 1))
    example = Example("w3 w9 w4 w13", off=off)
    traces = [capture(ready(model), example) for model in (one, other)]
    assert [trace.provenance.back_end for trace in traces] == ["interface", "in-house"]
    traces.append(capture(one, Example("w3 w9 w4 w13")))
    written = [trace.target.ids for trace in traces if trace.target is not None]
    assert written[0] == written[1] != written[2]
    assert len(set(written[0])) > 1
    for model in (one, other):
        with pytest.raises(NotAvailableError, match="whole text") as refused:
            capture(model, Example("w3 w9", off=off, off_with="mean"))
        assert refused.value.facts["reason"] == "no-mean-writing"


def test_what_cannot_be_changed_is_told() -> None:
    model, encoded = prepared("llama")
    with pytest.raises(UnknownNameError, match=r"unknown head 'decoder-self\.2\.0'; accepted: decoder-self\.0\.0 to"):
        capture(model, Example("w1", off=("decoder-self.2.0",)))
    with pytest.raises(UnknownNameError, match="unknown head"):
        say(model, encoded, 1, changes=HeadsOff([[("encoder-self", 0, 0)]]))
    with pytest.raises(UnknownNameError, match="accepted: zero, mean"):
        capture(model, Example("w1", off_with="max"))
    with pytest.raises(UnknownNameError, match="accepted: zero, mean"):
        HeadsOff([[]], "max")
    with pytest.raises(InputError, match="no variant"):
        HeadsOff([])
    for kind, layer in (("cross", 0), ("decoder-self", 2), ("decoder-self", -1)):
        with pytest.raises(UnknownNameError, match="accepted"):
            say(model, encoded, 1, changes=ValuesOff(kind, layer, [[0]]))
    with pytest.raises(ShapeError, match=r"\(2, 26\), not bool \(1, 26\)"):
        say(model, encoded, 2, hidden=torch.zeros(1, 26, dtype=torch.bool))
    with pytest.raises(InputError, match="at least 1"):
        say(model, encoded, 0)
    with pytest.raises(UnknownNameError, match="kind"):
        say(model, encoded, 1, with_layers="cross")
    eager = ready(families.wrapped("gpt_neo"))
    with pytest.raises(NotAvailableError, match="from outside"):
        say(eager, eager.encode(Example("w1")), 1)


def test_nothing_is_changed_by_the_changes_that_change_nothing() -> None:
    model, encoded = prepared("llama")
    with torch.inference_mode():
        hidden = [say(model, encoded, 1, changes=changes).hidden for changes in (None, Changes(), HeadsOff([[]]))]
    assert torch.equal(hidden[0], hidden[1])
    assert torch.equal(hidden[0], hidden[2])


def test_a_trace_file_that_switches_off_with_something_else_is_refused(tmp_path: Path) -> None:
    trace = capture(families.wrapped("gpt2"), "w1 w2")
    object.__setattr__(trace, "off_with", "noise")
    save(trace, tmp_path / "trace")
    with pytest.raises(TraceError, match="zero or mean"):
        load(tmp_path / "trace")
