"""Text as it is written: the tokens are those of transformers' own `generate`, the rows those of the final trace."""

import copy
import gc
import math
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import families
import pytest
import torch
import transformers
from transformers.cache_utils import DynamicCache
from writers import HEADS, rows_agree, writer

from attention_core.capture import Example, Sampling, capture, generate, open_model, ready, wrap, write
from attention_core.capture.interface import _going
from attention_core.capture.selfcheck import tolerance
from attention_core.errors import InputError, NotAvailableError, TooManyTokensError, TraceError
from attention_core.looking import look
from attention_core.maps import Kind
from attention_core.models.examples import MOST_WRITTEN
from attention_core.models.loading import LoadedModel, load_model
from attention_core.nn import greedy
from attention_core.nn.watching import Cache
from attention_core.storage import load, save

PROMPT, WRITTEN = 7, 20  # together longer than twice a sliding WINDOW


def own(model: Any, ids: list[int], count: int = WRITTEN) -> list[int]:
    """What transformers' own greedy search writes, with the model's own eager attention."""
    peer = copy.deepcopy(model)
    peer.set_attn_implementation("eager")
    given = torch.tensor([ids])
    with torch.inference_mode():
        said = peer.generate(
            given, attention_mask=torch.ones_like(given), do_sample=False, max_new_tokens=count, pad_token_id=0
        )
    return said[0, len(ids) :].tolist()  # type: ignore[no-any-return]


def prompt_ids(loaded: LoadedModel, text: str) -> list[int]:
    return list(loaded.reader.read(text).ids)


# ---- the tokens and the rows


@pytest.mark.parametrize("family", HEADS)
def test_greedy_writes_what_transformers_writes(family: str) -> None:
    model = writer(family)
    expected = own(model, prompt_ids(wrap(model, families.tokenizer()), families.text(PROMPT)))
    loaded = ready(wrap(model, families.tokenizer()))
    assert loaded.back_end == families.FAMILIES[family].back_end, loaded.refusal
    steps = list(write(loaded, Example(families.text(PROMPT)), most=WRITTEN))
    assert [step.id for step in steps] == expected
    assert len({*expected}) > 2  # not one token over and over, which would prove little
    assert [step.reason for step in steps] == [""] * (WRITTEN - 1) + ["limit"]


@pytest.mark.parametrize(("prompt", "most"), [(PROMPT, WRITTEN), (families.SOURCE, 3)])  # shorter, longer than a window
@pytest.mark.parametrize("family", HEADS)
def test_each_step_saw_what_the_final_trace_shows(family: str, prompt: int, most: int) -> None:
    loaded = ready(wrap(writer(family), families.tokenizer()))
    trace = rows_agree(loaded, Example(families.text(prompt)), most)
    assert (len(trace.source), trace.written) == (prompt + most, most)
    assert trace.kinds == (Kind.DECODER_SELF,)


def test_a_gpt2_from_a_folder_writes_the_same_on_our_own_transformer(tmp_path: Path) -> None:
    model = writer("gpt2")
    model.save_pretrained(tmp_path)
    families.tokenizer().save(str(tmp_path / "tokenizer.json"))
    loaded = ready(load_model(families.wrapped("gpt2").card, tmp_path))
    assert loaded.back_end == "in-house"
    text = families.text(PROMPT)
    steps = list(write(loaded, Example(text), most=WRITTEN))
    assert [step.id for step in steps] == own(model, prompt_ids(loaded, text))
    rows_agree(loaded, Example(text), WRITTEN)


WORDS = "ant bed boy cheese ant bed boy"


def test_our_own_models_write_as_nn_generation_does() -> None:
    loaded = ready(open_model("induction"))
    ids = loaded.encode(Example(WORDS)).inputs["input_ids"]
    written = [step.id for step in write(loaded, Example(WORDS), most=12)]
    assert written == greedy(loaded.network, ids, limit=12)[0].tolist()  # type: ignore[arg-type]
    assert loaded.reader.shown(written[0]) == "cheese"
    rows_agree(loaded, Example(WORDS), 12)


