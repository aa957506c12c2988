"""Checkpoints of other families on our own transformer, from example to trace, against transformers itself."""

from pathlib import Path
from typing import Any

import families
import pytest
import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing

from attention_core.capture import Example, LoadedModel, capture, ready, wrap
from attention_core.errors import NotAvailableError, UnknownNameError
from attention_core.maps import Kind
from attention_core.models.card import ModelCard
from attention_core.models.loading import load_model
from attention_core.storage import load, save
from attention_core.trace import AttentionTrace

SIZES = {"gpt2": (2, 4, 64), "marian": (2, 4, 40), "vit": (2, 4, 17), "bert": (2, 4, 64)}
END = 7


def tokenizer(family: str) -> Tokenizer:
    made = families.tokenizer()
    if family == "bert":
        made = Tokenizer.from_str(made.to_str().replace(f'"{families.WORDS[-1]}"', '"[MASK]"'))
        made.add_special_tokens(["[MASK]"])
    if family == "marian":
        made.add_special_tokens(["w5"])
        assert made.token_to_id("w5") == END
        made.post_processor = TemplateProcessing(single="$A w5", special_tokens=[("w5", END)])
    return made


def build(family: str) -> Any:
    """A random model of transformers with a head, whose attention is sharp."""
    torch.manual_seed(3)
    size = families.VOCABULARY
    if family == "gpt2":
        config = transformers.GPT2Config(vocab_size=size, n_embd=32, n_layer=2, n_head=4, n_positions=64,
                                         bos_token_id=None, eos_token_id=None, initializer_range=0.3)  # fmt: skip
        return transformers.GPT2LMHeadModel(config).eval()
    if family == "bert":
        config = transformers.BertConfig(vocab_size=size, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                                         intermediate_size=48, max_position_embeddings=64,
                                         initializer_range=0.4)  # fmt: skip
        return transformers.BertForMaskedLM(config).eval()
    if family == "marian":
        config = transformers.MarianConfig(
            vocab_size=size, d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
            decoder_attention_heads=4, encoder_ffn_dim=48, decoder_ffn_dim=48, max_position_embeddings=40,
            pad_token_id=0, eos_token_id=END, decoder_start_token_id=0, forced_eos_token_id=None, init_std=0.4,
        )  # fmt: skip
        return transformers.MarianMTModel(config).eval()
    labels = {0: "colour/red", 1: "colour/blue", 2: "count/1", 3: "count/2", 4: "count/3"}
    config = transformers.ViTConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
                                    image_size=32, patch_size=8, initializer_range=0.4, id2label=labels)  # fmt: skip
    return transformers.ViTForImageClassification(config).eval()


def opened(family: str, folder: Path) -> tuple[LoadedModel, Any]:
    theirs = build(family)
    theirs.save_pretrained(folder)
    if family != "vit":
        tokenizer(family).save(str(folder / "tokenizer.json"))
    layers, heads, limit = SIZES[family]
    inputs = {"vit": "picture", "marian": "translation"}
    card = ModelCard(family, family, family, family, (), (), layers, heads, limit, "exact", "", "",
                     input=inputs.get(family, "text"))  # fmt: skip
    theirs.set_attn_implementation("eager")
    return ready(load_model(card, folder)), theirs


def example(family: str) -> Example:
    if family == "vit":
        return Example(image=torch.randint(0, 256, (48, 40, 3), generator=torch.Generator().manual_seed(1)).byte())
    text = families.text(11)
    return Example(text, target="w8 w1 w30" if family == "marian" else None)


def theirs_of(family: str, model: LoadedModel, theirs: Any, given: Example) -> Any:
    inputs = dict(model.encode(given).inputs)
    options = {"use_cache": False} if family in ("gpt2", "marian") else {}
    with torch.inference_mode():
        return theirs(**inputs, **options, output_attentions=True)


@pytest.mark.parametrize("family", SIZES)
def test_a_trace_shows_what_transformers_computes(family: str, tmp_path: Path) -> None:
    model, theirs = opened(family, tmp_path)
    assert (model.back_end, model.refusal) == ("in-house", None)
    trace = capture(model, example(family))
    output = theirs_of(family, model, theirs, example(family))
    names = {
        Kind.ENCODER_SELF: "encoder_attentions" if family == "marian" else "attentions",
        Kind.DECODER_SELF: "decoder_attentions" if family == "marian" else "attentions",
        Kind.CROSS: "cross_attentions",
    }
    expected = {"gpt2": [Kind.DECODER_SELF], "marian": list(Kind)}.get(family, [Kind.ENCODER_SELF])
    assert list(trace.kinds) == expected
    for kind in trace.kinds:
        for one, own in zip(trace.maps_of(kind), output[names[kind]], strict=True):
            torch.testing.assert_close(one.weights(), own[0], atol=3e-5, rtol=0)


