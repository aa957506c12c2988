"""Every map of every family equals the model's own eager attention; the README prints the same matrix."""

import threading
from pathlib import Path

import families
import pytest
import torch

from attention_core.capture import capture, ready, wrap
from attention_core.capture.run import call_options
from attention_core.capture.selfcheck import tolerance
from attention_core.errors import NotAvailableError, TooManyTokensError
from attention_core.maps import Kind
from attention_core.masks import CausalMask, Mask, SlidingWindowMask
from attention_core.models.card import IN_HOUSE
from attention_core.models.loading import LoadedModel, load_model
from attention_core.trace import AttentionTrace

README = Path(__file__).parents[3] / "README.md"
EDGE = 50.0  # the largest |score| of the tiny models, where a family gives none


def inputs(loaded: LoadedModel, family: str) -> dict[str, torch.Tensor]:
    return dict(loaded.encode(families.example(family)).inputs)


def agree(trace: AttentionTrace, own: dict[tuple[Kind, int], torch.Tensor]) -> None:
    assert {(one.kind, one.layer) for one in trace.maps} == set(own)
    for one in trace.maps:
        largest = float(one.scores().abs().max()) if one.has_scores else EDGE
        worst = float((one.weights() - own[one.kind, one.layer]).abs().max())
        assert worst <= tolerance(torch.float32, largest), (one.kind, one.layer)


@pytest.mark.parametrize("family", families.SHOWN)
def test_every_map_equals_the_models_own_weights(family: str) -> None:
    loaded = families.wrapped(family)
    trace = capture(loaded, families.example(family))
    assert loaded.back_end == trace.provenance.back_end == families.FAMILIES[family].back_end, loaded.refusal
    agree(trace, families.own_weights(loaded.network, inputs(loaded, family)))


@pytest.mark.parametrize("family", families.SHOWN)
def test_a_model_read_from_a_folder_shows_the_same(family: str, tmp_path: Path) -> None:
    model, card = families.build(family), families.wrapped(family).card
    model.save_pretrained(tmp_path)
    if family != "vit":
        families.tokenizer().save(str(tmp_path / "tokenizer.json"))
    loaded = ready(load_model(card, tmp_path))
    expected = "in-house" if family in IN_HOUSE else families.FAMILIES[family].back_end
    assert loaded.back_end == expected, loaded.refusal
    agree(capture(loaded, families.example(family)), families.own_weights(model, inputs(loaded, family)))


@pytest.mark.parametrize("family", families.SHOWN)
def test_kinds_layers_heads_and_the_tokens_of_both_axes(family: str) -> None:
    row, loaded = families.FAMILIES[family], families.wrapped(family)
    trace, given = capture(loaded, families.example(family)), inputs(loaded, family)
    assert trace.kinds == row.kinds
    for kind in row.kinds:
        assert [one.layer for one in trace.maps_of(kind)] == list(range(row.layers))
        assert {one.head_count for one in trace.maps_of(kind)} == {families.HEADS}
        queries, keys = trace.queries(kind), trace.keys(kind)
        assert {(one.query_count, one.key_count) for one in trace.maps_of(kind)} == {(len(queries), len(keys))}
        assert list(keys.ids if kind != Kind.DECODER_SELF else queries.ids) == axis(trace, given, kind)
    if trace.target is not None:
        assert trace.target.text == families.example(family).target
        assert trace.queries(Kind.CROSS) is trace.target
        assert trace.decoder_input.ids[1:] == trace.target.ids[:-1]  # a row writes what the next one reads