def test_the_trace_is_one_exact_pass_over_prompt_and_answer() -> None:
    model = writer("mistral")
    trace = generate(model, families.text(PROMPT), most=WRITTEN, tokenizer=families.tokenizer())
    ids = [*trace.source.ids]
    assert ids[PROMPT:] == own(model, ids[:PROMPT])
    weights = families.own_weights(model.model, {"input_ids": torch.tensor([ids])})
    for one in trace.maps:
        limit = tolerance(torch.float32, float(one.scores().abs().max()))
        assert float((one.weights() - weights[one.kind, one.layer]).abs().max()) <= limit
    assert trace.written == WRITTEN
    assert trace.predictions is not None
    for at, said in enumerate(trace.predictions.at[PROMPT - 1 : -1]):
        assert said.candidates[0].text == trace.source.texts[PROMPT + at]  # greedy: the best one stands there


def test_going_on_from_what_is_written_is_writing_in_one_go() -> None:
    loaded, text = ready(wrap(writer("gemma2"), families.tokenizer())), families.text(PROMPT)
    for sampling in (Sampling(), Sampling("sample", temperature=2.0, seed=5)):
        whole = [step.id for step in write(loaded, Example(text), sampling, most=16)]
        begun = Example(text, written=tuple(whole[:6]))
        assert [step.id for step in write(loaded, begun, sampling, most=10)] == whole[6:]
        assert generate(loaded, begun, sampling, most=10).source.ids[PROMPT:] == tuple(whole)


def test_probabilities_are_the_models_own_whatever_the_sampling() -> None:
    model = writer("llama")
    loaded, text = ready(wrap(model, families.tokenizer())), families.text(PROMPT)
    step = next(write(loaded, Example(text), Sampling("sample", temperature=5.0, top_k=3, seed=1)))
    with torch.inference_mode():
        own_scores = copy.deepcopy(model)(torch.tensor([prompt_ids(loaded, text)])).logits[0, -1]
    probabilities = torch.softmax(own_scores, -1)
    assert step.probability == pytest.approx(float(probabilities[step.id]), rel=1e-3)
    best = probabilities.topk(5)
    assert [one.probability for one in step.candidates] == pytest.approx(best.values.tolist(), rel=1e-3)
    assert [one.text for one in step.candidates] == [loaded.reader.shown(one) for one in best.indices.tolist()]


def test_a_saved_trace_keeps_what_was_written(tmp_path: Path) -> None:
    trace = generate("induction", Example(WORDS), most=5)
    save(trace, tmp_path / "trace.safetensors")
    again = load(tmp_path / "trace.safetensors")
    assert (again.written, again.source) == (5, trace.source)
    with pytest.raises(TraceError, match="a model wrote no"):
        replace(trace, written=len(trace.source))
    with pytest.raises(TraceError, match="a model wrote no"):
        replace(trace, written=-1)


def test_of_words_and_without_markers_as_many_are_the_models_own() -> None:
    trace = generate("induction", Example(WORDS), most=5)
    assert look(trace, special="hide").written == 5
    assert look(trace, special="hide").source.texts[-5:] == trace.source.texts[-5:]
    assert look(trace, words=True).written == 5


# ---- sampling


def test_a_seed_gives_the_same_tokens_and_others_differ() -> None:
    loaded, text = ready(wrap(writer("gpt2"), families.tokenizer())), families.text(PROMPT)

    def ids(seed: int) -> list[int]:
        hot = Sampling("sample", temperature=5.0, seed=seed)
        return [step.id for step in write(loaded, Example(text), hot, most=12)]

    assert ids(7) == ids(7)
    assert len({tuple(ids(seed)) for seed in range(8)}) > 1


def test_sampling_from_the_best_one_is_greedy() -> None:
    loaded, text = ready(wrap(writer("qwen3"), families.tokenizer())), Example(families.text(PROMPT))
    one = [step.id for step in write(loaded, text, Sampling("sample", temperature=5.0, top_k=1, seed=9), most=12)]
    assert one == [step.id for step in write(loaded, text, most=12)]


