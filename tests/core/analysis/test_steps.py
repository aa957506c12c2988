"""Steps of one row: by hand, against the map, and against the models' own eager attention."""

import math
from dataclasses import replace

import families
import pytest
import torch
from hand_made import CARD, tokens_of, trace_of

from attention_core.analysis.steps import STEPS, Steps, steps, vectors
from attention_core.capture import capture
from attention_core.capture.selfcheck import tolerance
from attention_core.errors import NotAvailableError, UnknownNameError, WindowError
from attention_core.looking import look
from attention_core.maps import Bias, FactoredMap, Kind, RelativeBias
from attention_core.masks import CausalMask, ExplicitMask, Mask, SlidingWindowMask
from attention_core.trace import AttentionTrace, Provenance

LN2 = math.log(2)


def made(one: FactoredMap) -> AttentionTrace:
    provenance = Provenance("interface", "float32", "cpu", 0.0, 0.0, 1.0)
    text = " ".join("abcdefghijklmnop"[: one.key_count])
    return AttentionTrace(CARD, tokens_of(text), None, (one,), provenance)


def by_hand(**more: object) -> AttentionTrace:
    """One head of two numbers over three tokens; of the second token's row the third key is masked."""
    given = {
        "kind": Kind.DECODER_SELF,
        "layer": 0,
        "mask": CausalMask(),
        "query_vectors": torch.tensor([[[0.0, 0.0], [2.0, 4 * LN2], [1.0, 1.0]]]),
        "key_vectors": torch.tensor([[[5.0, 0.0], [0.0, 0.5], [3.0, 9.0]]]),
        "value_vectors": torch.tensor([[[3.0, 0.0, 30.0], [0.0, 6.0, 60.0], [9.0, 9.0, 9.0]]]),
        "scale": 0.5,
    }
    return made(FactoredMap(**{**given, **more}))  # type: ignore[arg-type]


def near(found: torch.Tensor, *expected: float) -> None:
    torch.testing.assert_close(found, torch.tensor(expected))


def test_a_row_on_paper() -> None:
    """q = (2, 4 ln 2): q·k is 10 and 2 ln 2, halved 5 and ln 2; the exponentials over the largest are 1 and 2e⁻⁵."""
    found = steps(by_hand(), "decoder-self", 0, 0, 1)
    near(found.query_vector, 2.0, 4 * LN2)
    near(found.dots, 10.0, 2 * LN2, 6 + 36 * LN2)
    near(found.scores, 5.0, LN2, 3 + 18 * LN2)
    assert found.allowed.tolist() == [True, True, False]
    assert found.peak == 5.0, "the third score is larger, and masked"
    second = 2 * math.exp(-5)
    near(found.exponentials, 1.0, second, 0.0)
    assert found.total == pytest.approx(1 + second)
    near(found.weights, 1 / (1 + second), second / (1 + second), 0.0)
    near(found.output, 3 / (1 + second), 6 * second / (1 + second), (30 + 60 * second) / (1 + second))
    assert (found.cap, found.capped, found.bias, found.sink) == (None, None, None, None)
    assert found.names == tuple(name for name in STEPS if name not in ("cap", "bias"))


def test_a_soft_cap_then_a_bias_then_a_sink_on_paper() -> None:
    """Scores 5 and ln 2 under a cap of 5, plus a bias, beside a sink: each where the model has it."""
    bias = torch.zeros(1, 3, 3)
    bias[0, 1] = torch.tensor([-5 * math.tanh(1), LN2, 7.0])
    found = steps(by_hand(soft_cap=5.0, bias=bias, sink=torch.tensor([2 * LN2])), "decoder-self", 0, 0, 1)
    capped = 5 * math.tanh(LN2 / 5)
    assert found.cap == 5.0
    near(found.capped[:2], 5 * math.tanh(1), capped)
    near(found.bias, -5 * math.tanh(1), LN2, 7.0)
    near(found.scores[:2], 0.0, capped + LN2)
    assert found.peak == pytest.approx(2 * LN2), "the sink's is the largest"
    assert found.sink == 1.0
    near(found.exponentials, 0.25, math.exp(capped - LN2), 0.0)
    assert found.total == pytest.approx(1.25 + math.exp(capped - LN2))
    assert float(found.weights.sum()) == pytest.approx(1 - 1 / found.total)
    assert found.names == STEPS


