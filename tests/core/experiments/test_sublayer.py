"""What goes into one attention and comes out of it: against the model's own modules, by every way of reading one."""

from dataclasses import replace
from threading import Thread
from typing import Any

import families
import pytest
import torch
from tiny_networks import tiny_llama

from attention_core.analysis.steps import steps
from attention_core.capture import Example, LoadedModel, capture, open_model, ready
from attention_core.errors import InputError, NotAvailableError, SelfCheckError, UnknownNameError
from attention_core.experiments import sublayer as module
from attention_core.experiments.running import finish
from attention_core.experiments.sublayer import Sublayer, sublayer
from attention_core.maps import FactoredMap
from attention_core.nn.changing import Head
from attention_core.nn.norms import OutputProjection
from attention_core.trace import AttentionTrace

QUERY, KEY = 6, 3


def found(model: LoadedModel, example: Example, place: Head, query: int = QUERY, key: int = KEY) -> Sublayer:
    return finish(sublayer(model, example, place, query, key))


def adds_up(one: Sublayer, model: LoadedModel, example: Example) -> None:
    """The heads are the trace's, and their parts add up to what the model's own projection put out."""
    trace = capture(model, example)
    row = steps(trace, one.kind, one.layer, one.head, one.query)
    largest = float(one.heads.abs().max())
    assert float((one.heads[one.head] - row.output).abs().max()) <= 1e-5 * largest
    size = float(one.given.abs().max())
    assert one.error == pytest.approx(float((one.joined - one.given).abs().max()), abs=1e-9)
    assert one.error <= trace.provenance.self_check_tolerance * max(size, largest)
    mixer: Any = model.outputs[one.kind, one.layer].module
    own = torch.zeros_like(one.heads)
    own[one.head] = one.heads[one.head]
    with torch.inference_mode():
        part = mixer(own.flatten()) - mixer(torch.zeros(own.numel()))
    torch.testing.assert_close(one.part, part, rtol=1e-4, atol=1e-6)


# By the names of each family's own projections; no turn of queries and keys comes after them in these.
PROJECTIONS = {
    "bert": lambda m, kind, n: (m.encoder.layer[n].attention.self.query, m.encoder.layer[n].attention.self.key),
    "albert": lambda m, kind, n: _pair(m.encoder.albert_layer_groups[0].albert_layers[0].attention, "query", "key"),
    "vit": lambda m, kind, n: _pair(m.layers[n].attention, "q_proj", "k_proj"),
    "t5": lambda m, kind, n: _pair(_t5(m, kind, n), "q", "k"),
    "bart": lambda m, kind, n: _pair(_bart(m, kind, n), "q_proj", "k_proj"),
}


def _pair(attention: Any, query: str, key: str) -> tuple[Any, Any]:
    return getattr(attention, query), getattr(attention, key)


def _t5(model: Any, kind: str, layer: int) -> Any:
    block = (model.encoder if kind == "encoder-self" else model.decoder).block[layer]
    return block.layer[1].EncDecAttention if kind == "cross" else block.layer[0].SelfAttention


def _bart(model: Any, kind: str, layer: int) -> Any:
    block = (model.encoder if kind == "encoder-self" else model.decoder).layers[layer]
    return block.encoder_attn if kind == "cross" else block.self_attn


def projected(vector: torch.Tensor, projection: Any, head: int) -> torch.Tensor:
    with torch.inference_mode():
        made: torch.Tensor = projection(vector).view(families.HEADS, -1)[head]
    return made


@pytest.mark.parametrize("family", PROJECTIONS)
def test_what_goes_in_makes_the_traces_queries_and_keys(family: str) -> None:
    model, example = ready(families.wrapped(family)), families.example(family)
    trace = capture(model, example)
    for kind in trace.kinds:
        one, mapped = found(model, example, (kind, 1, 2)), trace.map(kind, 1)
        assert isinstance(mapped, FactoredMap)
        query, key = PROJECTIONS[family](model.network, str(kind), 1)
        vectors = {"query": mapped.query_vectors[2, QUERY], "key": mapped.key_vectors[2, KEY]}
        # BART's own library multiplies the queries by the scale before its attention.
        mine = projected(one.query_input, query, 2)
        torch.testing.assert_close(mine * float(vectors["query"][0] / mine[0]), vectors["query"], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(projected(one.key_input, key, 2), vectors["key"], rtol=1e-4, atol=1e-5)
        adds_up(one, model, example)


# A projection that lies transposed; norms before the attention, shared keys and values, sinks.
@pytest.mark.parametrize("family", ["gpt2", "gpt_oss"])
def test_the_parts_add_up_in_other_families(family: str) -> None:
    model, example = ready(families.wrapped(family)), families.example(family)
    for layer in (0, 1):
        adds_up(found(model, example, ("decoder-self", layer, 3)), model, example)


def test_heads_that_share_their_values_each_have_a_part() -> None:
    model, example = tiny_llama(), Example("w1 w2 w3 w4 w5 w6 w7 w8")
    one = found(model, example, ("decoder-self", 1, 3))
    assert one.heads.shape == (4, 8)
    assert one.bias is None
    adds_up(one, model, example)


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("ko-en", "나는 학교에 갔다", ("encoder-self", 0, 1)),
        ("ko-en", "나는 학교에 갔다", ("decoder-self", 1, 0)),
        ("ko-en", "나는 학교에 갔다", ("cross", 1, 3)),
        ("induction", "owl fox lamp owl", ("decoder-self", 1, 2)),
    ],
)
def test_our_own_transformer_hands_it_over(name: str, text: str, place: Head) -> None:
    model, example = open_model(name), Example(text)
    trace, one = capture(model, example), found(model, example, place, 2, 1)
    adds_up(one, model, example)
    network: Any = model.network
    block = (network.encoder if place[0] == "encoder-self" else network.decoder)[place[1]]
    heads = block.cross if place[0] == "cross" else block.attention
    mapped = trace.map(place[0], place[1])
    assert isinstance(mapped, FactoredMap)
    with torch.inference_mode():
        for vector, projection, held in (
            (one.query_input, heads.query, mapped.query_vectors[place[2], 2]),
            (one.key_input, heads.key, mapped.key_vectors[place[2], 1]),
        ):
            made = heads.split(vector[None, None], projection)[0, place[2], 0]
            if not block.rotary or place[0] == "cross":
                torch.testing.assert_close(made, held, rtol=1e-4, atol=1e-5)


