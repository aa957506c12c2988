"""The lengths ‖f(x)‖ of Kobayashi et al. 2020 against the product written out with each model's own parameters."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import families
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import BertModel

from attention_core.capture import Example, capture, open_model, ready, wrap
from attention_core.capture.projections import Finder
from attention_core.looking import look
from attention_core.maps import Kind
from attention_core.pictures import read_picture

# By hand, for each family: the layer that makes values, and the one that mixes the heads, of kind and layer.
VALUES = {
    "bert": ("encoder.layer.{layer}.attention.self.value", "encoder.layer.{layer}.attention.output.dense"),
    "albert": ("encoder.albert_layer_groups.0.albert_layers.0.attention.value",
               "encoder.albert_layer_groups.0.albert_layers.0.attention.dense"),
    "llama": ("layers.{layer}.self_attn.v_proj", "layers.{layer}.self_attn.o_proj"),
    "mistral": ("layers.{layer}.self_attn.v_proj", "layers.{layer}.self_attn.o_proj"),
    "gemma2": ("layers.{layer}.self_attn.v_proj", "layers.{layer}.self_attn.o_proj"),
    "gpt_oss": ("layers.{layer}.self_attn.v_proj", "layers.{layer}.self_attn.o_proj"),
    "gpt2": ("h.{layer}.attn.c_attn", "h.{layer}.attn.c_proj"),
    "vit": ("layers.{layer}.attention.v_proj", "layers.{layer}.attention.o_proj"),
    "t5": ("{stack}.block.{layer}.layer.{at}.{t5}.v", "{stack}.block.{layer}.layer.{at}.{t5}.o"),
    "bart": ("{stack}.layers.{layer}.{bart}.v_proj", "{stack}.layers.{layer}.{bart}.out_proj"),
}  # fmt: skip
PLACES = {
    Kind.ENCODER_SELF: {"stack": "encoder", "at": 0, "t5": "SelfAttention", "bart": "self_attn"},
    Kind.DECODER_SELF: {"stack": "decoder", "at": 0, "t5": "SelfAttention", "bart": "self_attn"},
    Kind.CROSS: {"stack": "decoder", "at": 1, "t5": "EncDecAttention", "bart": "encoder_attn"},
}
SENTENCES = (
    "The cat sat on the mat because it was tired",
    "The old sailor told the young captain that he had seen the whale before the storm began .",
    "Nobody in the village remembered when the bridge had been built",
)


@contextmanager
def outputs_of(network: nn.Module, names: set[str]) -> Iterator[dict[str, list[Tensor]]]:
    """What the named layers put out, each time they run (position, dim)."""
    seen: dict[str, list[Tensor]] = {name: [] for name in names}
    handles = [
        network.get_submodule(name).register_forward_hook(lambda _, __, output, name=name: seen[name].append(output[0]))
        for name in names
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def direct(values: Tensor, weight: Tensor, heads: int) -> Tensor:
    """‖v Wᴼ‖ (head, key) of values (position, key head * value_dim) and weight (embed_dim, head * value_dim)."""
    size = weight.shape[1] // heads
    group = heads * size // values.shape[1]
    rows = []
    for head in range(heads):
        own = values[:, head // group * size :][:, :size]
        rows.append((own.double() @ weight[:, head * size :][:, :size].double().T).norm(dim=-1))
    return torch.stack(rows)


def close(found: Tensor | None, expected: Tensor) -> None:
    assert found is not None
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), expected.double(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", VALUES)
def test_the_projection_is_found_and_the_lengths_are_the_product_written_out(family: str) -> None:
    loaded = ready(families.wrapped(family))
    network, (value_name, output_name) = loaded.network, VALUES[family]
    places = [
        (kind, layer, {**PLACES[kind], "layer": layer})
        for kind in families.FAMILIES[family].kinds
        for layer in range(families.FAMILIES[family].layers)
    ]
    assert {place: found.module for place, found in loaded.outputs.items()} == {
        (kind, layer): network.get_submodule(output_name.format(**names)) for kind, layer, names in places
    }
    with outputs_of(network, {value_name.format(**names) for _, _, names in places}) as seen:
        trace = capture(loaded, families.example(family))
    for kind, layer, names in places:
        made = seen[value_name.format(**names)]
        values = made[layer if family == "albert" else 0]
        weight: Any = network.get_submodule(output_name.format(**names)).weight
        if family == "gpt2":  # queries, keys and values side by side; a weight that lies the other way
            values, weight = values.chunk(3, dim=-1)[2], weight.T
        one = trace.map(kind, layer)
        close(one.value_norms, direct(values, weight, families.HEADS))
        close(look(trace, measure="norm").map(kind, layer).weights().sum(-1), torch.ones(4, one.query_count))


class Gate(nn.Module):
    """Something between the heads and their projection."""

    def __init__(self, projection: nn.Module) -> None:
        super().__init__()
        self.projection = projection

    def forward(self, x: Tensor) -> Tensor:
        """The projection of a part of x."""
        return self.projection(x * x.sigmoid())


class Adapter(nn.Module):
    """A projection with a low-rank change beside it, which goes by the projection's weight, as adapters do."""

    def __init__(self, projection: nn.Linear) -> None:
        super().__init__()
        self.projection = projection
        self.weight = projection.weight
        self.change = nn.Linear(projection.in_features, projection.out_features)

    def forward(self, x: Tensor) -> Tensor:
        """The projection and the change of x."""
        return self.projection(x) + self.change(x)


