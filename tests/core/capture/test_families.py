"""Every map of every family equals the model's own eager attention."""

import threading

import families
import pytest
import torch

from attention_core.capture import Example, capture, ready, wrap
from attention_core.capture.selfcheck import tolerance
from attention_core.maps import Kind


def example(family: str, seed: int = 1, count: int = 26) -> Example:
    return Example(families.text(count, seed), target=families.text(17, seed + 1) if family == "t5" else None)


@pytest.mark.parametrize("family", families.FAMILIES)
def test_every_map_equals_the_models_own_weights(family: str) -> None:
    model = families.build(family)
    loaded = wrap(model, families.tokenizer())
    trace = capture(loaded, example(family))
    assert loaded.back_end == families.FAMILIES[family][2], loaded.refusal

    own = families.own_weights(model, dict(loaded.encode(example(family)).inputs))
    assert {(one.kind, one.layer) for one in trace.maps} == set(own)
    for one in trace.maps:
        # Outside the interface there are no scores; the matrix promises that they reach at most about 50.
        largest = float(one.scores().abs().max()) if one.has_scores else 50.0
        worst = float((one.weights() - own[one.kind, one.layer]).abs().max())
        assert worst <= tolerance(torch.float32, largest), (one.kind, one.layer)


@pytest.mark.parametrize("family", families.FAMILIES)
def test_the_random_models_attend_sharply(family: str) -> None:
    assert 10 <= families.largest_score(families.build(family)) <= 50


@pytest.mark.parametrize("family", [*families.DECODERS, "t5"])
def test_a_decoder_never_looks_ahead(family: str) -> None:
    trace = capture(wrap(families.build(family), families.tokenizer()), example(family))
    for one in trace.maps_of(Kind.DECODER_SELF):
        assert float(one.weights().triu(1).abs().max()) == 0.0


def test_grouped_heads_stay_grouped_and_a_sink_takes_its_share() -> None:
    trace = capture(wrap(families.build("gpt_oss"), families.tokenizer()), example("gpt_oss"))
    one = trace.maps[0]
    assert one.key_vectors.shape[0] == 2
    assert one.head_count == 4
    rows = one.weights().sum(-1)
    assert bool((rows < 1).all())
    torch.testing.assert_close(rows + one.sink_share(), torch.ones_like(rows))


def test_t5_keeps_its_bias_linear_in_the_length() -> None:
    trace = capture(wrap(families.build("t5"), families.tokenizer()), example("t5"))
    bias = trace.maps_of(Kind.ENCODER_SELF)[0].bias
    assert bias.by_distance.shape == (4, 2 * 26 - 1)
    assert trace.maps_of(Kind.CROSS)[0].bias is None


def test_captures_in_parallel_threads_do_not_mix() -> None:
    loaded = ready(wrap(families.build("gpt2"), families.tokenizer()))
    texts = [families.text(20 + seed, seed) for seed in range(8)]
    alone = [capture(loaded, text) for text in texts]
    together: dict[int, object] = {}
    barrier = threading.Barrier(len(texts))

    def work(number: int) -> None:
        barrier.wait()
        together[number] = capture(loaded, texts[number])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, trace in enumerate(alone):
        assert len(together[number].maps) == len(trace.maps)
        for one, other in zip(trace.maps, together[number].maps, strict=True):
            torch.testing.assert_close(one.weights(), other.weights())