def test_draws_follow_the_softmax_of_the_best_scores_over_the_temperature() -> None:
    loaded = ready(open_model("induction"))
    temperature, kept, runs = 3.0, 6, 1500
    with torch.inference_mode():
        hidden = loaded.network(loaded.encode(Example(WORDS)).inputs["input_ids"]).hidden
        best = loaded.network.logits(hidden)[0, -1].topk(kept)  # type: ignore[operator]
    shares = torch.softmax(best.values.double() / temperature, -1)
    drawn = torch.zeros(kept)
    places = {number: place for place, number in enumerate(best.indices.tolist())}
    for seed in range(runs):
        step = next(write(loaded, Example(WORDS), Sampling("sample", temperature, kept, seed), most=1))
        drawn[places[step.id]] += 1  # a KeyError for one that is not among the best
    expected = shares * runs
    assert float(expected.min()) > 5  # so that chi-square holds
    distance = float(((drawn - expected) ** 2 / expected).sum())
    # 0.9999 of chi-square with 5 degrees of freedom lies below 25.7 (Abramowitz & Stegun 1964, 26.4.17 within 1 %).
    assert distance < 25.7
    assert math.isclose(float(drawn.sum()), runs)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"method": "beam"}, "greedy, sample"),
        ({"temperature": 0}, "above 0, up to 5"),
        ({"temperature": 5.1}, "above 0, up to 5"),
        ({"temperature": math.nan}, "above 0, up to 5"),
        ({"temperature": True}, "above 0, up to 5"),
        ({"top_k": 0}, "1 to 1000"),
        ({"top_k": 1001}, "1 to 1000"),
        ({"top_k": 2.0}, "1 to 1000"),
        ({"seed": -1}, "0 to 4294967295"),
        ({"seed": 2**32}, "0 to 4294967295"),
    ],
)
def test_numbers_out_of_range_are_refused_by_name(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named) as caught:
        Sampling(**wrong)
    assert next(iter(wrong)) in str(caught.value)


# ---- the end


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize("family", ["llama", "bloom"])
def test_the_models_end_token_is_the_last(family: str, as_list: bool) -> None:
    model = writer(family)
    loaded, text = ready(wrap(model, families.tokenizer())), families.text(PROMPT)
    ids = [step.id for step in write(loaded, Example(text), most=WRITTEN)]
    stop = ids.index(ids[4])
    other = next(number for number in range(families.VOCABULARY) if number not in ids)
    model.config.eos_token_id = [other, ids[4]] if as_list else ids[4]
    steps = list(write(loaded, Example(text), most=WRITTEN))
    assert [step.id for step in steps] == ids[: stop + 1]
    assert [step.reason for step in steps] == [""] * stop + ["end"]


def test_a_folders_generation_config_names_more_ends(tmp_path: Path) -> None:
    writer("gpt2").save_pretrained(tmp_path)
    families.tokenizer().save(str(tmp_path / "tokenizer.json"))
    loaded = load_model(families.wrapped("gpt2").card, tmp_path)
    text = Example(families.text(PROMPT))
    ids = [step.id for step in write(loaded, text, most=WRITTEN)]
    said = f'{{"eos_token_id": [{ids[2]}, "no number", null, -1, 10000000]}}'
    (tmp_path / "generation_config.json").write_text(said, encoding="utf-8")
    steps = list(write(loaded, text, most=WRITTEN))
    assert (steps[-1].id, steps[-1].reason) == (ids[2], "end")
    (tmp_path / "generation_config.json").write_text("[" * 100_000, encoding="utf-8")
    assert len(list(write(loaded, text, most=WRITTEN))) == WRITTEN


def test_a_model_without_room_stops_there() -> None:
    loaded = ready(wrap(writer("gpt2"), families.tokenizer()))
    steps = list(write(loaded, Example(families.text(60)), most=WRITTEN))
    assert [step.reason for step in steps] == ["", "", "", "room"]
    ids = tuple(step.id for step in steps)
    assert len(capture(loaded, Example(families.text(60), written=ids)).source) == 64
    with pytest.raises(TooManyTokensError, match="64 tokens; the model's 64 places are full"):
        write(loaded, Example(families.text(64)))
    with pytest.raises(TooManyTokensError, match="65 tokens"):
        capture(loaded, Example(families.text(60), written=(*ids, 5)), truncate=True)


def test_no_more_than_256_tokens_follow_a_text() -> None:
    body = families.build("llama", max_position_embeddings=600)
    model = transformers.LlamaForCausalLM(body.config).eval()
    loaded = ready(wrap(model, families.tokenizer()))
    begun = Example("w1", written=(5,) * (MOST_WRITTEN - 2))
    assert [step.reason for step in write(loaded, begun, most=9)] == ["", "limit"]
    with pytest.raises(InputError, match="256 tokens are written already"):
        write(loaded, replace(begun, written=(5,) * MOST_WRITTEN))
    with pytest.raises(InputError, match="257 tokens follow the text; accepted: at most 256"):
        capture(loaded, replace(begun, written=(5,) * 257))
    for most in (0, 257, True, 2.0):
        with pytest.raises(InputError, match="accepted: 1 to 256"):
            write(loaded, Example("w1"), most=most)  # type: ignore[arg-type]


