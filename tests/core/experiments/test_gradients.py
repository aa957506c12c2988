"""Gradient × attention: on paper, against the formula's own gradients, and against finite differences."""

from collections.abc import Callable
from dataclasses import replace

import families
import pytest
import torch
import transformers
from lessons import lesson
from writers import writer

from attention_core.capture import Example, LoadedModel, capture, open_model, ready, wrap
from attention_core.capture.inhouse import _pass
from attention_core.capture.variants import Said, Variants
from attention_core.errors import MemoryLimitError, NotAvailableError
from attention_core.experiments.gradients import Handed, across, pushed, relevance, within
from attention_core.maps import DenseMap, Kind
from attention_core.nn.changing import Changes, HeadsOff
from attention_core.nn.watching import Watch


def best(row: int) -> Callable[[Said], torch.Tensor]:
    """The score of the most probable token of a row."""
    return lambda said: said.logits(slice(row, row + 1))[0, 0].max()


# ---- the rules


def test_what_pushes_up_counts_and_heads_are_averaged() -> None:
    weights = torch.tensor([[[1.0, 0.0], [0.25, 0.75]], [[1.0, 0.0], [0.5, 0.5]]])
    one = DenseMap(kind=Kind.ENCODER_SELF, layer=0, given=weights)
    gradient = torch.tensor([[[1.0], [2.0]], [[0.0], [-2.0]]])  # (head, query, value_dim)
    value = torch.tensor([[[3.0], [-1.0]], [[1.0], [-2.0]]])  # (head, key, value_dim)
    # head 0: weights × [[3, -1], [6, -2]]; head 1: weights × [[0, 0], [-2, 4]]; what is negative is left out
    torch.testing.assert_close(pushed(one, gradient, value), torch.tensor([[1.5, 0.0], [0.75, 1.0]]))


def test_heads_that_share_their_values_each_find_theirs() -> None:
    one = DenseMap(kind=Kind.ENCODER_SELF, layer=0, given=torch.ones(4, 1, 1))
    gradient = torch.tensor([1.0, 0.0, 0.0, 2.0]).view(4, 1, 1)
    found = pushed(one, gradient, torch.tensor([[[10.0]], [[100.0]]]))
    assert float(found) == (10 + 0 + 0 + 200) / 4


def test_layers_follow_one_another_from_the_bottom() -> None:
    first, second = torch.tensor([[0.0, 1.0], [0.0, 0.0]]), torch.tensor([[0.0, 0.0], [0.5, 0.0]])
    # (I + second)(I + first), by hand
    torch.testing.assert_close(within([first, second]), torch.tensor([[1.0, 1.0], [0.5, 1.5]]))


def test_source_tokens_reach_the_target_by_rule_10() -> None:
    encoder = torch.tensor([[0.0, 3.0], [0.0, 0.0]])  # R of the source is [[1, 3], [0, 1]], normalised [[1, 1], [0, 1]]
    decoder = torch.tensor([[0.0, 0.0], [4.0, 0.0]])  # R of the target is [[1, 0], [4, 1]], normalised [[1, 0], [1, 1]]
    cross = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    # one layer: [[1, 1], [0, 1]] · cross · [[1, 1], [0, 1]]
    one = across([encoder], [decoder], [cross])
    torch.testing.assert_close(one, torch.tensor([[2.0, 3.0], [0.0, 1.0]]))
    # a second one that looks at nothing in the source carries on by rule 7: (I + decoder) · one
    two = across([encoder], [decoder, decoder], [cross, torch.zeros(2, 2)])
    torch.testing.assert_close(two, torch.tensor([[2.0, 3.0], [8.0, 13.0]]))


# ---- a model on paper