def test_a_decoder_says_the_next_token_after_every_row(tmp_path: Path) -> None:
    model, theirs = opened("gpt2", tmp_path)
    trace = capture(model, example("gpt2"))
    probabilities = theirs_of("gpt2", model, theirs, example("gpt2")).logits[0].softmax(-1)
    said = trace.predictions
    assert said is not None
    assert (said.task, [one.position for one in said.at]) == ("next-token", list(range(11)))
    for row, one in enumerate(said.at):
        best = probabilities[row].argsort(descending=True)[:5]
        assert [candidate.text for candidate in one.candidates] == [tokenizer("gpt2").id_to_token(int(n)) for n in best]
        if row < 10:
            following = trace.source.ids[row + 1]
            assert one.actual is not None
            assert one.actual.text == trace.source.texts[row + 1]
            assert one.actual.probability == pytest.approx(float(probabilities[row, following]), abs=1e-5)
    assert said.at[-1].actual is None


def test_a_translation_is_written_by_the_model_and_named_by_what_is_written(tmp_path: Path) -> None:
    model, theirs = opened("marian", tmp_path)
    text = families.text(9)
    trace = capture(model, text)
    ids = torch.tensor([trace.source.ids])
    own = theirs.generate(ids, do_sample=False, num_beams=1, max_new_tokens=40)[0].tolist()
    assert trace.target is not None
    assert trace.decoder_input is not None
    assert list(trace.target.ids) == own[1:]
    assert trace.decoder_input.ids == (0, *trace.target.ids[:-1])
    assert trace.queries("cross") is trace.target
    assert trace.queries("decoder-self") is trace.keys("decoder-self") is trace.decoder_input
    assert trace.predictions is not None
    # Greedy: what was written is the best candidate of its row (padding is never written).
    for one in trace.predictions.at:
        assert one.actual is not None
        assert one.actual.probability == max(c.probability for c in one.candidates if c.text != "[PAD]")


def test_a_given_target_is_shown_with_the_probability_of_each_of_its_words(tmp_path: Path) -> None:
    model, theirs = opened("marian", tmp_path)
    trace = capture(model, example("marian"))
    assert trace.target is not None
    assert trace.target.texts == ("w8", "w1", "w30", "w5")
    probabilities = theirs_of("marian", model, theirs, example("marian")).logits[0].softmax(-1)
    assert trace.predictions is not None
    for row, one in enumerate(trace.predictions.at):
        assert one.actual is not None
        expected = float(probabilities[row, trace.target.ids[row]])
        assert one.actual.probability == pytest.approx(expected, abs=1e-5)


def test_a_masked_token_is_guessed_only_where_there_is_one(tmp_path: Path) -> None:
    model, theirs = opened("bert", tmp_path)
    assert capture(model, "w9 w3").predictions_note == "no-mask"
    given = Example("w9 [MASK] w3")
    trace = capture(model, given)
    probabilities = theirs_of("bert", model, theirs, given).logits[0].softmax(-1)
    assert trace.predictions is not None
    (one,) = trace.predictions.at
    assert (trace.predictions.task, one.position, one.actual) == ("masked-token", 1, None)
    assert one.candidates[0].probability == pytest.approx(float(probabilities[1].max()), abs=1e-5)


def test_a_model_without_a_head_says_so(tmp_path: Path) -> None:
    theirs = build("bert").bert
    trace = capture(wrap(theirs, tokenizer("bert")), "w9 [MASK] w3")
    assert (trace.predictions, trace.predictions_note) == (None, "no-head")


def test_a_picture_is_answered_question_by_question(tmp_path: Path) -> None:
    model, theirs = opened("vit", tmp_path)
    given = example("vit")
    trace = capture(model, given)
    assert trace.picture is not None
    assert (tuple(trace.picture.pixels.shape), trace.picture.rows, trace.picture.columns) == ((32, 32, 3), 4, 4)
    assert trace.source.texts[:6] == ("[CLS]", "1,1", "1,2", "1,3", "1,4", "2,1")
    logits = theirs_of("vit", model, theirs, given).logits[0]
    assert trace.predictions is not None
    colour, count = trace.predictions.at
    assert (colour.label, count.label) == ("colour", "count")
    assert {c.text: c.probability for c in count.candidates} == pytest.approx(
        dict(zip("123", logits[2:].softmax(-1).tolist(), strict=True)), abs=1e-5
    )


def test_a_picture_model_of_transformers_is_captured_too() -> None:
    theirs = build("vit")
    trace = capture(theirs, example("vit"), tokenizer=None)
    assert trace.provenance.back_end == "interface"
    assert trace.picture is not None
    assert trace.predictions is not None