# ---- what is left behind


def caches() -> list[Any]:
    gc.collect()
    return [one for one in gc.get_objects() if type(one) in (DynamicCache, Cache)]


@pytest.mark.parametrize("family", ["llama", "gemma3", "gpt_neo"])
def test_a_closed_generator_leaves_nothing(family: str) -> None:
    loaded = ready(wrap(writer(family), families.tokenizer()))
    assert caches() == []
    writing = write(loaded, Example(families.text(PROMPT)))
    kept = [next(writing) for _ in range(3)]
    assert _going.get() is None  # between two steps, others may capture
    assert len(caches()) == 1
    writing.close()
    assert caches() == []
    assert [step.rows.shape[-1] for step in kept] == [PROMPT, PROMPT + 1, PROMPT + 2]
    assert list(writing) == []


def test_our_own_cache_goes_too() -> None:
    writing = write(open_model("induction"), Example(WORDS))
    next(writing)
    assert len(caches()) == 1
    writing.close()
    assert caches() == []


def test_a_step_keeps_no_more_than_its_row() -> None:
    loaded = ready(wrap(writer("llama"), families.tokenizer()))
    for step in write(loaded, Example(families.text(PROMPT)), most=4):
        assert step.rows.untyped_storage().nbytes() == 4 * step.rows.numel()


def test_two_threads_write_at_once_and_do_not_mix() -> None:
    loaded = ready(wrap(writer("mistral"), families.tokenizer()))
    texts = [families.text(PROMPT + seed, seed) for seed in range(4)]
    alone = [list(write(loaded, Example(text), most=12)) for text in texts]
    together: dict[int, list[Any]] = {number: [] for number in range(len(texts))}
    barrier = threading.Barrier(len(texts))

    def work(number: int) -> None:
        writing = write(loaded, Example(texts[number]), most=12)
        for _ in range(12):
            barrier.wait()
            together[number].append(next(writing))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, steps in enumerate(alone):
        assert [step.id for step in steps] == [step.id for step in together[number]]
        for one, other in zip(steps, together[number], strict=True):
            torch.testing.assert_close(one.rows, other.rows)


# ---- refusals


def test_models_that_do_not_continue_texts_say_so() -> None:
    text = Example(families.text(PROMPT))
    refused = {
        "is no decoder": families.wrapped("bert"),
        "has no head that predicts tokens": families.wrapped("gpt2"),
        "looks at pictures": families.wrapped("vit"),
    }
    for why, loaded in refused.items():
        with pytest.raises(NotAvailableError, match=why):
            write(loaded, text)
    with pytest.raises(NotAvailableError, match="is no decoder"):
        write(families.wrapped("t5"), text)
    with pytest.raises(NotAvailableError, match="is no decoder"):
        write(open_model("ko-en"), Example("나는 학교에 갔다"))
    with pytest.raises(NotAvailableError, match="looks at pictures"):
        write(open_model("shapes"), text)
    masked = transformers.BertLMHeadModel(families.build("bert").config)
    with pytest.raises(NotAvailableError, match="is no decoder"):
        write(wrap(masked, families.tokenizer()), text)
    with pytest.raises(NotAvailableError, match="is no decoder"):
        capture(families.wrapped("bert"), replace(text, written=(3,)))


def test_what_a_decoder_does_not_take_is_refused() -> None:
    loaded = ready(wrap(writer("llama"), families.tokenizer()))
    with pytest.raises(NotAvailableError, match="takes no second one"):
        write(loaded, Example("w1", pair="w2"))
    with pytest.raises(NotAvailableError, match="takes no picture"):
        write(loaded, Example(image=torch.zeros(8, 8, 3, dtype=torch.uint8)))
    with pytest.raises(NotAvailableError, match="no target"):
        write(loaded, Example("w1", target="w2"))
    with pytest.raises(NotAvailableError, match="mean") as refused:
        write(loaded, Example("w1", off=("decoder-self.0.0",), off_with="mean"))
    assert refused.value.facts["reason"] == "no-mean-writing"
    for wrong in (60, -1, True, 2.0, "w1", 10**30):
        with pytest.raises(InputError, match="accepted: 0 to 59") as raised:
            capture(loaded, Example("w1", written=(3, wrong)))  # type: ignore[arg-type]
        assert raised.value.facts == {"reason": "written"}