def test_in_cross_attention_the_key_comes_from_the_encoder_also_of_texts_of_one_length() -> None:
    model = ready(families.wrapped("bart"))
    example = Example(families.text(12, 1), target=families.text(12, 2))
    one = found(model, example, ("cross", 1, 0))
    inputs = model.encode(example).inputs
    network: Any = model.network
    with torch.inference_mode():
        source = network.encoder(input_ids=inputs["input_ids"]).last_hidden_state[0]
    torch.testing.assert_close(one.key_input, source[KEY])
    assert not torch.allclose(one.query_input, source[QUERY])


def test_a_head_that_is_off_adds_nothing_and_what_is_otherwise_shows() -> None:
    model, example = open_model("induction"), Example("owl fox lamp owl")
    usual = found(model, example, ("decoder-self", 0, 3), 3, 1)
    off = found(model, replace(example, off=("decoder-self.0.3",)), ("decoder-self", 0, 3), 3, 1)
    assert not off.heads[3].any()
    assert not off.part.any()
    torch.testing.assert_close(off.joined, usual.joined - usual.part, rtol=1e-4, atol=1e-5)
    hot = replace(example, what_if=("temperature:20",))
    adds_up(found(model, hot, ("decoder-self", 0, 3), 3, 1), model, hot)


def test_the_target_is_the_models_own_where_none_is_given() -> None:
    model = open_model("ko-en")
    own = found(model, Example("나는 학교에 갔다"), ("cross", 1, 3), 2, 1)
    given = found(model, Example("나는 학교에 갔다", target="I went to school"), ("cross", 1, 3), 2, 1)
    torch.testing.assert_close(own.joined, given.joined)


def test_nothing_stays_on_the_model() -> None:
    model, example = tiny_llama(), Example("w1 w2 w3 w4 w5 w6 w7 w8")

    def hooks() -> list[int]:
        return [len(one._forward_hooks) + len(one._forward_pre_hooks) for one in model.network.modules()]

    capture(model, example)
    before = hooks()
    found(model, example, ("decoder-self", 0, 0))
    running = sublayer(model, example, ("decoder-self", 0, 0), QUERY, KEY)
    next(running)
    running.close()
    assert hooks() == before


def test_another_thread_that_runs_the_model_meanwhile_changes_nothing() -> None:
    model, example = tiny_llama(), Example("w1 w2 w3 w4 w5 w6 w7 w8")
    usual = found(model, example, ("decoder-self", 1, 0))
    other = Example("w9 w9 w9 w9 w9 w9 w9 w9")
    network: Any = model.network
    runs: list[AttentionTrace] = []

    def interrupt(*_: object) -> None:
        handles.pop().remove()
        thread = Thread(target=lambda: runs.append(capture(model, other)))
        thread.start()
        thread.join()

    attention = network.model.layers[1].self_attn
    for layer in (attention.v_proj, attention.o_proj):  # before the heads have been computed, and after
        runs.clear()
        handles = [layer.register_forward_pre_hook(interrupt)]
        once = found(model, example, ("decoder-self", 1, 0))
        assert len(runs) == 1
        for name in ("query_input", "key_input", "heads", "joined", "given"):
            assert torch.equal(getattr(once, name), getattr(usual, name)), name


def test_what_cannot_be_told_is_refused() -> None:
    model = ready(families.wrapped("gpt_neo"))
    with pytest.raises(NotAvailableError) as refused:
        found(model, families.example("gpt_neo"), ("decoder-self", 0, 0))
    assert refused.value.facts == {"reason": "no-sublayer", "model": "GPTNeoModel"}


def test_parts_that_do_not_add_up_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_model("induction")
    other: Any = model.outputs["decoder-self", 1].module
    monkeypatch.setattr(module, "projection_of", lambda *_: OutputProjection(other))
    with pytest.raises(SelfCheckError, match="L0"):
        found(model, Example("owl fox lamp owl"), ("decoder-self", 0, 3), 3, 1)


@pytest.mark.parametrize(
    ("place", "query", "key", "error", "sentence"),
    [
        (("cross", 0, 0), 0, 0, UnknownNameError, "unknown kind 'cross'; accepted: decoder-self"),
        (("decoder-self", 2, 0), 0, 0, UnknownNameError, "unknown layer '2'; accepted: 0, 1"),
        (("decoder-self", -1, 0), 0, 0, UnknownNameError, "unknown layer '-1'"),
        (("decoder-self", 0, 4), 0, 0, UnknownNameError, "unknown head '4'; accepted: 0, 1, 2, 3"),
        (("decoder-self", 0, 0), 9, 0, InputError, "query 9 is not there; accepted: 0 to 4"),
        (("decoder-self", 0, 0), 0, -1, InputError, "key -1 is not there; accepted: 0 to 4"),
    ],
)
def test_what_is_not_there_is_named_before_anything_runs(
    place: Head, query: int, key: int, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        next(sublayer(open_model("induction"), Example("owl fox lamp owl"), place, query, key))
