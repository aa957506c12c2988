"""Heads switched off: effects that are known by hand, and by networks whose output projection lost its part."""

import copy
import gc
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from planted_model import WORDS, planted
from tiny_networks import tiny_llama, words
from torch import Tensor, nn

from attention_core.capture import Example, LoadedModel, capture, open_model, ready, wrap
from attention_core.capture.switching import with_own_target
from attention_core.errors import InputError, NotAvailableError, UnknownNameError
from attention_core.experiments import EXPERIMENTS, experiment
from attention_core.experiments.aims import Aim
from attention_core.experiments.running import ExperimentCancelled, Progress, finish
from attention_core.experiments.switching import HeadEffect, Scan, scan, switch_off
from attention_core.nn import Transformer

CAT = "The cat sat on the mat because it was tired"
DECIDES = 9.0


@pytest.fixture(scope="module")
def decided() -> LoadedModel:
    """One layer, two heads: head 0 looks from *it* at *cat* and says *mat*, head 1 says nothing at all."""
    model = planted(decoder=True)
    config = replace(model.network.config, output="tokens")  # type: ignore[type-var,arg-type]
    network = Transformer(config).eval()
    network.load_state_dict(model.network.state_dict())
    with torch.no_grad():
        heads = network.decoder[0].attention
        for projection in (heads.value, heads.output):
            projection.weight.zero_()
            projection.bias.zero_()
        heads.value.weight[0, WORDS.index("cat")] = 1.0
        heads.output.weight[WORDS.index("mat"), 0] = DECIDES
    return ready(replace(model, network=network))


def said(heard: dict[str, float]) -> Tensor:
    """The probabilities (token) after vectors of some words, each so long, went through the model's norm."""
    x = torch.zeros(16, dtype=torch.float64)
    for word, amount in heard.items():
        x[WORDS.index(word)] = amount
    normed = (x - x.mean()) / (x.var(correction=0) + 1e-5).sqrt()
    return torch.softmax(normed[: len(WORDS)], dim=0)


def test_the_head_that_decides_has_all_of_the_effect(decided: LoadedModel) -> None:
    text = "cat dog ran it"
    weight = float(capture(decided, text).maps[0].weights(0)[0, 3, 0])
    before, without = said({"it": 1.0, "mat": DECIDES * weight}), said({"it": 1.0})
    found = finish(scan(decided, Example(text), key=0))
    first, second = found.heads
    assert (first.layer, first.head, second.head) == (0, 0, 1)
    assert first.effect == pytest.approx(float((before - without).abs().sum()) / 2, abs=1e-5)
    assert second.effect == pytest.approx(0, abs=1e-6)
    assert (first.attention, second.attention) == (pytest.approx(weight), pytest.approx(1 / 4))
    assert found.base[0].text == "mat"
    assert found.base[0].probability == pytest.approx(float(before.max()), abs=1e-5)
    assert first.after is not None
    assert first.after.text == "it"
    assert first.probability == pytest.approx(float(without[WORDS.index("mat")]), abs=1e-5)
    assert found.agreement is None  # two heads have no ranking
    assert found.aim == Aim("next-token", 3)


def test_what_nobody_hears_changes_nothing(decided: LoadedModel) -> None:
    silent = finish(switch_off(decided, Example("cat dog ran it", off=("decoder-self.0.1",))))
    assert silent.effect == pytest.approx(0, abs=1e-6)
    assert [one.text for one in silent.before] == [one.text for one in silent.after]
    both = finish(switch_off(decided, Example("cat dog ran it", off=("decoder-self.0.0", "decoder-self.0.1"))))
    alone = finish(scan(decided, Example("cat dog ran it")))
    assert both.effect == pytest.approx(alone.heads[0].effect, abs=1e-6)
    assert (both.before[0].text, both.after[0].text, len(both.before)) == ("mat", "it", 5)
    assert both.probability == alone.heads[0].probability


def test_other_heads_that_are_off_stay_off(decided: LoadedModel) -> None:
    (rest,) = finish(scan(decided, Example("cat dog ran it", off=("decoder-self.0.0",)))).heads
    assert (rest.head, rest.effect) == (1, pytest.approx(0, abs=1e-6))


