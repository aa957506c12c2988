"""Value zeroing: on paper, against a BERT whose values are zeroed by hand, and one layer at a time."""

import families
import pytest
import torch
from lessons import lesson

from attention_core.capture import Example, LoadedModel, capture, ready, wrap
from attention_core.capture.variants import Variants
from attention_core.errors import NotAvailableError
from attention_core.experiments.running import finish
from attention_core.experiments.zeroing import Mixing, mixing
from attention_core.maps import Kind
from attention_core.nn.changing import HeadsOff, ValuesOff


def cosine_distances(changed: torch.Tensor, plain: torch.Tensor) -> torch.Tensor:
    """1 - cosine of vectors (..., dim), float64."""
    return 1 - torch.nn.functional.cosine_similarity(changed.double(), plain.double(), dim=-1)


def shares(distances: torch.Tensor) -> torch.Tensor:
    return (distances / distances.sum(-1, keepdim=True)).float()


def mixed(model: LoadedModel, example: Example) -> Mixing:
    return finish(mixing(Variants(ready(model), model.encode(example))))


def test_one_layer_without_an_mlp_on_paper() -> None:
    """The layer's output is x + Σ_h W_h Σ_k α_k v_k; without token j, the same less what j brought."""
    model = lesson(encoder_layers=1, norm="pre", inner_dim=0, output="none")
    example = Example("the cat saw it")
    one = capture(model, example).maps[0]
    heads = model.network.encoder[0].attention
    with torch.no_grad():
        whole = model.network(model.encode(example).inputs["input_ids"]).hidden[0]
        brought = torch.einsum("hqk,hkd,ehd->qke", one.weights(), one.value_vectors, heads.output.weight.view(12, 3, 4))
        expected = shares(cosine_distances(whole[:, None] - brought, whole[:, None]))
    torch.testing.assert_close(mixed(model, example).within[0], expected, rtol=1e-4, atol=1e-6)


def test_a_bert_of_another_library_whose_values_are_zeroed_by_hand() -> None:
    network = families.build("bert")
    example = Example(families.text(9))
    ids = wrap(network, families.tokenizer()).encode(example).inputs["input_ids"]
    count, zeroed, expected = ids.shape[1], [0], []

    def zero(_module: object, _inputs: object, output: torch.Tensor) -> torch.Tensor:
        changed = output.clone()
        changed[:, zeroed] = 0.0
        return changed

    with torch.inference_mode():
        states = network(ids, output_hidden_states=True).hidden_states
        for number, layer in enumerate(network.encoder.layer):
            hook = layer.attention.self.value.register_forward_hook(zero)
            columns = []
            for zeroed[0] in range(count):
                changed = layer(states[number])
                output = changed[0] if isinstance(changed, tuple) else changed
                columns.append(cosine_distances(output, states[number + 1]).flatten())
            hook.remove()
            expected.append(shares(torch.stack(columns, dim=1)))
    found = mixed(wrap(network, families.tokenizer()), example)
    torch.testing.assert_close(found.within, torch.stack(expected), rtol=1e-3, atol=1e-5)
    assert float(found.within[1].amax(1).min()) > 0.2  # rows that differ, and mix
    assert float(found.within[1].diagonal().max()) < 0.9


@pytest.mark.parametrize("family", ["albert", "gpt2", "llama", "gemma2", "t5", "bart", "vit"])
def test_all_layers_at_once_are_each_layer_alone(family: str) -> None:
    model, example = families.wrapped(family), families.example(family)
    variants = Variants(ready(model), model.encode(example))
    found = finish(mixing(variants))
    first = Kind(next(iter(model.there)))
    stacks = [((first,), found.within)]
    if found.beside is not None:
        stacks.append(((Kind.DECODER_SELF, Kind.CROSS), found.beside))
    for kinds, shown in stacks:
        for layer in range(model.there[kinds[0]][0]):
            alone = torch.cat([_without_each(variants, kind, layer) for kind in kinds], dim=1)
            torch.testing.assert_close(shown[layer], shares(alone), rtol=1e-3, atol=1e-5)


def _without_each(variants: Variants, kind: Kind, layer: int) -> torch.Tensor:
    """How far each key of one layer turns each position's output (position, key), nothing else being changed."""
    target = variants.encoded.decoder_input
    count = len(target if target is not None and kind == Kind.DECODER_SELF else variants.encoded.source)
    off = ValuesOff(kind, layer, [[], *[[key] for key in range(count)]])
    with torch.inference_mode():
        states = variants.say(count + 1, changes=off, with_layers=kind).layers[layer]
    return cosine_distances(states[1:], states[:1]).T


def test_a_decoder_mixes_nothing_of_what_lies_ahead() -> None:
    found = mixed(lesson(decoder_layers=3, norm="pre"), Example("the dog saw the cat and it ran"))
    assert float(found.within.triu(1).max()) == 0.0
    rolled = found.rolled()
    torch.testing.assert_close(rolled.sum(1), torch.ones(8))
    assert rolled[0].tolist() == [1.0, *[0.0] * 7]


def test_a_stack_is_multiplied_from_the_bottom_without_an_identity() -> None:
    first, second = torch.tensor([[0.5, 0.5], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.25, 0.75]])
    expected = torch.tensor([[0.5, 0.5], [0.125, 0.875]])
    torch.testing.assert_close(Mixing(torch.stack([first, second])).rolled(), expected)


def test_beside_an_encoder_the_source_s_share_is_followed_down() -> None:
    within = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])  # the encoder swaps its two tokens
    beside = torch.tensor([[[0.5, 0.0, 0.5, 0.0], [0.25, 0.25, 0.0, 0.5]]]).repeat(2, 1, 1)
    found = Mixing(within, beside).rolled()
    # one layer reads [[0, .5], [.5, 0]] of the swapped source; the second carries [[.5, 0], [.25, .25]] of it on
    torch.testing.assert_close(found, torch.tensor([[0.0, 0.75], [0.625, 0.125]]))


def test_without_its_heads_every_token_keeps_to_itself() -> None:
    model = lesson(encoder_layers=2, output="none")
    off = HeadsOff([[(Kind.ENCODER_SELF, layer, head) for layer in range(2) for head in range(3)]])
    found = finish(mixing(Variants(model, model.encode(Example("the cat saw it"))), off))
    assert torch.equal(found.within, torch.eye(6).expand(2, 6, 6))


def test_layers_that_run_two_at_a_time_cannot_be_told_apart() -> None:
    model = ready(wrap(families.build("albert", num_hidden_layers=2, inner_group_num=2), families.tokenizer()))
    assert model.back_end == "interface"
    with pytest.raises(NotAvailableError) as caught:
        mixed(model, Example(families.text(5)))
    assert caught.value.facts["reason"] == "no-layers"


def test_what_watches_layers_leaves_other_passes_alone() -> None:
    model = families.wrapped("llama")
    example = Example(families.text(7))
    before = capture(model, example)
    mixed(model, example)
    after = capture(model, example)
    for one, other in zip(before.maps, after.maps, strict=True):
        assert torch.equal(one.weights(), other.weights())