def test_one_layer_without_an_mlp_on_paper() -> None:
    """The score is (x + Σ_h W_h Σ_k α_hk v_hk) · e: linear in every weight, whose gradient is (W_h v_hk) · e."""
    model = lesson(decoder_layers=1, norm="pre", inner_dim=0)
    trace = capture(model, "the cat saw it")
    row = 3
    found = relevance(Variants(model, model.encode(Example("the cat saw it"))), trace, best(row))
    network, one = model.network, trace.maps[0]
    heads = network.decoder[0].attention
    token = network.embedding.tokens.weight[network.logits(network(model.encode(Example("the cat saw it"))
                                            .inputs["input_ids"]).hidden)[0, row].argmax()]  # fmt: skip
    slices = heads.output.weight.view(12, 3, 4)  # (embed_dim, head, value_dim)
    with torch.no_grad():
        gradient = torch.einsum("hkd,ehd,e->hk", one.value_vectors, slices, token)
    expected = torch.eye(4)
    expected[row] += (one.weights()[:, row] * gradient).clamp_min(0).mean(0)
    torch.testing.assert_close(found, expected)
    assert float(found[row, :row].max()) > 0.01


# ---- gradients of the formula itself


def by_the_formula(model: LoadedModel, example: Example, row: int) -> torch.Tensor:
    """The same relevance from the readable formula's own weights, differentiated by torch, in this file's words."""
    watch = Watch(readable=True)
    hidden, _ = _pass(model.network, model.encode(example).inputs, watch)
    layers = next(iter(watch.records.values()))
    gradients = torch.autograd.grad(model.network.logits(hidden)[0, row].max(), [one.given for one in layers])
    total = torch.eye(hidden.shape[1])
    for one, gradient in zip(layers, gradients, strict=True):
        total = total + (one.given * gradient)[0].clamp_min(0).mean(0).detach() @ total
    return total


@pytest.mark.parametrize("stack", ["encoder_layers", "decoder_layers"])
@pytest.mark.parametrize("norm", ["pre", "post"])
def test_the_kernel_s_outputs_say_what_the_formula_s_weights_say(stack: str, norm: str) -> None:
    model = lesson(**{stack: 3}, norm=norm, output="tokens" if stack == "decoder_layers" else "masked")
    example = Example("the dog saw the cat and it ran")
    found = relevance(Variants(model, model.encode(example)), capture(model, example), best(4))
    torch.testing.assert_close(found, by_the_formula(model, example, 4), rtol=1e-4, atol=1e-4)


# ---- finite differences of the forward pass


class Nudge(Changes):
    """Adds a little to one weight of one row of the batch after another: to the outputs, what it adds to them."""

    def __init__(self, place: tuple[str, int, int], query: int, by: float) -> None:
        self.kind, self.layer, self.head = place
        self.query, self.by = query, by

    def value(self, kind: str, layer: int, value: torch.Tensor) -> torch.Tensor:
        self.values = value
        return value

    def output(self, kind: str, layer: int, output: torch.Tensor) -> torch.Tensor:
        if (str(kind), layer) != (self.kind, self.layer):
            return output
        owner = self.head // (output.shape[1] // self.values.shape[1])
        nudged = output.clone()
        for variant in range(len(output)):
            weights = torch.zeros(self.values.shape[2])
            weights[variant] = self.by
            nudged[variant, self.head, self.query] += weights @ self.values[variant, owner]
        return nudged


def pushed_by_differences(variants: Variants, trace, row: int, place: tuple[str, int, int], query: int) -> torch.Tensor:
    """Weight × gradient (key) of one head's row, from the scores with each weight a little larger and smaller."""
    kind, layer, head = place
    count, step = len(trace.keys(kind)), 1e-2
    with torch.inference_mode():
        plain = variants.say(1).logits(slice(row, row + 1))[0, 0]
        up, down = (
            variants.say(count, changes=Nudge(place, query, by)).logits(slice(row, row + 1))[:, 0, plain.argmax()]
            for by in (step, -step)
        )
    return (up - down) / (2 * step) * trace.map(kind, layer).weights(head, query)[0, 0]