def test_the_attention_beside_an_effect(decided: LoadedModel) -> None:
    """Of a row the largest weight on an ordinary token, or that on the key."""
    trace = capture(decided, "cat [SEP] ran it")
    weights = trace.maps[0].weights()
    for key, expected in ((None, weights[:, 2, [0, 2, 3]].amax(dim=-1)), (1, weights[:, 2, 1])):
        found = finish(scan(decided, Example("cat [SEP] ran it"), row=2, key=key))
        for one in found.heads:
            assert one.attention == pytest.approx(float(expected[one.head]))


@pytest.mark.model
def test_minilm_without_a_head_as_transformers_runs_it(minilm_folder: Path) -> None:
    """The distance of the sentence's vector, against a network whose output projection lost the head's columns."""
    model = open_model("minilm")
    network = transformers.BertModel.from_pretrained(minilm_folder, add_pooling_layer=False).eval()
    inputs = model.encode(Example(CAT)).inputs
    found = finish(scan(model, Example(CAT)))
    assert (found.aim, found.base, len(found.heads)) == (Aim("embedding"), (), 72)
    assert found.heads == tuple(sorted(found.heads, key=lambda one: -one.effect))
    weights = [one.weights() for one in capture(model, CAT).maps]
    with torch.no_grad():
        whole = network(**inputs).last_hidden_state[0].mean(dim=0)
        for one in found.heads[::12]:
            projection = network.encoder.layer[one.layer].attention.output.dense.weight
            columns = projection[:, 32 * one.head : 32 * one.head + 32]
            kept = columns.clone()
            columns.zero_()
            vector = network(**inputs).last_hidden_state[0].mean(dim=0)
            columns.copy_(kept)
            expected = 1 - float(torch.cosine_similarity(whole, vector, dim=0))
            assert one.effect == pytest.approx(expected, abs=2e-6)
            most = weights[one.layer][one.head][:, 1:-1].amax(dim=-1).mean()  # [CLS] and [SEP] aside
            assert one.attention == pytest.approx(float(most), abs=1e-5)
            assert (one.after, one.probability) == (None, None)


def total_variation(one: Tensor, other: Tensor) -> float:
    return float((one.softmax(-1) - other.softmax(-1)).abs().sum(-1).mean()) / 2


@torch.inference_mode()
def test_the_translator_without_a_head() -> None:
    """Against a copy of the network whose output projection lost the head's columns, and which is watched by nobody."""
    model = ready(open_model("ko-en"))
    network: Any = model.network
    ko = "나는 학교에 갔다"
    encoded, _ = with_own_target(model, model.encode(Example(ko)))
    source, target = encoded.inputs["input_ids"], encoded.inputs["decoder_input_ids"]
    whole = network.logits(network(source, target).hidden)[0]
    dim = network.config.embed_dim // network.config.heads
    every, cross, row = (finish(scan(model, Example(ko), kind=kind, row=at)) for kind, at in
                         ((None, None), ("cross", None), ("cross", 1)))  # fmt: skip
    assert {one.kind for one in every.heads} == {"encoder-self", "decoder-self", "cross"}
    for one in every.heads:
        same = [two for two in cross.heads if (two.kind, two.layer, two.head) == (one.kind, one.layer, one.head)]
        assert [two.effect for two in same] == [pytest.approx(one.effect, abs=1e-6)] * (one.kind == "cross")
    assert [one.text for one in every.base] == ["I", "went", "to", "school", "</s>"]
    assert (every.aim, row.aim) == (Aim("translation"), Aim("translation", 1))
    for one in (*every.heads[:4], every.heads[-1]):
        cut = copy.deepcopy(network)
        block = (cut.encoder if one.kind == "encoder-self" else cut.decoder)[one.layer]
        heads = block.cross if one.kind == "cross" else block.attention
        heads.output.weight[:, dim * one.head : dim * one.head + dim] = 0
        without = cut.logits(cut(source, target).hidden)[0]
        assert one.effect == pytest.approx(total_variation(whole, without), abs=1e-5)
        best = without.softmax(-1).gather(1, whole.argmax(-1, keepdim=True)).mean()
        assert one.probability == pytest.approx(float(best), abs=1e-5)
        if one.kind == "cross":
            same = next(two for two in row.heads if (two.layer, two.head) == (one.layer, one.head))
            assert same.effect == pytest.approx(total_variation(whole[1:2], without[1:2]), abs=1e-5)