def test_a_query_that_may_look_at_nothing() -> None:
    nothing = ExplicitMask(torch.tensor([[True, False, False], [False, False, False], [True, True, True]]))
    found = steps(by_hand(mask=nothing), "decoder-self", 0, 0, 1)
    assert (found.peak, found.total) == (None, 0.0)
    for zeros in (found.exponentials, found.weights, found.output):
        assert not zeros.any()


def test_a_score_of_minus_infinity_is_not_allowed() -> None:
    bias = torch.zeros(1, 3, 3)
    bias[0, 1, 0] = -torch.inf
    found = steps(by_hand(bias=bias), "decoder-self", 0, 0, 1)
    assert found.allowed.tolist() == [False, True, False]
    near(found.weights, 0.0, 1.0, 0.0)
    sunk = steps(by_hand(bias=bias, sink=torch.tensor([-torch.inf])), "decoder-self", 0, 0, 1)
    assert (sunk.sink, sunk.total) == (0.0, 1.0)
    near(sunk.weights, 0.0, 1.0, 0.0)


def random_map(groups: int, mask: Mask, bias: Bias | None, *, sink: bool, cap: float | None) -> FactoredMap:
    return FactoredMap(
        kind=Kind.DECODER_SELF,
        layer=0,
        mask=mask,
        query_vectors=torch.randn(4, 9, 6) * 2,
        key_vectors=torch.randn(groups, 9, 6) * 2,
        value_vectors=torch.randn(groups, 9, 5),
        scale=0.4,
        bias=bias,
        soft_cap=cap,
        sink=torch.randn(4) if sink else None,
    )


def adds_up(found: Steps, one: FactoredMap) -> None:
    """Every step follows from the one before it, and the last ones are the map's own."""
    head, query = found.head, found.query
    torch.testing.assert_close(found.scores, one.scores(head, query)[0, 0])
    torch.testing.assert_close(found.weights, one.weights(head, query)[0, 0], rtol=0, atol=0)
    if found.total:
        torch.testing.assert_close(found.exponentials / found.total, found.weights, rtol=1e-5, atol=1e-6)
        kept = 1 - (found.sink or 0.0) / found.total
        assert float(found.weights.sum()) == pytest.approx(kept, abs=1e-5)
    torch.testing.assert_close(found.output, one.recompute([query])[0][head, 0], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found.allowed, one.allowed(query)[0])