@pytest.mark.parametrize("between", [Gate, Adapter])
def test_a_projection_that_is_not_all_there_is_counts_as_none(between: type[nn.Module]) -> None:
    model = families.build("llama")
    torch.manual_seed(0)
    model.layers[1].self_attn.o_proj = between(model.layers[1].self_attn.o_proj).eval()
    trace = capture(wrap(model, families.tokenizer()), families.example("llama"))
    assert [one.norms_note for one in trace.maps] == [None, "no-projection"]
    hooks = [hook for module in model.modules() for hook in module._forward_hooks.values()]
    assert not [hook for hook in hooks if isinstance(getattr(hook, "__self__", None), Finder)]


def test_the_weights_are_the_same_with_norms_and_without() -> None:
    loaded = ready(families.wrapped("mistral"))
    with_norms = capture(loaded, families.example("mistral"))
    loaded.outputs = {}
    without = capture(loaded, families.example("mistral"))
    for one, other in zip(with_norms.maps, without.maps, strict=True):
        torch.testing.assert_close(one.weights(), other.weights(), rtol=0, atol=0)
        assert other.value_norms is None


def bundled(name: str) -> tuple[Path, Any]:
    loaded = ready(open_model(name))
    assert loaded.back_end == "in-house"
    assert loaded.folder is not None
    return loaded.folder, loaded


@pytest.mark.parametrize(
    ("name", "example", "output"),
    [
        ("ko-en", Example("고양이가 잔다"), {
            Kind.ENCODER_SELF: "model.encoder.layers.{layer}.self_attn.{}_proj",
            Kind.DECODER_SELF: "model.decoder.layers.{layer}.self_attn.{}_proj",
            Kind.CROSS: "model.decoder.layers.{layer}.encoder_attn.{}_proj",
        }),
        ("shapes", "three-blue-stars-bottom-left", {Kind.ENCODER_SELF: "vit.encoder.layer.{layer}.attention.{}"}),
    ],
)  # fmt: skip
def test_bundled_models_against_their_files(name: str, example: Any, output: dict[Kind, str]) -> None:
    folder, loaded = bundled(name)
    parameters = load_file(folder / "model.safetensors")
    if isinstance(example, str):
        example = Example(image=read_picture((folder / "samples" / f"{example}.png").read_bytes()))
    trace = capture(loaded, example)
    assert set(trace.kinds) == set(output)
    for one in trace.maps:
        spelled = output[one.kind].replace("{layer}", str(one.layer))
        weight = parameters[f"{spelled.format('output.dense' if name == 'shapes' else 'out')}.weight"]
        values = one.value_vectors.transpose(0, 1).flatten(1)  # (position, head * value_dim)
        close(one.value_norms, direct(values, weight, one.head_count))


@pytest.mark.model
def test_kobayashis_finding_on_minilm(minilm_folder: Path) -> None:
    """Section 4 of the paper: special tokens get much weight and little length. The reference is transformers' BERT.

    On BERT-base [SEP]'s share falls from about 50-57 % to 10-17 % in the middle layers. What [CLS] and [SEP] get on
    MiniLM is computed here from transformers' own weights and hidden states and the file's parameters; ours agrees.
    """
    model, bert = ready(open_model("minilm")), BertModel.from_pretrained(minilm_folder, attn_implementation="eager")
    bert.eval()
    parameters = load_file(minilm_folder / "model.safetensors")
    shares = torch.zeros(6, 2)
    for sentence in SENTENCES:
        trace = capture(model, sentence)
        seen = look(trace, measure="norm")
        special = torch.tensor(trace.source.special)
        with torch.inference_mode():
            own = bert(torch.tensor([trace.source.ids]), output_attentions=True, output_hidden_states=True)
        for layer in range(6):
            stem = f"encoder.layer.{layer}.attention"
            value, output = (parameters[f"{stem}.{name}.weight"] for name in ("self.value", "output.dense"))
            values = own.hidden_states[layer][0] @ value.T + parameters[f"{stem}.self.value.bias"]
            lengths = direct(values, output, 12)
            close(trace.maps[layer].value_norms, lengths)
            by_length = own.attentions[layer][0] * lengths[:, None].float()
            by_length = by_length / by_length.sum(-1, keepdim=True)
            torch.testing.assert_close(seen.maps[layer].weights(), by_length, rtol=1e-3, atol=2e-5)
            both = (own.attentions[layer][0], by_length)
            shares[layer] += torch.stack([one[..., special].sum(-1).mean() for one in both]) / len(SENTENCES)
            # What ours says, by the same measure.
            for one, expected in zip((trace, seen), both, strict=True):
                found = float(one.maps[layer].weights()[..., special].sum(-1).mean())
                assert found == pytest.approx(float(expected[..., special].sum(-1).mean()), abs=2e-4)
    by_weight, by_length = shares.T  # of transformers' own numbers, a layer each
    torch.testing.assert_close(by_weight, torch.tensor([0.31, 0.59, 0.62, 0.60, 0.63, 0.37]), atol=0.006, rtol=0)
    torch.testing.assert_close(by_length, torch.tensor([0.14, 0.21, 0.20, 0.20, 0.18, 0.08]), atol=0.006, rtol=0)