def test_what_the_translator_writes_before_and_after() -> None:
    model = open_model("ko-en")
    off = tuple(f"cross.1.{head}" for head in range(4))
    example = Example("나는 학교에 갔다", off=off)
    found = finish(switch_off(model, example))
    whole, without = capture(model, replace(example, off=())).target, capture(model, example).target
    assert whole is not None
    assert without is not None
    assert found.written == (whole.text, without.text)
    assert whole.text != without.text
    assert [one.text for one in found.before] == ["I", "went", "to", "school", "</s>"]
    mean = finish(switch_off(model, replace(example, off_with="mean")))
    assert mean.written == (whole.text, None)
    assert mean.effect != found.effect
    told = finish(switch_off(model, replace(example, target="I went home")))
    assert told.written == found.written
    assert len(told.before) == 4
    assert len(finish(scan(model, replace(example, off_with="mean"), how="mean")).heads) == 20


@pytest.fixture(scope="module")
def llama() -> LoadedModel:
    return tiny_llama()


@torch.inference_mode()
@pytest.mark.parametrize("row", [None, 2])
def test_a_decoder_of_transformers_without_a_head(llama: LoadedModel, row: int | None) -> None:
    assert llama.back_end == "interface"
    example = Example("w3 w9 w4 w3 w9")
    found = finish(scan(llama, example, row=row))
    at = 4 if row is None else row
    assert (found.aim, len(found.heads)) == (Aim("next-token", at), 8)
    inputs = llama.encode(example).inputs
    eager = copy.deepcopy(llama.network)
    eager.set_attn_implementation("eager")  # type: ignore[operator]
    whole = eager(**inputs).logits[0, at]
    weights = [one.weights() for one in capture(llama, example).maps]
    for one in found.heads:
        cut: Any = copy.deepcopy(eager)
        cut.model.layers[one.layer].self_attn.o_proj.weight[:, 8 * one.head : 8 * one.head + 8] = 0
        without = cut(**inputs).logits[0, at]
        assert one.effect == pytest.approx(total_variation(whole, without), abs=1e-5)
        assert one.after is not None
        assert one.after.text == f"w{int(without.argmax())}"
        assert one.attention == pytest.approx(float(weights[one.layer][one.head, at].max()), abs=1e-5)
    assert found.agreement == pytest.approx(rank_correlation(found), abs=1e-9)


def rank_correlation(found: Scan) -> float:
    """Spearman's formula for ranks without ties."""
    def ranks(numbers: list[float]) -> list[int]:
        return [sorted(numbers).index(number) for number in numbers]

    first, second = (ranks([getattr(one, name) for one in found.heads]) for name in ("attention", "effect"))
    count = len(first)
    return 1 - 6 * sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) / (count * (count**2 - 1))


def test_of_a_picture_the_question_counts_that_changed_most() -> None:
    model = ready(open_model("shapes"))
    image = torch.randint(0, 256, (48, 48, 3), generator=torch.Generator().manual_seed(1)).byte()
    found = finish(scan(model, Example(image=image)))
    assert (found.aim.task, found.aim.row) == ("classes", None)
    assert len(found.base) == len(found.aim.questions) > 1

    def answers(off: tuple[str, ...]) -> list[dict[str, float]]:
        said = capture(model, Example(image=image, off=off)).predictions
        assert said is not None
        return [{one.text: one.probability for one in each.candidates} for each in said.at]

    before = answers(())
    for one in (found.heads[0], found.heads[-1]):
        after = answers((f"{one.kind}.{one.layer}.{one.head}",))
        moved = [sum(abs(was[name] - now[name]) for name in was) / 2 for was, now in zip(before, after, strict=True)]
        assert one.effect == pytest.approx(max(moved), abs=1e-5)
    switched = finish(switch_off(model, Example(image=image, off=("encoder-self.0.0",))))
    best = [max(was.values()) for was in before]
    assert [one.probability for one in switched.before] == pytest.approx(best, abs=1e-5)


