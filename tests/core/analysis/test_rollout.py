"""Rollout on hand-made traces whose answers are known."""

from dataclasses import replace

import pytest
import torch
from hand_made import trace_of
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_core.analysis.rollout import mixture, rollout
from attention_core.errors import InputError, NotAvailableError, ShapeError
from attention_core.looking import look
from attention_core.maps import DenseMap, Kind
from attention_core.masks import CausalMask
from attention_core.trace import AttentionTrace

Layers = list[torch.Tensor]


def random_rows(seed: int, *shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.softmax(3 * torch.randn(*shape, generator=generator), dim=-1)


def causal_rows(seed: int, *shape: int) -> torch.Tensor:
    kept = random_rows(seed, *shape).tril()
    return kept / kept.sum(-1, keepdim=True)


def both_stacks(source: int, target: int, layers: int) -> AttentionTrace:
    """A random encoder-decoder."""
    words = " ".join(f"w{n}" for n in range(source))
    given = [random_rows(n, 2, target, source) for n in range(layers)]
    across = trace_of(words, *given, target=" ".join(f"v{n}" for n in range(target)))
    within = [
        *(
            DenseMap(kind=Kind.ENCODER_SELF, layer=n, given=random_rows(9 + n, 2, source, source))
            for n in range(layers)
        ),
        *(
            DenseMap(kind=Kind.DECODER_SELF, layer=n, given=causal_rows(99 + n, 2, target, target), mask=CausalMask())
            for n in range(layers)
        ),
    ]
    return replace(across, maps=(*within, *across.maps))


def test_one_layer_is_half_the_mean_of_the_heads_and_half_the_identity() -> None:
    weights = random_rows(0, 3, 4, 4)
    found = rollout(trace_of("a b c d", weights))
    torch.testing.assert_close(found, 0.5 * weights.mean(0) + 0.5 * torch.eye(4))


def test_layers_are_multiplied_from_the_bottom() -> None:
    first, second = random_rows(0, 2, 3, 3), random_rows(1, 2, 3, 3)
    steps = [0.5 * one.mean(0) + 0.5 * torch.eye(3) for one in (first, second)]
    torch.testing.assert_close(rollout(trace_of("a b c", first, second)), steps[1] @ steps[0])


@pytest.mark.parametrize("layers", [1, 2, 7])
def test_uniform_attention_has_a_closed_form(layers: int) -> None:
    # P = J/n is its own square, so that (I/2 + P/2)^L = I/2^L + (1 - 1/2^L) P
    uniform = torch.full((2, 5, 5), 0.2)
    found = rollout(trace_of("a b c d e", *[uniform] * layers))
    torch.testing.assert_close(found, torch.eye(5) / 2**layers + (1 - 0.5**layers) * uniform[0])


@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 99), st.booleans())
@settings(deadline=None, max_examples=25)
def test_rows_sum_to_1_and_one_row_is_the_matrix_s(tokens: int, layers: int, seed: int, causal: bool) -> None:
    make = causal_rows if causal else random_rows
    given_layers = [make(seed + n, 2, tokens, tokens) for n in range(layers)]
    trace = trace_of(" ".join("abcdef"[:tokens]), *given_layers, causal=causal)
    whole = rollout(trace)
    torch.testing.assert_close(whole.sum(1), torch.ones(tokens))
    assert float(whole.min()) >= 0
    torch.testing.assert_close(rollout(trace, query=tokens - 1), whole[-1])
    assert not causal or float(whole.triu(1).abs().max()) == 0.0
    torch.testing.assert_close(mixture(trace, trace.kinds[0], torch.full((tokens,), 1 / tokens)), whole.mean(0))


def test_a_sink_s_share_comes_from_no_token() -> None:
    weights = torch.tensor([[[0.25, 0.0], [0.5, 0.5]]])  # three quarters of the first row go to the sink
    trace = trace_of("a b", torch.eye(2)[None])
    trace = replace(trace, maps=(DenseMap(kind=Kind.ENCODER_SELF, layer=0, given=weights, sinks=True),))
    torch.testing.assert_close(rollout(trace), torch.tensor([[1.0, 0.0], [0.25, 0.75]]))


def test_a_head_that_is_off_counts_as_what_it_hands_on() -> None:
    weights = random_rows(0, 2, 3, 3)
    trace = replace(trace_of("a b c", weights), off=("encoder-self.0.1",))
    zero = (torch.eye(3) + weights[0] / 2) / 1.5
    torch.testing.assert_close(rollout(trace), zero)
    torch.testing.assert_close(rollout(trace, query=1), zero[1])
    mean = (weights[0] + weights[1].mean(0)) / 2
    torch.testing.assert_close(rollout(replace(trace, off_with="mean")), 0.5 * torch.eye(3) + 0.5 * mean)
    none = replace(trace, off=("encoder-self.0.0", "encoder-self.0.1"))
    torch.testing.assert_close(rollout(none), torch.eye(3))


def test_a_decoder_beside_an_encoder_reads_half_of_its_source_in_one_layer() -> None:
    trace = both_stacks(3, 2, 1)
    encoder, decoder, cross = (one.weights().mean(0) for one in trace.maps)
    torch.testing.assert_close(rollout(trace, "decoder-self"), 0.5 * (0.5 * decoder + 0.5 * torch.eye(2)))
    torch.testing.assert_close(rollout(trace, "cross"), 0.5 * cross @ (0.5 * encoder + 0.5 * torch.eye(3)))
    torch.testing.assert_close(rollout(trace, "encoder-self"), 0.5 * encoder + 0.5 * torch.eye(3))


def test_source_and_target_together_make_the_whole() -> None:
    trace = both_stacks(5, 4, 3)
    source, target = rollout(trace, "cross"), rollout(trace, "decoder-self")
    torch.testing.assert_close(source.sum(1) + target.sum(1), torch.ones(4))
    assert float(target.triu(1).abs().max()) == 0.0
    torch.testing.assert_close(rollout(trace, "cross", 2), source[2])


def test_what_cannot_be_rolled_out_is_refused() -> None:
    trace = trace_of("[CLS] a b", random_rows(0, 1, 3, 3))
    with pytest.raises(InputError, match=r"query 3 .* 0 to 2"):
        rollout(trace, query=3)
    with pytest.raises(InputError, match="several kinds"):
        rollout(both_stacks(3, 2, 1))
    with pytest.raises(NotAvailableError, match="every token"):
        rollout(look(trace, special="hide"))
    with pytest.raises(ShapeError, match="3 positions"):
        mixture(trace, Kind.ENCODER_SELF, torch.ones(2))


def test_a_whole_matrix_has_a_limit_and_a_row_has_none() -> None:
    count = 1025
    trace = trace_of(" ".join(["a"] * count), torch.full((1, count, count), 1 / count))
    with pytest.raises(InputError, match=r"at most 1024 tokens, and this text has 1025"):
        rollout(trace)
    row = rollout(trace, query=7)
    assert float(row[7]) == pytest.approx(0.5 + 0.5 / count)
    assert float(row.sum()) == pytest.approx(1.0, abs=1e-5)