def blocked(trace: AttentionTrace, other: AttentionTrace) -> list[bool]:
    pairs = zip(trace.maps, other.maps, strict=True)
    return [torch.allclose(one.weights(), two.weights(), atol=1e-6) for one, two in pairs]


def test_a_head_that_is_switched_off_changes_only_what_comes_after_it(tmp_path: Path) -> None:
    model, _ = opened("gpt2", tmp_path)
    whole = capture(model, example("gpt2"))
    without = capture(model, Example(example("gpt2").text, off=("decoder-self.0.2",)))
    assert blocked(whole, without) == [True, False]
    assert without.off == ("decoder-self.0.2",)
    assert without.predictions != whole.predictions
    last = capture(model, Example(example("gpt2").text, off=("decoder-self.1.0",)))
    assert blocked(whole, last) == [True, True]


@pytest.mark.parametrize(
    "name", ["decoder-self.0", "decoder-self.0.4", "encoder-self.0.0", "x", "decoder-self.-1.0", ""]
)
def test_a_head_that_is_not_there_cannot_be_switched_off(name: str, tmp_path: Path) -> None:
    model, _ = opened("gpt2", tmp_path)
    with pytest.raises(UnknownNameError, match="accepted"):
        capture(model, Example("w1 w2", off=(name,)))


def test_only_heads_of_models_read_from_outside_cannot_be_switched_off() -> None:
    with pytest.raises(NotAvailableError, match="from outside") as refused:
        capture(families.wrapped("gpt_neo"), Example("w1", off=("decoder-self.0.0",)))
    assert refused.value.facts["reason"] == "no-switch"
    capture(wrap(build("gpt2"), families.tokenizer()), Example("w1", off=("decoder-self.0.0",)))


@pytest.mark.parametrize(
    ("family", "given", "sentence"),
    [
        ("vit", Example("w1"), "takes no text"),
        ("vit", Example(), "needs a picture"),
        ("vit", Example("w1", target="w2"), "one sequence"),
        ("gpt2", Example("w1", image=torch.zeros(8, 8, 3, dtype=torch.uint8)), "takes no picture"),
        ("gpt2", Example("w1", target="w2"), "one sequence"),
        ("marian", Example("w1", pair="w2"), "not a second text"),
    ],
)
def test_what_a_model_does_not_take_is_refused(family: str, given: Example, sentence: str, tmp_path: Path) -> None:
    model, _ = opened(family, tmp_path)
    with pytest.raises(NotAvailableError, match=sentence):
        capture(model, given)


def test_without_positions_a_shuffled_text_shuffles_its_weights(tmp_path: Path) -> None:
    opened("bert", tmp_path)
    card = ModelCard("b", "B", "B", "bert", (), (), 2, 4, 64, "exact", "", "")
    model = ready(load_model(card, tmp_path, positions=False))
    assert (model.card.title, model.back_end) == ("B without positions", "in-house")
    one, other = capture(model, "w1 w2 w3 w4"), capture(model, "w3 w1 w4 w2")
    order = [one.source.texts.index(text) for text in other.source.texts]
    for here, there in zip(one.maps, other.maps, strict=True):
        torch.testing.assert_close(here.weights()[:, order][:, :, order], there.weights())


def test_without_scaling_the_scores_are_plain_products(tmp_path: Path) -> None:
    opened("gpt2", tmp_path)
    card = ModelCard("g", "G", "G", "gpt2", (), (), 2, 4, 64, "exact", "", "r")
    whole, without = (capture(load_model(card, tmp_path, scaled=scaled), "w1 w2 w3") for scaled in (True, False))
    # The first layer reads the same input: its scores differ by √dim alone, here √8.
    torch.testing.assert_close(without.maps[0].scores(), whole.maps[0].scores() * 8**0.5)
    assert without.model.revision != whole.model.revision


@pytest.mark.parametrize("family", ["marian", "vit"])
def test_two_sequences_and_pictures_are_saved_and_read_again(family: str, tmp_path: Path) -> None:
    model, _ = opened(family, tmp_path)
    trace = capture(model, example(family))
    save(trace, tmp_path / "one.safetensors")
    again = load(tmp_path / "one.safetensors")
    assert (again.target, again.decoder_input, again.predictions) == (
        trace.target,
        trace.decoder_input,
        trace.predictions,
    )
    assert (again.picture is None) == (trace.picture is None)
    if trace.picture is not None and again.picture is not None:
        assert torch.equal(again.picture.pixels, trace.picture.pixels)
    for one, other in zip(trace.maps, again.maps, strict=True):
        torch.testing.assert_close(one.weights(), other.weights())