# -------------------------------------------------------------------------------------------------------------- running


def test_a_scan_that_is_closed_leaves_nothing(llama: LoadedModel) -> None:
    going = scan(llama, Example("w3 w9 w4 w3 w9"))
    assert next(going) == Progress(0, 8)
    next(going)
    held = [weakref.ref(going.gi_frame.f_locals[name]) for name in ("trace", "variants", "base")]
    assert all(one() is not None for one in held)
    assert not torch.is_inference_mode_enabled()
    going.close()
    gc.collect()
    assert [one() for one in held] == [None] * 3


def test_an_experiment_tells_how_far_it_is_and_can_be_cancelled(llama: LoadedModel) -> None:
    told: list[Progress] = []
    finish(scan(llama, Example("w3 w9 w4")), report=told.append)
    assert [one.total for one in told] == [8] * len(told)
    assert [one.done for one in told] == sorted({one.done for one in told})
    assert (told[0].done, told[-1].done) == (0, 8)
    going, told = scan(llama, Example("w3 w9 w4")), []
    with pytest.raises(ExperimentCancelled):
        finish(going, told.append, lambda: len(told) == 1)
    assert len(told) == 1
    with pytest.raises(StopIteration):
        next(going)


# ------------------------------------------------------------------------------------------------------------ refusals


def errors(model: LoadedModel) -> Iterator[tuple[type[Exception], str, Any]]:
    example = Example("w1 w2 w3")
    yield UnknownNameError, "accepted: decoder-self", scan(model, example, kind="cross")
    yield UnknownNameError, "accepted: zero, mean", scan(model, example, how="half")
    yield InputError, "key 3 is not there; accepted: 0 to 2", scan(model, example, key=3)
    yield InputError, "row 9 is not there; accepted: 0 to 2", scan(model, example, row=9)
    yield InputError, "name some", switch_off(model, example)
    yield UnknownNameError, "unknown head", switch_off(model, replace(example, off=("decoder-self.9.9",)))


def test_what_cannot_be_scanned_is_told(llama: LoadedModel) -> None:
    for kind, sentence, going in errors(llama):
        with pytest.raises(kind, match=sentence):
            finish(going)
    with pytest.raises(InputError, match="name one of encoder-self, decoder-self, cross"):
        finish(scan(open_model("ko-en"), Example("나는 학교에 갔다"), key=0))
    config = transformers.GPTNeoConfig(vocab_size=40, hidden_size=32, num_layers=1, num_heads=4, attention_types=[
        [["global"], 1]], max_position_embeddings=64)  # fmt: skip
    eager = wrap(transformers.GPTNeoForCausalLM(config).eval(), words(40))
    for refused in (scan(eager, Example("w1")), switch_off(eager, Example("w1", off=("decoder-self.0.0",)))):
        with pytest.raises(NotAvailableError, match="from outside"):
            finish(refused)


def test_every_experiment_is_listed() -> None:
    assert [one.name for one in EXPERIMENTS] == ["scan", "switch-off", "importance", "sublayer"]
    assert experiment("scan").needs_model
    with pytest.raises(UnknownNameError, match="accepted: scan, switch-off, importance"):
        experiment("flip")


def test_no_effect_is_a_number_outside_its_range(llama: LoadedModel) -> None:
    found = finish(scan(llama, Example("w3 w9 w4 w3 w9"), how="mean"))
    assert all(isinstance(one, HeadEffect) and 0 <= one.effect <= 1 and 0 <= one.attention <= 1 + 1e-6
               for one in found.heads)  # fmt: skip
    assert isinstance(found.how, str)
    assert not any(isinstance(one, nn.Module) for one in vars(found).values())