def axis(trace: AttentionTrace, given: dict[str, torch.Tensor], kind: Kind) -> list[int]:
    """The ids that the model was given for an axis; patches have none of their own."""
    if "pixel_values" in given:
        assert len(trace.source) == (families.PICTURE // families.PATCH) ** 2 + 1
        return list(trace.source.ids)
    name = "decoder_input_ids" if kind == Kind.DECODER_SELF and "decoder_input_ids" in given else "input_ids"
    ids: list[int] = given[name][0].tolist()
    return ids


@pytest.mark.parametrize("family", families.SHOWN)
def test_the_random_models_attend_sharply(family: str) -> None:
    loaded = families.wrapped(family)
    assert 10 <= families.largest_score(loaded.network) <= EDGE
    maps = capture(loaded, families.example(family)).maps
    if maps[0].has_scores:
        assert 10 <= max(float(one.scores().abs().max()) for one in maps) <= EDGE


@pytest.mark.parametrize(
    "family", [name for name in families.SHOWN if Kind.DECODER_SELF in families.FAMILIES[name].kinds]
)
def test_a_decoder_never_looks_ahead(family: str) -> None:
    for one in capture(families.wrapped(family), families.example(family)).maps_of(Kind.DECODER_SELF):
        assert float(one.weights().triu(1).abs().max()) == 0.0
        assert not bool(one.allowed().triu(1).any())


@pytest.mark.parametrize("family", [name for name in families.SHOWN if any(families.FAMILIES[name].windows)])
def test_a_sliding_window_is_a_rule_and_nothing_outside_it_gets_anything(family: str) -> None:
    row = families.FAMILIES[family]
    trace = capture(families.wrapped(family), families.example(family))
    for one, window in zip(trace.maps, row.windows, strict=True):
        expected = CausalMask() if one.kind == Kind.DECODER_SELF else Mask()
        if window:
            assert one.query_count > 2 * window
            expected = expected & SlidingWindowMask(window)
        assert one.mask.describe() == expected.describe()
        assert float((one.weights() * ~one.allowed()).abs().max()) == 0.0


@pytest.mark.parametrize("family", families.REFUSED)
def test_a_family_that_cannot_be_shown_exactly_is_refused_with_the_reason(family: str) -> None:
    loaded = families.wrapped(family)
    for _ in range(2):  # the second example fares no better than the first
        with pytest.raises(NotAvailableError, match=families.FAMILIES[family].why):
            capture(loaded, families.example(family))


@pytest.mark.parametrize("family", [name for name, row in families.FAMILIES.items() if row.back_end == "eager"])
def test_what_is_read_from_eager_weights_says_why(family: str) -> None:
    loaded = ready(families.wrapped(family))
    assert families.FAMILIES[family].why in str(loaded.refusal)


@pytest.mark.parametrize("family", ["roberta", "xlm_roberta", "mpnet"])
def test_a_text_of_all_positions_is_taken_and_one_word_more_is_not(family: str) -> None:
    loaded = families.wrapped(family)
    limit = loaded.card.max_tokens
    assert limit == 64  # of 66 positions, two stand for padding
    assert len(capture(loaded, families.text(limit)).source) == limit
    with pytest.raises(TooManyTokensError):
        capture(loaded, families.text(limit + 1))


def test_the_readme_prints_this_matrix() -> None:
    assert families.table() in README.read_text(encoding="utf-8"), "python tests/core/capture/families.py prints it"
    assert len(families.SHOWN) >= 20


def test_of_a_long_text_a_decoder_scores_the_last_rows_only() -> None:
    import transformers

    body = families.build("llama", max_position_embeddings=600)
    model = transformers.LlamaForCausalLM(body.config).eval()
    model.model = body
    loaded = wrap(model, families.tokenizer())
    trace = capture(loaded, families.text(530))
    assert (loaded.back_end, loaded.refusal) == ("interface", None)
    with torch.inference_mode():
        every = torch.softmax(model(torch.tensor([trace.source.ids])).logits[0].float(), -1)
    assert [one.position for one in trace.predictions.at] == list(range(18, 530))
    for one in trace.predictions.at:
        assert one.candidates[0].probability == pytest.approx(float(every[one.position].max()), rel=1e-3)
    assert model(torch.tensor([trace.source.ids]), **call_options(model)).logits.shape[1] == 512


def test_grouped_heads_stay_grouped_and_a_sink_takes_its_share() -> None:
    trace = capture(families.wrapped("gpt_oss"), families.example("gpt_oss"))
    one = trace.maps[0]
    assert one.key_vectors.shape[0] == 2
    assert one.head_count == 4
    rows = one.weights().sum(-1)
    assert bool((rows < 1).all())
    torch.testing.assert_close(rows + one.sink_share(), torch.ones_like(rows))


def test_t5_keeps_its_bias_linear_in_the_length() -> None:
    trace = capture(families.wrapped("t5"), families.example("t5"))
    bias = trace.maps_of(Kind.ENCODER_SELF)[0].bias
    assert bias.by_distance.shape == (4, 2 * 26 - 1)
    assert trace.maps_of(Kind.CROSS)[0].bias is None


def test_captures_in_parallel_threads_do_not_mix() -> None:
    loaded = ready(families.wrapped("gpt2"))
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