def demand_differences(model: LoadedModel, example: Example, row: int, query: int) -> None:
    """One layer's Ā of every head, from finite differences, is what the rules were given."""
    trace, encoded = capture(model, example), model.encode(replace(example, target=None))
    variants = Variants(model, encoded if trace.target is None else model.with_target(encoded, trace.target))
    seen = {}

    def keep(one, gradient, value):
        seen[str(one.kind), one.layer] = pushed(one, gradient, value)
        return seen[str(one.kind), one.layer]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("attention_core.experiments.gradients.pushed", keep)
        relevance(variants, trace, best(row))
    assert len(seen) == len(trace.maps)
    for kind in trace.kinds:
        asked = query if kind != Kind.ENCODER_SELF or len(trace.kinds) == 1 else 1
        for layer in range(len(trace.maps_of(kind))):
            heads = trace.map(kind, layer).head_count
            rows = [pushed_by_differences(variants, trace, row, (kind, layer, h), asked) for h in range(heads)]
            expected = torch.stack(rows).clamp_min(0).mean(0)
            scale = float(expected.max())
            torch.testing.assert_close(seen[kind, layer][asked], expected, rtol=0.02, atol=0.02 * scale + 1e-4)


def test_finite_differences_of_our_own_transformers() -> None:
    demand_differences(lesson(decoder_layers=2, norm="pre"), Example("the cat saw it"), 3, 3)
    demand_differences(lesson(encoder_layers=2, output="masked"), Example("the cat saw it"), 2, 4)


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "gpt_oss", "mistral"])
def test_finite_differences_of_models_of_another_library(family: str) -> None:
    """Grouped heads, sliding windows, soft caps and sinks among them."""
    model = ready(wrap(writer(family), families.tokenizer()))
    assert model.back_end == "interface"
    demand_differences(model, Example(families.text(13)), 12, 12)


def test_finite_differences_of_both_stacks() -> None:
    demand_differences(open_model("ko-en"), Example("나는 학교에 갔다"), 2, 2)
    body = families.build("bart")
    network = transformers.BartForConditionalGeneration(body.config).eval()
    network.model = body
    network.tie_weights()
    model = ready(wrap(network, families.tokenizer()))
    assert model.back_end == "interface"
    demand_differences(model, Example(families.text(7), target=families.text(5, 2)), 3, 3)


# ---- what is refused


def test_a_kernel_that_says_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """While gradients are taken this model's attention is another: no number of it may be shown."""
    model = ready(wrap(writer("gpt2"), families.tokenizer()))
    example = Example(families.text(6))
    trace, variants = capture(model, example), Variants(model, model.encode(example))
    handed = Handed.output
    monkeypatch.setattr(Handed, "output", lambda *given: handed(*given) * (0.5 if torch.is_grad_enabled() else 1))
    with pytest.raises(NotAvailableError, match="would not be its own") as caught:
        relevance(variants, trace, best(5))
    assert caught.value.facts["reason"] == "no-gradient"


def test_what_cannot_be_differentiated_is_refused() -> None:
    with torch.inference_mode():  # its parameters belong to no graph
        model = ready(wrap(writer("llama"), families.tokenizer()))
    example = Example(families.text(6))
    with pytest.raises(NotAvailableError, match="cannot be taken") as caught:
        relevance(Variants(model, model.encode(example)), capture(model, example), best(5))
    assert caught.value.facts["reason"] == "no-gradient"


def test_a_model_that_was_opened_in_inference_mode_has_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is opened once a process: who comes later must not find it without them."""
    monkeypatch.setattr("attention_core.capture._opened", {})
    with torch.inference_mode():
        model = open_model("induction")
    example = Example("owl fox owl")
    found = relevance(Variants(ready(model), model.encode(example)), capture(model, example), best(2))
    assert float(found[2, :2].max()) > 0


def test_a_pass_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = lesson(decoder_layers=1)
    example = Example("the cat saw it")
    monkeypatch.setattr("attention_core.experiments.gradients.available_bytes", lambda _: 9_000_000)
    with pytest.raises(MemoryLimitError, match="9 MB are available"):
        relevance(Variants(model, model.encode(example)), capture(model, example), best(3))


def test_a_head_that_is_off_pushes_nothing() -> None:
    model, example = lesson(decoder_layers=2), Example("the cat saw it")
    off = [[(Kind.DECODER_SELF, layer, head) for layer in range(2) for head in range(3)]]
    found = relevance(
        Variants(model, model.encode(example)), capture(model, example), best(3), HeadsOff(off)
    )
    assert torch.equal(found, torch.eye(4))