@pytest.mark.parametrize("groups", [4, 2, 1])
@pytest.mark.parametrize("mask", [Mask(), CausalMask(), CausalMask() & SlidingWindowMask(3)])
@pytest.mark.parametrize("bias", [None, "matrix", "shared", "distance"])
def test_every_step_follows_and_ends_in_the_map(groups: int, mask: Mask, bias: str | None) -> None:
    torch.manual_seed(groups)
    added: Bias | None = {
        None: None,
        "matrix": torch.randn(4, 9, 9),
        "shared": torch.randn(1, 9, 9),
        "distance": RelativeBias(by_distance=torch.randn(4, 17), query_count=9),
    }[bias]
    one = random_map(groups, mask, added, sink=bias == "shared", cap=3.0 if bias == "matrix" else None)
    trace = made(one)
    for head, query in ((0, 0), (1, 8), (3, 5)):
        found = steps(trace, "decoder-self", 0, head, query)
        adds_up(found, one)
        assert found.group == head * groups // 4
        assert found.sharing == tuple(range(found.group * 4 // groups, (found.group + 1) * 4 // groups))
        keys = vectors(trace, "decoder-self", 0, head, "key")
        torch.testing.assert_close(keys @ found.query_vector, found.dots)


# T5's bias and its cross-attention, Gemma-2's soft cap, gpt-oss's sinks; sliding windows, heads that share keys.
@pytest.mark.parametrize("family", ["t5", "gemma2", "gpt_oss", "mistral"])
def test_the_weights_are_the_models_own(family: str) -> None:
    loaded = families.wrapped(family)
    example = families.example(family)
    trace = capture(loaded, example)
    own = families.own_weights(loaded.network, dict(loaded.encode(example).inputs))
    for one in trace.maps:
        query = one.query_count - 2
        found = steps(trace, one.kind, one.layer, 3, query)
        limit = tolerance(torch.float32, float(found.scores.abs().max()))
        mine = found.exponentials / found.total
        assert float((mine - own[one.kind, one.layer][3, query]).abs().max()) <= limit, (one.kind, one.layer)
        adds_up(found, one)  # type: ignore[arg-type]
    there = steps(trace, trace.kinds[-1], 0, 3, 5)
    assert ("cap" in there.names, "bias" in there.names) == (family == "gemma2", False)
    if family == "t5":
        assert "bias" in steps(trace, "decoder-self", 1, 0, 5).names
    assert (there.sink is not None) == (family == "gpt_oss")


def test_the_same_model_run_by_us_has_the_same_steps() -> None:
    trace = capture("ko-en", "나는 학교에 갔다")
    for kind in trace.kinds:
        one = trace.map(kind, 1)
        assert isinstance(one, FactoredMap)
        adds_up(steps(trace, kind, 1, 2, 3), one)
        assert one.scale == pytest.approx(one.query_vectors.shape[2] ** -0.5)


def test_vectors_are_the_maps_and_heads_may_share_them() -> None:
    torch.manual_seed(0)
    one = random_map(2, Mask(), None, sink=False, cap=None)
    trace = made(one)
    assert torch.equal(vectors(trace, "decoder-self", 0, 3, "query", slice(2, 5)), one.query_vectors[3, 2:5])
    for of, held in (("key", one.key_vectors), ("value", one.value_vectors)):
        assert torch.equal(vectors(trace, "decoder-self", 0, 2, of), held[1])
        assert torch.equal(vectors(trace, "decoder-self", 0, 2, of), vectors(trace, "decoder-self", 0, 3, of))
    halves = {f"{name}_vectors": getattr(one, f"{name}_vectors").bfloat16() for name in ("query", "key", "value")}
    assert vectors(made(replace(one, **halves)), "decoder-self", 0, 0, "key").dtype == torch.float32


def test_where_there_are_no_steps_it_is_said() -> None:
    with pytest.raises(NotAvailableError, match="weights only") as dense:
        steps(trace_of("a b", torch.full((1, 2, 2), 0.5)), "encoder-self", 0, 0, 0)
    assert dense.value.facts == {"reason": "no-steps"}
    with pytest.raises(NotAvailableError, match="single tokens"):
        steps(look(by_hand(), special="hide"), "decoder-self", 0, 0, 0)


@pytest.mark.parametrize(
    ("asked", "error", "sentence"),
    [
        (("cross", 0, 0, 0), UnknownNameError, "unknown kind 'cross'; accepted: decoder-self"),
        (("decoder-self", 1, 0, 0), UnknownNameError, "unknown layer '1'; accepted: 0"),
        (("decoder-self", 0, 1, 0), UnknownNameError, "unknown head '1'; accepted: 0"),
        (("decoder-self", 0, -1, 0), UnknownNameError, "unknown head '-1'"),
        (("decoder-self", 0, 0, 3), WindowError, "queries 3:4 is not a range within 0:3"),
        (("decoder-self", 0, 0, -1), WindowError, "queries -1:0"),
    ],
)
def test_what_is_not_there_is_named(asked: tuple, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        steps(by_hand(), *asked)
    if asked[3] == 0:
        with pytest.raises(error, match=sentence):
            vectors(by_hand(), *asked[:3], "key")


def test_vectors_that_are_not_there() -> None:
    for wrong in (slice(0, 4), slice(2, 2), slice(-1, 2)):
        for of, name in (("query", "queries"), ("value", "keys")):
            with pytest.raises(WindowError, match=name):
                vectors(by_hand(), "decoder-self", 0, 0, of, wrong)
    with pytest.raises(UnknownNameError, match="accepted: query, key, value"):
        vectors(by_hand(), "decoder-self", 0, 0, "output")  # type: ignore[arg-type]
